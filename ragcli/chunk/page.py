"""Cut a document at its pages: one passage each, several where a page is too long for one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from ragcli.chunk.cuts import cheapest_cuts, overlapping
from ragcli.chunk.units import breakable, natural_spans

if TYPE_CHECKING:
    from ragcli.chunk.frame import Frame, Passage
    from ragcli.types import Block, Document


def passages(frame: Frame) -> Iterator[Passage]:
    """Passages that no page shares with another; a document without pages is one."""
    turns = _turns(frame.document)

    def on_pages(text: str, block: Block) -> Iterable[tuple[int, int]]:
        for start, end in natural_spans(text, block):
            inside = turns[bisect_right(turns, start) : bisect_right(turns, end - 1)]
            for first, last in zip([start, *inside], [*inside, end], strict=True):
                words = text[first:last]
                if words.strip():
                    begin = first + len(words) - len(words.lstrip())
                    yield begin, begin + len(words.strip())

    units = frame.all_units(on_pages)
    for _, group in groupby(units, key=lambda unit: bisect_right(turns, unit.start)):
        page = list(group)
        for start, end in overlapping(frame, page, cheapest_cuts(frame, page)):
            yield frame.passage(start, end)


def _turns(document: Document) -> list[int]:
    """Where pages begin, moved behind a word that goes over from the page before."""
    text = document.text
    turns = []
    for start in document.pages.starts if document.pages else ():
        at = start
        while 0 < at < len(text) and not breakable(text, at):
            at += 1
        turns.append(at)
    return sorted(set(turns))
