"""CSV and TSV: each row a line that explains itself."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.load.data.rows import explain
from ragcli.load.markup.plain import read_text
from ragcli.load.parsed import Parsed
from ragcli.types import Block, PlaceMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ragcli.load.source import Source

_DELIMITERS = ",;\t|"
_SNIFFED = 200  # lines
_STRAYS = 20  # quotes; in a file with more they count for nothing from there on
_LONGEST_CELL = 2**31 - 1


@dataclass(frozen=True, slots=True)
class _Row:
    cells: list[str]
    first: int  # index of its first line in the text
    end: int  # and of the line after its last


def read_table(source: Source) -> Parsed:
    """One block a row: ``header: value; header: value``, without empty values; see ``explain``.

    Text in which no delimiter divides the lines evenly is read as plain text.
    """
    lines = source.text.split("\n")
    delimiter = _delimiter_of(lines)
    if delimiter is None:
        return read_text(source)
    rows = explain((source.numbers[row.first], row.cells) for row in _rows(lines, delimiter))
    blocks: list[Block] = []
    offset = 0
    for _, line in rows:
        blocks.append(Block("table", offset, offset + len(line)))
        offset += len(line) + 1
    starts = tuple(block.start for block in blocks)
    places = PlaceMap(starts or (0,), tuple(number for number, _ in rows) or (1,))
    return Parsed("", "\n".join(line for _, line in rows), tuple(blocks), places)


def _rows(lines: list[str], delimiter: str) -> list[_Row]:
    """The rows; where a stray quote would swallow lines, quotes count for nothing in its line."""
    rows: list[_Row] = []
    at = 0
    for _ in range(_STRAYS):
        try:
            # What came before an error is kept.
            rows.extend(_moved(_parse(lines[at:] if at else lines, delimiter, csv.QUOTE_MINIMAL), at))
        except csv.Error:
            at = rows[-1].end if rows else 0
            row = next(_parse([lines[at]], delimiter, csv.QUOTE_NONE))
            rows.append(_Row(row.cells, at, at + 1))
            at += 1
        else:
            return rows
    return [*rows, *_moved(_parse(lines[at:], delimiter, csv.QUOTE_NONE), at)]


def _moved(rows: Iterable[_Row], by: int) -> Iterator[_Row]:
    return (_Row(row.cells, by + row.first, by + row.end) for row in rows)


def _parse(lines: list[str], delimiter: str, quoting: int) -> Iterator[_Row]:
    if quoting == csv.QUOTE_NONE:
        for index, line in enumerate(lines):
            cells = [" ".join(cell.strip().strip('"').split()) for cell in line.split(delimiter)]
            yield _Row(cells, index, index + 1)
        return
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(
        (f"{line}\n" for line in lines), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    first = 0
    for cells in reader:
        yield _Row([" ".join(cell.split()) for cell in cells], first, reader.line_num)
        first = reader.line_num


def _delimiter_of(lines: Sequence[str]) -> str | None:
    """The delimiter with which most of the first rows have the same number of cells, at least two."""
    head = [line for line in lines[:_SNIFFED] if line.strip()]
    best, evenness = None, 0.5
    for delimiter in _DELIMITERS:
        widths = Counter(len(row.cells) for row in _sniffed(head, delimiter))
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
        share = count / max(1, widths.total())
        # More columns win over slightly more even ones: a comma within cells is not the delimiter.
        if width > 1 and share + 0.02 * min(width, 10) > evenness:
            best, evenness = delimiter, share + 0.02 * min(width, 10)
    return best


def _sniffed(head: list[str], delimiter: str) -> list[_Row]:
    kept: list[_Row] = []
    try:
        kept.extend(_parse(head, delimiter, csv.QUOTE_MINIMAL))
    except csv.Error:
        # The sample may end within a quoted cell.
        return kept or list(_parse(head, delimiter, csv.QUOTE_NONE))
    return kept
