"""Where to cut a row of units: all together at the least cost, or one after the other as they fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ragcli.chunk.frame import Frame
    from ragcli.chunk.units import Unit

Range = tuple[int, int]


def cheapest_cuts(frame: Frame, units: Sequence[Unit]) -> list[Range]:
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
            if last > first + 1 and not frame.holds(units, first, last, tokens):
                break
            empty = max(0.0, 1 - tokens / frame.room(units, first, last))
            cost = 1 + empty * empty + best[last] + (units[last].cut if last < count else 0.0)
            if cost <= best[first]:
                best[first], choice[first] = cost, last
    return followed(choice)


def full_chunks(frame: Frame, units: Sequence[Unit]) -> Iterator[Range]:
    """Ranges of as many units as fit, from the first one on."""
    first = 0
    while first < len(units):
        last, tokens = first + 1, units[first].tokens
        while last < len(units) and frame.holds(units, first, last + 1, tokens + units[last].tokens):
            tokens += units[last].tokens
            last += 1
        yield first, last
        first = last


def overlapping(frame: Frame, units: Sequence[Unit], ranges: Sequence[Range]) -> Iterator[tuple[int, int]]:
    """Start and end of the chunk of each range, which repeats what it may of the units before it."""
    before = -1
    for first, last in ranges:
        yield _overlap_start(frame, units, first, last, before + 1), units[last - 1].end
        before = first


def _overlap_start(frame: Frame, units: Sequence[Unit], first: int, last: int, earliest: int) -> int:
    """Start with whole units before ``first`` that fit, none before ``earliest``."""
    tokens = sum(unit.tokens for unit in units[first:last])
    free = frame.overlap
    while first > earliest and units[first - 1].tokens <= free:
        if tokens + units[first - 1].tokens > frame.room(units, first - 1, last):
            break
        first -= 1
        tokens += units[first].tokens
        free -= units[first].tokens
    return units[first].start


def followed(choice: Sequence[int]) -> list[Range]:
    """The ranges from 0 on, ``choice[first]`` being the end of the one that begins there."""
    ranges = []
    first = 0
    while first < len(choice) - 1:
        ranges.append((first, choice[first]))
        first = choice[first]
    return ranges
