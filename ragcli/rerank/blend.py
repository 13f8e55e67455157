"""The reranker's scores and the first stage's to one order. Every function is pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ragcli.types import Hit


def blend(first: Sequence[float], scores: Sequence[float | None], weight: float) -> list[float]:
    """Convex sum of both, in the order given and in the first stage's own units.

    ``first`` are the first stage's scores, ``scores`` the reranker's, None for a passage that it did
    not come to; ``weight`` between 0 and 1 is the reranker's. Both are standardised over the passages
    that have a score, and the sum is put back on the first stage's mean and deviation, so that a
    passage without a score stands where it stood. At weight 0, and where the reranker tells nothing
    apart, the first stage's scores come back as they are.
    """
    pairs = [(place, score) for place, score in zip(first, scores, strict=True) if score is not None]
    if not pairs:
        return list(first)
    mean, deviation = _moments([place for place, _ in pairs])
    center, spread = _moments([score for _, score in pairs])
    if weight == 0.0 or not spread:
        return list(first)
    scale = (deviation or 1.0) / spread
    return [
        place
        if score is None
        else round((1.0 - weight) * place + weight * (mean + scale * (score - center)), 6)
        for place, score in zip(first, scores, strict=True)
    ]


def reorder(hits: Sequence[Hit], scores: Sequence[float | None], weight: float) -> list[Hit]:
    """Hits by blended score, best first, ties in the order of ids; ``hits`` are the first stage's.

    ``scores`` are those of the first ``len(scores)`` hits, the candidates: they alone change places.
    Where a later hit would stand above them, all later ones are lowered by as much.
    """
    candidates, rest = hits[: len(scores)], hits[len(scores) :]
    blended = blend([hit.score for hit in candidates], scores, weight)
    order = sorted(zip(candidates, blended, scores, strict=True), key=lambda entry: (-entry[1], entry[0].id))
    found = [
        replace(hit, score=score, rerank=None if said is None else round(said, 6))
        for hit, score, said in order
    ]
    if found and rest:
        above = round(max(0.0, rest[0].score - found[-1].score), 6)
        if above or (rest[0].score == found[-1].score and rest[0].id < found[-1].id):
            found += [replace(hit, score=round(hit.score - above - 1e-6, 6)) for hit in rest]
            rest = ()
    return [replace(hit, rank=rank) for rank, hit in enumerate([*found, *rest], 1)]


def _moments(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation, 0 for values that differ in their last bits alone."""
    mean = sum(values) / len(values)
    deviation = float((sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5)
    return mean, deviation if deviation > 1e-9 * max(1.0, abs(mean)) else 0.0
