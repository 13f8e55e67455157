"""Rows of a sheet or a table of values, each as a line that explains itself."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain, islice, pairwise, zip_longest
from typing import TYPE_CHECKING

from ragcli.load.source import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SAMPLE = 200  # rows that tell what the others are like
_HEADER_WITHIN = 10  # rows
_HEADER_CELL = 100  # characters
_GROUP_CELL = 50
_MOST_HEADERS = 3  # rows
_NUMBER = re.compile(r"[\s+\-−$€£¥%()'.,:/\d]*\d[\s+\-−$€£¥%()'.,:/\d]*(?:[eE][+-]?\d+)?$")
_YEAR = re.compile(r"(?:1[89]|20)\d\d$")
_YEARS = 3  # so many in order are names of columns, not values

Row = tuple[int, "Sequence[str]"]
"""The number of a row in its source (line of a file, row of a sheet; ascending) and its cells."""


def explain(rows: Iterable[Row]) -> list[tuple[int, str]]:
    """(number, line) of each row with anything in it: ``name: value; name: value``, empty ones left out.

    The header rows come first, as ``name; name``: the first of the leading rows that is mostly
    filled with distinct words, with a row of groups over it or of parts under it (``2024 / Q1:
    5``). Rows before them, and cells beyond them, stand without a name. Line breaks within a cell
    become spaces. The lines are clean.
    """
    filled = ((number, words) for number, cells in rows if any(words := list(map(_words, cells))))
    kept = list(islice(filled, SAMPLE))  # the others pass through
    first, end = headers_of([cells for _, cells in kept])
    names = names_of([cells for _, cells in kept[first:end]])
    lines = [
        (number, line_of(names if index >= end > first else (), cells))
        for index, (number, cells) in enumerate(chain(kept, filled))
    ]
    # No line break is left in a line, so that all can be cleaned at once.
    cleaned = clean("\n".join(line for _, line in lines)).text.split("\n")
    return [(number, line) for (number, _), line in zip(lines, cleaned, strict=True) if line.strip()]


def _words(cell: str) -> str:
    # What can be printed has no white space but blanks.
    return " ".join(cell.split()) if " " in cell or not cell.isprintable() else cell


def line_of(names: Sequence[str], cells: Sequence[str]) -> str:
    """``name: cell; name: cell``, without empty cells; cells beyond the names stand alone."""
    named = [f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=False) if cell]
    return "; ".join([*named, *filter(None, cells[len(names) :])])


def names_of(headers: Sequence[Sequence[str]]) -> list[str]:
    """What the columns are called; a name that stands over several columns holds for all of them."""
    if not headers:
        return []
    *groups, last = headers
    spread = [_spread(group, last) for group in groups]
    columns = zip_longest(*spread, last, fillvalue="")
    return [" / ".join(dict.fromkeys(part for part in column if part)) for column in columns]


def _spread(group: Sequence[str], under: Sequence[str]) -> list[str]:
    found: list[str] = []
    current = ""
    for name, part in zip_longest(group, under, fillvalue=""):
        current = name or (current if part else "")
        found.append(current)
    return found


def headers_of(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """The header rows ``[first, end)``; (0, 0) where there is none."""
    widths = Counter(len(row) for row in rows[:SAMPLE])
    if not widths:
        return 0, 0
    usual = max(widths.items(), key=lambda item: (item[1], item[0]))[0]
    for index, row in enumerate(rows[:_HEADER_WITHIN]):
        if len(row) == usual and 2 * _filled(row) > usual:
            return _grown(rows, index)
    return 0, 0


def _grown(rows: Sequence[Sequence[str]], at: int) -> tuple[int, int]:
    first, end = at, at + 1
    while first > 0 and end - first < _MOST_HEADERS and _is_group(rows[first - 1], rows[first]):
        first -= 1
    while end - at < _MOST_HEADERS and _is_continued(rows, at, end):
        end += 1
    names = [name for name in names_of(rows[first:end]) if name]
    if end - first == 1 and _are_years(names):
        return first, end
    distinct = len(set(names)) == len(names)
    good = distinct and all(len(name) <= _HEADER_CELL * (end - first) for name in names)
    return (first, end) if good and all(_is_name(cell) for cell in rows[end - 1]) else (0, 0)


def _is_group(row: Sequence[str], under: Sequence[str]) -> bool:
    """At least two names that share the columns among them, each of which is named here or under it.

    A row of a title, which is filled from the left and no further, is none.
    """
    named = [column for column, cell in enumerate(row) if cell]
    if len(named) < 2 or len(row) > len(under) or any(len(row[c]) > _GROUP_CELL for c in named):
        return False
    if not all(cell or column in named for column, cell in enumerate(under)):
        return False
    over_a_gap = any(not under[column] for column in named)
    apart = any(after - before > 1 for before, after in pairwise(named))
    return len(named) < len(under) and (over_a_gap or apart)


def _is_continued(rows: Sequence[Sequence[str]], at: int, end: int) -> bool:
    """The row at ``end`` names the parts of columns that the header at ``at`` left open.

    Open are columns without a name, or with the same one as others. Only where numbers stand below
    can such a row be told from one of values.
    """
    if end + 1 >= len(rows):
        return False
    head, row = rows[at], rows[end]
    if len(row) != len(head) or not all(_is_name(cell) for cell in row):
        return False
    counts = Counter(head)
    opened = [column for column, cell in enumerate(head) if not cell or counts[cell] > 1]
    if not opened or not all(row[column] for column in opened):
        return False
    names = names_of([*rows[at:end], row])
    return len(set(names)) == len(names) and any(_NUMBER.match(cell) for cell in rows[end + 1] if cell)


def _filled(row: Sequence[str]) -> int:
    return sum(map(bool, row))


def _is_name(cell: str) -> bool:
    return len(cell) <= _HEADER_CELL and not _NUMBER.match(cell)


def _are_years(names: Sequence[str]) -> bool:
    years = [int(name) for name in names if _YEAR.match(name)]
    steps = {after - before for before, after in pairwise(years)}
    others = [name for name in names if not _YEAR.match(name)]
    if len(years) < _YEARS or len(steps) != 1 or steps == {0}:
        return False
    return bool(others) and all(_is_name(name) for name in others) and len(set(others)) == len(others)
