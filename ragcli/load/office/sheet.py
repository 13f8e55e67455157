"""A sheet of cells: each row a line that explains itself."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ragcli.load.source import inline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragcli.load.writer import Writer

Row = tuple[int, list[str]]
"""The 1-based number of a row and its cells."""

_HEADER_WITHIN = 10  # rows
_HEADER_CELL = 100  # characters
_LOOKED_AT = 200  # rows


def write_sheet(writer: Writer, rows: Sequence[Row]) -> None:
    """One table, a line a row: ``header: value; header: value``, without empty cells.

    The header is the first of the leading rows that is as wide as most and holds distinct words;
    rows before it, and cells beyond it, stand without a name.
    """
    kept = [(number, [inline(cell) for cell in cells]) for number, cells in rows]
    kept = [(number, cells) for number, cells in kept if any(cells)]
    header_at = _header_of([cells for _, cells in kept])
    header = kept[header_at][1] if header_at is not None else []
    lines: list[str] = []
    numbers: list[int] = []
    for index, (number, cells) in enumerate(kept):
        if index == header_at and len(kept) > index + 1:
            continue
        names = header if header_at is not None and index > header_at else []
        lines.append(_line_of(names, cells))
        numbers.append(number)
    writer.rows(lines, numbers)


def _line_of(names: Sequence[str], cells: Sequence[str]) -> str:
    padded = [*names, *[""] * (len(cells) - len(names))]
    return "; ".join(
        f"{name}: {cell}" if name else cell for name, cell in zip(padded, cells, strict=False) if cell
    )


def _header_of(rows: Sequence[Sequence[str]]) -> int | None:
    """The row that names the columns, if one does."""
    widths = Counter(sum(map(bool, row)) for row in rows[:_LOOKED_AT])
    if len(rows) < 2 or max(widths, default=0) < 2:
        return None
    usual = max((width for width in widths if width > 1), key=lambda width: (widths[width], width))
    for index, row in enumerate(rows[:_HEADER_WITHIN]):
        named = [cell for cell in row if cell]
        if len(named) >= usual:
            return index if _is_header(named) else None
    return None


def _is_header(named: Sequence[str]) -> bool:
    if len(set(named)) < len(named):
        return False
    return all(len(cell) <= _HEADER_CELL and any(char.isalpha() for char in cell) for cell in named)
