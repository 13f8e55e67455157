"""Questions to an index: passages, the context for a prompt, and answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ragcli.analyze import analyze
from ragcli.errors import IndexDamaged, IndexMissing, UsageError
from ragcli.pipeline.index import Index
from ragcli.pipeline.rerank import Reranking
from ragcli.search import Facts, Filter, Searcher, choose, covered_weight
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


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found and how many milliseconds each stage took."""

    hits: list[Hit]
    took: dict[str, float]


class Asker:
    """Asks one index, as often as wanted, with one load of the model."""

    def __init__(
        self,
        index: Index,
        note: Callable[[str], None] = lambda _: None,
        filters: Sequence[Filter] = (),
        detail: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._index = index
        self._filters = filters
        self._settings = index.settings
        self._note = note
        self._detail = detail
        if index.model() is None:
            raise IndexMissing(f"the index at {index.folder} is empty; fill it with `rag index PATH`")

    @property
    def home(self) -> Path:
        """The folder that the paths of hits are relative to."""
        return self._index.home

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

    def _find(
        self, query: str, k: int | None = None, mode: Mode | None = None, rerank: bool | None = None
    ) -> tuple[Question, list[Hit], dict[str, float]]:
        """Read the question, search, and rerank outside the lock: it takes long."""
        limit = k or self._settings.k
        again = self._settings.rerank if rerank is None else rerank
        depth = max(limit, self._reranking.candidates) if again else limit
        question, took = self._read(query, mode or self.mode)
        hits = self._search(question, depth, mode or self.mode, took)
        if again:
            hits = self._reranking.order(query, hits, took)[:limit]
        return question, hits, took

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
        if not query.strip():
            raise UsageError('the query is empty; try rag search "your question"')
        start = time.perf_counter()
        signature = self._index.catalog.get("signature") or ""
        if mode == "lexical":
            return Question(query, None, 1.0, signature), {}
        coverage = self._index.tokenizer.coverage([query])[0]
        if mode == "hybrid" and covered_weight(1.0, coverage) == 0.0:
            # The words alone will decide, so the model need not be loaded.
            return Question(query, None, coverage, signature), {}
        vector = self._index.embedder.embed_query(query)
        return Question(query, vector, coverage, signature), {"embed": (time.perf_counter() - start) * 1000}

    def _search(self, question: Question, k: int, mode: Mode, took: dict[str, float]) -> list[Hit]:
        """Search what answers now; what is damaged is made anew from the catalogue once."""
        try:
            return self._look_up(question, k, mode, took)
        except IndexDamaged as error:
            if not self._index.renew():
                raise
            self._note(f"note: {str(error).split(';')[0]}; it was made anew from the catalogue")
        return self._look_up(question, k, mode, took)

    def _look_up(self, question: Question, k: int, mode: Mode, took: dict[str, float]) -> list[Hit]:
        settings = self._settings
        with self._index.consistent(dense=question.vector is not None, note=self._note) as (lexical, dense):
            if question.vector is not None and question.signature != self._index.catalog.get("signature"):
                # Another model answers since the question was read.
                question, _ = self._read(question.text, mode)
            within = self._within()
            searcher = Searcher(self._index.catalog, lexical, dense)
            return searcher.search(
                question.text, k=k, mode=mode, vector=question.vector, coverage=question.coverage,
                fusion=settings.fusion, dense_weight=settings.dense_weight, within=within, took=took,
            )  # fmt: skip

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
            weights = lexical.weights(analyze(question.text, net=False))
            if question.vector is not None and question.signature != self._index.catalog.get("signature"):
                question, _ = self._read(question.text, self.mode)
        vector = question.vector
        trust = covered_weight(1.0, question.coverage) if vector is not None else 0.0

        def similarity(texts: Sequence[str]) -> list[float]:
            if vector is None:
                return [0.0] * len(texts)
            return [float(cosine) for cosine in self._index.embedder.embed_documents(texts) @ vector]

        return extract(prompt, hits, weights, similarity, trust=trust, least=self._settings.min_evidence)
