"""XML through lxml, parsed so that nothing in it can reach out or blow up.

Every parser of the program is made here: no entity is resolved, no DTD read, nothing external
followed, and depth and size are bounded. Comments and processing instructions are left out.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

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


def xml_parser(*, recover: bool = True, encoding: str | None = None) -> etree.XMLParser:
    """A parser; one that recovers gives of broken XML what can be had, and keeps an ``error_log``."""
    from lxml import etree

    return etree.XMLParser(recover=recover, encoding=encoding, **_OPTIONS)


def parse_xml(data: bytes, part: str = "") -> etree._Element:
    """The root element; a broken end gives what stands before it.

    ``part`` is what the message of CannotRead("damaged") calls the data.
    """
    root, _ = parse_or_mend(data)
    if root is None:
        raise CannotRead("damaged", f"{part or 'the content'} is no well-formed XML")
    return root


def parse_or_mend(data: bytes) -> tuple[etree._Element | None, bool]:
    """The root, None where nothing can be had of it; and whether the XML was whole."""
    from lxml import etree

    for recover in (False, True):
        try:
            return etree.fromstring(data, xml_parser(recover=recover)), not recover
        except etree.XMLSyntaxError:
            continue
    return None, False


def iterparse(data: bytes, tag: str) -> etree.iterparse[tuple[str, etree._Element]]:
    """The elements of a tag, each as it ends; as a recovering parser gives them."""
    from lxml import etree

    return etree.iterparse(io.BytesIO(data), events=("end",), tag=tag, recover=True, **_OPTIONS)


def local_name(element: etree._Element) -> str:
    """The tag without its namespace; empty for what is no element (an unresolved entity)."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def text_within(element: etree._Element) -> str:
    """All character data of an element."""
    return "".join(str(words) for words in element.itertext())


def local_attribute(element: etree._Element, name: str) -> str:
    """The attribute of a local name, in whatever namespace; empty where there is none."""
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return ""
