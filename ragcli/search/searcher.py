"""The search: both lists, their fusion, and the passages they name."""

from __future__ import annotations

import time
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.catalog import Catalog, StoredChunk
from ragcli.errors import IndexDamaged, UsageError
from ragcli.search.fuse import FUSIONS, Ranked
from ragcli.search.signals import code_weight, covered_weight
from ragcli.types import Hit, Mode, Score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ragcli.store import DenseStore, LexicalStore, ScanStore

# Length of each list before fusion; ``k`` where that is more.
CANDIDATES = 300
# Lexical hits looked at for how much of the question they hold.
_BEST = 3
# Lexical hits looked at for what kind of text they are.
_LOOKED_AT = 10


@dataclass(frozen=True, slots=True)
class Gathered:
    """What both sides found for a question, and what tells how far each can be trusted.

    ``depth`` is how many of each were asked for, ``coverage`` the share of the question's words
    that the model can represent, ``share`` the largest part of its words, weighted by rarity, that
    one of the best lexical hits holds, ``first`` the texts of the best lexical hits.
    """

    query: str
    lexical: Ranked
    dense: Ranked
    depth: int
    coverage: float
    share: float = 0.0
    first: tuple[str, ...] = ()


def weigh(found: Gathered, dense_weight: float) -> float:
    """The dense side's weight for this question, where ``dense_weight`` is that of an ordinary one."""
    if not found.lexical:
        return 1.0  # the question has no word of the index: the dense side is all there is
    return covered_weight(code_weight(dense_weight, found.query, found.first), found.coverage)


class Searcher:
    """Search over one index: its catalogue and what is derived from it.

    ``dense`` may be None where only the lexical side is asked for. Nothing is locked here.
    """

    def __init__(self, catalog: Catalog, lexical: LexicalStore, dense: DenseStore | ScanStore | None) -> None:
        self._catalog = catalog
        self._lexical = lexical
        self._dense = dense

    def search(
        self,
        query: str,
        *,
        k: int,
        mode: Mode,
        vector: NDArray[np.float32] | None = None,
        coverage: float = 1.0,
        fusion: str = "convex",
        dense_weight: float = 0.5,
        within: frozenset[str] | None = None,
        took: MutableMapping[str, float] | None = None,
    ) -> list[Hit]:
        """The best ``k`` passages, best first, ties in the order of ids.

        ``vector`` of shape (dim,) is the question's; a hybrid search without one is left to words.
        ``coverage`` is the share of its words that the model can represent. ``within`` names the
        chunks that may be found, where not all may. ``took`` receives milliseconds by stage.
        Raises ``UsageError`` for an empty question.
        """
        found = self.gather(query, k=k, mode=mode, vector=vector, coverage=coverage, within=within, took=took)
        if mode == "hybrid":
            fuse = FUSIONS[fusion]
            weight = weigh(found, dense_weight)
            fused = fuse(found.lexical, found.dense, weight, depth=found.depth, share=found.share)
        else:
            fused = list(found.lexical or found.dense)
        return self._hits(fused[:k], dict_of(found.lexical), dict_of(found.dense))

    def gather(
        self,
        query: str,
        *,
        k: int,
        mode: Mode,
        vector: NDArray[np.float32] | None = None,
        coverage: float = 1.0,
        within: frozenset[str] | None = None,
        took: MutableMapping[str, float] | None = None,
    ) -> Gathered:
        """What each side finds, before fusion; parameters as those of :meth:`search`."""
        if not query.strip():
            raise UsageError('the query is empty; try rag search "your question"')
        took = {} if took is None else took
        limit = max(CANDIDATES, k)
        lexical: Ranked = []
        dense: Ranked = []
        if mode != "dense":
            with _timed(took, "lexical"):
                found = self._lexical.search(self._lexical.analyze(query), limit, within=within)
                lexical = [(chunk, round(score, 6)) for chunk, score in found]
        if mode == "dense" or (mode == "hybrid" and vector is not None):
            with _timed(took, "dense"):
                if vector is None or self._dense is None:
                    raise ValueError("a dense search needs the question's vector and the dense store")
                dense = self._dense.search(self._catalog, vector, limit, within)
        if mode != "hybrid":
            return Gathered(query, lexical, dense, limit, coverage)
        first = [chunk for chunk, _ in lexical[:_LOOKED_AT]]
        stored = self._catalog.chunks(first)
        passages = [stored[chunk].chunk for chunk in first if chunk in stored]
        share = self._share(query, [passage.embedded_text for passage in passages[:_BEST]])
        texts = tuple(passage.text for passage in passages)
        return Gathered(query, lexical, dense, limit, coverage, share, texts)

    def _share(self, query: str, texts: Sequence[str]) -> float:
        """Largest part of the question's words, weighted by rarity, that one of some texts holds."""
        weights = self._lexical.weights(query)
        total = sum(weights.values())
        if not total:
            return 0.0
        best = 0.0
        for text in texts:
            words = set(self._lexical.analyze(text))
            best = max(best, sum(weight for term, weight in weights.items() if term in words) / total)
        return best

    def _hits(self, fused: Ranked, lexical: dict[str, Score], dense: dict[str, Score]) -> list[Hit]:
        stored = self._catalog.chunks([chunk for chunk, _ in fused])
        if len(stored) < len(fused):
            raise IndexDamaged(
                "what is derived from the catalogue does not hold what it holds; run `rag doctor --repair`"
            )
        return [
            make_hit(stored[chunk], rank, score, lexical.get(chunk), dense.get(chunk))
            for rank, (chunk, score) in enumerate(fused, 1)
        ]


def dict_of(ranked: Ranked) -> dict[str, Score]:
    """Rank and score of each name of a list."""
    return {name: Score(rank, score) for rank, (name, score) in enumerate(ranked, 1)}


def make_hit(stored: StoredChunk, rank: int, score: float, lexical: Score | None, dense: Score | None) -> Hit:
    """A hit from what the catalogue holds of a chunk."""
    chunk = stored.chunk
    return Hit(
        rank=rank, id=chunk.id, document=chunk.document, record=stored.record, path=stored.path, title=stored.title,
        heading=chunk.heading, page=chunk.page, lines=chunk.lines, span=(chunk.start, chunk.end), text=chunk.text,
        score=score, lexical=lexical, dense=dense, fused=score,
    )  # fmt: skip


@contextmanager
def _timed(took: MutableMapping[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    took[stage] = (time.perf_counter() - start) * 1000
