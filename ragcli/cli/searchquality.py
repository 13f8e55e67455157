"""``rag eval`` of searches: modes side by side on judged documents or references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragcli.cli.evaluating import Evaluating, tell_failures
from ragcli.cli.options import existing
from ragcli.cli.tuning import Tuner
from ragcli.errors import UsageError

if TYPE_CHECKING:
    from ragcli.evaluate import Bound


def evaluate_search(asked: Evaluating, flags: dict[str, Any], *, tune: bool) -> None:
    """Measure what each mode finds and tell of it. ``flags`` are settings of the search."""
    from ragcli.evaluate import (
        between_modes,
        judge_bounds,
        read_metrics,
        read_qrels,
        read_queries,
        read_references,
        with_baseline,
    )
    from ragcli.pipeline.judge import RERANKED, judge
    from ragcli.pipeline.rerank import named_reranker
    from ragcli.render.evaluation import Evaluation

    context = asked.context
    wanted = asked.wanted()
    bounds = asked.bounds(wanted, read_metrics)
    metrics = _metrics(asked, bounds, tune=tune)
    before = asked.before()
    settings = context.settings(**flags)
    if any(mode.endswith(RERANKED) for mode in wanted):
        named_reranker(settings)
    questions = read_queries(existing(asked.queries))
    judgements = read_qrels(existing(asked.qrels)) if asked.qrels else None
    references = read_references(existing(asked.spans)) if asked.spans else None
    tuner = Tuner(context, settings, given=flags["dense_weight"]) if tune else None
    with context.terminal.progress("evaluating") as bar:
        bar.begin(len(wanted) * len(questions))
        judged = judge(
            context.folder(),
            settings,
            questions,
            judgements,
            wanted,
            lambda done: bar.advance(done, ""),
            metrics,
            references,
        )
    reports = judged.reports
    contrasts = between_modes(reports, metrics[0])
    if before is not None:
        contrasts += with_baseline(reports, before, metrics)
    tuned = tuner.tune(questions, judgements, metrics[0]) if tuner and judgements else None
    found = Evaluation(judged.queries, reports, contrasts, judge_bounds(bounds, reports), judged.lost, tuned)
    asked.tell(found, title="Search quality")
    asked.tell_missing("judged documents are not in the index", judged.missing)
    asked.tell_missing("references are not in the text of their documents and were left out", judged.lost)
    if tuner and tuned:
        tuner.tell(tuned)
    tell_failures(found, told=" and count as zero")


def _metrics(asked: Evaluating, bounds: list[Bound], *, tune: bool) -> list[str]:
    """What is measured, the most important first."""
    from ragcli.evaluate import METRICS, SPAN_METRICS, of_spans, read_metrics

    usual = (*(METRICS if asked.qrels else ()), *(SPAN_METRICS if asked.spans else ()))
    shown = read_metrics(asked.metrics.split(",")) if asked.metrics else usual
    metrics = list(dict.fromkeys([*shown, *(bound.metric for bound in bounds)]))
    for metric in metrics:
        if asked.spans is None and of_spans(metric):
            raise UsageError(f"{metric} is measured on references; add --spans FILE")
    if tune and (asked.qrels is None or of_spans(metrics[0])):
        raise UsageError("--tune needs judged documents: --qrels FILE, and a metric of theirs first")
    return metrics
