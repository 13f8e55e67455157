"""Citations in an answer as it streams: found, written one way, and never to a source not sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

# A citation group: "[1]", "[1, 2]", "[1-3]", "【1】", "[^1]", "[Source 1]". Four digits are a year.
_WIDEST = 999  # how far a range goes on
_LONGEST = 40
_FURTHEST = 240  # of numbers alone
_NUMBER = r"\d{1,12}"
_BLANK = r"[^\S\n]*"
_TO = "[-–—~～至]"
_JOIN = rf"(?:{_BLANK}(?:[,;，、；&和及]|and|{_TO}){_BLANK}|[^\S\n]+)"
_WITHIN = rf"[^\[\]【】［］\n]{{0,{_LONGEST}}}"
_GROUP = re.compile(
    rf"(?P<blank>[ \t\u3000]{{0,8}})[\[【［](?=[^\[\]【】［］\n]{{0,{_FURTHEST}}}[\]】］]){_BLANK}"
    rf"(?:(?:\^|sources?|src|来源|來源|资料|資料)[ :：]*)?"
    rf"(?P<body>{_NUMBER}(?:{_JOIN}{_NUMBER})*){_BLANK}[\]】］]",
    re.IGNORECASE,
)
# What may yet become a group, or a run of back-quotes, when more text comes.
_OPEN = re.compile(
    rf"[ \t\u3000]{{0,8}}(?:[\[【［](?:{_WITHIN}|[\d\s,;，、；–—~～至\-]{{0,{_FURTHEST}}}))?|`+"
)
_RANGE = re.compile(rf"({_NUMBER}){_BLANK}{_TO}{_BLANK}({_NUMBER})|({_NUMBER})")
_QUIET = re.compile(r"[^ \t\u3000\[\]【】［］`\n]+")


@dataclass(frozen=True, slots=True)
class Mark:
    """A citation in a printed text: its span there and the numbers it names, in order."""

    start: int
    end: int
    numbers: tuple[int, ...]


@dataclass(slots=True)
class Citing:
    """Rewrites citations as ``[1][2]`` and drops the numbers that were never sent.

    A citation that loses all its numbers goes with the blanks before it. Text is held back from
    an opening bracket until it closes or is clearly no citation (40 characters). Brackets in
    code (between back-quotes) are left alone: ``row[7]`` there is no citation.

    ``marks`` are the citations left, ``invented`` the numbers dropped, each once.
    """

    known: Collection[int]
    marks: list[Mark] = field(default_factory=list)
    invented: list[int] = field(default_factory=list)
    _held: str = ""
    _sent: int = 0
    _inline: bool = False
    _fenced: bool = False
    _opened: int = -2 * _LONGEST  # where the last bracket that nothing closed yet was printed

    def feed(self, piece: str) -> str:
        """As much text as is settled once ``piece`` has come."""
        return self._take(self._held + piece, last=False)

    def close(self) -> str:
        """The rest."""
        return self._take(self._held, last=True)

    def _take(self, text: str, *, last: bool) -> str:
        out: list[str] = []
        at = 0
        while at < len(text):
            if not last and _OPEN.fullmatch(text, at):
                break
            piece, at = self._next(text, at)
            out.append(piece)
            self._sent += len(piece)
        self._held = text[at:]
        return "".join(out)

    def _next(self, text: str, at: int) -> tuple[str, int]:
        """The next settled piece as it is printed, and where the text goes on."""
        if not (self._inline or self._fenced) and (group := _GROUP.match(text, at)) and not _is_years(group):
            return self._group(group), group.end()
        if quiet := _QUIET.match(text, at):
            return quiet.group(), quiet.end()
        char = text[at]
        if char == "\n":
            self._inline, self._opened = False, -2 * _LONGEST
        elif char in "[【［":
            self._opened = self._sent
        elif char in "]】］":
            self._opened = -2 * _LONGEST
        if char != "`":
            return char, at + 1
        end = at
        while end < len(text) and text[end] == "`":
            end += 1
        if end - at >= 3:
            self._fenced = not self._fenced
        elif not self._fenced:
            self._inline = not self._inline
        return text[at:end], end

    def _group(self, group: re.Match[str]) -> str:
        numbers = cited_numbers(group["body"])
        self.invented += [n for n in numbers if n not in self.known and n not in self.invented]
        kept = tuple(n for n in numbers if n in self.known)
        if not kept:
            # "[[9]7]" must not leave "[7]" behind.
            return "…" if self._sent - self._opened <= _LONGEST + 1 else ""
        printed = "".join(f"[{n}]" for n in kept)
        start = self._sent + len(group["blank"])
        self.marks.append(Mark(start, start + len(printed), kept))
        return group["blank"] + printed


def _is_years(group: re.Match[str]) -> bool:
    """Whether all numbers in brackets have four digits."""
    return all(len(number) == 4 for number in re.findall(r"\d+", group["body"]))


def cited_numbers(body: str) -> tuple[int, ...]:
    """The numbers of a citation, each once and in order; ``1-3`` is 1, 2, 3 (``3-1`` is 3, 1)."""
    numbers: dict[int, None] = {}
    for first, last, single in _RANGE.findall(body):
        if single:
            numbers[int(single)] = None
        elif int(first) <= int(last):
            numbers.update(dict.fromkeys(range(int(first), min(int(last), int(first) + _WIDEST) + 1)))
        else:
            numbers.update(dict.fromkeys((int(first), int(last))))
    return tuple(numbers)


def bare_text(text: str) -> str:
    """An answer's text without its citations."""
    citing = Citing(range(1000))
    printed = citing.feed(text) + citing.close()
    parts, end = [], 0
    for mark in citing.marks:
        parts.append(printed[end : mark.start].rstrip())
        end = mark.end
    return "".join([*parts, printed[end:]]).strip()
