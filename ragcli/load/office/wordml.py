"""Word 2003 documents in one XML (WordprocessingML, the forerunner of DOCX)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragcli.load.office.flow import Flow, Paragraph
from ragcli.load.office.stylenames import style_level
from ragcli.load.office.symbols import symbol
from ragcli.load.parsed import CannotRead, Content
from ragcli.load.source import inline
from ragcli.load.writer import Writer
from ragcli.load.xml import local_attribute, local_name, parse_xml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from ragcli.load.parsed import Item
    from ragcli.types import Scalar

_PROPERTIES = {
    "Author": "author",
    "Subject": "subject",
    "Keywords": "keywords",
    "Description": "description",
    "Created": "created",
    "LastSaved": "modified",
}
_DEAD = "instrText delText pPr rPr tblPr trPr tcPr tblGrid binData proofErr sectPr docSuppData shapeDefaults"
_SKIPPED = frozenset(_DEAD.split())
_BREAKS = {"tab": "\t", "cr": "\n", "noBreakHyphen": "\u2011"}


def read_wordml(content: Content) -> Iterator[Item]:
    """The text with headings by style or outline level, lists with their marks, and tables.

    Notes, comments and text boxes stand after their paragraph, headers and footers once at the end;
    pages are those that the text itself begins. Left out are deletions, field instructions, pictures.
    """
    lost: list[CannotRead] = []
    root = parse_xml(content.data, lost=lost)
    writer = Writer()
    reading = _Reading(root, writer)
    for body in root.iter("{*}body"):
        reading.read(body)
        break
    reading.finish(root)
    title, metadata = properties_of(root)
    yield writer.parsed(title, metadata)
    yield from lost


def properties_of(root: etree._Element) -> tuple[str, dict[str, Scalar]]:
    """Title and properties of an Office 2003 XML file."""
    title = ""
    found: dict[str, Scalar] = {}
    for properties in root.iter("{*}DocumentProperties"):
        for element in properties:
            name, words = local_name(element), inline(element.text or "")
            if name == "Title":
                title = words
            elif name in _PROPERTIES and words:
                found[_PROPERTIES[name]] = words
    return title, found


class _Reading:
    def __init__(self, root: etree._Element, writer: Writer) -> None:
        self._writer = writer
        self._flow = Flow(writer)
        self._levels = _style_levels(root)
        self._page = 0
        self._turns = False
        self._notes = 0
        breaks = any(local_attribute(found, "type") == "page" for found in root.iter("{*}br"))
        if breaks:
            self._turn_page()

    def read(self, parent: etree._Element, *, in_cell: bool = False) -> None:
        """Paragraphs and tables, through the sections that hold them."""
        for child in parent:
            name = local_name(child)
            if name == "p":
                self._paragraph(child, in_cell=in_cell)
            elif name == "tbl" and in_cell:
                for row in child.iter("{*}p"):
                    self._paragraph(row, in_cell=True)
            elif name == "tbl":
                self._table(child)
            elif name == "annotation" and local_attribute(child, "type") == "Word.Deletion":
                continue
            elif name and name not in _SKIPPED:
                self.read(child, in_cell=in_cell)

    def finish(self, root: etree._Element) -> None:
        """What stands on every page."""
        self._flow.finish()
        margins = []
        for margin in root.iter("{*}hdr", "{*}ftr"):
            words = "\n".join(filter(None, (self._words(p).strip() for p in margin.iter("{*}p"))))
            if any(char.isalpha() for char in words):
                margins.append(words)
        for words in dict.fromkeys(margins):
            self._writer.paragraph(words)

    def _turn_page(self) -> None:
        self._page += 1
        self._flow.page(self._page)

    def _paragraph(self, element: etree._Element, *, in_cell: bool) -> None:
        style, outline, mark, depth = "", "", None, 0
        for properties in element:
            if local_name(properties) != "pPr":
                continue
            for part in properties:
                name = local_name(part)
                if name == "pStyle":
                    style = local_attribute(part, "val")
                elif name == "outlineLvl":
                    outline = local_attribute(part, "val")
                elif name == "listPr":
                    mark, depth = _list_mark(part)
        level = int(outline) + 1 if outline in set("012345678") else self._levels.get(style, 0)
        words = self._words(element).strip(" \n")
        self._flow.paragraph(Paragraph(words, 0 if in_cell else level, mark, depth), in_cell=in_cell)
        if self._turns:
            self._turns = False
            self._turn_page()

    def _table(self, table: etree._Element) -> None:
        for row in _rows(table):
            is_header = any(local_name(found) == "tblHeader" for found in row.iter("{*}tblHeader"))
            for cell in row.iter("{*}tc"):
                if any(local_name(up) == "tc" for up in _up_to(cell, row)):
                    continue  # of a table within a cell
                self.read(cell, in_cell=True)
                self._flow.end_cell(Paragraph(""))
            self._flow.end_row(is_header=is_header)

    def _words(self, element: etree._Element) -> str:
        out: list[str] = []
        self._collect(element, out)
        return "".join(out)

    def _collect(self, element: etree._Element, out: list[str]) -> None:
        for child in element:
            name = local_name(child)
            if name in _SKIPPED or not name:
                continue
            if name == "t":
                out.append(child.text or "")
            elif name in _BREAKS:
                out.append(_BREAKS[name])
            elif name == "br":
                out.append("\n")
                if local_attribute(child, "type") == "page" and "".join(out).strip():
                    self._turns = True  # what stands before the break is on the old page
                elif local_attribute(child, "type") == "page":
                    self._turn_page()
            elif name == "sym":
                out.append(_sign(child))
            elif name in ("footnote", "endnote"):
                self._notes += 1
                mark = f"[{self._notes}]"
                out.append(mark)
                self._flow.note(f"{mark} {self._inner(child)}")
            elif name == "annotation" and local_attribute(child, "type") == "Word.Deletion":
                continue
            elif name == "annotation" and local_attribute(child, "type") == "Word.Comment":
                author = inline(local_attribute(child, "author"))
                self._flow.note(f"{author}: {self._inner(child)}" if author else self._inner(child))
            elif name in ("txbxContent", "tbl"):
                self._flow.note(self._inner(child))
            else:
                self._collect(child, out)

    def _inner(self, element: etree._Element) -> str:
        return "\n".join(filter(None, (self._words(p).strip() for p in element.iter("{*}p"))))


def _sign(element: etree._Element) -> str:
    """A character of a symbol font; a bullet where it is not known."""
    try:
        code = int(local_attribute(element, "char"), 16)
    except ValueError:
        return "•"
    return symbol(code, local_attribute(element, "font")) or "•"


def _rows(table: etree._Element) -> list[etree._Element]:
    return [
        row for row in table.iter("{*}tr") if not any(local_name(up) == "tbl" for up in _up_to(row, table))
    ]


def _up_to(element: etree._Element, end: etree._Element) -> list[etree._Element]:
    found = []
    for up in element.iterancestors():
        if up is end:
            break
        found.append(up)
    return found


def _list_mark(properties: etree._Element) -> tuple[str, int]:
    mark, depth = "-", 0
    for part in properties:
        if local_name(part) == "t":
            words = inline(local_attribute(part, "val"))
            mark = words if any(char.isalnum() for char in words) and words != "o" else "-"
        elif local_name(part) == "ilvl" and local_attribute(part, "val").isdigit():
            depth = min(int(local_attribute(part, "val")[:2]), 8)
    return mark, depth


def _style_levels(root: etree._Element) -> dict[str, int]:
    levels: dict[str, int] = {}
    for styles in root.iter("{*}styles"):
        for style in styles.iter("{*}style"):
            identity = local_attribute(style, "styleId")
            for part in style.iter("{*}name", "{*}outlineLvl"):
                value = local_attribute(part, "val")
                level = style_level(value)
                if local_name(part) == "outlineLvl" and value in set("012345678"):
                    level = int(value) + 1
                if level:
                    levels[identity] = level
    return levels
