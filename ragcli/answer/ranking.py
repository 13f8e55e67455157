"""Which sentence answers a question: a weighted sum of what can be told of it without reading."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

from ragcli.analyze import Analyzer
from ragcli.answer.candidates import Candidate
from ragcli.answer.kinds import Wanted
from ragcli.search.evidence import Weights, share

# What each feature is worth where the model reads the question, and where it does not: fitted as
# benchmarks/train_answers.py does it, the first to squad2 and the second to squad2 and cmrc2018.
READ: Mapping[str, float] = {
    "above": 1.38,
    "after": 0.45,
    "asks": -0.65,
    "before": 2.92,
    "begins": -0.09,
    "cosine": 3.56,
    "first": -0.24,
    "fits definition": -0.15,
    "fits manner": 0.1,
    "fits name": 0.4,
    "fits number": 2.0,
    "fits person": 0.66,
    "fits place": 0.45,
    "fits reason": -0.78,
    "fits time": 1.28,
    "length": 0.32,
    "new": -0.94,
    "pairs": 1.87,
    "rank": -1.51,
    "refers": -0.17,
    "refers before": 1.23,
    "rest": -0.86,
    "score": 2.46,
    "terms": 2.9,
    "words": 3.27,
}
UNREAD: Mapping[str, float] = {
    "above": 6.79,
    "after": -0.15,
    "asks": -0.82,
    "before": 2.59,
    "begins": 0.43,
    "first": -0.37,
    "fits definition": 0.56,
    "fits manner": 0.79,
    "fits name": 0.56,
    "fits number": 2.59,
    "fits person": 1.06,
    "fits place": 1.18,
    "fits reason": 0.79,
    "fits time": 2.33,
    "length": 0.16,
    "new": -0.93,
    "pairs": 1.54,
    "rank": -1.59,
    "refers": -0.05,
    "refers before": 1.13,
    "rest": -1.97,
    "score": 2.93,
    "terms": 3.85,
    "words": 4.23,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as sentences are held against it: its words by rarity, and what it asks for."""

    weights: Weights
    terms: frozenset[str]
    pairs: Mapping[tuple[str, str], float]
    wanted: Wanted
    analyze: Analyzer

    @classmethod
    def of(cls, question: str, weights: Weights, analyze: Analyzer) -> Asked:
        """Read a question."""
        pairs = {
            pair: min(weights.get(pair[0], 0.0), weights.get(pair[1], 0.0))
            for pair in analyze.neighbours(question)
        }
        return cls(weights, frozenset(analyze(question)), pairs, Wanted.of(question), analyze)


def features(asked: Asked, found: Sequence[Candidate]) -> list[dict[str, float]]:
    """What can be told of each candidate by its words, by name, mostly between 0 and 1.

    Where a model reads the question, ``cosine`` with it comes on top.
    """
    own = [set(asked.analyze(one.text)) for one in found]
    best = max((one.source.hit.score for one in found), default=0.0) or 1.0
    above = {text: set(asked.analyze(text)) for text in {one.above for one in found}}
    whole: dict[int, set[str]] = {}
    for one, terms in zip(found, own, strict=True):
        hit = one.source.hit
        if one.source.n not in whole:
            whole[one.source.n] = set(asked.analyze(f"{hit.title} {' '.join(hit.heading)} {hit.lead}"))
        whole[one.source.n] |= terms
    told = []
    for i, (one, terms) in enumerate(zip(found, own, strict=True)):
        n = one.source.n
        before = own[i - 1] if i and found[i - 1].source.n == n else set()
        after = own[i + 1] if i + 1 < len(found) and found[i + 1].source.n == n else set()
        weigh = asked.weights
        length = sum(1.0 if sign.isascii() else 2.5 for sign in one.text)
        each = {
            "words": share(weigh, terms),
            "terms": len(asked.terms & terms) / (len(asked.terms) or 1),
            "pairs": share_of_pairs(asked, one.text, terms),
            "before": share(weigh, before - terms),
            "after": share(weigh, after - terms),
            "above": share(weigh, above[one.above] - terms),
            "rest": share(weigh, whole[n] - terms),
            "score": max(0.0, one.source.hit.score) / best,
            "first": float(n == 1),
            "rank": math.log(n),
            "begins": float(one.order == 0),
            "length": math.log(1.0 + length),
            "new": min(1.0, len(terms - asked.terms) / 8.0),
            "refers": float(one.refers),
            "refers before": float(one.refers) * share(weigh, before - terms),
            "asks": float(one.text.rstrip().endswith(("?", "？"))),
        }
        if asked.wanted.fits(one.text):
            each[f"fits {asked.wanted.kind}"] = 1.0
        told.append(each)
    return told


def points(told: Sequence[Mapping[str, float]], trust: float) -> list[float]:
    """What each candidate is worth; only differences mean something: one point is e to one in odds.

    ``trust`` between 0 and 1 says how far the cosines can be trusted.
    """
    names = {name for each in told for name in each}
    worth = {name: trust * READ.get(name, 0.0) + (1.0 - trust) * UNREAD.get(name, 0.0) for name in names}
    return [sum(value * worth.get(name, 0.0) for name, value in each.items()) for each in told]


def share_of_pairs(asked: Asked, text: str, terms: Set[str]) -> float:
    """The part of the question's neighbouring words that stand side by side in a text with these terms."""
    likely = [pair for pair in asked.pairs if pair[0] in terms and pair[1] in terms]
    if not likely:
        return 0.0
    words = asked.analyze.words(text)
    there = {(one, other) for first, second in pairwise(words) for one in first for other in second}
    total = sum(asked.pairs.values())
    return sum(asked.pairs[pair] for pair in likely if pair in there) / total if total else 0.0
