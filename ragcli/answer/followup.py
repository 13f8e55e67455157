"""A follow-up made a question that can be searched by itself, without an LLM: by a plain rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ragcli.analyze import Analyzer, stands_together
from ragcli.types import Turn

# Fewer words that mean something are hardly a question by themselves.
_FEWEST = 2
# Words that are taken over: of the question before, and names of what was cited.
_MOST_WORDS = 4
_MOST_NAMES = 2

_PRONOUN = re.compile(
    # "Is it possible to …" points at nothing.
    r"\b(?:(?<!is )(?<!was )its?|(?:is|was) it(?!\s+(?:\w+\s+)?(?:possible|necessary|allowed|safe|true|ok|okay|better|"
    r"required|recommended|legal|worth)\b)|they|them|their|theirs|he|him|his|she|her|hers|these|those|"
    r"this(?=\s*[?.,!]|\s+(?:one|is|was|does|do|did|work|mean|happen)|\s*$)|"
    r"that(?=\s*[?.!]|\s*$|\s+one\b|\s+(?:happens?|happened|means?)\b)|the (?:former|latter|same|others?)|ones?)\b"
    r"|它|(?<![其吉])[他她](?!汀)|(?<![尤极與与])其(?![他它中实實余餘次间間])|这(?!么|麼)|那(?!么|麼)|這(?!麼)|此(?!外)|该|該|上述|前者|后者|後者",
    re.IGNORECASE,
)
_ELLIPSIS = re.compile(
    r"^\W*(?:and|or|but|so|also|then|what about|how about|what else|why not|that|this)\b"
    r"|呢\s*[?？。]?\s*$|^\W*(?:还有|還有|另外|然后|然後)",
    re.IGNORECASE,
)
# Another thing takes the place of the one that was asked about: "And the audit log?", not "And in winter?".
_REPLACES = re.compile(
    r"^\W*(?:and|or|what about|how about)\s+(?!(?:in|on|at|for|with|without|by|during|under|over|from|to|of|when|if|"
    r"after|before|since|until|per|than|how|what|who|why|where|which|is|are|was|were|do|does|did|can)\b)",
    re.IGNORECASE,
)
_INTERROGATIVE = re.compile(
    r"^\W*(how (?:long|many|much|often|far|old|big|large|high|fast)|how|when|where|who|why|which|what)\b",
    re.IGNORECASE,
)
# Words that ask rather than name what is asked about.
_ASKING = frozenset(
    """long much many mean means often far old happen happens kind sort possible tell need get got
    多久 多长 多長 多大 多高 多远 什么样 时候 時候 意思 可以 需要 有没有 几个 第几""".split()  # noqa: SIM905
)
_SURFACE = re.compile(r"\w+(?:[-.'’/@_:]\w+)*")


def points_back(question: str, analyze: Analyzer) -> bool:
    """Whether a question seems to need the one before: by its pronouns, how it begins, or how short it is."""
    if _PRONOUN.search(question) or _ELLIPSIS.search(question):
        return True
    return len({forms[0] for forms in analyze.words(question)}) < _FEWEST


def joined(question: str, turn: Turn, weights: Mapping[str, float], analyze: Analyzer) -> str:
    """``question`` with the rarest words of the turn's question behind it and, for a pronoun, names it cited.

    ``weights`` are those of the index for the words of the turn. What the question says itself is
    not said again. A question that only names another thing takes over what was asked, and of the
    words those that are rather common: the rare ones name what it is no longer about.
    """
    told = set(analyze(question))
    words: list[str] = []
    replaces = _REPLACES.match(question) is not None and not _PRONOUN.search(question) and bool(told)
    if replaces and (asked := _INTERROGATIVE.match(turn.standalone)):
        words.append(asked[1].lower())
    cited = " ".join(turn.cited) if _PRONOUN.search(question) else ""
    for text, most, wanted in ((turn.standalone, _MOST_WORDS, _is_word), (cited, _MOST_NAMES, _is_name)):
        candidates = {
            word: max((weights.get(term, 0.0) for term in analyze(word)), default=0.0)
            for word, first in _surfaces(text, analyze)
            if wanted(word, first=first) and told.isdisjoint(analyze(word))
        }
        if replaces and candidates:
            mean = sum(candidates.values()) / len(candidates)
            candidates = {word: weight for word, weight in candidates.items() if weight <= mean}
        rarest = sorted(candidates, key=lambda word: (-candidates[word], word))[:most]
        chosen = [word for word in candidates if word in rarest]  # in the order they stood in
        told.update(term for word in chosen for term in analyze(word))
        words += chosen
    return " ".join([question.strip(), *dict.fromkeys(words)])


def _surfaces(text: str, analyze: Analyzer) -> Iterator[tuple[str, bool]]:
    """The words of a text that mean something, as they are written, and whether one begins a sentence."""
    end = 0
    for match in _SURFACE.finditer(text):
        between = text[end : match.start()]
        first = end == 0 or any(stop in between for stop in '.!?。！？:“"\n')
        end = match.end()
        if stands_together(match[0]):
            yield from ((forms[0], first) for forms in analyze.words(match[0]))
        elif analyze(match[0]):
            yield match[0], first


def _is_word(word: str, *, first: bool) -> bool:
    del first
    return word.lower() not in _ASKING and (len(word) > 1 or not word.isascii())


def _is_name(word: str, *, first: bool) -> bool:
    """Capitals within a sentence, or letters and digits together."""
    mixed = any(char.isdigit() for char in word) and any(char.isalpha() for char in word)
    return (word[:1].isupper() and not first and len(word) > 1) or mixed
