"""Cut a document into passages along its structure.

Sections come first, then blocks, then sentences or lines, and words only where one sentence is
longer than a chunk may be. The cuts of a section that does not fit are chosen together: the
cheapest way through all its possible cuts, where a cut between paragraphs is free, one inside a
paragraph costs, and chunks of even length are preferred to a full one followed by a scrap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ragcli.chunk.cuts import cheapest_cuts, overlapping
from ragcli.chunk.sections import may_join, sections_of, shared, without_bare_headings

if TYPE_CHECKING:
    from ragcli.chunk.frame import Frame, Passage
    from ragcli.types import Block

# Sections shorter than this share of a chunk are joined with the sections beside them.
_SMALL_SECTION = 0.25


def passages(frame: Frame) -> Iterator[Passage]:
    """Passages that no section shares with another, unless both are small."""
    for heading, blocks in _grouped(frame):
        units = frame.units(blocks, heading)
        for start, end in overlapping(frame, units, cheapest_cuts(frame, units)):
            yield heading, start, end


def _grouped(frame: Frame) -> list[tuple[tuple[str, ...], tuple[Block, ...]]]:
    """Sections, small neighbours joined; a group's heading path is what its sections share."""
    sections = without_bare_headings(frame.document, sections_of(frame.document))
    size, text = frame.size, frame.document.text
    tokens = frame.counter.counts([text[s.start : s.end] for s in sections])
    groups: list[tuple[tuple[str, ...], tuple[Block, ...]]] = []
    room = 0
    last = None
    for section, length in zip(sections, tokens, strict=True):
        small = length < size * _SMALL_SECTION and room < size * _SMALL_SECTION * 2
        fits = small and room + length <= size * 0.75
        if last and fits and may_join(frame.document, last, section):
            heading, blocks = groups[-1]
            groups[-1] = (shared(heading, section.heading), blocks + section.blocks)
            room += length
        else:
            groups.append((section.heading, section.blocks))
            room = length
        last = section
    return groups
