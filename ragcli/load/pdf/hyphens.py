"""Words that a line end has split: joined, or kept with their hyphen, as the document itself has them."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from ragcli.load.pdf.words import HYPHEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[^\W\d_]+(?:[-‐][^\W\d_]+)*")
_TAIL = re.compile(r"([^\W\d_]+)$")
_START = re.compile(r"([^\W\d_]+)")
_WHOLE = 4  # letters: a part at least this long that is a word elsewhere is thought to be one here


class Hyphens:
    """What a hyphen at a line end is, told from the words of the whole document."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._words: Counter[str] = Counter()
        split = False  # the line before ended within a word
        for line in lines:
            words = _WORD.findall(line)
            first, split = int(split), line.endswith((HYPHEN, "-", "‐"))
            self._words.update(word.casefold() for word in words[first : -1 if split else None])

    def joined(self, lines: Sequence[str]) -> list[str]:
        """Lines of one paragraph; the rest of a split word comes up to the line where it began.

        A soft hyphen within a line is dropped; one at the end of the last line is a hyphen.
        """
        out = list(lines)
        for at in range(len(out) - 1):
            if not out[at].endswith((HYPHEN, "-", "‐")) or not out[at + 1].strip():
                continue
            before = out[at].rstrip(f"{HYPHEN}-‐")
            rest, _, after = out[at + 1].lstrip().partition(" ")
            if before.strip() and not before[-1].isspace() and rest:
                out[at] = before + self._mark(before, rest) + rest
                out[at + 1] = after
        return [line[:-1] + "-" if line.endswith(HYPHEN) else line for line in out if line]

    def _mark(self, before: str, rest: str) -> str:
        """The hyphen between two parts of a word, or nothing."""
        head, tail = _TAIL.search(before), _START.match(rest)
        if not head or not tail or not tail[1][0].islower():
            return "-"
        first, last = head[1].casefold(), tail[1].casefold()
        whole, parted = self._words[first + last], self._words[f"{first}-{last}"]
        if whole or parted:
            return "" if whole >= parted else "-"
        if before[: head.start()].endswith("-"):  # state-of-the-
            return "-"
        both = min(len(first), len(last)) >= _WHOLE and self._words[first] and self._words[last]
        return "-" if both else ""
