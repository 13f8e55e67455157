"""``rag eval``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ragcli.cli.answerquality import evaluate_answers
from ragcli.cli.evaluating import Evaluating
from ragcli.cli.options import (
    CandidatesOption,
    FusionOption,
    LlmOption,
    RerankBudgetOption,
    RerankWeightOption,
    TableFormat,
    TrustOption,
    WaitOption,
    WeightOption,
    rerank_flags,
)
from ragcli.cli.program import Context, app
from ragcli.cli.searchquality import evaluate_search
from ragcli.cli.starter import write_questions
from ragcli.errors import UsageError

_MODES = "lexical,dense,hybrid"


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
    answers: Annotated[
        bool,
        typer.Option(
            "--answers",
            help="Measure answers: the questions' answers, answer and answerable tell what is right.",
        ),
    ] = False,
    modes: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Modes to compare, with commas between (default: lexical,dense,hybrid; of answers, the mode set).",
        ),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Metrics: ndcg, recall, mrr, map, precision, success @ a depth; "
            "with --spans span_recall, span_precision, span_iou; with --answers f1, exact_match, contains, answered, "
            "refusal, citation_recall and more.",
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
    llm: LlmOption = None,
    judge: Annotated[
        str | None, typer.Option(metavar="SPEC", help="LLM that grades the answers of --answers.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    trust: TrustOption = None,
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
    context: Context = ctx.obj
    if make_questions is not None:
        write_questions(context, make_questions, folder, llm, output, force=force, trust=trust)
        return
    if queries is None or (qrels is None and spans is None and not answers):
        raise UsageError(
            "judged questions are needed; say rag eval --queries FILE --qrels FILE (or --spans FILE, or --answers), "
            "or make some to begin with: rag eval --make-questions 50 -o FOLDER"
        )
    again = rerank_flags(None, reranker, rerank_candidates, rerank_weight, rerank_budget_ms)
    flags = {"fusion": fusion, "dense_weight": dense_weight, "wait": wait, **again}
    if modes is None:
        modes = context.settings().mode if answers else _MODES
    asked = Evaluating(
        context,
        queries,
        qrels,
        spans,
        modes,
        metrics,
        gate or (),
        rows,
        baseline,
        worst,
        report,
        force,
        output,
    )
    if answers:
        if tune:
            raise UsageError("--tune fits a search; leave out --answers")
        evaluate_answers(asked, {**flags, "llm": llm}, judge=judge)
    elif judge is not None:
        raise UsageError("--judge grades answers; add --answers")
    else:
        evaluate_search(asked, flags, tune=tune)
