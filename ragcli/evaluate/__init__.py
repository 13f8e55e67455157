"""Quality on judged questions: the judgements, the metrics, a run of them, and how sure it is."""

from ragcli.evaluate.answers import (
    ANSWER_METRICS,
    Answered,
    Given,
    Gold,
    contains,
    read_answer_metrics,
    read_golds,
    report_answers,
)
from ragcli.evaluate.contrast import Contrast, between_modes, paired, with_baseline
from ragcli.evaluate.gates import Bound, Verdict, judge_bounds, read_bound
from ragcli.evaluate.judgements import Grades, Qrels, Query, judged_names, read_qrels, read_queries
from ragcli.evaluate.metrics import (
    HEADLINE,
    METRICS,
    SPAN_METRICS,
    measure,
    measure_spans,
    of_spans,
    read_metrics,
    recall,
)
from ragcli.evaluate.overlap import span_recall
from ragcli.evaluate.references import Located, Reference, Span, locate, read_references
from ragcli.evaluate.rows import read_rows, row_record, write_rows
from ragcli.evaluate.run import ModeReport, Row, evaluate
from ragcli.evaluate.statistics import Difference, compare, interval
from ragcli.evaluate.tuning import FOLDS, Tuning, tune, weights_to_try

__all__ = [
    "ANSWER_METRICS",
    "FOLDS",
    "HEADLINE",
    "METRICS",
    "SPAN_METRICS",
    "Answered",
    "Bound",
    "Contrast",
    "Difference",
    "Given",
    "Gold",
    "Grades",
    "Located",
    "ModeReport",
    "Qrels",
    "Query",
    "Reference",
    "Row",
    "Span",
    "Tuning",
    "Verdict",
    "between_modes",
    "compare",
    "contains",
    "evaluate",
    "interval",
    "judge_bounds",
    "judged_names",
    "locate",
    "measure",
    "measure_spans",
    "of_spans",
    "paired",
    "read_answer_metrics",
    "read_bound",
    "read_golds",
    "read_metrics",
    "read_qrels",
    "read_queries",
    "read_references",
    "read_rows",
    "recall",
    "report_answers",
    "row_record",
    "span_recall",
    "tune",
    "weights_to_try",
    "with_baseline",
    "write_rows",
]
