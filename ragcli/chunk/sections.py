"""Sections of a document and the headings above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ragcli.types import Block, Document


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks in order, a heading first where there is one, and the path of headings they stand under."""

    heading: tuple[str, ...]
    blocks: tuple[Block, ...]

    @property
    def start(self) -> int:
        return self.blocks[0].start

    @property
    def end(self) -> int:
        return self.blocks[-1].end


def sections_of(document: Document) -> list[Section]:
    """The sections in order; together they hold all blocks."""
    path: list[tuple[int, str]] = []
    sections: list[Section] = []
    blocks: list[Block] = []
    heading: tuple[str, ...] = ()
    for block in document.blocks:
        if block.kind == "heading":
            if blocks:
                sections.append(Section(heading, tuple(blocks)))
            while path and path[-1][0] >= block.level:
                path.pop()
            path.append((block.level, block.label))
            heading, blocks = tuple(label for _, label in path if label), []
        blocks.append(block)
    if blocks:
        sections.append(Section(heading, tuple(blocks)))
    return sections


def without_bare_headings(sections: Sequence[Section]) -> list[Section]:
    """A heading with nothing under it joins the section that follows, if any does."""
    joined: list[Section] = []
    for section in sections:
        if joined and all(block.kind == "heading" for block in joined[-1].blocks):
            joined[-1] = Section(section.heading, joined[-1].blocks + section.blocks)
        else:
            joined.append(section)
    return joined


def shared(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """The headings that both stand under, from the outermost."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return one[:count]
