"""Cut a document into passages along its structure.

Sections come first, then blocks, then sentences or lines, and words only where one sentence is
longer than a chunk may be. Lengths are counted by the embedding model's own tokenizer. The cuts
of a section that does not fit are chosen together: the cheapest way through all its possible
cuts, where a cut between paragraphs is free, one inside a paragraph costs, and chunks of even
length are preferred to a full one followed by a scrap.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.chunk.sentences import sentence_spans
from ragcli.errors import UsageError
from ragcli.types import Block, Chunk, Document

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragcli.tokens import TokenCounter

# Part of every chunk's identity: another way of cutting gives other ids.
CHUNKER_VERSION = 1

# What the default model reads, and near the best on judged sets; longer chunks blur a vector.
DEFAULT_SIZE = 254

# Sections shorter than this share of a chunk are joined with the sections beside them.
_SMALL_SECTION = 0.25
# The context (title and headings) may take at most this share of a chunk.
_CONTEXT_SHARE = 0.25
# Most characters that a token may stand for: prose has four or five.
_CHARACTERS = 16
# Longer than the longest word that WordPiece looks at (100).
_LONG_WORD = 128
_CUT_IN_BLOCK = 0.15
_CUT_IN_SENTENCE = 1.0
# No line begins with these, none ends with those.
_CLOSING = frozenset("。、，．！？；：…”’」』）》】〉〕")
_OPENING = frozenset("“‘「『（《【〈〔")


@dataclass(frozen=True, slots=True)
class _Unit:
    """The smallest piece that is kept together; ``cut`` is what a cut before it costs."""

    start: int
    end: int
    tokens: int
    cut: float


@dataclass(frozen=True, slots=True)
class _Section:
    heading: tuple[str, ...]
    blocks: tuple[Block, ...]

    @property
    def start(self) -> int:
        return self.blocks[0].start

    @property
    def end(self) -> int:
        return self.blocks[-1].end


def fitting_size(asked: int | None, limit: int, overlap: int) -> int:
    """The chunk size in tokens: the one asked for, else the default, as far as the model reads.

    Raises ``UsageError`` for one that the model cannot read whole, and for an overlap that is not
    below it.
    """
    size = min(DEFAULT_SIZE, limit) if asked is None else asked
    if size > limit:
        raise UsageError(f"a chunk size of {size} is more than the {limit} tokens that the model reads")
    if overlap >= size:
        raise UsageError(f"an overlap of {overlap} is not less than the chunk size of {size}")
    return size


def chunk_document(document: Document, counter: TokenCounter, *, size: int, overlap: int = 0) -> list[Chunk]:
    """Passages of ``document`` in order; none is longer than ``size`` tokens, context included.

    Together they cover every character of the text that is not white space. ``overlap`` repeats
    at most so many tokens of whole sentences from the passage before, within a section. Raises
    ``ValueError`` when ``size`` is too small to hold anything or ``overlap`` not below it.
    """
    if size < 8 or not 0 <= overlap < size:
        raise ValueError(f"a chunk of {size} tokens with an overlap of {overlap} cannot be cut")
    chunks: list[Chunk] = []
    for heading, spans in _passages(document, counter, size, overlap):
        for start, end in spans:
            chunks.append(_make_chunk(document, counter, heading, start, end, len(chunks), size))
    return chunks


def _passages(
    document: Document, counter: TokenCounter, size: int, overlap: int
) -> list[tuple[tuple[str, ...], list[tuple[int, int]]]]:
    """Heading path and spans of the chunks of each group of sections."""
    found = []
    for heading, blocks in _grouped(document, counter, size):
        room = size - _context_tokens(document, heading, counter, size)
        units = _units(document.text, blocks, counter, room)
        cuts = _cheapest_cuts(units, room)
        spans = []
        before = -1
        for first, last in cuts:
            free = min(overlap, room - sum(unit.tokens for unit in units[first:last]))
            spans.append((_overlap_start(units, first, free, before + 1), units[last - 1].end))
            before = first
        found.append((heading, spans))
    return found


def _sections(document: Document) -> list[_Section]:
    path: list[tuple[int, str]] = []
    sections: list[_Section] = []
    blocks: list[Block] = []
    heading: tuple[str, ...] = ()
    for block in document.blocks:
        if block.kind == "heading":
            if blocks:
                sections.append(_Section(heading, tuple(blocks)))
            while path and path[-1][0] >= block.level:
                path.pop()
            path.append((block.level, block.label))
            heading, blocks = tuple(label for _, label in path if label), []
        blocks.append(block)
    if blocks:
        sections.append(_Section(heading, tuple(blocks)))
    return _without_bare_headings(sections)


def _without_bare_headings(sections: Sequence[_Section]) -> list[_Section]:
    """A heading with nothing under it joins the section that follows, if any does."""
    joined: list[_Section] = []
    for section in sections:
        if joined and all(block.kind == "heading" for block in joined[-1].blocks):
            joined[-1] = _Section(section.heading, joined[-1].blocks + section.blocks)
        else:
            joined.append(section)
    return joined


def _grouped(
    document: Document, counter: TokenCounter, size: int
) -> list[tuple[tuple[str, ...], tuple[Block, ...]]]:
    """Sections, small neighbours joined; a group's heading path is what its sections share."""
    sections = _sections(document)
    tokens = counter.counts([document.text[s.start : s.end] for s in sections])
    groups: list[tuple[tuple[str, ...], tuple[Block, ...]]] = []
    room = 0
    for section, length in zip(sections, tokens, strict=True):
        small = length < size * _SMALL_SECTION and room < size * _SMALL_SECTION * 2
        if groups and small and room + length <= size * 0.75:
            heading, blocks = groups[-1]
            groups[-1] = (_shared(heading, section.heading), blocks + section.blocks)
            room += length
        else:
            groups.append((section.heading, section.blocks))
            room = length
    return groups


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return one[:count]


def _units(text: str, blocks: Sequence[Block], counter: TokenCounter, room: int) -> list[_Unit]:
    """Sentences or lines of the blocks, and pieces of those that are longer than ``room``."""
    spans: list[tuple[int, int, float]] = []
    after_heading = False
    for block in blocks:
        split = _lines if block.kind in ("table", "code", "list") else sentence_spans
        for number, (start, end) in enumerate(split(text, block.start, block.end)):
            cut = _CUT_IN_BLOCK if number else (_CUT_IN_SENTENCE if after_heading else 0.0)
            spans.append((start, end, cut))
        after_heading = block.kind == "heading"
    units: list[_Unit] = []
    for (start, end, cut), tokens in zip(
        spans, counter.counts([text[start:end] for start, end, _ in spans]), strict=True
    ):
        if tokens <= room and end - start <= room * _CHARACTERS:
            units.append(_Unit(start, end, tokens, cut))
        else:
            units.extend(_pieces(text, start, end, counter, room, cut))
    return units


def _lines(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans = []
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        if text[start:stop].strip():
            spans.append((start, stop))
        start = stop + 1
    return spans


def _pieces(text: str, start: int, end: int, counter: TokenCounter, room: int, cut: float) -> list[_Unit]:
    """Cut one long sentence at white space or between characters that are words of their own.

    Only a single word that is longer than a whole chunk (base64, say) is cut inside.
    """
    places: dict[int, None] = {}
    for first, last in counter.spans(text[start:end]):
        # A word too long for the tokenizer is one unknown token to it, however long it is. Its
        # pieces stay too long, the last one too: a shorter one would be read letter by letter.
        stop = last - _LONG_WORD if last - first > 2 * _LONG_WORD else first + 1
        places.update(dict.fromkeys(range(start + first, start + stop, _LONG_WORD)))
    starts = [start, *list(places)[1:], end]
    units: list[_Unit] = []
    first = 0
    while first < len(starts) - 1:
        last, tokens = _piece_end(text, starts, first, counter, room)
        stop = starts[first] + len(text[starts[first] : starts[last]].rstrip())
        units.append(_Unit(starts[first], stop, tokens, _CUT_IN_SENTENCE if first else cut))
        first = last
    return units


def _piece_end(
    text: str, starts: Sequence[int], first: int, counter: TokenCounter, room: int
) -> tuple[int, int]:
    """Index in ``starts`` of the end of the longest piece that fits, and the piece's tokens.

    Measured, not reckoned: a word cut in two may have more tokens than it had.
    """
    limit = first + room
    while True:
        last = min(limit, bisect_right(starts, starts[first] + room * _CHARACTERS) - 1, len(starts) - 1)
        last = max(last, first + 1)
        if last < len(starts) - 1:
            whole = (at for at in range(last, first, -1) if _breakable(text, starts[at]))
            last = next(whole, last)
        tokens = counter.counts([text[starts[first] : starts[last]].rstrip()])[0]
        if tokens <= room or last == first + 1:
            return last, tokens
        limit = last - 1


def _breakable(text: str, at: int) -> bool:
    """Whether a cut before ``text[at]`` parts no word, number or name, nor a mark from its word."""
    before, after = text[at - 1], text[at]
    if before.isspace() or after.isspace():
        return True
    if after in _CLOSING or before in _OPENING:
        return False
    return _is_ideograph(before) or _is_ideograph(after)


def _is_ideograph(character: str) -> bool:
    return "\u2e80" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or character >= "\U00020000"


def _cheapest_cuts(units: Sequence[_Unit], room: int) -> list[tuple[int, int]]:
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
            too_wide = units[last - 1].end - units[first].start > room * _CHARACTERS + _LONG_WORD
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


def _overlap_start(units: Sequence[_Unit], first: int, free: int, earliest: int) -> int:
    """Start of a chunk with whole units of at most ``free`` tokens before it, none before ``earliest``."""
    while first > earliest and units[first - 1].tokens <= free:
        first -= 1
        free -= units[first].tokens
    return units[first].start


def _context_lines(document: Document, heading: tuple[str, ...]) -> list[str]:
    """Title and heading path, outermost first, repeats left out."""
    return list(dict.fromkeys(line for line in (document.title, *heading) if line))


def _context_tokens(document: Document, heading: tuple[str, ...], counter: TokenCounter, size: int) -> int:
    lines = _context_lines(document, heading)
    return min(sum(counter.counts(lines)), int(size * _CONTEXT_SHARE)) if lines else 0


def _fitting(lines: list[str], counter: TokenCounter, tokens: int) -> list[str]:
    """The innermost lines that fit into ``tokens``; one that is too long keeps its first words."""
    kept: list[str] = []
    for line in reversed(lines):
        head = _head(line, counter, tokens)
        if head:
            kept.append(head)
            tokens -= counter.counts([head])[0]
        if head != line:
            break
    return kept[::-1]


def _head(line: str, counter: TokenCounter, tokens: int) -> str:
    """The line, or as many of its first words as fit into ``tokens``; a part of a first word that is longer."""
    if counter.counts([line])[0] <= tokens:
        return line
    starts = sorted({first for first, _ in counter.spans(line)} - {0})[:tokens]
    heads = [line[:start].rstrip() for start in starts]
    whole = [head for head, start in zip(heads, starts, strict=True) if _breakable(line, start)]
    fitting = (head for head in [*whole[::-1], *heads[::-1]] if 0 < counter.counts([head])[0] <= tokens)
    return next(fitting, "")


def _make_chunk(
    document: Document,
    counter: TokenCounter,
    heading: tuple[str, ...],
    start: int,
    end: int,
    ordinal: int,
    size: int,
) -> Chunk:
    text = document.text[start:end]
    # A heading that stands in the text itself need not be said twice.
    own = {block.label for block in _headings_within(document, start, end)}
    lines = [line for line in _context_lines(document, heading) if line not in own]
    context = "\n".join(_fitting(lines, counter, int(size * _CONTEXT_SHARE)))
    page = document.pages.at(start) if document.pages else None
    between = document.lines.over(start, end) if document.lines else None
    return Chunk(
        id=_identity(document.id, document.title, *heading, start, end, page, between, context, text),
        document=document.id,
        ordinal=ordinal,
        start=start,
        end=end,
        text=text,
        context=context,
        heading=heading,
        page=page,
        lines=between,
        tokens=counter.counts([f"{context}\n{text}" if context else text])[0],
    )


def _headings_within(document: Document, start: int, end: int) -> list[Block]:
    key: Callable[[Block], int] = lambda block: block.start  # noqa: E731
    first = bisect_left(document.blocks, start, key=key)
    last = bisect_left(document.blocks, end, key=key)
    return [block for block in document.blocks[first:last] if block.kind == "heading"]


def _identity(*parts: object) -> str:
    """16 hexadecimal digits that change with everything that is kept of a chunk but its number."""
    joined = "\0".join(map(str, parts))
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:16]
