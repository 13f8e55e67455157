"""``rag index`` and ``rag remove``."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragcli.analyze import Analyzer
from ragcli.cli.options import (
    ChunkerOption,
    ContextOption,
    Format,
    FormatOption,
    LlmOption,
    MaskOption,
    ModelOption,
    OcrOption,
    PasswordOption,
    TrustOption,
    WaitOption,
)
from ragcli.cli.program import Context, app
from ragcli.errors import PartlyDone, UsageError

# Failures named one by one; of a folder with more, the others are counted.
_SHOWN = 40

if TYPE_CHECKING:
    from ragcli.pipeline.report import BuildReport, Progress, TokenCap
    from ragcli.render.terminal import Terminal
    from ragcli.settings import Settings


@app.command("index", epilog="Example: rag index sample_docs")
def index_command(
    ctx: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH…", help="Files and folders; without any, those of the index."),
    ] = None,
    model: ModelOption = None,
    dims: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Take only the first N dimensions of the model (default: all)."
        ),
    ] = None,
    chunk_size: Annotated[
        int | None, typer.Option(metavar="N", min=16, help="Most tokens of a chunk (default: 254).")
    ] = None,
    overlap: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Tokens that chunks share (default: 0).")
    ] = None,
    chunker: ChunkerOption = None,
    what: ContextOption = None,
    llm: LlmOption = None,
    languages: Annotated[
        str | None,
        typer.Option(
            metavar="LIST", help="Languages whose inflections are searched as one word (default: en)."
        ),
    ] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB",
            help="Only look at files that match; the others stay as they are. May be repeated.",
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB",
            help="No files that match; those that are indexed leave. Remembered for these paths. May be repeated.",
        ),
    ] = None,
    no_ignore: Annotated[
        bool, typer.Option("--no-ignore", help="Do not heed .gitignore and .ragignore.")
    ] = False,
    max_tokens: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Most tokens that services are sent, to embed and to write contexts; the same command carries on.",
        ),
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            min=0,
            help="Most that they may cost, at the prices that embed_price and llm_price set.",
        ),
    ] = None,
    batch_api: Annotated[
        bool,
        typer.Option("--batch-api", help="Embed through the service's batch endpoint: later, and for less."),
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would be done, and change nothing.")] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Read everything again; known vectors are kept.")
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Also take out documents whose whole folder is gone.")
    ] = False,
    gate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GATE",
            help="Let another model take over only if it gives METRIC=VALUE, or is not worse than the old one: "
            "old. May be repeated.",
        ),
    ] = None,
    queries: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Questions of the gate: queries.jsonl.")
    ] = None,
    qrels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judgements of the gate: qrels.tsv.")
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Return to what answered before the model was changed.")
    ] = False,
    mask_secrets: MaskOption = None,
    password: PasswordOption = None,
    ocr: OcrOption = None,
    jobs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Processes that read files, and threads of the model."),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE", help="Where the model reads documents, as in cuda or mps (default: auto)."
        ),
    ] = None,
    trust: TrustOption = None,
    wait: WaitOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Load, chunk, embed and store documents. Only what changed costs anything."""
    from ragcli.pipeline.gate import read_gate
    from ragcli.pipeline.means import means_of
    from ragcli.pipeline.report import BuildOptions
    from ragcli.pipeline.survey import Selection
    from ragcli.pipeline.update import plan as make_plan
    from ragcli.pipeline.update import roll_back, update
    from ragcli.render.records import build_record, dump
    from ragcli.render.tables import build_summary, counted, coverage_note

    context: Context = ctx.obj
    terminal = context.terminal
    settings = context.reading(
        wait=wait, languages=languages, ocr=ocr, trust=trust, context=what, llm=llm, mask_secrets=mask_secrets,
        jobs=jobs, device=device,
    )  # fmt: skip
    if settings.jobs is not None:
        os.environ["OMP_NUM_THREADS"] = str(settings.jobs)  # which every library of numbers heeds
    options = BuildOptions(
        model=model,
        dims=dims,
        chunk_size=chunk_size or settings.chunk_size,
        overlap=settings.overlap if overlap is None else overlap,
        chunker=chunker.value if chunker else settings.chunker,
        context=settings.context,
        languages=None if settings.languages is None else Analyzer.of(settings.languages),
        selection=Selection(tuple(include or ()), tuple(exclude or ()), not no_ignore),
        rebuild=rebuild,
        prune=prune,
        max_file_mb=settings.max_file_mb,
        means=means_of(settings, password or ()),
        file_seconds=settings.file_seconds,
        jobs=settings.jobs,
        batch_api=batch_api,
        cap=_cap(max_tokens, max_cost, settings),
        mask_secrets=settings.mask_secrets,
    )
    is_new = not context.folder().exists()
    if paths and not context.named() and context.folder().parent != Path.cwd().resolve():
        terminal.note(f"note: this goes into the index at {context.folder()}; --index .rag makes one here")
    news = False
    if rollback:
        if paths or model or dims or rebuild or plan:
            raise UsageError("--rollback stands alone; index again afterwards")
        report = roll_back(context.folder(), settings, command=_command(), tell=terminal.note)
    elif plan:
        with _progress(context) as progress:
            report = make_plan(context.folder(), settings, paths or [], options, progress)
    else:
        wanted = read_gate(gate or [], queries, qrels)
        with _progress(context) as progress:
            report, news = update(
                context.folder(), settings, paths or [], options, progress,
                command=_command(), tell=terminal.note, gate=wanted,
            )  # fmt: skip
    if is_new and not plan:
        terminal.detail(f"made a new index at {context.folder()}")
    if output is Format.text:
        for line in build_summary(report, plan=plan):
            terminal.out(line)
    else:
        terminal.out(dump(build_record(report)))
    for path, reason in report.left_out:
        terminal.detail(f"left out: {path}: {reason}")
    if news:
        terminal.note(coverage_note(report))
    if report.doubt:
        terminal.note(f"note: {report.model} is run by {report.runtime.partition(' (')[0]}: {report.doubt}")
    if report.in_parts:
        terminal.note(
            f"note: {counted(report.in_parts, 'text')} longer than {report.model} reads; "
            f"each was embedded in parts, whose mean stands for it"
        )
    _tell_failures(terminal, report, plan=plan)
    if report.contexts is not None and report.contexts.missing:
        raise PartlyDone(
            f"{report.contexts.missing} contexts could not be had ({report.contexts.failure}); their chunks are "
            f"indexed without, and the same command asks for them again"
        )
    _tell_left(report, options.cap)


def _cap(tokens: int | None, cost: float | None, settings: Settings) -> TokenCap:
    """What may be spent. Raises ``UsageError`` for a cost where nothing has a price."""
    from ragcli.pipeline.report import TokenCap

    if cost is not None and settings.embed_price is None and settings.llm_price is None:
        raise UsageError("--max-cost needs a price; set embed_price or llm_price, what a million tokens cost")
    return TokenCap(tokens, cost, settings.embed_price)


def _tell_left(report: BuildReport, cap: TokenCap) -> None:
    """Raise where the budget did not suffice."""
    left = report.left
    if not left.texts:
        return
    cost = cap.cost_of(left.tokens)
    price = f", for {cost:.2f}" if cost is not None and report.service else ""
    raise PartlyDone(
        f"the budget is spent: {left.texts} texts of {left.documents} documents are left to embed, about "
        f"{left.tokens} tokens{price}; what was done is kept, and the same command carries on"
    )


@contextmanager
def _progress(context: Context) -> Iterator[Progress]:
    """A progress bar for a run."""
    from ragcli.pipeline.report import Progress

    with context.terminal.progress("indexing") as bar:

        class Shown(Progress):
            def begin(self, total: int) -> None:
                bar.begin(total)

            def advance(self, done: int, embedded: int, written: int = 0) -> None:
                contexts = f"{written} contexts, " if written else ""
                bar.advance(done, f"{contexts}{embedded} embedded")

        yield Shown()


def _command() -> str:
    """The command line as others may see it: without passwords."""
    words = ["rag"]
    for before, word in pairwise(sys.argv):
        hidden = "…" if before == "--password" else re.sub(r"^(--password=).*", r"\1…", word, flags=re.DOTALL)
        words.append(hidden)
    return " ".join(words)[:200]


def _tell_failures(terminal: Terminal, report: BuildReport, *, plan: bool) -> None:
    """Name what failed; raise when anything did."""
    if not report.failures:
        return
    shown = report.failures if terminal.verbose else report.failures[:_SHOWN]
    for failure in shown:
        terminal.error(f"{failure.path}: {failure.message}")
    rest = Counter(failure.error for failure in report.failures[len(shown) :])
    if rest:
        kinds = ", ".join(f"{count} {error}" for error, count in rest.most_common())
        terminal.error(f"and {rest.total()} more ({kinds}); -v or --format json names them all")
    unread = [failure for failure in report.failures if failure.error != "missing"]
    kept = len(unread) < len(report.failures)
    if not unread:
        raise PartlyDone(
            f"{len(report.failures)} of the indexed paths cannot be found; nothing of them was lost"
        )
    told = f"{len(unread)} of the inputs could not be read"
    if report.added + report.changed + report.unchanged + report.removed == 0 and not kept:
        raise UsageError(f"{told}, and nothing else was there to index")
    if plan:
        raise PartlyDone(f"{told}; the rest would be indexed")
    raise PartlyDone(f"{told}; the rest is indexed, and the same command reads them when they have changed")


@app.command("remove", epilog="Example: rag remove sample_docs/faq.md")
def remove_command(
    ctx: typer.Context,
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH…", help="Documents, files or folders of the index.")
    ],
    wait: WaitOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Take documents out of the index; the files stay as they are."""
    from ragcli.pipeline.remove import remove
    from ragcli.render.records import dump
    from ragcli.render.tables import counted

    context: Context = ctx.obj
    documents, chunks = remove(
        context.folder(), context.settings(wait=wait), paths, tell=context.terminal.note
    )
    if output is Format.text:
        context.terminal.out(f"removed {counted(documents, 'document')}, {counted(chunks, 'chunk')}")
        context.terminal.note(
            "note: `rag index` on the folder brings them back; list them in .ragignore to prevent it"
        )
    else:
        context.terminal.out(dump({"removed": documents, "chunks": chunks}))
