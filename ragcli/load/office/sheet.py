"""The rows of a sheet as text: tables told apart, their headers found, each row a line that explains itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from ragcli.load.data.rows import SAMPLE, headers_of, line_of, names_of
from ragcli.load.source import inline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ragcli.load.writer import Writer

_WHOLE = 2000  # rows of a table that are looked at before any is written
_BLOCK = 1000  # rows of one block
_REMARK = 100  # characters
_PRINT_CODE = re.compile(r'&(?:"[^"]*"|K[0-9A-Fa-f]{6}|K\d\d[+-]\d{3}|\d+|[A-Za-z])')
_PLAIN = 2  # rows and columns; what is smaller is no table


Cells = tuple[int, "Sequence[str]"]
"""The 1-based number of a row and its cells."""


@dataclass(slots=True)
class Row:
    """``number`` is 1-based; ``cells`` are (column from 0, words), ascending, without empty ones.

    ``notes`` are said after the row: comments, the addresses of links.
    """

    number: int
    cells: list[tuple[int, str]]
    notes: Sequence[str] = ()


@dataclass(slots=True)
class _Header:
    """The names of columns ``first`` and on; ``alone``: an empty row parts it from what it names."""

    first: int
    names: list[str]
    alone: bool = False

    def name(self, column: int) -> str:
        """The name of a column; empty beyond the header."""
        at = column - self.first
        return self.names[at] if 0 <= at < len(self.names) else ""

    def fits(self, first: int, end: int) -> bool:
        last = self.first + len(self.names)
        return (first, end) == (self.first, last) if self.alone else first >= self.first and end <= last


def write_rows(rows: Iterable[Row], writer: Writer) -> None:
    """Writes the tables of a sheet; empty rows part them, and empty columns where both sides have a header.

    A table without a header of its own that stands within the columns of the one before goes on with
    that one's.
    """
    last: _Header | None = None
    for table in _tables(rows):
        last = _write_table(table, writer, last)


def write_cells(rows: Iterable[Cells], writer: Writer) -> None:
    """The same of rows whose cells are given from the first column on, empty ones included."""
    write_rows(
        (
            Row(number, [(column, words) for column, words in enumerate(map(inline, cells)) if words])
            for number, cells in rows
        ),
        writer,
    )


def with_notes(rows: Iterator[Row], notes: dict[int, list[str]]) -> Iterator[Row]:
    """The rows with what is said of them; what is said of empty rows stands on its own."""
    for row in rows:
        for number in sorted(number for number in notes if number < row.number):
            yield Row(number, [], notes.pop(number))
        row.notes = notes.pop(row.number, ())
        yield row
    for number in sorted(notes):
        yield Row(number, [], notes[number])


def printed(code: str) -> str:
    """The words of a header or footer, without its codes; empty where there are none."""
    text = inline(_PRINT_CODE.sub(" ", code))
    return text if any(map(str.isalpha, text)) else ""


def _tables(rows: Iterable[Row]) -> Iterator[Iterator[Row]]:
    """Runs of rows without an empty one between them; each must be used up before the next."""
    source = iter(rows)
    waiting = next(source, None)

    def run() -> Iterator[Row]:
        nonlocal waiting
        while waiting is not None:
            row = waiting
            yield row
            waiting = next(source, None)
            if waiting is not None and waiting.number > row.number + 1:
                return

    while waiting is not None:
        yield run()


def _write_table(rows: Iterator[Row], writer: Writer, last: _Header | None) -> _Header | None:
    head = list(islice(rows, _WHOLE))
    more = next(rows, None)
    parts = _beside(head) if more is None else [head]
    header = last
    for part in parts:
        header = _write_part(part, writer, last)
    if more is not None:
        _write_lines([more], writer, header, None)
        while rest := list(islice(rows, _BLOCK)):
            _write_lines(rest, writer, header, None)
    return header


def _write_part(rows: list[Row], writer: Writer, last: _Header | None) -> _Header | None:
    first = min((row.cells[0][0] for row in rows if row.cells), default=0)
    end = max((row.cells[-1][0] + 1 for row in rows if row.cells), default=0)
    if len(rows) < _PLAIN or end - first < _PLAIN:
        keeps = last is not None and last.fits(first, end) and end - first >= _PLAIN
        _write_lines(rows, writer, last if keeps else None, None)
        return last if keeps or end - first < _PLAIN else _lone_header(rows[0], first, end)
    dense = [_dense(row, first, end) for row in rows[:SAMPLE]]
    named = range(*headers_of(dense))
    if not named or named.stop >= len(rows):
        header = last if last is not None and last.fits(first, end) else None
        _write_lines(rows, writer, header, None)
        return header
    header = _Header(first, names_of(dense[named.start : named.stop]))
    _write_lines(rows, writer, header, named)
    return header


def _lone_header(row: Row, first: int, end: int) -> _Header | None:
    cells = _dense(row, first, end)
    return _Header(first, cells, alone=True) if headers_of([cells, cells]) != (0, 0) and all(cells) else None


def _write_lines(rows: list[Row], writer: Writer, header: _Header | None, headers: range | None) -> None:
    """Writes the rows; ``headers`` are those that are the header, rows above which have no names."""
    lines: list[str] = []
    numbers: list[int] = []
    for index, row in enumerate(rows):
        named = header is not None and (headers is None or index >= headers.stop) and not _is_remark(row)
        if headers and index in headers and header is not None and _is_said(header, rows[headers.stop :]):
            line = ""
        elif named and header is not None:
            line = line_of([header.name(column) for column, _ in row.cells], [text for _, text in row.cells])
        else:
            line = "; ".join(text for _, text in row.cells)
        if row.notes:
            said = (note for note in map(inline, row.notes) if note.strip("()") not in line)
            line = " ".join(filter(None, (line, *said)))
        if line:
            lines.append(line)
            numbers.append(row.number)
    for at in range(0, len(lines), _BLOCK):
        writer.rows(lines[at : at + _BLOCK], numbers[at : at + _BLOCK])


def _is_remark(row: Row) -> bool:
    """Running text in one cell, which no column's name is meant for."""
    return len(row.cells) == 1 and len(row.cells[0][1]) > _REMARK


def _is_said(header: _Header, rows: list[Row]) -> bool:
    """Each name of the header is said with some row; where not, the header must be said on its own."""
    filled = {column for row in rows for column, _ in row.cells}
    return all(header.first + at in filled for at, name in enumerate(header.names) if name)


def _dense(row: Row, first: int, end: int) -> list[str]:
    cells = [""] * (end - first)
    for column, text in row.cells:
        if first <= column < end:
            cells[column - first] = text
    return cells


def _beside(rows: list[Row]) -> list[list[Row]]:
    """The tables that stand side by side, from left to right; one where they cannot be told apart."""
    used = sorted({column for row in rows for column, _ in row.cells})
    cuts = [right for left, right in pairwise(used) if right > left + 1]
    if not cuts or len(rows) < _PLAIN:
        return [rows]
    bounds = [(left, right) for left, right in zip([0, *cuts], [*cuts, used[-1] + 1], strict=True)]
    parts = [_between(rows, left, right) for left, right in bounds]
    return parts if all(_has_header(part) for part in parts) else [rows]


def _between(rows: list[Row], left: int, right: int) -> list[Row]:
    found = []
    for row in rows:
        cells = [(column, text) for column, text in row.cells if left <= column < right]
        if cells:
            found.append(Row(row.number, cells, row.notes if row.cells[0][0] >= left else ()))
    return found


def _has_header(rows: list[Row]) -> bool:
    first = min(row.cells[0][0] for row in rows)
    end = max(row.cells[-1][0] + 1 for row in rows)
    if len(rows) < _PLAIN or end - first < _PLAIN:
        return False
    _, after = headers_of([_dense(row, first, end) for row in rows[:SAMPLE]])
    return 0 < after < len(rows)
