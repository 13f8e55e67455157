"""Rows that explain themselves: which row of a table names its columns, and a row said with those names."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLE = 200  # rows that tell what the others are like
_HEADER_WITHIN = 10  # rows
_HEADER_CELL = 100  # characters
_YEARS = 3
_YEAR = re.compile(r"(?:1[89]|20)\d\d")


def line_of(names: Sequence[str], cells: Sequence[str]) -> str:
    """``name: cell; name: cell``, without empty cells; cells beyond the names stand alone."""
    named = zip_longest(names, cells, fillvalue="")
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell)


def header_of(rows: Sequence[Sequence[str]]) -> int | None:
    """The index of the header: the first of the leading rows with the usual number of cells, most of them
    filled, if its cells are distinct words (or years in a row); None where there is none."""
    widths = Counter(map(len, rows[:SAMPLE]))
    if not widths:
        return None
    usual = max(widths.items(), key=lambda item: (item[1], item[0]))[0]
    for index, row in enumerate(rows[:_HEADER_WITHIN]):
        if len(row) == usual and 2 * sum(map(bool, row)) > usual:
            return index if _is_header(row) else None
    return None


def _is_header(cells: Sequence[str]) -> bool:
    named = [cell for cell in cells if cell]
    if len(set(named)) < len(named):
        return False
    if any(len(cell) > _HEADER_CELL for cell in named):
        return False
    numbers = [cell for cell in named if _is_number(cell)]
    return not numbers or _are_years(numbers)


def _are_years(numbers: Sequence[str]) -> bool:
    """Three or more years in a row, the only numbers that name columns."""
    if len(numbers) < _YEARS or not all(_YEAR.fullmatch(number) for number in numbers):
        return False
    steps = {int(after) - int(before) for before, after in pairwise(numbers)}
    return len(steps) == 1


def _is_number(cell: str) -> bool:
    return cell.strip("+-$€£¥%() ").replace(",", "").replace(".", "").isdigit()
