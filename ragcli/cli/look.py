"""Commands that look inside: status, list, show, embed, similarity, models, config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ragcli.cli.options import Format, FormatOption, ModelOption, read_query
from ragcli.cli.program import Context, app
from ragcli.errors import NOTHING_FOUND, UsageError
from ragcli.settings import NAMES

if TYPE_CHECKING:
    from ragcli.embed import Embedder


@app.command("status", epilog="Example: rag status --format json")
def status_command(ctx: typer.Context, output: FormatOption = Format.text) -> None:
    """Say what is in the index. Also how it was made, how many files have changed since, and what is not finished."""
    from ragcli.pipeline.inspect import status
    from ragcli.render.records import dump
    from ragcli.render.tables import print_pairs

    context: Context = ctx.obj
    found = status(context.folder(), context.settings())
    if output is not Format.text:
        context.terminal.out(dump(found))
        return
    model, sizes = found["model"], found["bytes"]
    print_pairs(
        context.terminal,
        [
            ("index", found["index"]),
            ("documents", str(found["documents"])),
            ("chunks", str(found["chunks"])),
            ("generation", str(found["generation"])),
            ("model", f"{model['spec']}, {model['dimensions']} dimensions, {model['measure']}"),
            ("signature", model["signature"]),
            *((("made by", model["runtime"]),) if model["runtime"] else ()),
            ("languages", f"{', '.join(found['languages'])}, and Chinese, Japanese and Korean"),
            ("size", ", ".join(f"{part} {size / 1e6:.1f} MB" for part, size in sizes.items())),
            (
                "stale files",
                f"{found['stale']}{' (`rag index` brings them up to date)' if found['stale'] else ''}",
            ),
            ("updated", found["updated"]),
            *(
                (("before", f"{found['previous']} (`rag index --rollback` returns to it)"),)
                if found["previous"]
                else ()
            ),
            *(("indexed", _with_excluded(root, found["excluded"].get(root, ()))) for root in found["roots"]),
            *(
                ("unfinished", f"{root} (`rag index` goes on with it, where it is not under way)")
                for root in found["unfinished"]
            ),
        ],
    )


def _with_excluded(root: str, globs: Sequence[str]) -> str:
    """A path that is indexed, and what of it was left out for good."""
    return f"{root} without {', '.join(globs)} (until `rag index {root}`)" if globs else root


@app.command("list", epilog="Example: rag list --format jsonl | jq -r .path")
def list_command(
    ctx: typer.Context,
    suspicious: Annotated[
        bool,
        typer.Option(
            "--flagged", help="Those with passages that look like instructions to a model, and which."
        ),
    ] = False,
    output: FormatOption = Format.text,
) -> None:
    """List the documents of the index. In a pipe: document, title, format, language, chunks, tokens, modified."""
    from ragcli.pipeline.inspect import documents, flagged
    from ragcli.render.records import dump
    from ragcli.render.tables import print_documents, print_flagged

    context: Context = ctx.obj
    rows = (flagged if suspicious else documents)(context.folder(), context.settings())
    if output is Format.text:
        (print_flagged if suspicious else print_documents)(context.terminal, rows)
    elif output is Format.json:
        context.terminal.out(dump({"documents": rows}))
    else:
        for row in rows:
            context.terminal.out(dump(row))
    if not rows:
        raise typer.Exit(NOTHING_FOUND)


@app.command("show", epilog="Example: rag show 3f2a (an id, or its beginning, from rag search)")
def show_command(
    ctx: typer.Context,
    chunk: Annotated[str, typer.Argument(metavar="ID", help="A chunk's id or its beginning, or a document.")],
    output: FormatOption = Format.text,
) -> None:
    """Show a chunk with its neighbours. Of a document, all chunks."""
    from ragcli.pipeline.inspect import neighbourhood
    from ragcli.render.passages import display_path, lead_line, passage, written_line
    from ragcli.render.records import chunk_record, dump
    from ragcli.render.terminal import one_line
    from ragcli.types import place

    context: Context = ctx.obj
    found, home = neighbourhood(context.folder(), context.settings(), chunk)
    if output is Format.json:
        rows = [
            {"document": s.chunk.document, "wanted": wanted, **chunk_record(s.chunk)} for s, wanted in found
        ]
        context.terminal.out(dump({"chunks": rows}))
        return
    for stored, wanted in found:
        if output is Format.jsonl:
            row = {"document": stored.chunk.document, "wanted": wanted, **chunk_record(stored.chunk)}
            context.terminal.out(dump(row))
            continue
        shown = stored.chunk
        where = place(display_path(stored.path, home), shown.page, shown.lines, shown.page_label)
        context.terminal.out(f"{'>' if wanted else ' '} {one_line(where)}  {shown.id}  {shown.tokens} tokens")
        if shown.written:
            context.terminal.out(written_line(shown.written))
        if shown.lead:
            context.terminal.out(lead_line(shown.lead))
        context.terminal.out(passage(shown.text))
        context.terminal.out()


@app.command("embed", epilog='Example: rag embed "a text" --format json | jq ".vector | length"')
def embed_command(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The text; - reads it from standard input.")],
    model: ModelOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Print a text's vector. It is of unit length where the model compares by cosine."""
    from ragcli.render.records import dump

    context: Context = ctx.obj
    words = _no_blank(read_query(text))
    embedder = _model(context, model)
    vector = [round(float(value), 8) for value in embedder.embed_documents([words])[0]]
    if output is Format.text:
        context.terminal.out(" ".join(f"{value:.8g}" for value in vector))
    else:
        told = {"model": embedder.spec, "signature": embedder.signature, "dimensions": len(vector)}
        context.terminal.out(
            dump({**told, "tokens": embedder.tokenizer.counts([words])[0], "vector": vector})
        )
    if embedder.tokenizer.counts([words])[0] > embedder.max_tokens:
        context.terminal.note(f"note: the model read only the first {embedder.max_tokens} tokens of the text")


@app.command("similarity", epilog='Example: rag similarity "a lost sensor" "the probe went missing"')
def similarity_command(
    ctx: typer.Context,
    one: Annotated[str, typer.Argument(metavar="A", help="A text.")],
    other: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    model: ModelOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Say how alike two texts are.

    It is the cosine of their vectors, between -1 and 1; of a model that asks for another measure,
    their dot product, or their Euclidean distance below zero.
    """
    from ragcli.embed import closeness
    from ragcli.render.records import dump

    context: Context = ctx.obj
    texts = [_no_blank(one), _no_blank(other)]
    embedder = _model(context, model)
    vectors = embedder.embed_documents(texts)
    alike = round(float(closeness(embedder.measure, vectors[:1], vectors[1])[0]), 6)
    if output is Format.text:
        context.terminal.out(f"{alike:.4f}")
    else:
        told = {"model": embedder.spec, "measure": embedder.measure, "similarity": alike}
        context.terminal.out(dump(told))


@app.command("models", epilog="Example: rag models")
def models_command(ctx: typer.Context, output: FormatOption = Format.text) -> None:
    """List models at hand, and services. The former need no network."""
    from ragcli.embed import known_models
    from ragcli.pipeline.inspect import model_in_use
    from ragcli.render.records import dump, service_records
    from ragcli.render.tables import print_pairs, service_pairs

    context: Context = ctx.obj
    note = model_in_use(context.folder(), context.settings())
    used = note.spec if note else None
    rows = [{"model": name, "source": source, "in_use": name == used} for name, source in known_models()]
    if used is not None and not any(row["in_use"] for row in rows):
        rows.append({"model": used, "source": "folder or service", "in_use": True})
    if output is Format.text:
        pairs = [
            (str(row["model"]), f"{row['source']}{', in use here' if row['in_use'] else ''}") for row in rows
        ]
        print_pairs(context.terminal, pairs)
        context.terminal.out()
        print_pairs(context.terminal, service_pairs(service_records()))
    elif output is Format.json:
        context.terminal.out(dump({"models": rows, "services": service_records()}))
    else:  # a line is a model
        for row in rows:
            context.terminal.out(dump(row))


@app.command("config", epilog="Example: rag config --format json")
def config_command(ctx: typer.Context, output: FormatOption = Format.text) -> None:
    """Print every setting in force. And where each came from."""
    from ragcli.pipeline.inspect import settings_of_index
    from ragcli.render.records import dump
    from ragcli.render.tables import print_table

    context: Context = ctx.obj
    resolved = context.resolved()
    values: dict[str, object] = {name: getattr(resolved.settings, name) for name in NAMES}
    values["index"] = str(context.folder())
    origins = dict(resolved.origins)
    for name, value in settings_of_index(context.folder(), resolved.settings).items():
        if values[name] is None and value is not None:
            values[name], origins[name] = value, "index"
    if output is Format.text:
        rows = [
            [name, "not set" if value is None else str(value), origins[name]]
            for name, value in values.items()
        ]
        print_table(context.terminal, ["setting", "value", "from"], rows, set())
        return
    rows_told = [{"setting": name, "value": value, "from": origins[name]} for name, value in values.items()]
    if output is Format.json:
        context.terminal.out(dump({"settings": rows_told}))
    else:
        for row in rows_told:
            context.terminal.out(dump(row))


def _no_blank(text: str) -> str:
    """``text``, or ``UsageError`` where there is nothing to read."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError("the text is not valid UTF-8; give it on standard input: rag embed -") from None
    if not text.strip():
        raise UsageError("the text is empty; give some words")
    return text


def _model(context: Context, model: str | None) -> Embedder:
    from ragcli.pipeline.inspect import model_in_use
    from ragcli.pipeline.model import open_model
    from ragcli.settings import DEFAULT_MODEL

    settings = context.settings(model=model)
    note = model_in_use(context.folder(), settings) if settings.model is None else None
    dims = note.dims if note else settings.dims
    spec = settings.model or (note.spec if note else DEFAULT_MODEL)
    return open_model(spec, settings, dims)
