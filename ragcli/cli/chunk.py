"""``rag chunk``: how a file is cut, on the screen, as JSON and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragcli.cli.options import (
    ChunkerOption,
    ContextOption,
    Format,
    FormatOption,
    ModelOption,
    OcrOption,
    PasswordOption,
    TrustOption,
    check_free,
)
from ragcli.cli.program import Context, app
from ragcli.errors import PartlyDone, UsageError

if TYPE_CHECKING:
    from ragcli.render.chunks import CutDocuments


@app.command("chunk", epilog="Example: rag chunk sample_docs/faq.md --html faq.html")
def chunk_command(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to cut.")],
    model: ModelOption = None,
    chunker: ChunkerOption = None,
    what: ContextOption = None,
    chunk_size: Annotated[
        int | None, typer.Option(metavar="N", min=16, help="Most tokens of a chunk (default: 254).")
    ] = None,
    overlap: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Tokens that chunks share (default: 0).")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Also write a page: the text with its chunks coloured."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the page where it is there.")] = False,
    password: PasswordOption = None,
    ocr: OcrOption = None,
    trust: TrustOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Show how a file is cut. No index is needed or changed."""
    from ragcli.pipeline.inplace import chunk_file
    from ragcli.render.chunks import print_chunks
    from ragcli.render.records import chunk_record, dump

    context: Context = ctx.obj
    if file.is_dir():
        raise UsageError(f"{file} is a folder; name a file")
    check_free(page, [file], force=force)
    settings = context.reading(
        model=model, chunk_size=chunk_size, overlap=overlap, chunker=chunker.value if chunker else None,
        ocr=ocr, trust=trust, context=what,
    )  # fmt: skip
    found, failures = chunk_file(file, settings, password or (), folder=context.folder())
    if page is not None and found:
        _write_page(page, found, file)
    rows = [{"document": document.id, **chunk_record(chunk)} for document, cut in found for chunk in cut]
    if output is Format.json:
        context.terminal.out(dump({"chunks": rows}))
    elif output is Format.jsonl:
        for row in rows:
            context.terminal.out(dump(row))
    else:
        print_chunks(context.terminal, found)
    if len(failures) == 1 and not rows:
        raise UsageError(f"{failures[0].path}: {failures[0].message}")
    for failure in failures:
        context.terminal.error(f"{failure.path}: {failure.message}")
    if failures and not rows:
        raise UsageError(f"nothing of {file} can be read")
    if failures:
        raise PartlyDone(f"{len(failures)} parts of {file} could not be read")


def _write_page(page: Path, found: CutDocuments, file: Path) -> None:
    from ragcli.disk import replace_text
    from ragcli.render.chunkpage import chunk_page

    try:
        replace_text(page, chunk_page(found, title=file.name))
    except OSError as error:
        raise UsageError(f"cannot write {page}: {error.strerror or error}") from error
