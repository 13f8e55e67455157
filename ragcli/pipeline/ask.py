"""Questions to an index: passages, the context for a prompt, and answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ragcli.analyze import Analyzer, words_of
from ragcli.embed import cosines, measure_of
from ragcli.errors import IndexDamaged, IndexMissing
from ragcli.pipeline.floor import Probe, floor_of
from ragcli.pipeline.index import Index
from ragcli.pipeline.rerank import Reranking
from ragcli.search import Facts, Filter, Gathered, Searcher, choose, covered_weight, in_a_row, parse_question
from ragcli.types import Answer, Hit, Mode, Prompt

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the model reads it; without a vector where only words are asked for."""

    text: str
    vector: NDArray[np.float32] | None
    coverage: float
    signature: str
    mode: Mode


_T = TypeVar("_T")
# Hits that others may be left out of or merged into: so many, and so many for each asked for.
_POOL, _POOL_SHARE = 30, 3
# Hits looked at for what a question without an answer finds.
_LOOKED_AT = 5

# What is asked of a searcher for a question; the question comes again since it may be read anew.
Look = Callable[[Searcher, Question], _T]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found and how many milliseconds each stage took."""

    hits: list[Hit]
    took: dict[str, float]


class Asker:
    """Asks one index, as often as wanted, with one load of the model.

    ``fold`` tells passages that say the same once, as passages merged from several always do.
    """

    def __init__(
        self,
        index: Index,
        note: Callable[[str], None] = lambda _: None,
        filters: Sequence[Filter] = (),
        detail: Callable[[str], None] = lambda _: None,
        *,
        fold: bool = False,
    ) -> None:
        self._index = index
        self._filters = filters
        self._fold = fold or index.settings.passages
        self._settings = index.settings
        self._note = note
        self._detail = detail
        self._floors: dict[Mode, float] = {}
        if index.model() is None:
            raise IndexMissing(f"the index at {index.folder} is empty; fill it with `rag index PATH`")

    @property
    def home(self) -> Path:
        """The folder that the paths of hits are relative to."""
        return self._index.home

    @property
    def analyze(self) -> Analyzer:
        """What the index's words were made with."""
        return self._index.analyzer

    @property
    def mode(self) -> Mode:
        """The lists that are searched unless another mode is asked for."""
        return self._settings.mode  # type: ignore[return-value]  # checked when the settings were read

    def search(
        self, query: str, *, k: int | None = None, mode: Mode | None = None, rerank: bool | None = None
    ) -> Found:
        """The best passages; mode, k and whether they are reranked as set unless given.

        Raises ``UsageError`` for an empty query, and where a reranker is wanted and none is set.
        """
        start = time.perf_counter()
        _, hits, took = self._find(query, k, mode, rerank)
        took["total"] = (time.perf_counter() - start) * 1000
        return Found(hits, took)

    def unmet(self, query: str) -> list[str]:
        """What a question demands and no passage of the index has."""
        with self._index.consistent(dense=False) as (lexical, _):
            return [str(clause) for clause in Searcher(self._index.catalog, lexical, None).unmet(query)]

    def _find(
        self, query: str, k: int | None = None, mode: Mode | None = None, rerank: bool | None = None
    ) -> tuple[Question, list[Hit], dict[str, float]]:
        """Read the question, search, and rerank outside the lock: it takes long."""
        limit = k or self._settings.k
        again = self._settings.rerank if rerank is None else rerank
        pool = self._pool(limit)
        question, took = self._read(query, mode or self.mode)
        if not again:
            return question, self._search(question, pool, took, limit), took
        hits = self._search(question, max(pool, self._reranking.candidates), took)
        hits = self._reranking.order(parse_question(query).plain, hits, took)[:pool]
        if pool > limit:
            hits = self._mending(question, lambda searcher, _: self._selected(searcher, hits, limit))
        return question, hits[:limit], took

    def _pool(self, k: int) -> int:
        """How many hits to choose ``k`` from: more where some may be left out or merged."""
        settings = self._settings
        several = (
            settings.mmr is not None or self._fold or settings.passages or settings.min_score is not None
        )
        return max(_POOL, _POOL_SHARE * k) if several else k

    def _selected(self, searcher: Searcher, hits: Sequence[Hit], k: int) -> list[Hit]:
        settings = self._settings
        return searcher.select(hits, k, mmr=settings.mmr, fold=self._fold, passages=settings.passages)

    @cached_property
    def _reranking(self) -> Reranking:
        return Reranking(self._settings, self._note, self._detail)

    def prompt(self, query: str, hits: Sequence[Hit]) -> Prompt:
        """The prompt over hits, within the budget that is set. ``hits`` must not be empty."""
        from ragcli.budget import counter_for
        from ragcli.prompt import build_prompt

        ranks = self._settings.tiktoken_ranks
        llm = None if self._settings.llm == "none" else self._settings.llm
        count = counter_for(llm, ranks=Path(ranks) if ranks else None)
        return build_prompt(query, hits, budget=self._settings.budget, count=count)

    def answer(
        self,
        query: str,
        *,
        on_hits: Callable[[Sequence[Hit]], None],
        on_token: Callable[[str], None],
        note: Callable[[str], None],
    ) -> Answer:
        """Answer from the index, by the LLM that is set or by quoting.

        ``on_hits`` is told what was found before anything is answered, ``on_token`` gets the
        answer's pieces, ``note`` what a reader should know besides. An answer that the sources
        do not support has ``answered`` False.
        """
        # A search starts sooner without what only an answer needs.
        from ragcli.answer import answer_with, generator_for

        settings = self._settings
        generator = generator_for(settings.llm, offline=settings.offline, stall=settings.llm_timeout)
        question, hits, _ = self._find(query)
        on_hits(hits)
        if not hits:
            return Answer(query, False, "", (), settings.llm, {}, hits)
        prompt = self.prompt(query, hits)
        if generator is not None:
            return answer_with(generator, prompt, hits, on_token, note=note)
        answer = self._extract(question, prompt, hits)
        if answer.text:
            on_token(answer.text)
        return answer

    def read(self, query: str, mode: Mode) -> Question:
        """A question as the index's model reads it. Raises ``UsageError`` for an empty one."""
        return self._read(query, mode)[0]

    def _read(self, query: str, mode: Mode) -> tuple[Question, dict[str, float]]:
        """Embed the question before anything is locked: it takes long the first time."""
        plain = parse_question(query).plain
        start = time.perf_counter()
        signature = self._index.catalog.get("signature") or ""
        if mode == "lexical":
            return Question(query, None, 1.0, signature, mode), {}
        coverage = self._index.tokenizer.coverage([plain])[0]
        if mode == "hybrid" and covered_weight(1.0, coverage) == 0.0:
            # The words alone will decide, so the model need not be loaded.
            return Question(query, None, coverage, signature, mode), {}
        vector = self._index.embedder.embed_query(plain)
        return Question(query, vector, coverage, signature, mode), {
            "embed": (time.perf_counter() - start) * 1000
        }

    def gather(self, query: str, *, k: int) -> Gathered:
        """What both sides find for a question, to be fused in more than one way."""

        def look(searcher: Searcher, question: Question) -> Gathered:
            return searcher.gather(
                question.text, k=k, mode="hybrid", vector=question.vector, coverage=question.coverage,
                within=self._within(),
            )  # fmt: skip

        return self._mending(self.read(query, "hybrid"), look)

    def _search(
        self, question: Question, pool: int, took: dict[str, float], k: int | None = None
    ) -> list[Hit]:
        """The best ``pool`` hits; with ``k`` so many of them are chosen."""
        settings = self._settings
        floor = self.floor(question.mode)

        def look(searcher: Searcher, question: Question) -> list[Hit]:
            hits = self._ranked(searcher, question, pool, took, self._within())
            if settings.min_score is not None:
                hits = searcher.with_evidence(hits, question.text, question.vector, question.coverage)
                hits = [hit for hit in hits if (hit.evidence or 0.0) >= floor]
                hits = [replace(hit, rank=rank) for rank, hit in enumerate(hits, 1)]
            return hits if k is None else self._selected(searcher, hits, k)

        return self._mending(question, look)

    def _ranked(
        self,
        searcher: Searcher,
        question: Question,
        k: int,
        took: dict[str, float] | None = None,
        within: frozenset[str] | None = None,
    ) -> list[Hit]:
        settings = self._settings
        return searcher.search(
            question.text, k=k, mode=question.mode, vector=question.vector, coverage=question.coverage,
            fusion=settings.fusion, dense_weight=settings.dense_weight, within=within, took=took,
        )  # fmt: skip

    def floor(self, mode: Mode) -> float:
        """The least evidence that a hit must have: as set, or as the index itself tells."""
        if self._settings.min_score != "auto":
            return float(self._settings.min_score or 0.0)
        if mode not in self._floors:
            self._floors[mode] = floor_of(
                self._index, mode, lambda probe: self._strongest(probe, mode), self._note
            )
        return self._floors[mode]

    def _strongest(self, probe: Probe, mode: Mode) -> float:
        """The most evidence that another document than its own gives for a piece of a sentence."""

        def look(searcher: Searcher, question: Question) -> float:
            others = [
                hit for hit in self._ranked(searcher, question, _POOL) if hit.document != probe.document
            ]
            wanted = words_of(probe.text)
            others = [hit for hit in others if not in_a_row(wanted, words_of(hit.text))][:_LOOKED_AT]
            judged = searcher.with_evidence(others, question.text, question.vector, question.coverage)
            return max((hit.evidence or 0.0 for hit in judged), default=0.0)

        return self._mending(self.read(probe.text, mode), look)

    def _mending(self, question: Question, look: Look[_T]) -> _T:
        """Search what answers now; what is damaged is made anew from the catalogue once."""
        try:
            return self._look_up(question, look)
        except IndexDamaged as error:
            if not self._index.renew():
                raise
            self._note(f"note: {str(error).split(';')[0]}; it was made anew from the catalogue")
        return self._look_up(question, look)

    def _look_up(self, question: Question, look: Look[_T]) -> _T:
        with self._index.consistent(dense=question.vector is not None, note=self._note) as (lexical, dense):
            if question.vector is not None and question.signature != self._index.catalog.get("signature"):
                # Another model answers since the question was read.
                question = self.read(question.text, question.mode)
            return look(Searcher(self._index.catalog, lexical, dense), question)

    def _within(self) -> frozenset[str] | None:
        """The chunks that the filters leave; None where there are no filters."""
        if not self._filters:
            return None
        catalog = self._index.catalog
        chosen = choose(self._filters, (Facts(*facts) for facts in catalog.document_facts()))
        return frozenset(catalog.chunks_in(chosen))

    def _extract(self, question: Question, prompt: Prompt, hits: Sequence[Hit]) -> Answer:
        from ragcli.answer.extractive import extract

        with self._index.consistent(dense=False) as (lexical, _):
            weights = lexical.weights(parse_question(question.text).plain)
            if question.vector is not None and question.signature != self._index.catalog.get("signature"):
                question, _ = self._read(question.text, self.mode)
        vector = question.vector
        # Scores of another measure are no cosines.
        cosine = measure_of(question.signature) == "cosine"
        known = {hit.id: hit.dense.score for hit in hits if cosine and hit.dense}
        trust = covered_weight(1.0, question.coverage) if vector is not None else 0.0

        def similarity(texts: Sequence[str]) -> list[float]:
            if vector is None:
                return [0.0] * len(texts)
            found = cosines(self._index.embedder.embed_documents(texts), vector)
            return [float(cosine) for cosine in found]

        return extract(
            prompt, hits, weights, similarity, known, trust=trust, least=self._settings.min_evidence,
            analyze=lexical.analyze,
        )  # fmt: skip
