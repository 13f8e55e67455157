"""Texts as a model reads them: without the disguises that hide words from a search for them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

# Invisible characters: soft hyphen, grapheme joiner, zero-width ones, bidi marks, variation
# selectors, tags. Hangul and Mongolian fillers too.
HIDDEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)
_HIDDEN = re.compile(f"[{HIDDEN}]")
# Cyrillic and Greek letters that look like Latin ones, beside which they are taken for these.
_LOOKALIKES = str.maketrans("аеорсухіјѕԁһɡαορνικτυ", "aeopcyxijsdhgaopviktu")
_FOREIGN = "а-яёіјѕԁһɡα-ω"
_MIXED = re.compile(f"[a-z][{_FOREIGN}]|[{_FOREIGN}][a-z]")
_WORD = re.compile(f"(?<![a-z{_FOREIGN}])[a-z]*+[{_FOREIGN}][a-z{_FOREIGN}]*+")
_LATIN = re.compile("[a-z]")
# Blanks between characters of scripts written without.
_BLANKS = re.compile("(?<=[\u3400-\u9fff])[ \t]+(?=[\u3400-\u9fff])")
_CAPITALS = re.compile("[A-Z]+")
_BEYOND = re.compile(r"[^\x00-\x7f]+")


@cache
def _folded(char: str) -> str:
    """One character in compatibility form and small; nothing for an invisible one."""
    if _HIDDEN.match(char):
        return ""
    return unicodedata.normalize("NFKC", char).casefold()


@dataclass(slots=True)
class Folded:
    """A text in small letters, in compatibility form (NFKC, character by character), without
    invisible characters and blanks between Chinese ones, and with Latin letters for those that
    look like them within a word.
    """

    source: str
    text: str
    wide: bool  # whether Chinese characters are in it
    even: bool  # whether each character was made of the one at its place
    blanks: Sequence[tuple[int, int]] = ()  # taken out at last
    _places: list[int] = field(default_factory=list, repr=False)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the source that ``text[start:end]``, which is not empty, was made of."""
        if self.even:
            return start, end
        if not self._places:
            places = [place for place, char in enumerate(self.source) for _ in _folded(char)]
            at = 0
            for first, last in self.blanks:
                self._places += places[at:first]
                at = last
            self._places += places[at:]
        return self._places[start], self._places[end - 1] + 1


def fold(text: str) -> Folded:
    """``text`` as a model reads it; linear in its length."""
    if text.isascii():
        return Folded(text, text.lower(), wide=False, even=True)
    chars = set(text)
    wide = any("\u3400" <= char <= "\u9fff" for char in chars)
    changed = {char: told for char in chars if char > "\x7f" and (told := _folded(char)) != char}
    folded = _swapped(text, changed)
    if _MIXED.search(folded):
        folded = _WORD.sub(_latin, folded)
    blanks = [match.span() for match in _BLANKS.finditer(folded)] if wide else []
    if blanks:
        return Folded(text, _BLANKS.sub("", folded), wide, even=False, blanks=blanks)
    return Folded(text, folded, wide, even=all(len(told) == 1 for told in changed.values()))


def _swapped(text: str, changed: dict[str, str]) -> str:
    """``text`` with each character replaced by what it is changed to."""
    table = {ord(char): told for char, told in changed.items()}
    small = _CAPITALS.sub(lambda run: run[0].lower(), text)
    return _BEYOND.sub(lambda run: run[0].translate(table), small)


def _latin(word: re.Match[str]) -> str:
    return word[0].translate(_LOOKALIKES) if _LATIN.search(word[0]) else word[0]


def shown(words: str, longest: int = 120) -> str:
    """``words`` on one line in which what is invisible can be seen: tags as the letters they stand for."""
    told = []
    for char in " ".join(words.split())[: longest + 1]:
        code = ord(char)
        if 0xE0020 <= code <= 0xE007E:
            told.append(chr(code - 0xE0000))
        elif _HIDDEN.match(char):
            told.append(f"<U+{code:04X}>")
        else:
            told.append(char)
    line = "".join(told)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
