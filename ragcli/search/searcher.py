"""The search: both lists, their fusion, and the passages they name."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Container, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ragcli.analyze import Traces
from ragcli.catalog import Catalog, StoredChunk
from ragcli.embed import cosines
from ragcli.errors import IndexDamaged
from ragcli.search.diversity import diversify
from ragcli.search.duplicates import fold_duplicates
from ragcli.search.evidence import best_share, evidence
from ragcli.search.fuse import FUSIONS, Ranked
from ragcli.search.passages import merge_passages
from ragcli.search.signals import code_weight, covered_weight
from ragcli.search.syntax import Asked, Clause, parse_question
from ragcli.types import Hit, Mode, Score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ragcli.store import DenseStore, LexicalStore, ScanStore

# Length of each list before fusion; ``k`` where that is more.
CANDIDATES = 300
# Lexical hits looked at for what kind of text they are.
_LOOKED_AT = 10


@dataclass(frozen=True, slots=True)
class Gathered:
    """What both sides found for a question, and what tells how far each can be trusted.

    ``depth`` is how many of each were asked for, ``coverage`` the share of the question's words
    that the model can represent, ``first`` the texts of the best lexical hits.
    """

    query: str
    lexical: Ranked
    dense: Ranked
    depth: int
    coverage: float
    first: tuple[str, ...] = ()


def weigh(found: Gathered, dense_weight: float) -> float:
    """The dense side's weight for this question, where ``dense_weight`` is that of an ordinary one."""
    if not found.lexical:
        return 1.0  # the question has no word of the index: the dense side is all there is
    return covered_weight(code_weight(dense_weight, found.query, found.first), found.coverage)


def fuse_gathered(found: Gathered, fusion: str, dense_weight: float) -> list[tuple[str, float]]:
    """Both sides as one list, best first; ``dense_weight`` is that of an ordinary question."""
    weight = weigh(found, dense_weight)
    return FUSIONS[fusion](found.lexical, found.dense, weight, depth=found.depth)


class Searcher:
    """Search over one index: its catalogue and what is derived from it.

    ``dense`` may be None where only the lexical side is asked for. ``upcoming`` are the vectors of
    the questions that will be asked next, where they are known. Nothing is locked here.
    """

    def __init__(
        self,
        catalog: Catalog,
        lexical: LexicalStore,
        dense: DenseStore | ScanStore | None,
        upcoming: Sequence[NDArray[np.float32]] = (),
    ) -> None:
        self._catalog = catalog
        self._lexical = lexical
        self._dense = dense
        self._upcoming = upcoming

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
        hybrid = mode == "hybrid"
        fused = fuse_gathered(found, fusion, dense_weight) if hybrid else found.lexical or found.dense
        wanted = {chunk for chunk, _ in fused[:k]}
        return self._hits(fused[:k], dict_of(found.lexical, wanted), dict_of(found.dense, wanted))

    def with_evidence(
        self, hits: Sequence[Hit], query: str, vector: NDArray[np.float32] | None, coverage: float
    ) -> list[Hit]:
        """The hits with how well each supports the question, in their order."""
        weights = self._lexical.weights(parse_question(query).plain)
        stored = self._catalog.chunks([hit.id for hit in hits])
        near = [0.0] * len(hits)
        if vector is not None and hits:
            signature = self._catalog.get("signature") or ""
            near = cosines(self._catalog.vectors_of([hit.id for hit in hits], signature), vector).tolist()
        trust = covered_weight(1.0, coverage) if vector is not None else 0.0
        found = []
        for hit, cosine in zip(hits, near, strict=True):
            words = best_share(weights, stored[hit.id].chunk.embedded_text, self._lexical.analyze)
            found.append(replace(hit, evidence=round(evidence(words, cosine, trust), 6)))
        return found

    def select(
        self, hits: Sequence[Hit], k: int, *, mmr: float | None, fold: bool, passages: bool
    ) -> list[Hit]:
        """At most ``k`` of the hits, or of passages made of them, best first.

        ``mmr`` is the relevance's share where they shall differ from each other, ``fold`` tells
        near copies once, ``passages`` merges neighbours. Hits that left the index meanwhile are
        left out.
        """
        if mmr is None and not fold and not passages:
            return list(hits[:k])
        there = self._catalog.chunks([hit.id for hit in hits])
        hits = [hit for hit in hits if hit.id in there]
        if mmr is not None:
            vectors = self._catalog.vectors_of([hit.id for hit in hits], self._catalog.get("signature") or "")
            hits = diversify(hits, vectors, mmr, len(hits) if fold or passages else k)
        if fold:
            hits = fold_duplicates(hits)
        return merge_passages(self._catalog, hits, k) if passages else list(hits[:k])

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
        asked = parse_question(query)
        took = {} if took is None else took
        limit = max(CANDIDATES, k)
        lexical: Ranked = []
        dense: Ranked = []
        held = {clause: self._holding(clause) for clause in asked.clauses}
        if asked.required or asked.excluded:
            within = self._admitted(asked, held, within)
        if mode != "dense":
            with _timed(took, "lexical"):
                terms = self._lexical.analyze.question(asked.plain)
                favoured = [held[clause] for clause in (*asked.preferred, *asked.required)]
                near = self._lexical.analyze.neighbours(asked.plain)
                found = self._lexical.search(terms, limit, within=within, favoured=favoured, neighbours=near)
                lexical = [(chunk, round(score, 6)) for chunk, score in found]
        if mode == "dense" or (mode == "hybrid" and vector is not None):
            with _timed(took, "dense"):
                if vector is None or self._dense is None:
                    raise ValueError("a dense search needs the question's vector and the dense store")
                dense = self._dense.search(self._catalog, vector, limit, within, self._upcoming)
        if mode != "hybrid":
            return Gathered(query, lexical, dense, limit, coverage)
        first = [chunk for chunk, _ in lexical[:_LOOKED_AT]]
        stored = self._catalog.chunks(first)
        passages = [stored[chunk].chunk for chunk in first if chunk in stored]
        texts = tuple(passage.text for passage in passages)
        return Gathered(query, lexical, dense, limit, coverage, texts)

    def unmet(self, query: str) -> list[Clause]:
        """What a question demands and no passage has."""
        return [clause for clause in parse_question(query).required if not self._holding(clause)]

    def _admitted(
        self, asked: Asked, held: Mapping[Clause, set[str]], within: frozenset[str] | None
    ) -> frozenset[str]:
        """The chunks that may be found, as far as the question itself says so."""
        names = set(self._lexical.holding(()) if within is None else within)
        for clause in asked.required:
            names &= held[clause]
        for clause in asked.excluded:
            names -= held[clause]
        return frozenset(names)

    def _holding(self, clause: Clause) -> set[str]:
        """The chunks that have what is meant exactly."""
        analyze = self._lexical.analyze
        if not clause.needs_reading(analyze):
            return self._lexical.holding(analyze.words(clause.text))
        sure: set[str] = set()
        if clause.begins:
            sure = self._lexical.beginning(clause.beginning)
            found = self._lexical.headed(clause.heads)
        else:
            found = self._likely(analyze.traces(clause.text))
        return sure | {
            name
            for each in sorted(found - sure)  # one at a time: there may be more than memory holds
            for name, stored in self._catalog.chunks([each]).items()
            if clause.holds(stored.chunk.embedded_text, analyze)
        }

    def _likely(self, traces: Traces) -> set[str]:
        """The chunks that may have some words in a row, as far as the index tells."""
        if not traces.each and not traces.most:
            sets = [self._lexical.containing(text) for text in traces.inside]
            return set.intersection(*sets) if sets else self._lexical.holding(())
        found = self._lexical.holding(traces.each)
        if traces.most:
            held = Counter(name for pair in traces.most for name in self._lexical.holding([pair]))
            least = max(1, len(traces.most) - 1)
            found &= {name for name, count in held.items() if count >= least}
        return found

    def _hits(self, fused: Ranked, lexical: dict[str, Score], dense: dict[str, Score]) -> list[Hit]:
        stored = self._catalog.chunks([chunk for chunk, _ in fused])
        if len(stored) < len(fused):
            raise IndexDamaged(
                "what is derived from the catalogue does not hold what it holds; run `rag doctor --repair`"
            )
        flags = self._catalog.flags_of(stored)
        hits = [
            make_hit(stored[chunk], rank, score, lexical.get(chunk), dense.get(chunk))
            for rank, (chunk, score) in enumerate(fused, 1)
        ]
        return [replace(hit, flags=flags[hit.id]) if hit.id in flags else hit for hit in hits]


def dict_of(ranked: Ranked, wanted: Container[str]) -> dict[str, Score]:
    """Rank and score of each wanted name of a list."""
    return {name: Score(rank, score) for rank, (name, score) in enumerate(ranked, 1) if name in wanted}


def make_hit(stored: StoredChunk, rank: int, score: float, lexical: Score | None, dense: Score | None) -> Hit:
    """A hit from what the catalogue holds of a chunk."""
    chunk = stored.chunk
    return Hit(
        rank=rank, id=chunk.id, document=chunk.document, record=stored.record, path=stored.path, title=stored.title,
        heading=chunk.heading, page=chunk.page, lines=chunk.lines, span=(chunk.start, chunk.end), text=chunk.text,
        score=score, lexical=lexical, dense=dense, fused=score, lead=chunk.lead, page_label=chunk.page_label,
    )  # fmt: skip


@contextmanager
def _timed(took: MutableMapping[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    took[stage] = (time.perf_counter() - start) * 1000
