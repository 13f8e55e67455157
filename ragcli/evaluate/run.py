"""One run of judged questions, and what is told of it: a row a question, means, times."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ragcli.errors import RagError, UsageError
from ragcli.evaluate.judgements import Grades, Qrels, Query
from ragcli.evaluate.metrics import DEEPEST, METRICS, measure

# A question to the names of the documents found, best first, repeats allowed.
SearchDocuments = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One question: its metrics, the documents found (best first), those judged, milliseconds."""

    query: Query
    metrics: dict[str, float]
    found: tuple[str, ...]
    grades: Grades
    milliseconds: float


@dataclass(slots=True)
class ModeReport:
    """Means of one mode over all judged questions; latency in milliseconds; a row a question."""

    metrics: dict[str, float]
    p50: float
    p95: float
    failed: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def values(self, metric: str) -> list[float]:
        """A metric of every question, in the order of the questions."""
        return [row.metrics[metric] for row in self.rows]

    def worst(self, metric: str, count: int) -> list[Row]:
        """The questions that did worst, the worst first, those that did well left out."""
        low = [row for row in self.rows if row.metrics[metric] < 1.0]
        return sorted(low, key=lambda row: row.metrics[metric])[:count]


def evaluate(
    search: SearchDocuments, queries: Sequence[Query], qrels: Qrels, metrics: Sequence[str] = METRICS
) -> ModeReport:
    """Every metric over the judged questions.

    Judgements are of documents: several chunks of one count once, at the best rank among them.
    Questions without a judgement above zero are left out of every mean. A question that fails
    counts as zero and is listed. Raises ``UsageError`` where no question is judged.
    """
    judged = [query for query in queries if any(grade > 0 for grade in qrels.get(query.id, {}).values())]
    if not judged:
        raise UsageError("none of the questions has a judgement; do queries and qrels belong together?")
    rows: list[Row] = []
    times: list[float] = []
    failed: list[str] = []
    for query in judged:
        start = time.perf_counter()
        ranking: tuple[str, ...] = ()
        took = 0.0
        try:
            ranking = tuple(dict.fromkeys(search(query.text)))[:DEEPEST]
            took = (time.perf_counter() - start) * 1000
            times.append(took)
        except RagError as error:
            failed.append(f"{query.id}: {error}")
        grades = qrels[query.id]
        values = {metric: measure(metric, ranking, grades) for metric in metrics}
        rows.append(Row(query, values, ranking, grades, took))
    times.sort()
    return ModeReport(
        {metric: round(sum(row.metrics[metric] for row in rows) / len(rows), 6) for metric in metrics},
        p50=_percentile(times, 0.50),
        p95=_percentile(times, 0.95),
        failed=failed,
        rows=rows,
    )


def _percentile(ordered: Sequence[float], share: float) -> float:
    """Nearest-rank percentile of ascending values; 0 where there are none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
