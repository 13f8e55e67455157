"""Running heads and feet, and page numbers: what stands at the edge of most pages at the same place."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragcli.load.pdf.geometry import Row

_FEWEST = 3  # pages; in fewer nothing recurs
_EDGE = 0.12  # of the height of a page, above and below
_HEAD = 1.5  # font sizes that the lines of a head may be apart
_LINES = 3  # at either edge, that are looked at
_SAME = 6.0  # points between the places of lines that recur
_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(r"[\W_]*(?:page|seite|p\.)?[\W_]*#[\W_]*(?:(?:of|von|/)[\W_]*#)?[\W_]*")


class Furniture:
    """What recurs, learnt from the rows of all pages; rows are compared with their digits made one.

    A text has to stand on more than half of the pages, or of the odd or the even ones, at the same
    height. Documents of one or two pages have none.
    """

    def __init__(self, pages: Sequence[tuple[Sequence[Row], float, float]]) -> None:
        """``pages``: the rows of each, with the upper and lower end of what is seen of it."""
        seen: Counter[tuple[int, int, str]] = Counter()
        for number, (rows, top, bottom) in enumerate(pages):
            for row in _at_edges(rows, top, bottom):
                text = _key(row.text)
                seen.update({(number % 2, place, text) for place in _places(row, top, bottom)})
        self._recurring: set[tuple[int, str]] = set()
        of_side = [(len(pages) + 1) // 2, len(pages) // 2]
        for _, place, text in seen:
            even, odd = seen[0, place, text], seen[1, place, text]
            most = max(even / max(1, of_side[0]), odd / max(1, of_side[1]), (even + odd) / max(1, len(pages)))
            if even + odd >= _FEWEST and most > 0.5:
                self._recurring.add((place, text))
        self._told: set[str] = set()
        self._offset = _offset(pages)

    def without(self, number: int, rows: Sequence[Row], top: float, bottom: float) -> set[int]:
        """The ids of a page's rows that recur; a text that is no number is kept where it comes first.

        ``number`` counts pages from 1.
        """
        out = set()
        for row in _ends(rows):
            if self._offset is not None and row.text.strip("-– ") == str(number + self._offset):
                out.add(id(row))
        for row in _at_edges(rows, top, bottom):
            text = _key(row.text)
            if not any((place, text) in self._recurring for place in _places(row, top, bottom)):
                continue
            if _NUMBER.fullmatch(text) or text in self._told:
                out.add(id(row))
            self._told.add(text)
        return out if len(out) < len(rows) else set()  # a page that has nothing else


def _offset(pages: Sequence[tuple[Sequence[Row], float, float]]) -> int | None:
    """What page numbers are ahead of the count of pages, where most pages begin or end with theirs."""
    ahead: Counter[int] = Counter()
    for number, (rows, _, _) in enumerate(pages, 1):
        texts = {row.text.strip("-– ") for row in _ends(rows)}
        ahead.update({int(text) - number for text in texts if text.isdecimal() and len(text) < 5})
    [(offset, count)] = ahead.most_common(1) or [(0, 0)]
    return offset if count >= _FEWEST and 2 * count > len(pages) else None


def _ends(rows: Sequence[Row]) -> list[Row]:
    """The first row of a page and the last."""
    return [min(rows, key=lambda row: row.base), max(rows, key=lambda row: row.base)] if len(rows) > 1 else []


def _at_edges(rows: Sequence[Row], top: float, bottom: float) -> list[Row]:
    order = sorted(rows, key=lambda row: row.base)
    if not order:
        return []
    depth = _EDGE * (bottom - top)
    first, last = order[0], order[-1]
    # The text may stand far from the edges of the page; then its own first and last lines are looked at.
    upper = max(top + depth, first.base + _HEAD * first.size)
    lower = min(bottom - depth, last.base - _HEAD * last.size)
    above = [row for row in order[:_LINES] if row.base < upper]
    below = [row for row in order[-_LINES:] if row.base > lower]
    known = set(map(id, above))
    return [*above, *(row for row in below if id(row) not in known)]


def _key(text: str) -> str:
    key = " ".join(_DIGITS.sub("#", text.casefold()).split())
    return "#" if re.fullmatch(r"[\W_]*[ivxlc]{1,6}[\W_]*", key) else key


def _places(row: Row, top: float, bottom: float) -> tuple[int, int]:
    """The height, counted from the nearer edge, in steps; two of them, lest a step part neighbours."""
    near_top = row.base - top < bottom - row.base
    height = row.base - top if near_top else row.base - bottom
    step = int(height // _SAME)
    return (step, int((height + _SAME / 2) // _SAME) + (100_000 if near_top else -100_000))
