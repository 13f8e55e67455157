"""Maximal marginal relevance: hits that are near the question and far from each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ragcli.types import Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def diversify(hits: Sequence[Hit], vectors: NDArray[np.float32], relevance: float, k: int) -> list[Hit]:
    """The ``k`` hits of the greatest marginal relevance, in the order they are chosen.

    Carbonell and Goldstein, SIGIR 1998: each next hit has the greatest
    ``relevance * score - (1 - relevance) * cosine``, where the score lies between 0 and 1 and the
    cosine is that with the nearest hit chosen before. That value, which only falls, becomes the
    hit's score. ``vectors`` of shape (n, dim) are those of the hits, of any length. Ties go to
    the smaller id.
    """
    import numpy as np

    if not hits:
        return []
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    scores = np.array([hit.score for hit in hits])
    spread = float(scores.max() - scores.min())
    scaled = (scores - scores.min()) / spread if spread else np.ones(len(hits))
    nearest = np.zeros(len(hits))
    left = sorted(range(len(hits)), key=lambda at: hits[at].id)
    chosen: list[Hit] = []
    while left and len(chosen) < k:
        values = {at: round(float(relevance * scaled[at] - (1 - relevance) * nearest[at]), 6) for at in left}
        best = max(left, key=values.__getitem__)  # the first of several: the smallest id
        left.remove(best)
        chosen.append(replace(hits[best], rank=len(chosen) + 1, score=values[best]))
        nearest = np.maximum(nearest, unit @ unit[best])
    return chosen
