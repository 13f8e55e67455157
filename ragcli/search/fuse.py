"""Result lists of different scales to one list.

A list is ``[(id, score), …]``, best first. Every function is pure, and ties are broken by id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Ranked = Sequence[tuple[str, float]]

# Cormack, Clarke and Büttcher, SIGIR 2009.
RRF_K = 60


def standardize(ranked: Ranked, depth: int = 0) -> dict[str, float]:
    """Scores in standard deviations above the worst, whose score becomes 0.

    A list shorter than ``depth`` holds everything that scored above zero: the rest of ``depth``
    is taken as zeros, so that the few passages that hold a rare name stand out as they should.
    A longer list starts from its last score, and what is not in it counts as no better. Against
    scaling to [0, 1], a list with one outlier at the top keeps the differences below it. A list
    of equal scores, with nothing below them, gives 1 to each.
    """
    if not ranked:
        return {}
    scores = [score for _, score in ranked]
    zeros = max(0, depth - len(scores))
    count = len(scores) + zeros
    mean = sum(scores) / count
    deviation = ((sum((score - mean) ** 2 for score in scores) + zeros * mean * mean) / count) ** 0.5
    lowest = 0.0 if zeros else min(scores)
    # Equal scores may differ in their last bits.
    if deviation <= 1e-9 * max(1.0, abs(mean)):
        return {name: 1.0 for name, _ in ranked}
    return {name: (score - lowest) / deviation for name, score in ranked}


def convex(lexical: Ranked, dense: Ranked, dense_weight: float, *, depth: int = 0) -> list[tuple[str, float]]:
    """Convex sum of standardised scores (Bruch, Gai and Ingber, arXiv 2210.11934), best first.

    ``dense_weight`` lies between 0 and 1; a list whose weight is 0 adds nothing, not even its
    names. ``depth`` is how many were asked for: a lexical list that is shorter is complete.
    """
    total: dict[str, float] = {}
    if dense_weight < 1.0:
        _add(total, standardize(lexical, depth), 1.0 - dense_weight)
    if dense_weight > 0.0:
        _add(total, standardize(dense), dense_weight)
    return _ordered(total)


def reciprocal_rank(
    lexical: Ranked, dense: Ranked, dense_weight: float, *, depth: int = 0
) -> list[tuple[str, float]]:
    """Reciprocal rank fusion, weighted: the sum of ``2 * weight / (60 + rank)``, best first.

    ``depth`` makes no difference to ranks.
    """
    del depth
    total: dict[str, float] = {}
    for ranked, weight in ((lexical, 1.0 - dense_weight), (dense, dense_weight)):
        if weight > 0.0:
            scores = {name: 1.0 / (RRF_K + rank) for rank, (name, _) in enumerate(ranked, 1)}
            _add(total, scores, 2.0 * weight)
    return _ordered(total)


FUSIONS = {"convex": convex, "rrf": reciprocal_rank}


def _add(total: dict[str, float], scores: Mapping[str, float], weight: float) -> None:
    for name, score in scores.items():
        total[name] = total.get(name, 0.0) + weight * score


def _ordered(total: Mapping[str, float]) -> list[tuple[str, float]]:
    # Rounded before they are compared, so that the last bits of a sum never decide an order.
    rounded = [(name, round(score, 6)) for name, score in total.items()]
    return sorted(rounded, key=lambda pair: (-pair[1], pair[0]))
