"""Result lists of different scales to one list.

A list is ``[(id, score), …]``, best first. Every function is pure, and ties are broken by id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Ranked = Sequence[tuple[str, float]]

# Cormack, Clarke and Büttcher, SIGIR 2009.
RRF_K = 60


def standardize(ranked: Ranked) -> dict[str, float]:
    """Scores in standard deviations above the worst of the list, whose score becomes 0.

    What is not in the list counts as 0 beside it: no better than its last. Against scaling to
    [0, 1], a list with one outlier at the top keeps the differences below it. A list of equal
    scores gives 1 to each.
    """
    if not ranked:
        return {}
    scores = [score for _, score in ranked]
    mean = sum(scores) / len(scores)
    deviation = (sum((score - mean) ** 2 for score in scores) / len(scores)) ** 0.5
    lowest = min(scores)
    # Equal scores may differ in their last bits.
    if deviation <= 1e-9 * max(1.0, abs(mean)):
        return {name: 1.0 for name, _ in ranked}
    return {name: (score - lowest) / deviation for name, score in ranked}


def convex(lexical: Ranked, dense: Ranked, dense_weight: float) -> list[tuple[str, float]]:
    """Convex sum of standardised scores (Bruch, Gai and Ingber, arXiv 2210.11934), best first.

    ``dense_weight`` lies between 0 and 1; a list whose weight is 0 adds nothing, not even its names.
    """
    total: dict[str, float] = {}
    for ranked, weight in ((lexical, 1.0 - dense_weight), (dense, dense_weight)):
        if weight > 0.0:
            _add(total, standardize(ranked), weight)
    return _ordered(total)


def reciprocal_rank(lexical: Ranked, dense: Ranked, dense_weight: float) -> list[tuple[str, float]]:
    """Reciprocal rank fusion, weighted: the sum of ``2 * weight / (60 + rank)``, best first."""
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
