"""The dense projection: a Chroma collection of the chunks' vectors.

The collection is called ``chunks``, measures cosine distance, and carries documents and metadata,
so that any Chroma client can query it. Chroma's own lists never leave this file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ragcli.catalog import Catalog, StoredChunk
from ragcli.store.projection import marker_stamp
from ragcli.store.trouble import trouble

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_T = TypeVar("_T")

COLLECTION = "chunks"
_VERSION = 1
_BATCH = 2000
# One thread builds the graph the same way each time. The width of the search is well over
# Chroma's default, which misses one exact neighbour in ten on hard vectors.
_HNSW = {"space": "cosine", "ef_construction": 200, "max_neighbors": 32, "ef_search": 400, "num_threads": 1}


class DenseStore:
    """Chunks by their vectors."""

    def __init__(self, folder: Path, signature: str) -> None:
        self.folder = folder
        self._signature = signature
        self._client: Any = None
        self._made: tuple[int, int] | None = None

    @property
    def form(self) -> str:
        return f"chroma:{_VERSION}:{self._signature}"

    def close(self) -> None:
        """Make Chroma forget the folder: it keeps one system a path for the whole process."""
        if self._client is None:
            return
        self._client = None
        _forget_systems()

    def is_whole(self, catalog: Catalog) -> bool:  # noqa: ARG002
        made = marker_stamp(self.folder)
        if self._client is not None and self._made != made:
            self.close()  # an open client never sees what another process wrote
        self._made = made
        engine = self.folder / "chroma.sqlite3"
        try:
            with engine.open("rb") as file:
                return file.read(16) == b"SQLite format 3\0"
        except OSError:
            return False

    def apply(self, catalog: Catalog, since: int) -> int:
        collection = self._collection(create=not since)
        gone = catalog.gone_since(since) if since else []
        try:
            for ids in _batches(gone):
                collection.delete(ids=ids)
            for batch in _batches(catalog.chunks_since(since)):
                ids = [stored.chunk.id for stored in batch]
                collection.upsert(
                    ids=ids,
                    embeddings=catalog.vectors_of(ids, self._signature),
                    documents=[stored.chunk.text for stored in batch],
                    metadatas=[_metadata(stored) for stored in batch],
                )
        except Exception as error:  # Chroma raises whatever its engine raises.
            raise trouble("the Chroma collection", error, anew=not since) from error
        # A process that stays open must not go on with what it read before.
        self.close()
        return 0

    def search(self, vector: NDArray[np.float32], limit: int) -> list[str]:
        """Ids of the chunks nearest to a vector of shape (dim,), nearest first.

        Raises ``IndexDamaged`` when Chroma cannot answer.
        """
        collection = self._collection(create=False)
        try:
            count = collection.count()
            if not count:
                return []
            found = collection.query(query_embeddings=[vector], n_results=min(limit, count), include=[])
        except Exception as error:  # Chroma raises whatever its engine raises.
            raise trouble("the Chroma collection", error) from error
        return [str(chunk) for chunk in found["ids"][0]]

    def _collection(self, *, create: bool) -> Any:
        os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
        import chromadb
        from chromadb.config import Settings

        if self._client is None:
            settings = Settings(anonymized_telemetry=False)
            try:
                self._client = chromadb.PersistentClient(path=str(self.folder), settings=settings)
            except Exception as error:
                _forget_systems()  # else the broken one is handed out again
                raise trouble("the Chroma collection", error, anew=create) from error
        try:
            if create:
                return self._client.get_or_create_collection(
                    COLLECTION, embedding_function=None, configuration={"hnsw": _HNSW}
                )
            return self._client.get_collection(COLLECTION, embedding_function=None)
        except Exception as error:
            raise trouble("the Chroma collection", error, anew=create) from error


def _forget_systems() -> None:
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient.clear_system_cache()


def _batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def _metadata(stored: StoredChunk) -> dict[str, str | int | float | bool]:
    """What a Chroma client sees of a chunk beside its text; absent values are left out."""
    chunk = stored.chunk
    values: dict[str, str | int | float | bool | None] = {
        **{f"metadata.{key}": value for key, value in stored.metadata.items()},
        "document": chunk.document,
        "path": stored.path,
        "record": stored.record,
        "title": stored.title,
        "heading": " > ".join(chunk.heading),
        "language": stored.language,
        "page": chunk.page,
        "first_line": chunk.lines[0] if chunk.lines else None,
        "last_line": chunk.lines[1] if chunk.lines else None,
        "start": chunk.start,
        "end": chunk.end,
    }
    return {key: value for key, value in values.items() if value is not None}
