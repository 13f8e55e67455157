"""XML of office files, parsed so that no content of it can reach out or blow up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragcli.load.charrefs import without_surrogates
from ragcli.load.parsed import CannotRead

if TYPE_CHECKING:
    from lxml import etree


_LOST = {
    "ERR_RESOURCE_LIMIT": (
        "too-deep",
        "it is nested too deep, or too large; what stands before that was read",
    ),
    "ERR_ENTITY_LOOP": ("damaged", "its entities grow without end; what stands before that was read"),
    "ERR_TAG_NOT_FINISHED": ("damaged", "it is cut short; what stands before that was read"),
    "ERR_GT_REQUIRED": ("damaged", "it is cut short or broken; what could be read was taken"),
    "ERR_TAG_NAME_MISMATCH": ("damaged", "its XML is broken; what could be read was taken"),
    "ERR_DOCUMENT_END": ("damaged", "something follows its end, which was not read"),
}


def parse_xml(data: bytes, part: str = "", lost: list[CannotRead] | None = None) -> etree._Element:
    """The root element. Entities stay unresolved, and a broken end gives what stands before it.

    ``part`` is what the message of CannotRead("damaged") calls the data. Where something is missing
    in what is given, ``lost`` is told.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(without_surrogates(data), parser)
    except etree.XMLSyntaxError as error:
        raise CannotRead("damaged", f"{part or 'the content'} is no well-formed XML") from error
    if root is None:
        raise CannotRead("damaged", f"{part or 'the content'} is no well-formed XML")
    if lost is not None:
        for told in parser.error_log:
            if told.type_name in _LOST:
                lost.append(CannotRead(*_LOST[told.type_name], part))
                break
    return root


def local_name(element: etree._Element) -> str:
    """The tag without its namespace; empty for what is no element (an unresolved entity)."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def text_within(element: etree._Element) -> str:
    """All character data of an element; none of what is no element (an unresolved entity)."""
    return "".join(str(words) for words in element.itertext()) if isinstance(element.tag, str) else ""
