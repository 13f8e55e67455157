"""``rag doctor``, ``rag export`` and ``rag import``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ragcli.cli.options import Format, FormatOption, WaitOption
from ragcli.cli.program import Context, app

_ForceOption = Annotated[bool, typer.Option("--force", help="Replace what is there.")]


@app.command("doctor", epilog="Example: rag doctor")
def doctor_command(
    ctx: typer.Context,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what is wrong, without embedding anything.")
    ] = False,
    wait: WaitOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Check every part of the index against the others and the files."""
    from ragcli.pipeline.examine import examine
    from ragcli.pipeline.repair import repair as mend
    from ragcli.render.records import dump, examination_record
    from ragcli.render.tables import print_examination

    context: Context = ctx.obj
    terminal, settings = context.terminal, context.settings(wait=wait)
    look = mend if repair else examine
    found = look(context.folder(), settings, tell=terminal.detail)
    found.findings = [
        replace(finding, mend=tuple(map(context.typed, finding.mend))) for finding in found.findings
    ]
    if output is Format.text:
        print_examination(terminal, found)
    else:
        terminal.out(dump(examination_record(found)))
    error = found.error()
    if error is not None:
        raise error


@app.command("export", epilog="Example: rag export notes.rag")
def export_command(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    force: _ForceOption = False,
    output: FormatOption = Format.text,
) -> None:
    """Write the whole index into one file, to carry it to another machine."""
    from ragcli.pipeline.carry import export_index
    from ragcli.render.records import dump
    from ragcli.render.tables import counted

    context: Context = ctx.obj
    manifest = export_index(context.folder(), context.settings(), file, force=force)
    if output is Format.text:
        size = file.stat().st_size / 1e6
        documents, chunks = counted(manifest["documents"], "document"), counted(manifest["chunks"], "chunk")
        context.terminal.out(f"wrote {file}: {documents}, {chunks}, {size:.1f} MB")
    else:
        context.terminal.out(dump({"file": str(file), **manifest}))


@app.command("import", epilog="Example: rag import notes.rag")
def import_command(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `rag export` wrote.")],
    force: _ForceOption = False,
    wait: WaitOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Make an exported index answer here. Nothing is embedded."""
    from ragcli.pipeline.carry import import_index
    from ragcli.render.records import dump
    from ragcli.render.tables import counted

    context: Context = ctx.obj
    settings, folder = context.settings(wait=wait), context.folder()
    manifest = import_index(folder, settings, file, force=force, tell=context.terminal.note)
    if output is Format.text:
        documents, chunks = counted(manifest["documents"], "document"), counted(manifest["chunks"], "chunk")
        context.terminal.out(f"{folder}: {documents}, {chunks}, made with {manifest['model']}")
    else:
        context.terminal.out(dump({"index": str(folder), **manifest}))
