"""A gate on judged questions, which an edition must pass before it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragcli.errors import GateFailed, UsageError
from ragcli.evaluate import HEADLINE, Qrels, Query, of_spans, read_bound, read_qrels, read_queries
from ragcli.pipeline.index import Index
from ragcli.pipeline.judge import judge_index

OLD = "old"  # a gate of this name: not worse than the edition that answers now


@dataclass(frozen=True, slots=True)
class Gate:
    """What judged questions must give. ``least`` holds metrics; ``not_worse`` compares the headline."""

    queries: Sequence[Query]
    qrels: Qrels
    least: dict[str, float]
    not_worse: bool


def read_gate(words: Sequence[str], queries: Path | None, qrels: Path | None) -> Gate | None:
    """A gate from the command line: ``ndcg@10=0.70`` and the like, or ``old``; None without words.

    Raises ``UsageError`` for what is none, or without the judged questions.
    """
    if not words:
        return None
    if queries is None or qrels is None:
        raise UsageError("--gate needs judged questions; add --queries FILE --qrels FILE")
    least: dict[str, float] = {}
    for word in words:
        if word == OLD:
            continue
        bound = read_bound(word)
        if bound.mode not in (None, "hybrid"):
            raise UsageError(f"--gate {word}: a change of model is judged by hybrid search")
        if of_spans(bound.metric):
            raise UsageError(
                f"--gate {word}: a change of model is judged by documents; write {HEADLINE}=0.70"
            )
        least[bound.metric] = bound.least
    return Gate(read_queries(queries), read_qrels(qrels), least, OLD in words)


def check_gate(gate: Gate, old: Index, new: Index, advance: Callable[[int], None]) -> None:
    """Raise ``GateFailed`` where the new edition gives less than the gate asks for."""
    found = _measured(new, gate, advance)
    for metric, least in gate.least.items():
        if found[metric] < least:
            raise _failed(metric, found[metric], f"below the gate of {least:g}", old, new)
    if gate.not_worse:
        before = _measured(old, gate, advance)[HEADLINE]
        if found[HEADLINE] < before:
            raise _failed(HEADLINE, found[HEADLINE], f"below the {before:.4f} of the old one", old, new)


def _measured(index: Index, gate: Gate, advance: Callable[[int], None]) -> dict[str, float]:
    metrics = list(dict.fromkeys([HEADLINE, *gate.least]))
    judged = judge_index(index, gate.queries, gate.qrels, ["hybrid"], advance, metrics)
    return dict(judged.reports["hybrid"].metrics)


def _failed(metric: str, value: float, told: str, old: Index, new: Index) -> GateFailed:
    was, now = old.model(), new.model()
    return GateFailed(
        f"{metric} {value:.4f} with {now.spec if now else ''} is {told}; {was.spec if was else ''} goes on "
        f"answering, and the vectors made are kept"
    )
