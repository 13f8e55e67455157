"""Which model an indexing run embeds with: the index's own, or another that was asked for."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from ragcli.embed import Embedder, find_model, is_service, service_identity, weights_hash
from ragcli.errors import IndexMismatch, UsageError
from ragcli.pipeline.index import Index, ModelNote
from ragcli.pipeline.model import counter_of, open_model, reads
from ragcli.settings import DEFAULT_MODEL
from ragcli.tokens import TokenCounter


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model as far as chunking needs it; ``embedder`` where it had to be loaded.

    ``dims`` is how many components of its vectors are taken, where that was said.
    """

    spec: str
    signature: str
    max_tokens: int
    counter: TokenCounter
    embedder: Embedder | None
    dims: int | None = None


def choose_model(index: Index, asked: str | None, dims: int | None, *, plan: bool = False) -> ModelChoice:
    """The model for a run, and how many dimensions of it; it is loaded only where it cannot be helped.

    An index keeps the dimensions that it has; another model begins with those of the settings. For
    a ``plan`` no service is asked for anything, so that the signature of one that the index does not
    know is that of no vectors.

    Raises ``IndexMismatch`` where the settings name another model than the index was made with,
    or the model's name now stands for other weights, and nobody asked for a change.
    """
    note = index.model()
    if note is None:
        return _loaded(asked or index.settings.model, index, dims or index.settings.dims, plan)
    if asked is None and index.settings.model is not None:
        other = find_model(index.settings.model).spec
        if other != note.spec:
            raise IndexMismatch(
                f"the index was made with {note.spec}, but the settings name {other}; "
                f"run `rag index --model {shlex.quote(other)}` to change over, "
                f"or `rag index --model {shlex.quote(note.spec)}` to keep it"
            )
    files = find_model(asked or note.spec)
    if files.spec != note.spec:
        return _loaded(files.spec, index, dims or index.settings.dims, plan)
    wanted = index.settings.dims
    if dims is None and wanted is not None and wanted != note.dimensions:
        raise IndexMismatch(
            f"the index was made with {note.dimensions} dimensions, but the settings name {wanted}; "
            f"run `rag index --dims {wanted}` to change over, or `rag index --dims {note.dimensions}` to keep them"
        )
    if dims is None or dims == note.dimensions:
        if is_service(files.spec):
            weights = service_identity(files.spec)
        else:
            weights = weights_hash(files.folder)[:16] if files.folder else ""
        if weights in note.signature:
            return _noted(note, index)
        if asked is None:
            raise IndexMismatch(
                f"the index was made with {note.signature}, but {note.spec} is now {weights.rstrip(':')}; "
                f"run `rag index --model {shlex.quote(note.spec)}` to make it anew beside the old one"
            )
    return _loaded(files.spec, index, dims or note.dims, plan)


def _noted(note: ModelNote, index: Index) -> ModelChoice:
    counter = counter_of(note.spec) or index.embedder.tokenizer
    limit = reads(note.spec, index.settings) if is_service(note.spec) else note.max_tokens
    return ModelChoice(note.spec, note.signature, limit, counter, None, note.dims)


def _loaded(spec: str | None, index: Index, dims: int | None, plan: bool) -> ModelChoice:
    """Raises ``UsageError`` where the model has fewer dimensions than are asked for."""
    files = find_model(spec or DEFAULT_MODEL)
    counter = counter_of(files.spec)
    if plan and counter is not None and is_service(files.spec):
        limit = reads(files.spec, index.settings)
        return ModelChoice(files.spec, service_identity(files.spec), limit, counter, None, dims)
    embedder = open_model(files.spec, index.settings, dims)
    if dims is not None and embedder.dimensions < dims:
        raise UsageError(
            f"{embedder.spec} has {embedder.dimensions} dimensions; --dims takes so many at most"
        )
    return ModelChoice(
        embedder.spec, embedder.signature, embedder.max_tokens, embedder.tokenizer, embedder, dims
    )
