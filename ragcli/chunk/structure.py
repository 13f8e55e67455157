"""Cut a document into passages along its structure.

Sections come first, then blocks, then sentences or lines, and words only where one sentence is
longer than a chunk may be. The cuts of a section that does not fit are chosen together: the
cheapest way through all its possible cuts, where a cut between paragraphs is free, one inside a
paragraph costs, and chunks of even length are preferred to a full one followed by a scrap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ragcli.chunk.sections import sections_of, shared, without_bare_headings
from ragcli.chunk.units import CHARACTERS, LONG_WORD, Unit

if TYPE_CHECKING:
    from ragcli.chunk.frame import Frame
    from ragcli.types import Block

# Sections shorter than this share of a chunk are joined with the sections beside them.
_SMALL_SECTION = 0.25


def passages(frame: Frame) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Heading path, start and end of each passage."""
    for heading, blocks in _grouped(frame):
        units = frame.units(blocks, heading)
        before = -1
        for first, last in _cheapest_cuts(frame, units):
            start = overlap_start(frame, units, first, last, before + 1)
            yield heading, start, units[last - 1].end
            before = first


def _grouped(frame: Frame) -> list[tuple[tuple[str, ...], tuple[Block, ...]]]:
    """Sections, small neighbours joined; a group's heading path is what its sections share."""
    sections = without_bare_headings(sections_of(frame.document))
    size, text = frame.size, frame.document.text
    tokens = frame.counter.counts([text[s.start : s.end] for s in sections])
    groups: list[tuple[tuple[str, ...], tuple[Block, ...]]] = []
    room = 0
    for section, length in zip(sections, tokens, strict=True):
        small = length < size * _SMALL_SECTION and room < size * _SMALL_SECTION * 2
        if groups and small and room + length <= size * 0.75:
            heading, blocks = groups[-1]
            groups[-1] = (shared(heading, section.heading), blocks + section.blocks)
            room += length
        else:
            groups.append((section.heading, section.blocks))
            room = length
    return groups


def _cheapest_cuts(frame: Frame, units: Sequence[Unit]) -> list[tuple[int, int]]:
    """Ranges ``[first, last)`` of units that make the chunks, by dynamic programming.

    A chunk costs one, so that there are few, plus the square of the share it leaves empty, plus
    the cost of the cut before it. Ties go to the longer first chunk.
    """
    count = len(units)
    best = [0.0] * (count + 1)
    choice = [count] * (count + 1)
    for first in range(count - 1, -1, -1):
        best[first] = float("inf")
        tokens = 0
        for last in range(first + 1, count + 1):
            tokens += units[last - 1].tokens
            room = frame.room(units, first, last)
            too_wide = units[last - 1].end - units[first].start > room * CHARACTERS + LONG_WORD
            if (tokens > room or too_wide) and last > first + 1:
                break
            empty = max(0.0, 1 - tokens / room)
            cost = 1 + empty * empty + best[last] + (units[last].cut if last < count else 0.0)
            if cost <= best[first]:
                best[first], choice[first] = cost, last
    ranges = []
    first = 0
    while first < count:
        ranges.append((first, choice[first]))
        first = choice[first]
    return ranges


def overlap_start(frame: Frame, units: Sequence[Unit], first: int, last: int, earliest: int) -> int:
    """Start of a passage of units that repeats what fits of those before it, none before ``earliest``."""
    tokens = sum(unit.tokens for unit in units[first:last])
    free = frame.overlap
    while first > earliest and units[first - 1].tokens <= free:
        if tokens + units[first - 1].tokens > frame.room(units, first - 1, last):
            break
        first -= 1
        tokens += units[first].tokens
        free -= units[first].tokens
    return units[first].start
