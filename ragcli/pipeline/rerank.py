"""The second look at what a search found: a cross-encoder orders the best passages anew."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping, Sequence
from functools import cached_property

from ragcli.embed import find_model, open_tokenizer
from ragcli.errors import UsageError
from ragcli.rerank import Reranker, open_reranker, reorder, score_within
from ragcli.search import covered_weight
from ragcli.settings import Settings
from ragcli.tokens import TokenCounter
from ragcli.types import Hit


def named_reranker(settings: Settings) -> str:
    """The reranker that is set. Raises ``UsageError`` where none is."""
    if settings.reranker is None:
        raise UsageError(
            "no reranker is set; name a cross-encoder, a folder or a name of the hub, with --reranker SPEC "
            "or RAG_RERANKER"
        )
    return settings.reranker


class Reranking:
    """Reranks one search after another, with one load of the model, and only when it is needed.

    ``note`` is told what a reader should know, ``detail`` what only a curious one would. Raises
    ``UsageError`` where no reranker is set.
    """

    def __init__(
        self, settings: Settings, note: Callable[[str], None], detail: Callable[[str], None] = lambda _: None
    ) -> None:
        self._spec = named_reranker(settings)
        self._settings = settings
        self._note = note
        self._detail = detail
        self._told = False

    @property
    def candidates(self) -> int:
        """How many of the first stage's best passages are read."""
        return self._settings.rerank_candidates

    def order(self, query: str, hits: Sequence[Hit], took: MutableMapping[str, float]) -> list[Hit]:
        """All hits in their new order, best first; ``hits`` are the first stage's.

        A passage of whose words the reranker's vocabulary covers less than half is not read; for a
        question or passages of which it covers little its weight falls as that of an embedding
        model does, and at 0 it is not even loaded. ``took["rerank"]`` receives milliseconds, loading
        included; the budget begins once the model is loaded.
        """
        start = time.perf_counter()
        texts = [_text(hit) for hit in hits[: self.candidates]]
        weight, read = self._weigh(query, texts)
        if weight > 0.0:
            hits = reorder(hits, self._score(query, texts, read), weight)
        took["rerank"] = (time.perf_counter() - start) * 1000
        return list(hits)

    def scores(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """What the reranker says of each text; None for one that it cannot read or did not come to."""
        weight, read = self._weigh(query, texts)
        return self._score(query, texts, read) if weight > 0.0 else [None] * len(texts)

    def _weigh(self, query: str, texts: Sequence[str]) -> tuple[float, list[int]]:
        """The reranker's weight for this question, and which of the texts it can read."""
        weight = self._settings.rerank_weight
        if not texts or weight == 0.0:
            return 0.0, []
        asked, *covered = self._counter.coverage([query, *texts])
        read = [n for n, share in enumerate(covered) if covered_weight(1.0, share) > 0.0]
        coverage = min(asked, sum(covered[n] for n in read) / len(read)) if read else 0.0
        if covered_weight(1.0, coverage) == 0.0:
            self._detail(f"{self._spec} mostly does not know these words; nothing was reranked")
        return covered_weight(weight, coverage), read

    def _score(self, query: str, texts: Sequence[str], read: Sequence[int]) -> list[float | None]:
        """A score for each text, None for one that is not to be read or was not come to."""
        budget = self._settings.rerank_budget_ms
        said, late = score_within(self._reranker, query, [texts[n] for n in read], budget)
        scored, wanted = sum(score is not None for score in said), len(read)
        if late:
            self._tell(
                f"after {budget:g} ms reranking stopped at {scored} of {wanted} passages; the others keep their scores"
            )
        elif scored < wanted:
            self._tell(f"{self._spec} gave no score for {wanted - scored} of {wanted} passages")
        by_place = dict(zip(read, said, strict=True))
        return [by_place.get(n) for n in range(len(texts))]

    def _tell(self, line: str) -> None:
        """Say it once, for the first of many questions."""
        if not self._told:
            self._note(f"note: {line}")
        self._told = True

    @cached_property
    def _reranker(self) -> Reranker:
        return open_reranker(self._spec, offline=self._settings.offline)

    @cached_property
    def _counter(self) -> TokenCounter:
        return open_tokenizer(find_model(self._spec)) or self._reranker.tokenizer


def _text(hit: Hit) -> str:
    """What is read of a passage: what it stands under, and its words."""
    above = " > ".join(dict.fromkeys(part for part in (hit.title, *hit.heading) if part))
    return f"{above}\n{hit.text}" if above else hit.text
