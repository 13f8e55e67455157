"""What an index holds, told without changing anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragcli.catalog import StoredChunk
from ragcli.embed import measure_of
from ragcli.errors import IndexMissing, RagError, UsageError
from ragcli.guard import Flag, shown
from ragcli.pipeline.editions import CATALOG, CHROMA, LEXICAL, read_editions
from ragcli.pipeline.freshness import stale_files
from ragcli.pipeline.index import Index, ModelNote
from ragcli.pipeline.survey import is_nameable
from ragcli.settings import Settings
from ragcli.types import Chunk


def status(folder: Path, settings: Settings) -> dict[str, Any]:
    """What is in the index, its model, its size on disk and how many of its files have changed."""
    with Index.open(folder, settings) as index:
        counts, model = index.catalog.counts("documents", "chunks"), index.model()
        roots = index.catalog.roots()
        return {
            "index": str(folder),
            "documents": counts["documents"],
            "chunks": counts["chunks"],
            "generation": index.catalog.generation,
            "model": {
                "spec": model.spec if model else "",
                "dimensions": model.dimensions if model else 0,
                "signature": model.signature if model else "",
                "measure": measure_of(model.signature if model else ""),
                "runtime": index.catalog.get("runtime") or "",
            },
            "languages": list(index.analyzer.languages),
            "bytes": {
                "catalog": sum(path.stat().st_size for path in index.place.glob(f"{CATALOG}*")),
                "chroma": _size(index.place / CHROMA),
                "lexical": _size(index.place / LEXICAL),
            },
            "stale": len(stale_files(index)),
            "updated": index.catalog.get("updated") or "",
            "roots": list(roots),
            "excluded": {root: chosen["exclude"] for root, chosen in roots.items() if chosen.get("exclude")},
            "unfinished": index.catalog.unfinished(),
            "previous": _previous(folder, settings),
        }


def settings_of_index(folder: Path, settings: Settings) -> dict[str, str | int | None]:
    """What an index was made with, by the names of the settings; nothing where there is none, or it is damaged."""
    try:
        with Index.open(folder, settings) as index:
            model = index.model()
            sizes = {name: index.catalog.get(name) for name in ("chunk_size", "overlap")}
            ways = {name: index.catalog.get(name) for name in ("chunker", "context")}
            languages = str(index.analyzer)
            masks = {"mask_secrets": True} if index.catalog.get("mask_secrets") == "1" else {}
    except RagError:
        return {}
    told: dict[str, str | int | None] = {name: int(value) for name, value in sizes.items() if value}
    told |= {name: value for name, value in ways.items() if value}
    note = {"model": model.spec, "dims": model.dims} if model else {}
    return {**note, **told, **masks, "languages": languages}


def _previous(folder: Path, settings: Settings) -> str | None:
    """The model of the edition that a rollback returns to."""
    name = read_editions(folder).previous
    if name is None:
        return None
    try:
        with Index.open_edition(folder, settings, name) as index:
            model = index.model()
            return model.spec if model else None
    except RagError:
        return None


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def documents(folder: Path, settings: Settings) -> list[dict[str, Any]]:
    """One mapping a document, ordered by id."""
    with Index.open(folder, settings) as index:
        return list(index.catalog.document_rows())


def flagged(folder: Path, settings: Settings) -> list[dict[str, Any]]:
    """The documents of which passages look like instructions to a model, each with its ``flags``.

    A flag has kind, the chunk's id, page and lines, and the words as they can be seen.
    """
    with Index.open(folder, settings) as index:
        found: dict[str, list[dict[str, Any]]] = {}
        for document, flag, stored in index.catalog.flagged():
            chunk = stored.chunk
            words = index.catalog.slice_of(document, flag.start, flag.end) or chunk.lead or stored.title
            kind = {"kind": flag.kind, "id": chunk.id, "page": chunk.page, "page_label": chunk.page_label}
            lines = _lines(chunk, flag)
            found.setdefault(document, []).append({**kind, "lines": lines, "words": shown(words)})
        rows = index.catalog.document_rows()
        return [{**row, "flags": found[row["document"]]} for row in rows if row["document"] in found]


def _lines(chunk: Chunk, flag: Flag) -> list[int] | None:
    """The lines that a flag stands on, or those of its chunk where they cannot be told."""
    if chunk.lines is None:
        return None
    first, last = chunk.lines
    if chunk.page is not None or last - first != chunk.text.count("\n") or flag.start == flag.end:
        return [first, last]
    start, end = max(0, flag.start - chunk.start), max(0, flag.end - chunk.start)
    return [first + chunk.text.count("\n", 0, start), first + chunk.text.count("\n", 0, end)]


def neighbourhood(
    folder: Path, settings: Settings, name: str
) -> tuple[Sequence[tuple[StoredChunk, bool]], Path]:
    """A chunk between its neighbours, or all chunks of a document; which were meant, and the home folder.

    Raises ``UsageError`` for a name that means nothing or more than one chunk.
    """
    if not is_nameable(name):
        raise UsageError("an id or a document's name is UTF-8; `rag list` shows them")
    with Index.open(folder, settings) as index:
        catalog = index.catalog
        found = catalog.chunks_by_prefix(name) if name else []
        if len(found) == 1:
            chunk = catalog.chunks(found)[found[0]].chunk
            around = catalog.chunks_of(chunk.document)
            near = [stored for stored in around if abs(stored.chunk.ordinal - chunk.ordinal) <= 1]
            return [(stored, stored.chunk.id == chunk.id) for stored in near], index.home
        if len(found) > 1:
            raise UsageError(f"{name} is the beginning of several ids; type more of it")
        for document in dict.fromkeys((name, index.name_of(Path(name)))):
            stored_chunks = catalog.chunks_of(document)
            if stored_chunks:
                return [(stored, True) for stored in stored_chunks], index.home
    raise UsageError(f"no chunk or document {name!r} in the index; `rag search` and `rag list` show ids")


def model_in_use(folder: Path, settings: Settings) -> ModelNote | None:
    """The model the index was made with; None where there is no index."""
    try:
        with Index.open(folder, settings) as index:
            return index.model()
    except IndexMissing:
        return None
