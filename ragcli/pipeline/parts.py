"""A question with several parts: each is searched, and what was found becomes one list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ragcli.answer.decompose import split_question
from ragcli.errors import UsageError
from ragcli.pipeline.ask import Asker, Found, Question
from ragcli.pipeline.llm import Discreet, open_llm
from ragcli.search.duplicates import fold_duplicates
from ragcli.search.fuse import RRF_K
from ragcli.types import Hit

# The first passages of each part come before all others.
_SURE = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A question that is part of another, and what was found for it."""

    question: str
    hits: Sequence[Hit]


@dataclass(slots=True)
class Parted:
    """Finds what answers a question by way of its parts, which the LLM that is set tells.

    ``parts`` are those of the last question, none where it is one thing; ``note`` is told of
    them. ``UsageError`` without an LLM.
    """

    asker: Asker
    note: Callable[[str], None]
    detail: Callable[[str], None]
    parts: tuple[Part, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        if self.asker.index.settings.llm == "none":
            raise UsageError("--decompose has an LLM split the question; name one with --llm SPEC or RAG_LLM")

    def find(self, query: str) -> tuple[Question, Found]:
        """As ``Asker.find``. Raises what the LLM raises."""
        settings = self.asker.index.settings
        generator = open_llm(settings)
        if generator is None:
            raise AssertionError("an LLM was asked for when this was made")
        if self.asker.index.masks:
            generator = Discreet(generator)
        self.parts = ()
        texts, usage = split_question(generator, query) if query.strip() else ((), {})
        spent = "".join(f", {name} {count}" for name, count in usage.items())
        if not texts:
            self.note("the question is asked as it is: the LLM found no parts")
            self.detail(f"looking for parts{spent}")
            return self.asker.find(query)
        self.detail(f"the question has {len(texts)} parts{spent}")
        question = self.asker.read(query, self.asker.mode)
        took: dict[str, float] = {}
        parts = []
        for number, text in enumerate(texts, 1):
            found = self.asker.search(text)
            parts.append(Part(text, found.hits))
            best = f", the best {found.hits[0].place}" if found.hits else ""
            self.note(f"part {number}: {text} ({len(found.hits)} passages{best})")
            for stage, milliseconds in found.took.items():
                took[stage] = took.get(stage, 0.0) + milliseconds
        self.parts = tuple(parts)
        return question, Found(merge([part.hits for part in parts]), took)


def merge(lists: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Lists of hits as one, best first, each passage once.

    By reciprocal rank (Cormack, Clarke and Büttcher, SIGIR 2009), after the first two of each
    list, whose score is greater by 1, so that no part goes without. Ties are broken by id.
    """
    scores: dict[str, float] = {}
    sure: set[str] = set()
    hits: dict[str, Hit] = {}
    for found in lists:
        for rank, hit in enumerate(found, 1):
            scores[hit.id] = scores.get(hit.id, 0.0) + 1.0 / (RRF_K + rank)
            hits.setdefault(hit.id, hit)
            if rank <= _SURE:
                sure.add(hit.id)
    total = {name: round(score + (name in sure), 6) for name, score in scores.items()}
    order = sorted(total, key=lambda name: (-total[name], name))
    ranked = [replace(hits[name], rank=rank, score=total[name]) for rank, name in enumerate(order, 1)]
    return fold_duplicates(ranked)
