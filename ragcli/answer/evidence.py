"""Does a source say this word for word, and if not, which of its sentences comes nearest?"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.answer.reading import Reading, read
from ragcli.answer.support import join
from ragcli.sentences import sentence_spans

if TYPE_CHECKING:
    from ragcli.types import Hit

# Characters of scripts that are written without spaces.
_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_MARKUP = frozenset("*_`\u200b\ufeff\u00ad")
_SAME = {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"}
_TERM = re.compile(
    r"[\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]|\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)?"
)
_EDGES = " \t\n.,;:!?…。，；：！？、"
_NOT = frozenset("不没未无非沒無别勿")  # "允许" does not stand in "不允许"


@dataclass(frozen=True, slots=True)
class Folded:
    """A text up to white space, markup and case; ``at[i]`` is where character i came from."""

    text: str
    at: tuple[int, ...]

    def find(self, words: str) -> tuple[int, int] | None:
        """The span, in the original, of the first place where folded ``words`` stand whole.

        Whole: no letter or digit is cut off at either end, so "5 days" does not stand in
        "15 days", in "-5 days" or in "2.5 days".
        """
        start = self.text.find(words) if words else -1
        while start >= 0:
            end = start + len(words)
            if not _joined(self.text, start) and not _joined(self.text, end):
                return self.at[start], self.at[end - 1] + 1
            start = self.text.find(words, start + 1)
        return None


def fold(text: str) -> Folded:
    """``text`` in small letters, without ``*_```, its white space as single spaces.

    Beside a CJK character white space means nothing and is dropped.
    """
    chars: list[str] = []
    at: list[int] = []
    blank = -1
    for index, char in enumerate(text):
        if char in _MARKUP:
            continue
        if char.isspace():
            blank = index if blank < 0 else blank
            continue
        if blank >= 0 and chars and not _CJK.match(char) and not _CJK.match(chars[-1]):
            chars.append(" ")
            at.append(blank)
        blank = -1
        for small in _SAME.get(char, char).casefold():
            chars.append(small)
            at.append(index)
    return Folded("".join(chars), tuple(at))


def _joined(text: str, at: int) -> bool:
    """Whether the border before ``text[at]`` runs through a word, a number or a negation."""
    if not 0 < at < len(text):
        return False
    left, right = text[at - 1], text[at]
    if _CJK.match(left) or _CJK.match(right):
        return left in _NOT
    if left.isalnum() and right.isalnum():
        return True
    if right.isdigit():
        return left in ".,-−–"
    return left.isdigit() and (right == "%" or (right in ".,-–" and text[at + 1 : at + 2].isdigit()))


@dataclass(frozen=True, slots=True)
class Evidence:
    """The text of a source, folded once, with its sentences."""

    hit: Hit
    folded: Folded
    sentences: tuple[tuple[int, int], ...]
    terms: tuple[Counter[str], ...]
    readings: tuple[Reading, ...]
    about: Reading

    @classmethod
    def of(cls, hit: Hit) -> Evidence:
        """Prepare the source that ``hit`` stands for."""
        sentences = tuple(sentence_spans(hit.text))
        terms = tuple(_terms(hit.text[start:end]) for start, end in sentences)
        readings = tuple(read(hit.text[start:end]) for start, end in sentences)
        about = read("\n".join((hit.title, *hit.heading, hit.lead)))
        return cls(hit, fold(hit.text), sentences, terms, readings, about)

    def verbatim(self, claim: str) -> tuple[int, int] | None:
        """Where ``claim`` stands word for word, up to white space, markup, case and end marks."""
        return self.folded.find(fold(claim).text.strip(_EDGES))

    def nearest(self, claim: str) -> tuple[int, int] | None:
        """The sentence that shares most words with ``claim`` (F1; characters in CJK), or None.

        Of two equally near the first is taken.
        """
        wanted = _terms(claim)
        best, span = 0.0, None
        for place, terms in zip(self.sentences, self.terms, strict=True):
            shared = (wanted & terms).total()
            if shared and (score := 2 * shared / (wanted.total() + terms.total())) > best:
                best, span = score, place
        return span

    def around(self, span: tuple[int, int]) -> Reading:
        """The sentences that a span touches."""
        touched = zip(self.sentences, self.readings, strict=True)
        return join([each for (start, end), each in touched if start < span[1] and end > span[0]])

    def window(self, first: int, last: int) -> tuple[int, int]:
        """The span of sentences ``first`` to ``last``."""
        return self.sentences[first][0], self.sentences[last][1]

    def lines(self, start: int, end: int) -> tuple[int, int] | None:
        """The lines of the source file that ``hit.text[start:end]`` stands on.

        Where the hit's lines are not one to one those of its text, the hit's lines.
        """
        hit = self.hit
        if hit.page is not None or hit.lines is None:
            return hit.lines
        first, last = hit.lines
        if last - first != hit.text.count("\n"):
            return hit.lines
        return first + hit.text.count("\n", 0, start), first + hit.text.count("\n", 0, end)


def _terms(text: str) -> Counter[str]:
    return Counter(_TERM.findall(fold(text).text))


def long_enough(words: str, least: int) -> bool:
    """Whether ``words`` has ``least`` words, or twice as many CJK characters."""
    found = _TERM.findall(words)
    cjk = sum(bool(_CJK.match(term)) for term in found)
    return 2 * (len(found) - cjk) + cjk >= 2 * least
