"""Metrics of a ranking, in the field's words and with trec_eval's definitions.

Every metric here is a pure function of a ranking of document names, best first and without
repeats, of the grades of the judged documents, and of the depth it looks to. A document without a
judgement counts as irrelevant, and so does one with a grade of zero or below. Those whose names
begin with ``span_`` look at characters instead: see :mod:`ragcli.evaluate.overlap`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from ragcli.errors import UsageError
from ragcli.evaluate.judgements import Grades
from ragcli.evaluate.overlap import Spans, span_iou, span_precision, span_recall

METRICS = ("ndcg@10", "recall@10", "recall@100", "mrr@10")
HEADLINE = "ndcg@10"
# Five passages, as in the study that these come from.
SPAN_METRICS = ("span_recall@5", "span_precision@5", "span_iou@5")
# Documents, or passages, of a search that is judged: no metric looks deeper.
DEEPEST = 100

_NAME = re.compile(r"([a-z_]+)@([1-9]\d{0,3})")


def ndcg(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """Normalised discounted cumulative gain with linear gain (Järvelin and Kekäläinen 2002; trec_eval)."""
    gains = [grades.get(name, 0) / math.log2(rank + 1) for rank, name in enumerate(ranking[:k], 1)]
    ideal = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k]
    best = sum(grade / math.log2(rank + 1) for rank, grade in enumerate(ideal, 1))
    return sum(gains) / best if best else 0.0


def recall(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """Share of the relevant documents among the first ``k``."""
    relevant = {name for name, grade in grades.items() if grade > 0}
    return len(relevant & set(ranking[:k])) / len(relevant) if relevant else 0.0


def mrr(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """Reciprocal rank of the first relevant document, 0 beyond ``k``."""
    for rank, name in enumerate(ranking[:k], 1):
        if grades.get(name, 0) > 0:
            return 1.0 / rank
    return 0.0


def average_precision(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """Mean of the precision at each relevant document among the first ``k``, over all relevant ones."""
    relevant = sum(grade > 0 for grade in grades.values())
    found, total = 0, 0.0
    for rank, name in enumerate(ranking[:k], 1):
        if grades.get(name, 0) > 0:
            found += 1
            total += found / rank
    return total / relevant if relevant else 0.0


def precision(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """Share of relevant documents in ``k`` places, empty ones too."""
    return sum(grades.get(name, 0) > 0 for name in ranking[:k]) / k


def success(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """1 where a relevant document is among the first ``k``, else 0."""
    return float(any(grades.get(name, 0) > 0 for name in ranking[:k]))


_FUNCTIONS: Mapping[str, Callable[[Sequence[str], Grades, int], float]] = {
    "ndcg": ndcg,
    "recall": recall,
    "mrr": mrr,
    "map": average_precision,
    "precision": precision,
    "success": success,
}
_SPAN_FUNCTIONS: Mapping[str, Callable[[Spans, Spans, int], float]] = {
    "span_recall": span_recall,
    "span_precision": span_precision,
    "span_iou": span_iou,
}


def measure(metric: str, ranking: Sequence[str], grades: Grades) -> float:
    """A metric by its name, such as ``ndcg@10``."""
    name, _, depth = metric.partition("@")
    return _FUNCTIONS[name](ranking, grades, int(depth))


def measure_spans(metric: str, passages: Spans, references: Spans) -> float:
    """A metric of characters by its name, such as ``span_recall@5``."""
    name, _, depth = metric.partition("@")
    return _SPAN_FUNCTIONS[name](passages, references, int(depth))


def of_spans(metric: str) -> bool:
    """Whether a metric looks at characters, and so needs references."""
    return metric.partition("@")[0] in _SPAN_FUNCTIONS


def read_metrics(names: Iterable[str]) -> tuple[str, ...]:
    """Names of metrics as a user types them, each once. Raises ``UsageError`` for what is none."""
    found = []
    for name in names:
        match = _NAME.fullmatch(name.strip().lower())
        if match is None or match[1] not in {**_FUNCTIONS, **_SPAN_FUNCTIONS} or int(match[2]) > DEEPEST:
            known = ", ".join([*_FUNCTIONS, *_SPAN_FUNCTIONS])
            raise UsageError(
                f"{name.strip()[:60]!r} is no metric; write {known} with @ and a depth up to {DEEPEST}"
            )
        found.append(match[0])
    return tuple(dict.fromkeys(found))
