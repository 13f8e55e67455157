"""From runs of lines to blocks: the shared last step of every reader that scans lines; blocks moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from re import Pattern

from ragcli.types import Block, BlockKind


@dataclass(frozen=True, slots=True)
class Region:
    """Lines ``[first, end)`` that form one block; ``head`` is the line after its header rows, if it has any."""

    kind: BlockKind
    first: int
    end: int
    level: int = 0
    label: str = ""
    head: int = 0


Recogniser = Callable[[Sequence[str], int], Region | None]


def scan(lines: Sequence[str], recognisers: Sequence[Recogniser]) -> Iterator[Region]:
    """Regions in order: at each line that is not blank, the first recogniser that knows what begins.

    The last recogniser must take any line; a region's ``first`` is the line it was asked about.
    """
    at = 0
    while at < len(lines):
        if is_blank(lines[at]):
            at += 1
            continue
        region = next(found for recognise in recognisers if (found := recognise(lines, at)))
        yield region
        at = region.end


def moved(block: Block, by: int) -> Block:
    """The block in a text that has so many more characters before it."""
    head = block.head + by if block.head else 0
    return replace(block, start=block.start + by, end=block.end + by, head=head)


def is_blank(line: str) -> bool:
    """Nothing but white space."""
    return not line or line.isspace()


def paragraph_end(lines: Sequence[str], at: int) -> int:
    """The first blank line after ``at``, or the end."""
    end = at + 1
    while end < len(lines) and not is_blank(lines[end]):
        end += 1
    return end


def list_end(lines: Sequence[str], at: int, item: Pattern[str]) -> int:
    """Where a list that begins at ``at`` ends: with all that is indented under its items, over blank lines."""
    end = after = at + 1
    while end < len(lines):
        line = lines[end]
        if not is_blank(line):
            if is_blank(lines[end - 1]) and line[0] not in " \t" and not item.match(line):
                break
            after = end + 1
        end += 1
    return after


def paragraph(lines: Sequence[str], at: int) -> Region:
    """The recogniser of last resort: everything up to the next blank line."""
    return Region("paragraph", at, paragraph_end(lines, at))


def to_blocks(lines: Sequence[str], regions: Iterable[Region]) -> tuple[Block, ...]:
    """Blocks over ``"\\n".join(lines)``; blank lines at a region's ends are left out of its block."""
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    blocks: list[Block] = []
    for region in regions:
        first, last = region.first, region.end - 1
        while first <= last and is_blank(lines[first]):
            first += 1
        while last >= first and is_blank(lines[last]):
            last -= 1
        if first <= last:
            end = starts[last] + len(lines[last].rstrip())
            head = starts[region.head] if first < region.head <= last else 0
            blocks.append(Block(region.kind, starts[first], end, region.level, region.label, head))
    return tuple(blocks)
