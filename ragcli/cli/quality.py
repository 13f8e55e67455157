"""``rag eval``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from ragcli.cli.options import FusionOption, TableFormat, WaitOption, WeightOption, existing
from ragcli.cli.program import Context, app
from ragcli.errors import PartlyDone, UsageError
from ragcli.types import Mode

if TYPE_CHECKING:
    from ragcli.evaluate import ModeReport


@app.command(
    "eval",
    epilog="Example: rag eval --queries sample_docs/eval/queries.jsonl --qrels sample_docs/eval/qrels.tsv",
)
def eval_command(
    ctx: typer.Context,
    queries: Annotated[
        Path, typer.Option(metavar="FILE", help="Questions: queries.jsonl with _id and text.")
    ],
    qrels: Annotated[
        Path, typer.Option(metavar="FILE", help="Judgements: qrels.tsv, query-id, corpus-id, score.")
    ],
    modes: Annotated[
        str, typer.Option(metavar="LIST", help="Modes to compare, with commas between.")
    ] = "lexical,dense,hybrid",
    fusion: FusionOption = None,
    dense_weight: WeightOption = None,
    wait: WaitOption = None,
    output: Annotated[
        TableFormat, typer.Option("--format", help="How to print the result.")
    ] = TableFormat.table,
) -> None:
    """Measure quality on judged questions. The modes stand side by side."""
    from ragcli.evaluate import read_qrels, read_queries
    from ragcli.pipeline.judge import judge
    from ragcli.render.records import dump, evaluation_record
    from ragcli.render.tables import print_evaluation

    context: Context = ctx.obj
    wanted = [mode.strip() for mode in modes.split(",") if mode.strip()]
    unknown = [mode for mode in wanted if mode not in get_args(Mode)]
    if unknown or not wanted:
        raise UsageError(f"--modes {modes}: use {', '.join(get_args(Mode))}")
    settings = context.settings(fusion=fusion, dense_weight=dense_weight, wait=wait)
    questions, judgements = read_queries(existing(queries)), read_qrels(existing(qrels))
    with context.terminal.progress("evaluating") as bar:
        bar.begin(len(wanted) * len(questions))
        judged, reports, missing = judge(
            context.folder(), settings, questions, judgements, wanted, lambda done: bar.advance(done, "")
        )
    if output is TableFormat.json:
        context.terminal.out(dump(evaluation_record(judged, reports)))
    else:
        print_evaluation(context.terminal, judged, reports)
    if missing:
        some = ", ".join(missing[:3])
        context.terminal.note(f"note: {len(missing)} judged documents are not in the index ({some} …)")
    _tell_failed(reports)


def _tell_failed(reports: dict[str, ModeReport]) -> None:
    failed = sorted({line for report in reports.values() for line in report.failed})
    if failed:
        raise PartlyDone(f"{len(failed)} questions failed and count as zero; the first: {failed[0]}")
