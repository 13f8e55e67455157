"""A Chroma collection, read and written: by the engine that its own package carries, else by its client.

The client takes more than a second to import, the engine a tenth of that. The engine is no public
interface, so it is used only in versions that the tests hold against the client.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Versions, up to their second number, whose engine is known.
_KNOWN = ("1.5.",)
_TENANT, _DATABASE = "default_tenant", "default_database"
# The client's own share of the files that a process may open.
_SHARE = 5


class Rows(NamedTuple):
    """Some rows: ids, and vectors of shape (n, dim)."""

    ids: list[str]
    vectors: NDArray[np.float32]


class Reader(Protocol):
    """Reads one collection. A folder must not be open twice in one process."""

    @property
    def count(self) -> int:
        """How many rows there were when it was opened: what is written after that is never seen."""
        ...

    def nearest(self, vector: Sequence[float], limit: int) -> tuple[list[str], list[float]]:
        """Ids and distances of the rows nearest to a vector, nearest first."""
        ...

    def rows(self, limit: int, offset: int = 0) -> Rows:
        """So many rows, after so many."""
        ...


class Writer(Protocol):
    """Writes one collection. A folder must not be open twice in one process."""

    def put(
        self,
        ids: Sequence[str],
        vectors: NDArray[np.float32],
        metadatas: Sequence[dict[str, str | int]] | None = None,
    ) -> None:
        """Write rows, of which those that are there already are replaced; ``vectors`` of shape (n, dim).

        Without ``metadatas`` those that are there stay as they are.
        """
        ...

    def delete(self, ids: Sequence[str]) -> None:
        """Take rows out."""
        ...

    def write_graph_after(self, rows: int) -> None:
        """Set how many rows the log may hold before the graph is written."""
        ...


def open_reader(folder: Path, name: str) -> Reader:
    """The collection of that name in a folder. Raises whatever Chroma raises, and where there is none."""
    if not (folder / "chroma.sqlite3").is_file():  # whoever only reads makes nothing
        raise FileNotFoundError(f"{folder} has no Chroma collection")
    return EngineReader(folder, name) if _version().startswith(_KNOWN) else ClientReader(folder, name)


def open_writer(folder: Path, name: str, hnsw: Mapping[str, Any] | None = None) -> Writer:
    """The collection of that name in a folder, made with the settings ``hnsw`` where it is not there.

    Without them it must be there. Raises whatever Chroma raises.
    """
    kind = EngineWriter if _version().startswith(_KNOWN) else ClientWriter
    return kind(folder, name, hnsw)


def _version() -> str:
    """Chroma's, told by the folder that names it: ``importlib.metadata`` takes longer than opening Chroma."""
    found = find_spec("chromadb")
    beside = Path(found.origin).parent.parent if found and found.origin else None
    told = next(beside.glob("chromadb-*.dist-info"), None) if beside else None
    return told.name.removeprefix("chromadb-") if told else ""


def _open_engine(folder: Path) -> Any:
    import chromadb_rust_bindings as engine

    database = engine.SqliteDBConfig(
        hash_type=engine.MigrationHash.MD5, migration_mode=engine.MigrationMode.Apply,
        url=f"{folder}/chroma.sqlite3",
    )  # fmt: skip
    return engine.Bindings(
        allow_reset=False, sqlite_db_config=database, persist_path=str(folder),
        hnsw_cache_size=_open_files() // _SHARE,
    )  # fmt: skip


class EngineReader:
    """A collection, read by Chroma's engine."""

    def __init__(self, folder: Path, name: str) -> None:
        self._engine = _open_engine(folder)
        self._id = str(self._engine.get_collection(name, _TENANT, _DATABASE).id)

    @cached_property
    def count(self) -> int:
        return int(self._engine.count(self._id, _TENANT, _DATABASE))

    def nearest(self, vector: Sequence[float], limit: int) -> tuple[list[str], list[float]]:
        found = self._engine.query(
            self._id, None, [list(vector)], limit, None, None, ["distances"], _TENANT, _DATABASE
        )
        return list(found.ids[0]), list(found.distances[0])

    def rows(self, limit: int, offset: int = 0) -> Rows:
        import numpy as np

        found = self._engine.get(
            self._id, None, None, limit, offset, None, ["embeddings"], _TENANT, _DATABASE
        )
        return Rows(list(found.ids), np.asarray(found.embeddings, dtype=np.float32))


class EngineWriter:
    """A collection, written by Chroma's engine as its client has it written."""

    def __init__(self, folder: Path, name: str, hnsw: Mapping[str, Any] | None = None) -> None:
        self._engine = engine = _open_engine(folder)
        if hnsw is None:
            found = engine.get_collection(name, _TENANT, _DATABASE)
        else:
            told = json.dumps({"hnsw": dict(hnsw), "spann": None, "embedding_function": {"type": "legacy"}})
            found = engine.create_collection(name, told, None, None, True, _TENANT, _DATABASE)
        self._id = str(found.id)

    def put(
        self,
        ids: Sequence[str],
        vectors: NDArray[np.float32],
        metadatas: Sequence[dict[str, str | int]] | None = None,
    ) -> None:
        told = None if metadatas is None else list(metadatas)
        self._engine.upsert(self._id, list(ids), list(vectors), told, None, None, _TENANT, _DATABASE)

    def delete(self, ids: Sequence[str]) -> None:
        self._engine.delete(self._id, list(ids), None, None, None, _TENANT, _DATABASE)

    def write_graph_after(self, rows: int) -> None:
        self._engine.update_collection(self._id, None, None, json.dumps({"hnsw": {"sync_threshold": rows}}))


class ClientReader:
    """A collection, read by Chroma's public client."""

    def __init__(self, folder: Path, name: str) -> None:
        self._collection = open_client(folder).get_collection(name, embedding_function=None)

    @cached_property
    def count(self) -> int:
        return int(self._collection.count())

    def nearest(self, vector: Sequence[float], limit: int) -> tuple[list[str], list[float]]:
        found = self._collection.query(
            query_embeddings=[list(vector)], n_results=limit, include=["distances"]
        )
        return found["ids"][0], found["distances"][0]

    def rows(self, limit: int, offset: int = 0) -> Rows:
        import numpy as np

        found = self._collection.get(limit=limit, offset=offset, include=["embeddings"])
        return Rows(found["ids"], np.asarray(found["embeddings"], dtype=np.float32))


class ClientWriter:
    """A collection, written by Chroma's public client."""

    def __init__(self, folder: Path, name: str, hnsw: Mapping[str, Any] | None = None) -> None:
        client = open_client(folder)
        if hnsw is None:
            self._collection = client.get_collection(name, embedding_function=None)
        else:
            self._collection = client.get_or_create_collection(
                name, embedding_function=None, configuration={"hnsw": dict(hnsw)}
            )

    def put(
        self,
        ids: Sequence[str],
        vectors: NDArray[np.float32],
        metadatas: Sequence[dict[str, str | int]] | None = None,
    ) -> None:
        told = None if metadatas is None else list(metadatas)
        self._collection.upsert(ids=list(ids), embeddings=vectors, metadatas=told)

    def delete(self, ids: Sequence[str]) -> None:
        self._collection.delete(ids=list(ids))

    def write_graph_after(self, rows: int) -> None:
        with warnings.catch_warnings():
            # Chroma finds it old-fashioned that a collection has no embedding function of its own.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._collection.modify(configuration={"hnsw": {"sync_threshold": rows}})


def open_client(folder: Path) -> Any:
    """Chroma's client on a folder. Raises whatever Chroma raises."""
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    import chromadb
    from chromadb.config import Settings

    try:
        return chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
    except BaseException:
        forget_clients()  # else the broken one is handed out again
        raise


def forget_clients() -> None:
    """Have Chroma's client close what it has open: it keeps one system a path for the whole process."""
    if "chromadb" in sys.modules:
        from chromadb.api.shared_system_client import SharedSystemClient

        SharedSystemClient.clear_system_cache()


def _open_files() -> int:
    """How many files this process may open."""
    if sys.platform == "win32":
        import ctypes

        return int(ctypes.windll.msvcrt._getmaxstdio())
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
