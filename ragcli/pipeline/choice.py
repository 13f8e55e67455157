"""Which model an indexing run embeds with: the index's own, or another that was asked for."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from ragcli.embed import Embedder, find_model, open_embedder, open_tokenizer, weights_hash
from ragcli.errors import IndexMismatch
from ragcli.pipeline.index import Index, ModelNote
from ragcli.settings import DEFAULT_MODEL
from ragcli.tokens import TokenCounter


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model as far as chunking needs it; ``embedder`` where it had to be loaded."""

    spec: str
    signature: str
    max_tokens: int
    counter: TokenCounter
    embedder: Embedder | None


def choose_model(index: Index, asked: str | None) -> ModelChoice:
    """The model for a run; it is loaded only where it cannot be helped.

    Raises ``IndexMismatch`` where the settings name another model than the index was made with,
    or the model's name now stands for other weights, and nobody asked for a change.
    """
    note = index.model()
    if note is None:
        return _loaded(asked or index.settings.model, index)
    if asked is None and index.settings.model is not None:
        other = find_model(index.settings.model).spec
        if other != note.spec:
            raise IndexMismatch(
                f"the index was made with {note.spec}, but the settings name {other}; "
                f"run `rag index --model {shlex.quote(other)}` to change over, "
                f"or `rag index --model {shlex.quote(note.spec)}` to keep it"
            )
    files = find_model(asked or note.spec)
    if files.spec == note.spec:
        weights = weights_hash(files.folder)[:16] if files.folder else ""
        if weights in note.signature:
            return _noted(note, index)
        if asked is None:
            raise IndexMismatch(
                f"the index was made with {note.signature}, but {note.spec} now has the weights {weights}; "
                f"run `rag index --model {shlex.quote(note.spec)}` to make it anew beside the old one"
            )
    return _loaded(files.spec, index)


def _noted(note: ModelNote, index: Index) -> ModelChoice:
    counter = open_tokenizer(find_model(note.spec)) or index.embedder.tokenizer
    return ModelChoice(note.spec, note.signature, note.max_tokens, counter, None)


def _loaded(spec: str | None, index: Index) -> ModelChoice:
    embedder = open_embedder(find_model(spec or DEFAULT_MODEL).spec, offline=index.settings.offline)
    return ModelChoice(embedder.spec, embedder.signature, embedder.max_tokens, embedder.tokenizer, embedder)
