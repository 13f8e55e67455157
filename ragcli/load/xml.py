"""XML through lxml, parsed so that nothing in it can reach out or blow up.

Every parser of the program is made here: no entity is resolved, no DTD read, nothing external
followed, and depth and size are bounded. Comments and processing instructions are left out.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ragcli.load.charrefs import without_surrogates
from ragcli.load.parsed import CannotRead

if TYPE_CHECKING:
    from lxml import etree

_OPTIONS: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


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


def xml_parser(*, recover: bool = True, encoding: str | None = None) -> etree.XMLParser:
    """A parser; one that recovers gives of broken XML what can be had, and keeps an ``error_log``."""
    from lxml import etree

    return etree.XMLParser(recover=recover, encoding=encoding, **_OPTIONS)


def parse_xml(data: bytes, part: str = "", lost: list[CannotRead] | None = None) -> etree._Element:
    """The root element; a broken end gives what stands before it.

    ``part`` is what the message of CannotRead("damaged") calls the data. Where something is missing
    in what is given, ``lost`` is told.
    """
    from lxml import etree

    parser = xml_parser()
    try:
        root = etree.fromstring(without_surrogates(data), parser)
    except etree.XMLSyntaxError:
        root = None
    if root is None:
        raise CannotRead("damaged", f"{part or 'the content'} is no well-formed XML")
    if lost is not None:
        for told in parser.error_log:
            if told.type_name in _LOST:
                lost.append(CannotRead(*_LOST[told.type_name], part))
                break
    return root


def parse_or_mend(data: bytes) -> tuple[etree._Element | None, bool]:
    """The root, None where nothing can be had of it; and whether the XML was whole."""
    from lxml import etree

    for recover in (False, True):
        try:
            return etree.fromstring(without_surrogates(data), xml_parser(recover=recover)), not recover
        except etree.XMLSyntaxError:
            continue
    return None, False


def iterparse(data: bytes, tag: str) -> etree.iterparse[tuple[str, etree._Element]]:
    """The elements of a tag, each as it ends; as a recovering parser gives them."""
    from lxml import etree

    source = io.BytesIO(without_surrogates(data))
    return etree.iterparse(source, events=("end",), tag=tag, recover=True, **_OPTIONS)


def local_name(element: etree._Element) -> str:
    """The tag without its namespace; empty for what is no element (an unresolved entity)."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def text_within(element: etree._Element) -> str:
    """All character data of an element; none of what is no element (an unresolved entity)."""
    return "".join(str(words) for words in element.itertext()) if isinstance(element.tag, str) else ""


def local_attribute(element: etree._Element, name: str) -> str:
    """The attribute of a local name, in whatever namespace; empty where there is none."""
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return ""
