"""XML text to a tree, whatever the text does: no DTD is read, nothing external is followed.

References to entities are settled before the parser sees them. Those that the document declares
with a plain value are replaced by it (within a limit; never those made of other entities, which is
how a few lines grow to gigabytes), HTML's names by their characters, and all others stay as they
are written.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.load.charrefs import without_surrogates
from ragcli.load.parsed import CannotRead
from ragcli.load.xml import local_name, xml_parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element as Element

_DOCTYPE = re.compile(r"<!DOCTYPE\b(?:[^\[>\"']|\"[^\"]*\"|'[^']*')*(?:\[(.*?)\]\s*)?>", re.DOTALL)
_ENTITY = re.compile(r"<!ENTITY\s+([\w.:-]+)\s+(?:\"([^\"]*)\"|'([^']*)')\s*>")
_OPENING = re.compile(r"<!\[CDATA\[|<!--|<\?")
_CLOSING = {"<![CDATA[": "]]>", "<!--": "-->", "<?": "?>"}
_REFERENCE = re.compile(r"&(?:(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z_][\w.:-]{0,99});)?")
_DECLARATION = re.compile(r"<\?xml\b.*?\?>", re.DOTALL)
_LONGEST_DOCTYPE = 1_000_000
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ANY_TAG = re.compile(r"<[^<>]*>")
_PREDEFINED = frozenset(["amp", "lt", "gt", "quot", "apos"])
_LONGEST_VALUE = 10_000
_MOST_EXPANDED = 1_000_000  # characters, of all entities together

SEVERAL = "several-roots"
"""The name of an element of ours around the roots of a file that has more than one."""


@dataclass(frozen=True, slots=True)
class Tree:
    """``root`` is None where the parser gave up; ``broken`` tells where content may be missing."""

    root: Element | None
    broken: str


def parse_xml(text: str) -> Tree:
    """The tree of a document, or of a piece of one with several roots, mended where it is broken."""
    text = _NOT_IN_XML.sub("", text)
    declaration = _DECLARATION.match(text, len(text) - len(text.lstrip()))
    if declaration:
        text = "\n" * text.count("\n", 0, declaration.end()) + text[declaration.end() :]
    at = text.find("<!DOCTYPE")
    doctype = _DOCTYPE.match(text, at, at + _LONGEST_DOCTYPE) if at >= 0 else None
    declared: dict[str, str] = {}
    if doctype and not any(_ANY_TAG.search(part) for part, plain in _parts(text[:at]) if plain):
        declared = _declared(doctype[1] or "")
        text = text[: doctype.start()] + "\n" * doctype[0].count("\n") + text[doctype.end() :]
    text = _Entities(declared).settled(text)
    tree = _parsed(text)
    if tree.broken == SEVERAL:
        tree = _parsed(f"<{SEVERAL}>{text}</{SEVERAL}>")
    return tree


def without_tags(text: str) -> str:
    """The words of XML that no parser takes."""
    return html.unescape(_ANY_TAG.sub(" ", text))


def name_of(node: Element) -> str:
    """The name of an element without its namespace, in lower case."""
    return local_name(node).lower()


def line_of(node: Element) -> int:
    """The source line at which an element begins."""
    line = node.sourceline
    return line if isinstance(line, int) and line > 0 else 1


def _parsed(text: str) -> Tree:
    from lxml import etree

    parser = xml_parser(encoding="utf-8")
    try:
        root = etree.fromstring(without_surrogates(text.encode("utf-8", "replace")), parser)
    except etree.XMLSyntaxError as error:
        raise CannotRead("damaged", f"not XML that can be read (line {error.lineno or 1})") from None
    broken = ""
    for told in parser.error_log:
        if told.type_name == "ERR_DOCUMENT_END" and root is not None:
            broken = SEVERAL
        elif told.type_name == "ERR_RESOURCE_LIMIT":
            return Tree(None, "it is nested too deep, or too large")
        elif told.type_name in ("ERR_TAG_NOT_FINISHED", "ERR_GT_REQUIRED", "ERR_CDATA_NOT_FINISHED"):
            broken = broken or f"the XML is broken at line {told.line}"
    return Tree(root, broken)


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces; not plain are CDATA sections, comments and processing instructions."""
    at = done = 0
    unclosed: set[str] = set()
    while opening := _OPENING.search(text, at):
        closing = _CLOSING[opening[0]]
        end = text.find(closing, opening.end()) if closing not in unclosed else -1
        at = opening.end()
        if end < 0:
            unclosed.add(closing)
            continue
        yield text[done : opening.start()], True
        done = at = end + len(closing)
        yield text[opening.start() : done], False
    yield text[done:], True


def _declared(subset: str) -> dict[str, str]:
    """The entities of an internal subset whose values contain no other; the first declaration counts."""
    found: dict[str, str] = {}
    for entity in _ENTITY.finditer(subset):
        value = entity[2] if entity[2] is not None else entity[3]
        names = [match[1] for match in _REFERENCE.finditer(value)]
        plain = all(name and (name in _PREDEFINED or name[0] == "#") for name in names)
        if plain and len(value) <= _LONGEST_VALUE:
            found.setdefault(entity[1], " ".join(value.split()))
    return found


class _Entities:
    def __init__(self, declared: dict[str, str]) -> None:
        self._declared = declared
        self._left = _MOST_EXPANDED

    def settled(self, text: str) -> str:
        return "".join(_REFERENCE.sub(self._settle, part) if plain else part for part, plain in _parts(text))

    def _settle(self, match: re.Match[str]) -> str:
        name = match[1]
        if not name:
            return "&amp;"
        if name[0] == "#":
            return match[0]
        if name in _PREDEFINED:
            return match[0]
        value = self._declared.get(name)
        if value is not None and len(value) <= self._left:
            self._left -= len(value)
            return value
        char = html.unescape(match[0])
        return char if char != match[0] else f"&amp;{name};"
