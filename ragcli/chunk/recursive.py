"""Cut a document at its strongest separators, and what is still too long at weaker ones.

The way of LangChain's RecursiveCharacterTextSplitter: blank lines, then line ends, then the ends
of sentences, then white space; what lies between two cuts is joined again as far as it fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from ragcli.chunk.cuts import Range, overlapping
from ragcli.chunk.units import CUT_IN_SENTENCE

if TYPE_CHECKING:
    from ragcli.chunk.frame import Frame, Passage
    from ragcli.chunk.units import Unit

_BLANK_LINE, _LINE_END, _SENTENCE_END, _WHITE_SPACE = range(4)


def passages(frame: Frame) -> Iterator[Passage]:
    """Passages of whole paragraphs where they fit, else of lines, sentences, words."""
    units = frame.all_units()
    for start, end in overlapping(frame, units, list(recursive_cuts(frame, units))):
        yield frame.passage(start, end)


def recursive_cuts(frame: Frame, units: Sequence[Unit]) -> Iterator[Range]:
    """Ranges of units, cut at separators no weaker than needed."""
    text = frame.document.text
    levels = [_BLANK_LINE]
    for above, unit in pairwise(units):
        levels.append(_separator(text[above.end : unit.start], unit))
    sums = list(accumulate((unit.tokens for unit in units), initial=0))

    def fits(first: int, last: int) -> bool:
        return last == first + 1 or frame.holds(units, first, last, sums[last] - sums[first])

    def cut(first: int, last: int, level: int) -> Iterator[Range]:
        if fits(first, last):
            yield first, last
            return
        borders = [first, *(at for at in range(first + 1, last) if levels[at] <= level), last]
        begun = first
        for start, end in pairwise(borders):
            if fits(begun, end):
                continue
            if begun < start:
                yield begun, start
            begun = start
            if not fits(start, end):
                yield from cut(start, end, level + 1)
                begun = end
        if begun < last:
            yield begun, last

    if units:
        yield from cut(0, len(units), _BLANK_LINE)


def _separator(gap: str, unit: Unit) -> int:
    if "\n" in gap:
        return _BLANK_LINE if gap.count("\n") > 1 else _LINE_END
    return _WHITE_SPACE if unit.cut >= CUT_IN_SENTENCE else _SENTENCE_END
