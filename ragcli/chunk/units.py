"""The smallest pieces that are kept together: sentences, lines, and parts of those that are too long."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.sentences import sentence_spans

if TYPE_CHECKING:
    from ragcli.tokens import TokenCounter
    from ragcli.types import Block

# Most characters that a token may stand for: prose has four or five.
CHARACTERS = 16
# Longer than the longest word that WordPiece looks at (100).
LONG_WORD = 128
# What a cut costs between two lines of a paragraph, which may be paragraphs to their author; else
# inside a block; inside a sentence, or between a heading and what follows.
CUT_AT_LINE = 0.05
CUT_IN_BLOCK = 0.15
CUT_IN_SENTENCE = 1.0
# No line begins with these, none ends with those.
_CLOSING = frozenset("。、，．！？；：…”’」』）》】〉〕")
_OPENING = frozenset("“‘「『（《【〈〔")
# After these a long sentence is cut rather than elsewhere.
_CLAUSE = frozenset(",;:)，、；：）—")
_NUMERALS = frozenset("0123456789〇零一二三四五六七八九十百千万萬亿億兆")

# How far into a piece a clause must reach that it ends with.
_LATE = 0.7

Split = Callable[[str, int, int], Iterable[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Unit:
    """A span that is kept together; ``cut`` is what a cut before it costs.

    ``lead`` are the tokens of the lead of a passage that begins here, ``behind`` those of the
    caption that follows later, for a passage that ends here, ``context`` those of title and headings.
    """

    start: int
    end: int
    tokens: int
    cut: float
    context: int = 0
    lead: int = 0
    behind: int = 0


def natural_spans(text: str, block: Block) -> Iterable[tuple[int, int]]:
    """Lines of tables, code and lists, sentences of everything else."""
    split = lines_of if block.kind in ("table", "code", "list") else sentence_spans
    return split(text, block.start, block.end)


def lines_of(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Lines that are not blank."""
    spans = []
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        if text[start:stop].strip():
            spans.append((start, stop))
        start = stop + 1
    return spans


def pieces_of(text: str, start: int, end: int, counter: TokenCounter, room: int, cut: float) -> list[Unit]:
    """Cut one long sentence at white space or between characters that are words of their own.

    Only a single word that is longer than a whole chunk (base64, say) is cut inside.
    """
    places: dict[int, None] = {}
    for first, last in counter.spans(text[start:end]):
        # A word too long for the tokenizer is one unknown token to it, however long it is. Its
        # pieces stay too long, the last one too: a shorter one would be read letter by letter.
        stop = last - LONG_WORD if last - first > 2 * LONG_WORD else first + 1
        places.update(dict.fromkeys(range(start + first, start + stop, LONG_WORD)))
    starts = [start, *list(places)[1:], end]
    units: list[Unit] = []
    first = alone = 0
    while first < len(starts) - 1:
        last, tokens = _piece_end(text, starts, first, counter, room)
        stop = starts[first] + len(text[starts[first] : starts[last]].rstrip())
        before, alone = alone, tokens
        if units and units[-1].end == starts[first]:
            # What goes on a word may have more tokens behind it than by itself.
            joined = counter.counts([text[units[-1].start : stop]])[0]
            tokens = min(max(tokens, joined - before), room)
        units.append(Unit(starts[first], stop, tokens, CUT_IN_SENTENCE if first else cut))
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
        last = min(limit, bisect_right(starts, starts[first] + room * CHARACTERS) - 1, len(starts) - 1)
        last = max(last, first + 1)
        if last < len(starts) - 1:
            whole = [at for at in range(last, first, -1) if breakable(text, starts[at])]
            late = (at for at in whole if at > first + (last - first) * _LATE)
            clause = next((at for at in late if _ends_clause(text, starts[at])), None)
            last = clause or next(iter(whole), last)
        tokens = counter.counts([text[starts[first] : starts[last]].rstrip()])[0]
        if tokens <= room or last == first + 1:
            return last, tokens
        limit = last - 1


def _ends_clause(text: str, at: int) -> bool:
    return text[max(0, at - 2) : at].rstrip()[-1:] in _CLAUSE


def breakable(text: str, at: int) -> bool:
    """Whether a cut before ``text[at]`` parts no word, number or name, nor a mark from its word."""
    before, after = text[at - 1], text[at]
    if before.isspace() or after.isspace():
        return True
    if after in _CLOSING or before in _OPENING:
        return False
    if (before in _NUMERALS and after in _NUMERALS) or (_is_katakana(before) and _is_katakana(after)):
        return False
    return _is_ideograph(before) or _is_ideograph(after)


def _is_katakana(character: str) -> bool:
    return "\u30a0" <= character <= "\u30ff"


def _is_ideograph(character: str) -> bool:
    return "\u2e80" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or character >= "\U00020000"
