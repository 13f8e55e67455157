"""Many questions with one start, each answered as ``rag query`` answers it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ragcli.errors import ModelUnavailable, UsageError
from ragcli.evaluate import Query
from ragcli.pipeline.answer import Answerer
from ragcli.pipeline.ask import Asker
from ragcli.pipeline.llm import open_llm
from ragcli.pipeline.parts import Part, Parted
from ragcli.types import Answer

# Failures of a service in a row after which it is asked no more.
MOST_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question: an answer, or why there is none. ``took`` is in milliseconds."""

    query: Query
    answer: Answer | None
    error: ModelUnavailable | UsageError | None
    took: float
    parts: Sequence[Part] = ()


def answer_each(
    asker: Asker, queries: Sequence[Query], *, note: Callable[[str], None], parted: Parted | None = None
) -> Iterator[Outcome]:
    """An outcome a question, in order.

    Ends early, with the third, where three questions in a row fail because a service does. Raises
    at once what is wrong with the LLM's spec or its key.
    """
    settings = asker.index.settings
    open_llm(settings)
    answerer = Answerer(asker)
    row = 0
    for query in queries:
        start = time.perf_counter()
        answer: Answer | None = None
        error: ModelUnavailable | UsageError | None = None
        try:
            answer = answerer.answer(
                query.text,
                on_hits=lambda _: None,
                on_token=lambda _: None,
                note=lambda line, name=query.id: note(f"note: question {name}: {line}"),  # type: ignore[misc]
                find=parted.find if parted else None,
            )
            row = 0
        except UsageError as failure:  # nothing of the service's
            error = failure
        except ModelUnavailable as failure:
            error = failure
            row += 1
        took = (time.perf_counter() - start) * 1000
        yield Outcome(query, answer, error, took, parted.parts if parted and answer else ())
        if row == MOST_FAILURES:
            return
