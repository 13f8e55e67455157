"""What goes with a passage besides its text, and how much room that leaves: title, headings, lead, place."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import TYPE_CHECKING

from ragcli.chunk.lead import before, belongs, block_at, caption_behind, lead_of, lines_under
from ragcli.chunk.sections import Section, sections_of, shared
from ragcli.chunk.units import (
    CHARACTERS,
    CUT_AT_LINE,
    CUT_IN_BLOCK,
    CUT_IN_SENTENCE,
    LONG_WORD,
    Unit,
    breakable,
    natural_spans,
    pieces_of,
)
from ragcli.types import Block, Chunk, Document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from ragcli.tokens import TokenCounter

    Embed = Callable[[Sequence[str]], NDArray[np.float32]]

# Heading path, start and end.
Passage = tuple[tuple[str, ...], int, int]

CONTEXT = ("title", "headings", "lead")
# Title and headings may take at most this share of a chunk, together with the lead at most that.
_HEADING_SHARE = 0.25
_CONTEXT_SHARE = 0.5


@dataclass(frozen=True)
class Frame:
    """One document being cut: its counter of tokens, the most tokens of a chunk and of an overlap.

    ``context`` names what is embedded with the text, of CONTEXT. ``embed`` makes unit vectors of
    texts, shape (n, dim), where a chunker needs them.
    """

    document: Document
    counter: TokenCounter
    size: int
    overlap: int = 0
    context: Sequence[str] = CONTEXT
    embed: Embed | None = None

    # -- room ------------------------------------------------------------------------------------------

    def units(
        self,
        blocks: Sequence[Block],
        heading: tuple[str, ...],
        split: Callable[[str, Block], Iterable[tuple[int, int]]] = natural_spans,
    ) -> list[Unit]:
        """What of the blocks is kept together; nothing is longer than its context leaves room for."""
        units: list[Unit] = []
        above = self._heading_tokens(heading)
        after_heading = False
        for block in blocks:
            at = block_at(self.document.blocks, block.start)
            opening, later, behind = self._lead_tokens(at)
            room = self.size - self._total(above, max(opening, later) + behind)
            glued = after_heading or belongs(self.document, at)
            first = CUT_IN_SENTENCE if glued else 0.0
            between = CUT_AT_LINE if block.kind == "paragraph" else CUT_IN_BLOCK
            under = lines_under(self.document.text, block)
            for unit in self._fitting(split(self.document.text, block), room, first, between):
                opens = unit.start == block.start
                # Header rows stay together, and with the first row under them.
                header = not opens and unit.start <= block.head + 1
                cut = CUT_IN_SENTENCE if header or unit.start in under else unit.cut
                lead = opening if opens else later
                units.append(replace(unit, cut=cut, context=above, lead=lead, behind=behind))
            after_heading = block.kind == "heading"
        return units

    def all_units(
        self, split: Callable[[str, Block], Iterable[tuple[int, int]]] = natural_spans
    ) -> list[Unit]:
        """The units of the whole document."""
        return [
            unit for section in self._sections for unit in self.units(section.blocks, section.heading, split)
        ]

    @cached_property
    def _sections(self) -> list[Section]:
        return sections_of(self.document)

    def passage(self, start: int, end: int) -> Passage:
        """A span with the headings that all sections in it stand under."""
        sections = self._sections
        first = bisect_right(sections, start, key=lambda section: section.start) - 1
        last = bisect_left(sections, end, key=lambda section: section.start)
        headings = [section.heading for section in sections[max(0, first) : last]]
        return reduce(shared, headings), start, end

    def holds(self, units: Sequence[Unit], first: int, last: int, tokens: int) -> bool:
        """Whether the units fit into one passage, ``tokens`` being those of all of them."""
        room = self.room(units, first, last)
        # What is one token to the model may be long.
        return tokens <= room and units[last - 1].end - units[first].start <= room * CHARACTERS + LONG_WORD

    def room(self, units: Sequence[Unit], first: int, last: int) -> int:
        """Tokens that a passage of units ``first`` to ``last - 1`` may have, its context not counted."""
        return self.size - self._total(units[first].context, units[first].lead + units[last - 1].behind)

    def _total(self, above: int, lead: int) -> int:
        return min(above + lead, int(self.size * _CONTEXT_SHARE)) if "lead" in self.context else above

    def _fitting(
        self, spans: Iterable[tuple[int, int]], room: int, first_cut: float, line_cut: float
    ) -> list[Unit]:
        text = self.document.text
        spans = list(spans)
        units: list[Unit] = []
        for (start, end), tokens in zip(
            spans, self.counter.counts([text[a:b] for a, b in spans]), strict=True
        ):
            cut = first_cut
            if units:
                cut = line_cut if "\n" in text[units[-1].end : start] else CUT_IN_BLOCK
            if tokens <= room and end - start <= room * CHARACTERS:
                units.append(Unit(start, end, tokens, cut))
            else:
                units.extend(pieces_of(text, start, end, self.counter, room, cut))
        return units

    def _lead_tokens(self, at: int) -> tuple[int, int, int]:
        """Tokens of the lead of a passage that begins with a block, within it, and of its caption behind."""
        if "lead" not in self.context:
            return 0, 0, 0
        block = self.document.blocks[at]
        caption = caption_behind(self.document.blocks, at)
        opening = before(self.document, at, block.start)
        later = before(self.document, at, block.end)
        behind = [(caption.start, caption.end)] if caption else []
        text = self.document.text
        told = [[text[a:b] for a, b in spans] for spans in (opening, later, behind)]
        one, two, three = (sum(self.counter.counts(parts)) if parts else 0 for parts in told)
        return one, two, three

    # -- context ---------------------------------------------------------------------------------------

    def _lines(self, heading: tuple[str, ...]) -> list[str]:
        """Title and heading path, outermost first, repeats left out."""
        title = self.document.title if "title" in self.context else ""
        return list(dict.fromkeys(line for line in (title, *self._headings(heading)) if line))

    def _headings(self, heading: tuple[str, ...]) -> tuple[str, ...]:
        return heading if "headings" in self.context else ()

    def _heading_tokens(self, heading: tuple[str, ...]) -> int:
        lines = self._lines(heading)
        return min(sum(self.counter.counts(lines)), int(self.size * _HEADING_SHARE)) if lines else 0

    # -- chunks ----------------------------------------------------------------------------------------

    def chunk(self, heading: tuple[str, ...], start: int, end: int, ordinal: int) -> Chunk:
        """The chunk ``[start, end)``, which stands under ``heading``."""
        document = self.document
        text = document.text[start:end]
        # A heading that stands in the text itself need not be said twice.
        own = {block.label for block in _headings_within(document, start, end)}
        lines = [line for line in self._lines(heading) if line not in own]
        parts = _fitting(lines, self.counter, int(self.size * _HEADING_SHARE))
        left = int(self.size * _CONTEXT_SHARE) - self._heading_tokens(heading)
        whole = lead_of(document, start, end)
        lead = head_of(whole, self.counter, left)
        context, tokens = self._with_context(parts, lead, text)
        if tokens > self.size:
            # A word too long for the tokenizer is one token to it, and the first half of it may be many:
            # the first words of a header can have more than the header that room was left for.
            lead = head_of(whole, self.counter, left - (tokens - self.size))
            context, tokens = self._with_context(parts, lead, text)
        page = document.pages.at(start) if document.pages else None
        label = document.pages.label_at(start) if document.pages else ""
        between = document.lines.over(start, self._end_of_page(start, end)) if document.lines else None
        kept = (start, end, page, between, context, text, *((lead, label) if lead or label else ()))
        return Chunk(
            id=_identity(document.id, document.title, *heading, *kept),
            document=document.id,
            ordinal=ordinal,
            start=start,
            end=end,
            text=text,
            context=context,
            heading=heading,
            page=page,
            lines=between,
            tokens=tokens,
            lead=lead,
            page_label=label,
        )

    def _with_context(self, parts: Sequence[str], lead: str, text: str) -> tuple[str, int]:
        """What is embedded before a text, and the tokens of both."""
        context = "\n".join([*parts, lead] if lead and "lead" in self.context else parts)
        return context, self.counter.counts([f"{context}\n{text}" if context else text])[0]

    def _end_of_page(self, start: int, end: int) -> int:
        """Where the passage ends on the page it begins on: the rows of each sheet are counted anew."""
        if self.document.pages is None:
            return end
        starts = self.document.pages.starts
        after = bisect_right(starts, start)
        return min(end, starts[after]) if after < len(starts) else end


def _fitting(lines: list[str], counter: TokenCounter, tokens: int) -> list[str]:
    """The innermost lines that fit into ``tokens``; one that is too long keeps its first words."""
    kept: list[str] = []
    for line in reversed(lines):
        head = head_of(line, counter, tokens)
        if head:
            kept.append(head)
            tokens -= counter.counts([head])[0]
        if head != line:
            break
    return kept[::-1]


def head_of(line: str, counter: TokenCounter, tokens: int) -> str:
    """The line, or as many of its first words as fit into ``tokens``; a part of a first word that is longer."""
    if not line or counter.counts([line])[0] <= tokens:
        return line
    starts = sorted({first for first, _ in counter.spans(line)} - {0})[:tokens]
    heads = [line[:start].rstrip() for start in starts]
    whole = [head for head, start in zip(heads, starts, strict=True) if breakable(line, start)]
    fitting = (head for head in [*whole[::-1], *heads[::-1]] if 0 < counter.counts([head])[0] <= tokens)
    return next(fitting, "")


def _headings_within(document: Document, start: int, end: int) -> list[Block]:
    first = bisect_left(document.blocks, start, key=lambda block: block.start)
    last = bisect_left(document.blocks, end, key=lambda block: block.start)
    return [block for block in document.blocks[first:last] if block.kind == "heading"]


def _identity(*parts: object) -> str:
    """16 hexadecimal digits that change with everything that is kept of a chunk but its number."""
    joined = "\0".join(map(str, parts))
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:16]
