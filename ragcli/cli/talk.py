"""One question after another to an index: made whole, answered, shown and remembered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.cli.options import Format
from ragcli.cli.program import Context
from ragcli.errors import ModelUnavailable, PartlyDone, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragcli.pipeline.ask import Asker
    from ragcli.pipeline.conversation import Conversation
    from ragcli.pipeline.parts import Part, Parted
    from ragcli.types import Answer


@dataclass(slots=True)
class Talk:
    """A conversation as a command leads it. ``leans``: a question may lean on those before."""

    context: Context
    conversation: Conversation
    parted: Parted | None
    leans: bool
    standalone: str = field(default="", init=False)

    @classmethod
    def open(cls, context: Context, asker: Asker, *, resume: bool, leans: bool, decompose: bool) -> Talk:
        """``resume`` the last conversation or begin one."""
        from ragcli.pipeline.conversation import Conversation
        from ragcli.pipeline.parts import Parted

        terminal = context.terminal
        parted = Parted(asker, terminal.note, terminal.detail) if decompose else None
        conversation = Conversation.resume(asker, terminal.note) if resume else Conversation.begin(asker)
        return cls(context, conversation, parted, leans)

    def ask(self, asker: Asker, question: str, output: Format) -> Answer:
        """Answer a question, print the answer as it comes, and remember it."""
        from ragcli.cli.query import stream_answer

        terminal = self.context.terminal
        self.standalone = question
        if self.leans:
            self.standalone = self.conversation.standalone(question, terminal.note, terminal.detail)
        answer = stream_answer(self.context, asker, question, output, talk=self)
        self.conversation.add(question, self.standalone, answer, terminal.detail)
        return answer

    def fields(self) -> dict[str, Any]:
        """What an answer's record says besides."""
        told: dict[str, Any] = {"standalone": self.standalone} if self.leans else {}
        return {**told, **parts_record(self.parted.parts)} if self.parted else told


def parts_record(parts: Sequence[Part]) -> dict[str, Any]:
    """The parts of a question, each with the passages found for it."""
    return {"parts": [{"query": part.question, "hits": [hit.id for hit in part.hits]} for part in parts]}


def answer_batch(
    context: Context,
    file: Path,
    output: Format,
    flags: dict[str, Any],
    filters: list[str] | None,
    *,
    decompose: bool,
) -> bool:
    """Answer the questions of a file, a record a line; whether any was answered.

    Raises ``PartlyDone`` where some failed, ``ModelUnavailable`` where no answer could be had.
    """
    from ragcli.cli.asking import open_asker
    from ragcli.evaluate import read_queries
    from ragcli.pipeline.batch import MOST_FAILURES, answer_each
    from ragcli.pipeline.parts import Parted
    from ragcli.render.records import answer_record, dump

    if output is Format.json:
        raise UsageError("--batch prints jsonl; leave out --format json")
    terminal = context.terminal
    queries = read_queries(file)
    answered = given = failed = 0
    last: Exception | None = None
    with open_asker(context, flags, filters, fold=True, for_prompt=True) as asker:
        parted = Parted(asker, terminal.detail, terminal.detail) if decompose else None
        for outcome in answer_each(asker, queries, note=terminal.note, parted=parted):
            if outcome.answer is None:
                failed, last = failed + 1, outcome.error
                terminal.error(f"{file}: question {outcome.query.id}: {outcome.error}")
                continue
            given += 1
            answered += outcome.answer.answered
            parts = parts_record(outcome.parts) if parted else {}
            terminal.out(dump({"query_id": outcome.query.id, **answer_record(outcome.answer), **parts}))
            terminal.flush()
    left = len(queries) - given - failed
    told = f"{failed} of {len(queries)} questions failed"
    if left:
        told += f", the last {MOST_FAILURES} in a row, so the {left} after them were not asked"
    if failed and not given and isinstance(last, ModelUnavailable):
        raise ModelUnavailable(f"{told}; {last}")
    if failed:
        raise PartlyDone(
            f"{told}; the others were answered: put those that were not into a file and ask again"
        )
    return bool(answered)


def as_asked(answer: Answer, question: str) -> Answer:
    """The answer to a question as it was typed."""
    return answer if answer.question == question else replace(answer, question=question)
