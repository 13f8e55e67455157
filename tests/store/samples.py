"""Documents, chunks and vectors to fill a catalogue with, without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ragcli.catalog import Catalog, content_hash
from ragcli.types import Chunk, Document, Scalar

SIGNATURE = "test:8"
NOW = "2026-11-01T00:00:00+00:00"


def make_document(
    name: str,
    text: str,
    *,
    title: str = "",
    record: str | None = None,
    metadata: Mapping[str, Scalar] | None = None,
) -> Document:
    path = name.split("#")[0]
    return Document(
        id=name, path=path, record=record, title=title, format="text", language="en", text=text, blocks=(),
        lines=None, pages=None, sha256="0" * 64, modified=NOW, metadata=metadata or {},
    )  # fmt: skip


def make_chunks(document: Document, *spans: tuple[int, int]) -> list[Chunk]:
    """Chunks at the spans; without spans one for each line."""
    if not spans:
        ends = [at for at, character in enumerate(document.text + "\n") if character == "\n"]
        spans = tuple(zip([0, *(end + 1 for end in ends)], ends, strict=False))
    return [
        Chunk(
            id=content_hash(f"{document.id} {document.title} {start} {document.text[start:end]}")[:16],
            document=document.id, ordinal=ordinal, start=start, end=end, text=document.text[start:end],
            context=document.title, heading=(document.title,) if document.title else (), page=None,
            lines=(1, 2), tokens=3,
        )
        for ordinal, (start, end) in enumerate(spans)
    ]  # fmt: skip


def vector_of(text: str) -> np.ndarray:
    """A unit vector of 8 dimensions that depends on the text alone."""
    vector = np.random.default_rng(int(content_hash(text)[:12], 16)).normal(size=8).astype(np.float32)
    return vector / np.linalg.norm(vector)


def put(catalog: Catalog, *documents: Document, drop: Sequence[str] = ()) -> list[str]:
    """One generation in which documents come, change and go; the ids of the chunks that came."""
    chunks = {document.id: make_chunks(document) for document in documents}
    texts = [chunk.embedded_text for found in chunks.values() for chunk in found]
    if texts:
        vectors = np.stack([vector_of(text) for text in texts])
        catalog.put_vectors([content_hash(text) for text in texts], SIGNATURE, vectors)
    with catalog.transaction():
        generation = catalog.begin_generation()
        for document in documents:
            catalog.put_document(document, chunks[document.id], NOW, generation)
        for name in drop:
            catalog.drop_document(name, generation)
    return [chunk.id for found in chunks.values() for chunk in found]
