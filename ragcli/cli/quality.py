"""``rag eval``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from ragcli.cli.options import (
    CandidatesOption,
    FusionOption,
    RerankBudgetOption,
    RerankWeightOption,
    TableFormat,
    WaitOption,
    WeightOption,
    check_free,
    existing,
    rerank_flags,
)
from ragcli.cli.program import Context, app
from ragcli.cli.starter import write_questions
from ragcli.cli.tuning import Tuner
from ragcli.errors import GateFailed, PartlyDone, UsageError
from ragcli.types import Mode

if TYPE_CHECKING:
    from ragcli.render.evaluation import Evaluation


@app.command(
    "eval",
    epilog="Example: rag eval --queries sample_docs/eval/queries.jsonl --qrels sample_docs/eval/qrels.tsv",
)
def eval_command(
    ctx: typer.Context,
    queries: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Questions: queries.jsonl with _id and text.")
    ] = None,
    qrels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judgements: qrels.tsv, query-id, corpus-id, score.")
    ] = None,
    spans: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="References: spans.jsonl with query-id, doc, start, end, text."),
    ] = None,
    modes: Annotated[
        str, typer.Option(metavar="LIST", help="Modes to compare, with commas between.")
    ] = "lexical,dense,hybrid",
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Metrics: ndcg, recall, mrr, map, precision, success @ a depth; "
            "with --spans span_recall, span_precision, span_iou.",
        ),
    ] = None,
    gate: Annotated[
        list[str] | None,
        typer.Option(metavar="METRIC=VALUE", help="Exit with 9 where less is measured. May be repeated."),
    ] = None,
    rows: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a line of JSON for each question.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Compare with the --rows of an earlier run.")
    ] = None,
    worst: Annotated[
        int, typer.Option(metavar="N", min=0, help="Show the N questions that did worst, in the last mode.")
    ] = 0,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page of HTML with plots.")
    ] = None,
    tune: Annotated[
        bool,
        typer.Option(
            "--tune", help="Fit dense_weight by cross-validation and write it to rag.toml if it is better."
        ),
    ] = False,
    make_questions: Annotated[
        int | None,
        typer.Option(
            "--make-questions",
            metavar="N",
            min=1,
            help="Write N questions from the index, to be corrected by hand.",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="Where --make-questions writes queries and qrels."
        ),
    ] = None,
    llm: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help="LLM that writes the questions; otherwise headings and sentences."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    fusion: FusionOption = None,
    dense_weight: WeightOption = None,
    reranker: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC", help="The cross-encoder of modes like hybrid+rerank: a name or a folder."
        ),
    ] = None,
    rerank_candidates: CandidatesOption = None,
    rerank_weight: RerankWeightOption = None,
    rerank_budget_ms: RerankBudgetOption = None,
    wait: WaitOption = None,
    output: Annotated[
        TableFormat, typer.Option("--format", help="How to print the result.")
    ] = TableFormat.table,
) -> None:
    """Measure quality on judged questions. The modes stand side by side."""
    from ragcli.evaluate import (
        METRICS,
        SPAN_METRICS,
        between_modes,
        judge_bounds,
        of_spans,
        read_bound,
        read_metrics,
        read_qrels,
        read_queries,
        read_references,
        read_rows,
        with_baseline,
        write_rows,
    )
    from ragcli.pipeline.judge import RERANKED, judge
    from ragcli.pipeline.rerank import named_reranker
    from ragcli.render.evaluation import Evaluation

    context: Context = ctx.obj
    if make_questions is not None:
        write_questions(context, make_questions, folder, llm, output, force=force)
        return
    if queries is None or (qrels is None and spans is None):
        raise UsageError(
            "judged questions are needed; say rag eval --queries FILE --qrels FILE (or --spans FILE), or "
            "make some to begin with: rag eval --make-questions 50 -o FOLDER"
        )
    wanted = list(dict.fromkeys(mode.strip() for mode in modes.split(",") if mode.strip()))
    unknown = [mode for mode in wanted if mode.removesuffix(RERANKED) not in get_args(Mode)]
    if unknown or not wanted:
        raise UsageError(f"--modes {modes}: use {', '.join(get_args(Mode))}, or one with {RERANKED}")
    usual = (*(METRICS if qrels else ()), *(SPAN_METRICS if spans else ()))
    shown = read_metrics(metrics.split(",")) if metrics else usual
    bounds = [read_bound(word) for word in gate or ()]
    for bound in bounds:
        if bound.mode not in (None, *wanted):
            raise UsageError(f"--gate of {bound.mode}, which is not among --modes {modes}")
    asked = list(dict.fromkeys([*shown, *(bound.metric for bound in bounds)]))
    for metric in asked:
        if spans is None and of_spans(metric):
            raise UsageError(f"{metric} is measured on references; add --spans FILE")
    if tune and (qrels is None or of_spans(asked[0])):
        raise UsageError("--tune needs judged documents: --qrels FILE, and a metric of theirs first")
    before = read_rows(existing(baseline)) if baseline else None
    read = [file for file in (queries, qrels, spans) if file]
    if before is None or rows != baseline:  # the rows of now may take the place of those before
        check_free(rows, [*read, baseline], force=force)
    check_free(report, [*read, baseline, rows], force=force)
    again = rerank_flags(None, reranker, rerank_candidates, rerank_weight, rerank_budget_ms)
    settings = context.settings(fusion=fusion, dense_weight=dense_weight, wait=wait, **again)
    if any(mode.endswith(RERANKED) for mode in wanted):
        named_reranker(settings)
    questions = read_queries(existing(queries))
    judgements = read_qrels(existing(qrels)) if qrels else None
    references = read_references(existing(spans)) if spans else None
    tuner = Tuner(context, settings, given=dense_weight) if tune else None
    with context.terminal.progress("evaluating") as bar:
        bar.begin(len(wanted) * len(questions))
        judged = judge(
            context.folder(),
            settings,
            questions,
            judgements,
            wanted,
            lambda done: bar.advance(done, ""),
            asked,
            references,
        )
    reports = judged.reports
    contrasts = between_modes(reports, asked[0])
    if before is not None:
        contrasts += with_baseline(reports, before, asked)
    tuned = tuner.tune(questions, judgements, asked[0]) if tuner and judgements else None
    found = Evaluation(judged.queries, reports, contrasts, judge_bounds(bounds, reports), judged.lost, tuned)
    if rows is not None:
        write_rows(rows, reports)
    if report is not None:
        files = [file for file in (qrels, spans) if file]
        _write_page(report, found, queries=queries, judgements=files, index=context.folder())
    _show(context, found, output, worst=worst)
    if before is not None and not any(contrast.against == "baseline" for contrast in contrasts):
        context.terminal.note(f"note: {baseline} shares no question and mode with this run")
    for told, names in (
        ("judged documents are not in the index", judged.missing),
        ("references are not in the text of their documents and were left out", judged.lost),
    ):
        if names:
            context.terminal.note(f"note: {len(names)} {told} ({', '.join(names[:3])} …)")
    if tuner and tuned:
        tuner.tell(tuned)
    _tell_failures(found)


def _write_page(
    file: Path, found: Evaluation, *, queries: Path, judgements: Sequence[Path], index: Path
) -> None:
    from datetime import UTC, datetime
    from importlib.metadata import version

    from ragcli.disk import replace_text
    from ragcli.render.page import report_page

    facts = [
        ("questions", f"{queries} ({found.queries} judged)"),
        ("judgements", ", ".join(map(str, judgements))),
        ("index", str(index)),
        ("made", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC by ragcli {version('ragcli')}"),
    ]
    try:
        replace_text(file, report_page(found, title="Search quality", facts=facts))
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror or error}") from error


def _show(context: Context, found: Evaluation, output: TableFormat, *, worst: int) -> None:
    from ragcli.render.evaluation import github_lines, json_text, junit_text, print_evaluation

    terminal = context.terminal
    if output is TableFormat.json:
        terminal.out(json_text(found))
    elif output is TableFormat.junit:
        terminal.out(junit_text(found))
    elif output is TableFormat.github:
        for line in github_lines(found):
            terminal.out(line)
    else:
        last = list(found.reports.values())[-1]
        print_evaluation(terminal, found, last.worst(next(iter(last.metrics)), worst))


def _tell_failures(found: Evaluation) -> None:
    """A missed gate outweighs questions that failed, which made it miss."""
    missed: Sequence[str] = [str(verdict) for verdict in found.verdicts if not verdict.passed]
    if missed:
        raise GateFailed("; ".join(missed))
    if found.failed:
        raise PartlyDone(
            f"{len(found.failed)} questions failed and count as zero; the first: {found.failed[0]}"
        )
