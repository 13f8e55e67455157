"""CSV and TSV: each row a line that explains itself."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.load.data.rows import SAMPLE, header_of, line_of
from ragcli.load.markup.plain import read_text
from ragcli.load.parsed import Parsed
from ragcli.types import Block, PlaceMap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ragcli.load.source import Source

_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class _Row:
    cells: list[str]
    first: int  # index of its first line in the text


def read_table(source: Source) -> Parsed:
    """One block a row: ``header: value; header: value``, without empty values.

    The header is the first of the leading rows with the usual number of cells, most of them filled,
    if its cells are distinct words; rows before it and cells beyond it stand without a name. Text in which no
    delimiter divides the lines evenly is read as plain text.
    """
    lines = source.text.split("\n")
    delimiter = _delimiter_of(lines)
    if delimiter is None:
        return read_text(source)
    rows = [row for row in _rows(lines, delimiter) if any(row.cells)]
    header_at = header_of([row.cells for row in rows[:SAMPLE]])
    header = rows[header_at].cells if header_at is not None else []
    text: list[str] = []
    blocks: list[Block] = []
    starts: list[int] = []
    places: list[int] = []
    offset = 0
    for index, row in enumerate(rows):
        if index == header_at and len(rows) > index + 1:
            continue
        names = header if header_at is not None and index > header_at else []
        line = line_of(names, row.cells)
        blocks.append(Block("table", offset, offset + len(line)))
        starts.append(offset)
        places.append(source.numbers[row.first])
        text.append(line)
        offset += len(line) + 1
    return Parsed("", "\n".join(text), tuple(blocks), PlaceMap(tuple(starts) or (0,), tuple(places) or (1,)))


def _rows(lines: list[str], delimiter: str) -> list[_Row]:
    try:
        return list(_parse(lines, delimiter, csv.QUOTE_MINIMAL))
    except csv.Error:
        # A stray quote: taken strictly it would swallow lines, so quotes count for nothing.
        return list(_parse(lines, delimiter, csv.QUOTE_NONE))


def _parse(lines: list[str], delimiter: str, quoting: int) -> Iterator[_Row]:
    if quoting == csv.QUOTE_NONE:
        for index, line in enumerate(lines):
            yield _Row([" ".join(cell.strip().strip('"').split()) for cell in line.split(delimiter)], index)
        return
    reader = csv.reader(
        (f"{line}\n" for line in lines), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    first = 0
    for cells in reader:
        yield _Row([" ".join(cell.split()) for cell in cells], first)
        first = reader.line_num


def _delimiter_of(lines: Sequence[str]) -> str | None:
    """The delimiter with which most of the first rows have the same number of cells, at least two."""
    head = [line for line in lines[:SAMPLE] if line.strip()]
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
