"""Sections of a document and the headings above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ragcli.load.formats import CODE
from ragcli.types import Block, Document

# Formats whose pages follow from each other: what stands on two of them may be one passage.
_FLOWING = frozenset(["pdf", "docx", "doc", "rtf", "odt", "epub", "wordml", "html", "ooxml"])


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
    """The sections in order; together they hold all blocks.

    A slide, a sheet or the cell of a notebook ends the section before it: it is a place of its own.
    """
    path: list[tuple[int, str]] = []
    sections: list[Section] = []
    blocks: list[Block] = []
    heading: tuple[str, ...] = ()
    pages = None if document.format in _FLOWING else document.pages
    page = None
    for block in document.blocks:
        here = pages.at(block.start) if pages else None
        if blocks and here != page:
            sections.append(Section(heading, tuple(blocks)))
            blocks = []
        page = here
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


def may_join(document: Document, one: Section, other: Section) -> bool:
    """Whether two small sections in a row may share a passage.

    Not where that would take a place from one of them (a slide, a sheet), nor, in program text, the
    name of what it belongs to: a method stays with its class.
    """
    if document.pages and document.format not in _FLOWING:
        return document.pages.at(one.start) == document.pages.at(other.start)
    if document.format in CODE:
        return len(shared(one.heading, other.heading)) >= max(len(one.heading), len(other.heading)) - 1
    return True


def without_bare_headings(document: Document, sections: Sequence[Section]) -> list[Section]:
    """A heading with nothing under it joins the section that follows, if any does."""
    joined: list[Section] = []
    for section in sections:
        bare = joined and all(block.kind == "heading" for block in joined[-1].blocks)
        if bare and may_join(document, joined[-1], section):
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
