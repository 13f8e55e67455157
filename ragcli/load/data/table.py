"""CSV and TSV: each row a line that explains itself."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from ragcli.load.data.rows import explain
from ragcli.load.markup.plain import read_text
from ragcli.load.parsed import Parsed
from ragcli.types import Block, PlaceMap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ragcli.load.source import Source

_DELIMITERS = ",;\t|"
_SNIFFED = 200  # lines
_STRAYS = 20  # quotes; in a file with more they count for nothing from there on
_LONGEST_CELL = 2**31 - 1


class _Row(NamedTuple):
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


def _rows(lines: list[str], delimiter: str) -> Iterator[_Row]:
    """The rows; where a stray quote would swallow lines, quotes count for nothing in its line."""
    at = 0
    for _ in range(_STRAYS):
        try:
            for row in _parse(lines, delimiter, csv.QUOTE_MINIMAL, at):
                yield row
                at = row.end
        except csv.Error:
            yield next(_parse(lines, delimiter, csv.QUOTE_NONE, at))
            at += 1
        else:
            return
    yield from _parse(lines, delimiter, csv.QUOTE_NONE, at)


def _parse(lines: list[str], delimiter: str, quoting: int, first: int = 0) -> Iterator[_Row]:
    if quoting == csv.QUOTE_NONE:
        for index in range(first, len(lines)):
            cells = [cell.strip().strip('"') for cell in lines[index].split(delimiter)]
            yield _Row(cells, index, index + 1)
        return
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(
        (f"{lines[index]}\n" for index in range(first, len(lines))),
        delimiter=delimiter,
        strict=True,
        skipinitialspace=True,
    )
    begin = first
    for cells in reader:
        yield _Row(cells, first, begin + reader.line_num)
        first = begin + reader.line_num


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
