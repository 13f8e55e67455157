"""Questions to an index, and the passages found for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ragcli.analyze import Analyzer, words_of
from ragcli.embed import is_service
from ragcli.errors import IndexDamaged, IndexMissing, UsageError
from ragcli.pipeline.floor import Probe, floor_of
from ragcli.pipeline.freshness import stale_among
from ragcli.pipeline.index import Index
from ragcli.pipeline.rerank import Reranking
from ragcli.pipeline.sending import destination
from ragcli.search import Facts, Filter, Gathered, Searcher, choose, covered_weight, in_a_row, parse_question
from ragcli.types import Hit, Mode

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

    ``fold`` tells passages that say the same once, as passages merged from several always do;
    ``for_prompt`` leaves out those that look like instructions to a model, where that is set.
    """

    def __init__(
        self,
        index: Index,
        note: Callable[[str], None] = lambda _: None,
        filters: Sequence[Filter] = (),
        detail: Callable[[str], None] = lambda _: None,
        *,
        fold: bool = False,
        for_prompt: bool = False,
    ) -> None:
        self._index = index
        self._drops = for_prompt and index.settings.flagged == "drop"
        self._filters = [each.in_index(index.name_of, index.home) for each in filters]
        self._fold = fold or index.settings.passages
        self._settings = index.settings
        self._note = note
        self._detail = detail
        self._floors: dict[Mode, float] = {}
        # Vectors of questions that will be asked, by signature and plain text, in their order.
        self._expected: dict[tuple[str, str], NDArray[np.float32]] = {}
        # What the filters leave of a generation of a catalogue.
        self._left: tuple[tuple[str | None, int], frozenset[str]] | None = None
        # The service that a question was sent to, to be embedded.
        self.question_to: str | None = None
        if index.model() is None:
            raise IndexMissing(f"the index at {index.folder} is empty; fill it with `rag index PATH`")

    @property
    def index(self) -> Index:
        """What is asked."""
        return self._index

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
        return self.find(query, k=k, mode=mode, rerank=rerank)[1]

    def find(
        self, query: str, *, k: int | None = None, mode: Mode | None = None, rerank: bool | None = None
    ) -> tuple[Question, Found]:
        """As :meth:`search`, with the question as it was read."""
        start = time.perf_counter()
        question, hits, took = self._find(query, k, mode, rerank)
        took["total"] = (time.perf_counter() - start) * 1000
        return question, Found(hits, took)

    def stale(self, hits: Sequence[Hit]) -> list[str]:
        """Files of hits that are gone or say something else than when they were read."""
        return stale_among(self._index, {hit.document for hit in hits})

    def unmet(self, query: str) -> list[str]:
        """What a question demands and no passage of the index has."""
        with self._index.consistent(dense=False) as (lexical, _):
            return [str(clause) for clause in Searcher(self._index.catalog, lexical, None).unmet(query)]

    def demanded(self, query: str) -> list[str]:
        """What every passage must have for a question; nothing where filters leave some out as well."""
        return [] if self._filters else [str(clause) for clause in parse_question(query).required]

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
        ) or self._drops
        return max(_POOL, _POOL_SHARE * k) if several else k

    def _selected(self, searcher: Searcher, hits: Sequence[Hit], k: int) -> list[Hit]:
        settings = self._settings
        found = searcher.select(hits, k, mmr=settings.mmr, fold=self._fold, passages=settings.passages)
        # What stands between two passages that were merged may look like instructions too.
        return [hit for hit in found if not (self._drops and hit.flags)]

    @cached_property
    def _reranking(self) -> Reranking:
        return Reranking(self._settings, self._note, self._detail)

    def second_reader(self, query: str) -> Callable[[Sequence[str]], list[float | None]] | None:
        """What the reranker says of texts for a question, where hits are reranked."""
        if not self._settings.rerank:
            return None
        plain = parse_question(query).plain
        return lambda texts: self._reranking.scores(plain, texts)

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
        vector = self._expected.get((signature, plain))
        if vector is None:
            vector = self._embedded([plain])[0]
        return Question(query, vector, coverage, signature, mode), {
            "embed": (time.perf_counter() - start) * 1000
        }

    def _embedded(self, plain: Sequence[str]) -> NDArray[np.float32]:
        embedder = self._index.embedder
        self.question_to = destination("", embedder)[0] or None
        if self._index.masks:
            from ragcli.guard import Masking

            plain = [Masking().mask(text) for text in plain]
        return embedder.embed_queries(plain)

    def expect(self, queries: Sequence[str]) -> None:
        """Read questions that will be asked next all at once, which takes less time than one by one.

        A service is not asked ahead: it may fail at any of them, and those before it are to be answered.
        """
        self._expected = {}
        model = self._index.model()
        if self.mode == "lexical" or model is None or is_service(model.spec):
            return
        plain = []
        for query in queries:
            with suppress(UsageError):  # told of when it is asked
                plain.append(parse_question(query).plain)
        if plain := list(dict.fromkeys(plain)):
            signature = self._index.catalog.get("signature") or ""
            vectors = self._embedded(plain)
            self._expected = {(signature, text): vector for text, vector in zip(plain, vectors, strict=True)}

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
            if self._drops:
                hits = self._unsuspicious(hits)
            return hits if k is None else self._selected(searcher, hits, k)

        return self._mending(question, look)

    def _unsuspicious(self, hits: Sequence[Hit]) -> list[Hit]:
        """The hits without those that look like instructions to a model, which is told."""
        if left_out := sum(bool(hit.flags) for hit in hits[: self._settings.k]):
            self._note(
                f"note: left out {left_out} of the first passages for looking like instructions to a model; "
                f"`rag list --flagged` shows them"
            )
        hits = [hit for hit in hits if not hit.flags]
        return [replace(hit, rank=rank) for rank, hit in enumerate(hits, 1)]

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
        return self.measured_floor(mode)

    def measured_floor(self, mode: Mode) -> float:
        """The least evidence of an answer, as the index itself tells."""
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
            return look(Searcher(self._index.catalog, lexical, dense, self._after(question)), question)

    def _after(self, question: Question) -> list[NDArray[np.float32]]:
        """The vectors of the questions that will be asked after this one."""
        if not self._expected:
            return []
        key = question.signature, parse_question(question.text).plain
        rest = iter(self._expected)
        return [self._expected[each] for each in rest] if key in rest else []

    def _within(self) -> frozenset[str] | None:
        """The chunks that the filters leave; None where there are no filters."""
        if not self._filters:
            return None
        catalog = self._index.catalog
        stands = catalog.get("uid"), catalog.generation
        if self._left is None or self._left[0] != stands:
            chosen = choose(self._filters, (Facts(*facts) for facts in catalog.document_facts()))
            self._left = stands, frozenset(catalog.chunks_in(chosen))
        return self._left[1]
