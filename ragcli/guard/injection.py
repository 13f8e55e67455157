"""Passages that read like instructions to a model, found by patterns.

What is found is flagged and nothing else: a page on prompt injection quotes one. Each pattern has a
weight: one of 1 flags by itself, lighter ones do in company, when different ones that stand near
each other come to 1 together. Patterns are tried only where one of their ``starts`` stands, and
each reads a bounded stretch from there, so that a scan is linear in the text.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence

from ragcli.guard.flags import Flag
from ragcli.guard.fold import Folded, fold
from ragcli.guard.patterns import PATTERNS

# Light patterns keep company over so many characters.
_NEAR = 300


_STARTS: dict[str, list[int]] = {}
for _number, _each in enumerate(PATTERNS):
    for _start in _each.starts:
        _STARTS.setdefault(_start, []).append(_number)


def _any_of(words: Sequence[str]) -> str:
    """An expression for the longest of the words that stands at a place: a tree of their letters."""
    tails: dict[str, list[str]] = {}
    for word in words:
        if word:
            tails.setdefault(word[0], []).append(word[1:])
    if not tails:
        return ""
    tree = "|".join(re.escape(char) + _any_of(rest) for char, rest in sorted(tails.items()))
    return f"(?:{tree}){'?' if '' in words else ''}"


# What a start stands for: patterns of its own, and of those it begins with itself.
_MEANT = {
    start: tuple(
        number for other, numbers in _STARTS.items() if start.startswith(other) for number in numbers
    )
    for start in _STARTS
}
_LATIN = [start for start in _STARTS if start[0].isascii() and start[0].isalpha()]
_WIDE = [start for start in _STARTS if not start[0].isascii()]
_MARKS = [start for start in _STARTS if start not in _LATIN and start not in _WIDE]
_LATIN_STARTS = re.compile(rf"(?<![a-z0-9]){_any_of(_LATIN)}")
_WIDE_STARTS = re.compile(_any_of(_WIDE))

# Tags hide letters (but in the flags of countries), selectors bytes, runs of zero-width characters bits.
_CONCEALED = re.compile(
    "(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007f]{3,4000}+"
    "|[\U000e0100-\U000e01ef]{4,4000}+|[\ufe00-\ufe0f]{4,4000}+"
    "|[\u200b-\u200d\u2060-\u2064\ufeff\u180e]{8,4000}+|[\u202d\u202e][^\n\u202c]{1,200}+"
)
_CODED = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{32,4000}+={0,2}")
_ZERO_WIDTH = frozenset("\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u180e\ufe0f")
_CODES = ("base64", "decode", "解码", "解碼")


def scan(text: str) -> tuple[Flag, ...]:
    """What of ``text`` reads like instructions to a model, in order; none of a kind overlap."""
    folded = fold(text)
    found = list(_concealed(text))
    if any(word in folded.text for word in _CODES):
        found += _encoded(text)
    for number, start, end in _worded(folded):
        found.append(Flag(PATTERNS[number].kind, *folded.span(start, end)))
    return tuple(_joined(found))


def _worded(folded: Folded) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of each pattern's matches that count, alone or in company."""
    light: list[tuple[int, int, int]] = []
    for start, number, end in _matches(folded):
        if PATTERNS[number].weight >= 1.0:
            yield number, start, end
        else:
            light.append((start, number, end))
    light.sort()
    kept: set[int] = set()
    first = 0
    near: dict[int, int] = {}  # how often each pattern stands in the window
    for last, (start, number, _) in enumerate(light):
        near[number] = near.get(number, 0) + 1
        while light[first][0] < start - _NEAR:
            gone = light[first][1]
            near[gone] -= 1
            first += 1
        if sum(PATTERNS[each].weight for each, count in near.items() if count) >= 0.999:
            kept.update(range(max(first, last - len(PATTERNS)), last + 1))
    for place in sorted(kept):
        start, number, end = light[place]
        yield number, start, end


def _matches(text: Folded) -> Iterator[tuple[int, int, int]]:
    """Start, pattern and end of all that matches."""
    for at, start in _starts(text):
        for number in _MEANT[start]:
            if match := PATTERNS[number].expression.match(text.text, at):
                yield at, number, match.end()


def _starts(text: Folded) -> Iterator[tuple[int, str]]:
    for found in _LATIN_STARTS.finditer(text.text):
        yield found.start(), found[0]
    if text.wide:
        for found in _WIDE_STARTS.finditer(text.text):
            yield found.start(), found[0]
    for start in _MARKS:
        at = text.text.find(start)
        while at >= 0:
            yield at, start
            at = text.text.find(start, at + 1)


def _concealed(text: str) -> Iterator[Flag]:
    if text.isascii():
        return
    for match in _CONCEALED.finditer(text):
        # Of one character alone a run says nothing: newsletters are padded with such.
        if match[0][0] not in _ZERO_WIDTH or len(set(match[0])) > 1:
            yield Flag("concealment", *match.span())


def _encoded(text: str) -> Iterator[Flag]:
    """Runs of base64 that hide what would be flagged."""
    for match in _CODED.finditer(text):
        try:
            told = base64.b64decode(match[0] + "=" * (-len(match[0]) % 4)).decode()
        except (binascii.Error, ValueError):
            continue
        if told.isprintable() and next(_worded(fold(told)), None):
            yield Flag("encoded", *match.span())


def _joined(found: list[Flag]) -> Iterator[Flag]:
    """The flags in order, those of a kind that overlap as one."""
    last: dict[str, Flag] = {}
    done: list[Flag] = []
    for flag in sorted(found, key=lambda flag: (flag.start, flag.end, flag.kind)):
        known = last.get(flag.kind)
        if known is not None and flag.start < known.end:
            last[flag.kind] = Flag(flag.kind, known.start, max(known.end, flag.end))
            continue
        if known is not None:
            done.append(known)
        last[flag.kind] = flag
    yield from sorted((*done, *last.values()), key=lambda flag: (flag.start, flag.end, flag.kind))
