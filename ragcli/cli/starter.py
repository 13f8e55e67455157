"""``rag eval --make-questions``: judged questions to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ragcli.cli.options import TableFormat
from ragcli.cli.program import Context
from ragcli.errors import PartlyDone, UsageError

if TYPE_CHECKING:
    from ragcli.pipeline.starter import Starter


def write_questions(
    context: Context,
    count: int,
    folder: Path | None,
    llm: str | None,
    output: TableFormat,
    *,
    force: bool,
    trust: bool | None,
) -> None:
    """Make questions from the index and write them to a folder. Raises ``PartlyDone`` where an LLM gave up."""
    from ragcli.evaluate.starter import check_starter, write_starter
    from ragcli.pipeline.starter import lies_in_index, make_questions

    if folder is None:
        raise UsageError("name a folder for the questions; say rag eval --make-questions N -o FOLDER")
    if output not in (TableFormat.table, TableFormat.json):
        raise UsageError("--make-questions prints table or json")
    check_starter(folder, force=force)
    settings = context.settings(llm=llm, trust=trust)
    with context.terminal.progress("making questions") as bar:
        bar.begin(count)
        starter = make_questions(context.folder(), settings, count, lambda done: bar.advance(done, ""))
    if not starter.questions:
        raise UsageError(_none(starter))
    write_starter(folder, starter.questions, force=force)
    _tell(context, starter, folder, count, output)
    if lies_in_index(context.folder(), settings, folder):
        context.terminal.note(
            f"note: {folder} lies in an indexed folder, where the next `rag index` takes the questions for "
            f"documents; write them elsewhere or name it in .ragignore"
        )
    if starter.failure is not None:
        raise PartlyDone(f"{len(starter.questions)} of {count} questions were made; {starter.failure}")


def _none(starter: Starter) -> str:
    if starter.skipped:
        return f"the LLM wrote no question that could be read ({starter.skipped} passages); try another --llm"
    return "no heading and no sentence leads to one document alone; write questions by hand or set --llm"


def _tell(context: Context, starter: Starter, folder: Path, count: int, output: TableFormat) -> None:
    import shlex

    from ragcli.evaluate.starter import QRELS, QUERIES
    from ragcli.render.records import dump

    made = {kind: n for kind in ("heading", "sentence", "llm") if (n := starter.count(kind))}
    files = {"queries": str(folder / QUERIES), "qrels": str(folder / QRELS)}
    if output is TableFormat.json:
        told = {"questions": len(starter.questions), "documents": starter.documents, "made": made}
        context.terminal.out(dump({**told, "skipped": starter.skipped, **files}))
    else:
        kinds = ", ".join(f"{n} by {kind}" for kind, n in made.items())
        context.terminal.out(
            f"{len(starter.questions)} questions for {starter.documents} documents ({kinds}): "
            f"{files['queries']}, {files['qrels']}"
        )
    if starter.skipped:
        context.terminal.note(f"{starter.skipped} passages gave no question that could be read")
    if len(starter.questions) < count and starter.failure is None:
        context.terminal.note(f"note: the index gives no more than {len(starter.questions)} questions")
    queries, qrels = (shlex.quote(file) for file in files.values())
    context.terminal.note(f"correct them by hand, then run `rag eval --queries {queries} --qrels {qrels}`")
