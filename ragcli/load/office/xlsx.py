"""Workbooks (ECMA-376 part 1, 18): each sheet a page under its name, hidden ones too.

Kept: what each cell shows (numbers in their format, dates as ISO 8601), formulas that were never
calculated, comments and the addresses of links after their row; text boxes, charts, diagrams and alt
texts after the rows; what headers and footers of the printed page say, once. Left out: formulas whose
result is kept, phonetic hints, validation lists, pivot caches, connections.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from ragcli.load.charrefs import without_surrogates
from ragcli.load.office.drawing import A, R, alt_text, chosen, local, paragraph_text, write_graphics
from ragcli.load.office.numberformat import code_of, shown
from ragcli.load.office.package import parse_xml, transitional
from ragcli.load.office.properties import properties
from ragcli.load.office.sheet import Row, write_rows
from ragcli.load.parsed import CannotRead
from ragcli.load.source import inline
from ragcli.load.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element as Element

    from ragcli.load.office.package import Package
    from ragcli.load.parsed import Parsed

S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_C, _F, _V, _T, _RUN, _IS = (f"{S}{name}" for name in ("c", "f", "v", "t", "r", "is"))
_DIGITS = "0123456789"
_DATA = re.compile(rb"<(?:\w+:)?sheetData\b[^>]*?(?:/>|>)")
_DATA_END = re.compile(rb"</(?:\w+:)?sheetData\s*>")
_CELL = re.compile(r"([A-Za-z]{1,3})(\d+)")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LINK = re.compile(r'HYPERLINK\(\s*"([^"]+)"', re.IGNORECASE)
_PRINT_CODE = re.compile(r'&(?:"[^"]*"|K[0-9A-Fa-f]{6}|K\d\d[+-]\d{3}|\d+|[A-Za-z])')
_LONGEST_URL = 500
_MOST_CELLS = 10_000_000  # of a workbook
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
_BOOLEANS = {"0": "FALSE", "1": "TRUE"}
_THREADED = "[Threaded comment]"


@dataclass(slots=True)
class _Book:
    """What the sheets of a workbook share."""

    package: Package
    strings: list[str]
    codes: list[str]
    since_1904: bool
    cells: int = 0
    said: set[str] = field(default_factory=set)


def workbook(package: Package, main: str) -> Parsed:
    """The workbook whose main part is ``main``."""
    title, metadata = properties(package)
    writer = Writer()
    if main.lower().endswith(".bin"):
        from ragcli.load.office.xlsb import write_book
    else:
        write_book = _write_book
    write_book(package, main, writer)
    # The name of the first sheet is no title.
    return replace(writer.parsed(title, metadata), title=inline(title))


def _write_book(package: Package, main: str, writer: Writer) -> None:
    root = package.xml(main)
    properties_ = root.find(f"{S}workbookPr") if root is not None else None
    since_1904 = properties_ is not None and properties_.get("date1904") in {"1", "true"}
    book = _Book(package, _strings(package, main), _codes(package, main), since_1904)
    for number, (name, part) in enumerate(_sheets(package, main, root), 1):
        writer.page(number, name)
        try:
            _write_sheet(book, name, part, writer)
        except CannotRead as error:
            package.problems.append(CannotRead(error.error, error.message, name))


def _sheets(package: Package, main: str, root: Element | None) -> list[tuple[str, str]]:
    """Name and part of each sheet, in the order of the tabs."""
    relations = package.relations(main)
    found = []
    for node in root.iter(f"{S}sheet") if root is not None else ():
        relation = relations.get(node.get(f"{R}id", ""))
        if relation and package.has(relation.target):
            found.append((inline(node.get("name", "")), relation.target))
    if found:
        return found
    parts = [name for name in package.names if re.search(r"/worksheets/sheet\d+\.xml$", name)]
    return [(name.rsplit("/", 1)[-1].removesuffix(".xml"), name) for name in sorted(parts, key=_by_number)]


def _by_number(name: str) -> int:
    return int("".join(filter(str.isdigit, name.rsplit("/", 1)[-1])) or 0)


def _strings(package: Package, main: str) -> list[str]:
    names = package.related(main, "sharedStrings") or ["xl/sharedStrings.xml"]
    data = package.read(names[0])
    found: list[str] = []
    for node in _stream(package, names[0], data, f"{S}si"):
        found.append(neat(_rich(node)))
        _forget(node)
    return found


def _codes(package: Package, main: str) -> list[str]:
    """The number format of each cell style."""
    names = package.related(main, "styles") or ["xl/styles.xml"]
    root = package.xml(names[0])
    if root is None:
        return []
    custom = {
        int(node.get("numFmtId", "0")): node.get("formatCode", "")
        for node in root.iter(f"{S}numFmt")
        if node.get("numFmtId", "").isdigit()
    }
    styles = root.find(f"{S}cellXfs")
    ids = [node.get("numFmtId", "0") for node in (styles if styles is not None else ())]
    return [code_of(int(id_) if id_.isdigit() else 0, custom) for id_ in ids]


def _write_sheet(book: _Book, name: str, part: str, writer: Writer) -> None:
    data = transitional(book.package.read(part))
    frame = _frame(data)
    notes = _notes(book.package, part, frame)
    rows = with_notes(_rows(book, part, data, notes), notes)
    writer.section(name, 1)
    write_rows(rows, writer)
    write_drawings(book.package, part, writer)
    for node in frame.iter() if frame is not None else ():
        if local(node) in {
            "oddHeader",
            "oddFooter",
            "evenHeader",
            "evenFooter",
            "firstHeader",
            "firstFooter",
        }:
            text = printed(node.text or "")
            if text not in book.said:
                book.said.add(text)
                writer.paragraph(text)


def printed(code: str) -> str:
    """The words of a header or footer, without its codes; empty where there are none."""
    text = inline(_PRINT_CODE.sub(" ", code))
    return text if any(map(str.isalpha, text)) else ""


def _frame(data: bytes) -> Element | None:
    """The sheet without its rows."""
    begin = _DATA.search(data)
    if begin is None:
        return parse_xml(data)[0] if data else None
    end = None if begin[0].endswith(b"/>") else _DATA_END.search(data, begin.end())
    after = begin.end() if begin[0].endswith(b"/>") else end.end() if end else len(data)
    return parse_xml(data[: begin.start()] + data[after:])[0]


def _rows(book: _Book, part: str, data: bytes, notes: dict[int, list[str]]) -> Iterator[Row]:
    number = 0
    for node in _stream(book.package, part, data, f"{S}row"):
        given = node.get("r", "")
        # Numbers that go back would be the file's mistake; rows never do.
        number = max(number + 1, min(int(given), _LAST_ROW)) if given.isdigit() else number + 1
        cells = list(_cells(book, node, number, notes))
        _forget(node)
        book.cells += len(cells)
        if book.cells > _MOST_CELLS:
            raise CannotRead("too-large", f"more than {_MOST_CELLS} cells; the rest was left out")
        if cells:
            yield Row(number, cells)


def with_notes(rows: Iterator[Row], notes: dict[int, list[str]]) -> Iterator[Row]:
    """The rows with what is said of them; what is said of empty rows stands on its own."""
    for row in rows:
        for number in sorted(number for number in notes if number < row.number):
            yield Row(number, [], notes.pop(number))
        row.notes = notes.pop(row.number, ())
        yield row
    for number in sorted(notes):
        yield Row(number, [], notes[number])


def _cells(book: _Book, row: Element, number: int, notes: dict[int, list[str]]) -> Iterator[tuple[int, str]]:
    column = -1
    for node in row:
        if node.tag != _C:
            continue
        given = _column(node.get("r", "").rstrip(_DIGITS))
        column = max(column + 1, given)
        formula = node.find(_F)
        text = neat(_text(book, node, formula))
        if formula is not None and formula.text and "HYPERLINK" in formula.text:
            link = _LINK.search(formula.text)
            if link and link[1] not in text:
                notes.setdefault(number, []).append(f"({link[1]})")
        if text:
            yield column, text


def neat(text: str) -> str:
    """``inline``, in short for the plain words that most cells hold."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return inline(text)


@lru_cache(maxsize=20_000)
def _column(letters: str) -> int:
    """The column from 0 that the letters name; -1 where they name none."""
    if not letters.isalpha() or not letters.isascii() or len(letters) > 3:
        return -1
    at = 0
    for letter in letters.upper():
        at = at * 26 + ord(letter) - 64
    return min(at - 1, _LAST_COLUMN)


def _text(book: _Book, node: Element, formula: Element | None) -> str:
    kind = node.get("t", "n")
    if kind == "inlineStr":
        inner = node.find(_IS)
        return _rich(inner) if inner is not None else ""
    value = node.findtext(_V)
    if value is None:
        return f"={formula.text}" if formula is not None and formula.text else ""
    if kind == "s":
        at = int(value) if value.strip().isdigit() else len(book.strings)
        return book.strings[at] if at < len(book.strings) else ""
    if kind == "b":
        return _BOOLEANS.get(value.strip(), value)
    if kind == "d":
        return value.replace("T00:00:00", "").replace("T", " ").removesuffix(".000")
    if kind in {"str", "e"}:
        return _unescaped(value)
    try:
        amount = float(value)
    except ValueError:
        return value
    style = node.get("s", "0")
    at = int(style) if style.isdigit() else 0
    try:
        return shown(amount, book.codes[at] if at < len(book.codes) else "", since_1904=book.since_1904)
    except (OverflowError, ValueError):
        return value


def _rich(node: Element) -> str:
    """The words of a string item, without its phonetic hints."""
    if len(node) == 1 and node[0].tag == _T:
        return _unescaped(node[0].text or "")
    parts: list[str] = []
    for child in node:
        if child.tag == _T:
            parts.append(child.text or "")
        elif child.tag == _RUN:
            parts.append(child.findtext(_T) or "")
    return _unescaped("".join(parts))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _notes(package: Package, part: str, frame: Element | None) -> dict[int, list[str]]:
    """Row → what is said of it besides its cells: addresses of links, comments."""
    found: dict[int, list[str]] = {}
    relations = package.relations(part)
    for node in frame.iter(f"{S}hyperlink") if frame is not None else ():
        relation = relations.get(node.get(f"{R}id", ""))
        at = _CELL.match(node.get("ref", ""))
        url = relation.target.removeprefix("mailto:") if relation and relation.external else ""
        if at and url and len(url) <= _LONGEST_URL and f"({url})" not in found.get(int(at[2]), []):
            found.setdefault(int(at[2]), []).append(f"({url})")
    for ref, author, text in _comments(package, part):
        at = _CELL.match(ref)
        said = f"[Comment{f' by {author}' if author else ''}: {text}]"
        found.setdefault(int(at[2]) if at else 1, []).append(said)
    return found


def _comments(package: Package, part: str) -> Iterator[tuple[str, str, str]]:
    """Cell, author and words of each comment."""
    threaded = package.related(part, "threadedComment")
    for name in package.related(part, "comments"):
        root = package.xml(name)
        authors = [node.text or "" for node in root.iter(f"{S}author")] if root is not None else []
        for node in root.iter(f"{S}comment") if root is not None else ():
            inner = node.find(f"{S}text")
            text = inline(_rich(inner)) if inner is not None else ""
            at = node.get("authorId", "")
            author = inline(authors[int(at)]) if at.isdigit() and int(at) < len(authors) else ""
            if text and not (threaded and text.startswith(_THREADED)):
                yield node.get("ref", ""), author, text.removeprefix(f"{author}:").strip()
    for name in threaded:
        root = package.xml(name)
        for node in root if root is not None else ():
            text = next((inline(child.text or "") for child in node if local(child) == "text"), "")
            if text:
                yield node.get("ref", ""), "", text


def write_drawings(package: Package, part: str, writer: Writer) -> None:
    """Text boxes, charts, diagrams and alt texts that stand on a sheet."""
    for name in package.related(part, "drawing"):
        root = package.xml(name)
        if root is not None:
            _write_shapes(package, name, root, writer)


def _write_shapes(package: Package, part: str, node: Element, writer: Writer) -> None:
    for child in node:
        kind = local(child)
        if kind == "AlternateContent":
            choice = chosen(child)
            if choice is not None:
                _write_shapes(package, part, choice, writer)
        elif kind in {"sp", "cxnSp", "pic", "graphicFrame"}:
            alt = next((alt_text(inner) for inner in child.iter() if local(inner) == "cNvPr"), "")
            if alt:
                writer.paragraph(f"[{inline(alt)}]")
            writer.paragraph("\n".join(paragraph_text(line) for line in child.iter(f"{A}p")))
            write_graphics(package, part, child, writer)
        elif kind:
            _write_shapes(package, part, child, writer)


def _stream(package: Package, part: str, data: bytes, tag: str) -> Iterator[Element]:
    """The elements of this tag one after another; broken XML gives those before and around the break."""
    from lxml import etree

    if not data:
        return
    events = etree.iterparse(
        io.BytesIO(without_surrogates(transitional(data))),
        events=("end",),
        tag=tag,
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        for _, node in events:
            yield node
    except etree.XMLSyntaxError:
        package.is_broken(part)
        return
    if len(events.error_log):
        package.is_broken(part)


def _forget(node: Element) -> None:
    """Frees what was read, so that a sheet of any length takes no more memory than a row."""
    node.clear()
    while node.getprevious() is not None:
        parent = node.getparent()
        if parent is None:
            return
        del parent[0]
