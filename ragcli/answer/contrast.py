"""Questions for the difference between two things: what is said of the one, and of the other.

A sentence that has both names often says no more than that they differ.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from ragcli.analyze import Analyzer
from ragcli.answer.candidates import Candidate

_DIFFER_HAN = "(?:区别|區別|不同|差别|差別|差异|差異)"
_ASKS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:differences?|distinctions?) between (?P<one>.{1,80}?) and (?P<other>.{1,80})",
        r"\b(?:do|does|did|is|are) (?P<one>.{1,80}?) (?:differ|different) (?:from|to|than) (?P<other>.{1,80})",
        rf"^(?P<one>.{{1,30}}?)[和与與跟](?P<other>.{{1,30}}?)(?:之间|之間)?(?:的|有|有什么|有何|有哪些|有什麼)?{_DIFFER_HAN}",
    )
)
# A sentence is about what it begins with.
_BEGINNING = 30


def sides(
    question: str,
    found: Sequence[Candidate],
    terms: Sequence[Set[str]],
    scores: Sequence[float],
    analyze: Analyzer,
) -> list[int]:
    """The best candidate about each of the two things that a question asks the difference of, else none."""
    asked = next((match for pattern in _ASKS if (match := pattern.search(question))), None)
    if asked is None:
        return []
    names = [frozenset(analyze(asked[name])) for name in ("one", "other")]
    chosen = []
    for name, other in (names, reversed(names)):
        about = [
            i
            for i, one in enumerate(found)
            if name <= terms[i]
            and not (other - name) & terms[i]
            and name <= set(analyze(one.text[:_BEGINNING]))
        ]
        if not name or name == other or not about:
            return []
        chosen.append(max(about, key=lambda i: (scores[i], -i)))
    return chosen
