"""``rag eval --answers``: what is answered, against reference answers and its own citations."""

from __future__ import annotations

from typing import Any

from ragcli.cli.evaluating import Evaluating, tell_failures
from ragcli.cli.options import existing
from ragcli.errors import PartlyDone, UsageError


def evaluate_answers(asked: Evaluating, flags: dict[str, Any], *, judge: str | None) -> None:
    """Ask every question, measure the answers and tell of it. ``flags`` are settings of the search and the LLM."""
    from ragcli.evaluate import (
        between_modes,
        judge_bounds,
        read_answer_metrics,
        read_golds,
        read_qrels,
        with_baseline,
    )
    from ragcli.pipeline.answerjudge import judge_answers
    from ragcli.pipeline.judge import RERANKED
    from ragcli.pipeline.rerank import named_reranker
    from ragcli.render.evaluation import Evaluation

    context = asked.context
    if asked.spans is not None:
        raise UsageError("--answers compares with texts; leave out --spans")
    wanted = asked.wanted()
    bounds = asked.bounds(wanted, read_answer_metrics)
    metrics = read_answer_metrics(asked.metrics.split(",")) if asked.metrics else None
    if metrics is not None:
        metrics = tuple(dict.fromkeys([*metrics, *(bound.metric for bound in bounds)]))
    if judge is None and any(
        name.startswith("judge_") for name in (*(metrics or ()), *(bound.metric for bound in bounds))
    ):
        raise UsageError("judge_correct and judge_supported are an LLM's grades; name it with --judge SPEC")
    before = asked.before()
    settings = context.settings(**flags)
    if any(mode.endswith(RERANKED) for mode in wanted):
        named_reranker(settings)
    golds = read_golds(existing(asked.queries))
    qrels = read_qrels(existing(asked.qrels)) if asked.qrels else None
    with context.terminal.progress("answering") as bar:
        bar.begin(len(wanted) * len(golds))
        judged = judge_answers(
            context.folder(),
            settings,
            golds,
            qrels,
            wanted,
            lambda done: bar.advance(done, ""),
            metrics=metrics,
            judge=judge,
        )
    reports = judged.reports
    failed = [line for report in reports.values() for line in report.failed]
    if failed and any(bound.metric not in report.metrics for bound in bounds for report in reports.values()):
        raise PartlyDone(
            f"{len(failed)} questions failed, so that a gate cannot be judged; the first: {failed[0]}"
        )
    first = next(iter(next(iter(reports.values())).metrics))
    contrasts = between_modes(reports, first)
    if before is not None:
        measured = dict.fromkeys(metric for report in reports.values() for metric in report.metrics)
        contrasts += with_baseline(reports, before, list(measured))
    writers = {"llm": settings.llm, **({"judge": judge} if judge else {})}
    found = Evaluation(len(golds), reports, contrasts, judge_bounds(bounds, reports), writers=writers)
    asked.tell(found, title="Answer quality")
    asked.tell_missing("judged documents are not in the index", judged.missing)
    tell_failures(found, told=", and an answer that was owed counts as none")
