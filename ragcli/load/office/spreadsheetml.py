"""Excel 2003 workbooks in one XML (SpreadsheetML)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragcli.load.office.sheet import Cells, printed, write_cells
from ragcli.load.office.wordml import properties_of
from ragcli.load.parsed import CannotRead, Content, Item
from ragcli.load.source import inline
from ragcli.load.writer import Writer
from ragcli.load.xml import local_attribute, local_name, parse_xml, text_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

_MOST_COLUMNS = 16_384
_MOST_CELLS = 3_000_000


def read_spreadsheetml(content: Content) -> Iterator[Item]:
    """Sheet by sheet: its name as a heading, its rows, then comments, headers and footers.

    Pages are sheets, lines are rows. Left out are formulas (their results are read), formats and macros.
    """
    refused: list[CannotRead] = []
    root = parse_xml(content.data, lost=refused)
    writer = Writer()
    cells = 0
    sheets = [element for element in root if local_name(element) == "Worksheet"]
    for page, sheet in enumerate(sheets, 1):
        name = inline(local_attribute(sheet, "Name"))
        notes: list[str] = []
        rows: list[Cells] = []
        for number, row in _rows(sheet):
            found = _cells(row, notes)
            cells += len(found)
            if cells > _MOST_CELLS:
                refused.append(
                    CannotRead("too-large", f"only the first {_MOST_CELLS:,} cells are read", name)
                )
                break
            if any(found):
                rows.append((number, found))
        writer.page(page, name)
        if rows or notes:
            writer.heading(name, 1, rows[0][0] if rows else 1)
        write_cells(rows, writer)
        for words in dict.fromkeys([*notes, *_margins(sheet)]):
            writer.paragraph(words)
    title, metadata = properties_of(root)
    yield writer.parsed(title, metadata)
    yield from refused


def _rows(sheet: etree._Element) -> Iterator[tuple[int, etree._Element]]:
    number = 0
    for table in sheet:
        if local_name(table) != "Table":
            continue
        for row in table:
            if local_name(row) == "Row":
                number = max(1, _number(local_attribute(row, "Index"), number + 1))
                yield number, row
                number += _number(local_attribute(row, "Span"), 0)


def _cells(row: etree._Element, notes: list[str]) -> list[str]:
    found: list[str] = []
    for cell in row:
        if local_name(cell) != "Cell":
            continue
        column = min(_number(local_attribute(cell, "Index"), len(found) + 1), _MOST_COLUMNS)
        found += [""] * (column - 1 - len(found))
        words = ""
        for child in cell:
            text = inline(text_within(child))
            if local_name(child) == "Data":
                words = text
            elif local_name(child) == "Comment" and text:
                author = inline(local_attribute(child, "Author"))
                notes.append(f"{author}: {text}" if author and not text.startswith(author) else text)
        found.append(words)
        across = min(_number(local_attribute(cell, "MergeAcross"), 0), _MOST_COLUMNS - len(found))
        found += [""] * max(0, across)
    while found and not found[-1]:
        found.pop()
    return found


def _margins(sheet: etree._Element) -> list[str]:
    found = []
    for element in sheet.iter("{*}Header", "{*}Footer"):
        words = printed(local_attribute(element, "Data"))
        if words and words.lower() != "page":
            found.append(words)
    return found


def _number(text: str, default: int) -> int:
    return int(text[:9]) if text.isdigit() else default
