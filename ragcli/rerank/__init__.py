"""Question and passage read together: one protocol, and the models behind it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ragcli.embed import find_model
from ragcli.rerank.blend import blend, reorder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ragcli.tokens import FastTokenizer

__all__ = ["Reranker", "blend", "open_reranker", "reorder", "score_within"]

# Passages between two looks at the clock.
_SLICE = 4


class Reranker(Protocol):
    """How well each passage answers a question; ``tokenizer`` tells which words the model knows."""

    @property
    def tokenizer(self) -> FastTokenizer: ...

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Scores of shape (n,), in the order of the texts, higher is better, on no particular scale.

        NaN for a text that cannot be read together with this question.
        """
        ...


def open_reranker(spec: str, *, offline: bool) -> Reranker:
    """Load the cross-encoder that ``spec`` names. Raises ``ModelUnavailable`` when it cannot be had."""
    from ragcli.rerank.cross_encoder import CrossEncoderReranker

    return CrossEncoderReranker(find_model(spec), offline=offline)


def score_within(
    reranker: Reranker, query: str, texts: Sequence[str], budget_ms: float | None
) -> tuple[list[float | None], bool]:
    """Scores of the texts, None where there is none, and whether the time ran out before the last.

    Without a budget all texts are scored at once, which is fastest; with one, a few at a time in
    the order given, the first few in any case.
    """
    step = len(texts) if budget_ms is None else _SLICE
    scores: list[float | None] = []
    start = time.monotonic()
    while len(scores) < len(texts):
        if scores and budget_ms is not None and (time.monotonic() - start) * 1000 >= budget_ms:
            return scores + [None] * (len(texts) - len(scores)), True
        said = reranker.score(query, texts[len(scores) : len(scores) + step]).tolist()
        scores += [score if math.isfinite(score) else None for score in said]
    return scores, False
