"""One run of judged questions, and what is told of it: a row a question, means, times."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ragcli.errors import RagError, UsageError
from ragcli.evaluate.judgements import Grades, Qrels, Query
from ragcli.evaluate.metrics import DEEPEST, METRICS, measure, measure_spans, of_spans
from ragcli.evaluate.references import Span

# A question to the passages found, best first, under the names that documents are judged by.
SearchPassages = Callable[[str], Sequence[Span]]


@dataclass(frozen=True, slots=True)
class Row:
    """One question: its metrics, the documents found (best first), those judged, milliseconds.

    ``metrics`` holds those that its judgements allow: a question may have no references.
    ``passages`` are the first of those found, one document as often as it was. Where answers were
    asked for, ``answer`` is what was given, ``gold`` what would be right, ``found`` what was cited.
    """

    query: Query
    metrics: dict[str, float]
    found: tuple[str, ...]
    grades: Grades
    milliseconds: float
    passages: tuple[Span, ...] = ()
    references: tuple[Span, ...] = ()
    gold: tuple[str, ...] = ()
    answer: str | None = None


@dataclass(slots=True)
class ModeReport:
    """Means of one mode over all judged questions; latency in milliseconds; a row a question."""

    metrics: dict[str, float]
    p50: float
    p95: float
    failed: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def values(self, metric: str) -> list[float]:
        """A metric of every question that has it, in the order of the questions."""
        return [row.metrics[metric] for row in self.rows if metric in row.metrics]

    def worst(self, metric: str, count: int) -> list[Row]:
        """The questions that did worst, the worst first, those that did well left out."""
        low = [row for row in self.rows if row.metrics.get(metric, 1.0) < 1.0]
        return sorted(low, key=lambda row: row.metrics[metric])[:count]


def evaluate(
    search: SearchPassages,
    queries: Sequence[Query],
    qrels: Qrels,
    metrics: Sequence[str] = METRICS,
    references: Mapping[str, Sequence[Span]] | None = None,
) -> ModeReport:
    """Every metric over the judged questions.

    ``qrels`` are of documents: several passages of one count once, at the best rank among them.
    ``references`` are of characters, for the metrics that look at these. Questions without a
    judgement above zero, or without references, are left out of the means that need them. A
    question that fails counts as zero and is listed. Raises ``UsageError`` where no question is
    judged, or a metric has none.
    """
    known = references or {}
    judged = [query for query in queries if _is_judged(qrels.get(query.id, {})) or known.get(query.id)]
    if not judged:
        raise UsageError("none of the questions has a judgement; do the files belong together?")
    rows: list[Row] = []
    times: list[float] = []
    failed: list[str] = []
    for query in judged:
        start = time.perf_counter()
        passages: Sequence[Span] = ()
        took = 0.0
        try:
            passages = search(query.text)
            took = (time.perf_counter() - start) * 1000
            times.append(took)
        except RagError as error:
            failed.append(f"{query.id}: {error}")
        rows.append(_row(query, metrics, passages, qrels.get(query.id, {}), known.get(query.id, ()), took))
    times.sort()
    report = ModeReport({}, percentile(times, 0.50), percentile(times, 0.95), failed, rows)
    for metric in metrics:
        values = report.values(metric)
        if not values:
            raise UsageError(f"no question has what {metric} needs; add {_needed(metric)} that judges some")
        report.metrics[metric] = round(sum(values) / len(values), 6)
    return report


def _row(
    query: Query, metrics: Sequence[str], passages: Sequence[Span], grades: Grades,
    references: Sequence[Span], took: float,
) -> Row:  # fmt: skip
    ranking = tuple(dict.fromkeys(passage.document for passage in passages))[:DEEPEST]
    values = {}
    for metric in metrics:
        if of_spans(metric):
            if references:
                values[metric] = measure_spans(metric, passages, references)
        elif _is_judged(grades):
            values[metric] = measure(metric, ranking, grades)
    return Row(query, values, ranking, grades, took, tuple(passages[:DEEPEST]), tuple(references))


def _is_judged(grades: Grades) -> bool:
    return any(grade > 0 for grade in grades.values())


def _needed(metric: str) -> str:
    return "--spans FILE" if of_spans(metric) else "--qrels FILE"


def percentile(ordered: Sequence[float], share: float) -> float:
    """Nearest-rank percentile of ascending values; 0 where there are none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
