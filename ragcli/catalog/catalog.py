"""The catalogue: one SQLite file that is the truth of an index.

It holds everything that cost work: the extracted texts, the chunks' spans, and the vectors keyed
by the hash of the embedded text and the model's signature, and what LLMs wrote of chunks. Whatever
else lies in the index folder is derived from it. Every committed change raises the generation by
one, and the chunks that came and went carry theirs, so that what is derived can be brought up to
date by replaying from its own generation.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.catalog.check import contradictions
from ragcli.catalog.contexts import Contexts
from ragcli.catalog.database import make_database, memory_database, open_database
from ragcli.errors import IndexDamaged
from ragcli.guard import Flag
from ragcli.jsontext import parse_json
from ragcli.types import Chunk, Document, Scalar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FileState:
    """What was known of a file when it was last read.

    ``failures`` are those of the file and of what lies within it: error, message and, for a file
    within it, its path.
    """

    path: str
    size: int
    changed_ns: int
    sha256: str
    recipe: str
    failures: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as the catalogue gives it back, with what a hit needs to know of its document."""

    chunk: Chunk
    path: str
    record: str | None
    title: str
    language: str
    metadata: Mapping[str, Scalar]


def content_hash(text: str) -> str:
    """Key of a text's vector: the first 32 hexadecimal digits of its sha256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _listed(query: str) -> str:
    """A query whose ``IN ?`` is given a JSON array: one look for all values takes a tenth of one for each."""
    return query.replace(" IN ?", " IN (SELECT value FROM json_each(?))")


class Catalog:
    """An open catalogue. One thread, one connection; a context manager."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection
        self.contexts = Contexts(connection)

    @classmethod
    def create(cls, path: Path) -> Catalog:
        """Make a new catalogue, or open the one that is there."""
        if not path.exists():
            make_database(path)
        return cls.open(path)

    @classmethod
    def in_memory(cls) -> Catalog:
        """An empty catalogue that lies nowhere and ends with the process."""
        return cls(Path(), memory_database())

    @classmethod
    def open(cls, path: Path) -> Catalog:
        """Open an existing catalogue.

        Raises ``IndexMismatch`` for one of another format and ``IndexDamaged`` for what is no
        catalogue.
        """
        return cls(path, open_database(path))

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens or nothing does."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read inside is of one moment."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")

    # -- what is known of the index as a whole -------------------------------------------------

    def get(self, key: str) -> str | None:
        """A value of the index's own notes: ``uid``, ``generation``, ``model`` …"""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, value: str) -> None:
        """Note a value."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def unfinished(self) -> list[str]:
        """Roots whose last run is under way, or was stopped."""
        try:
            return sorted(map(str, parse_json(self.get("unfinished") or "[]")))
        except (ValueError, TypeError):
            return []

    def put_unfinished(self, roots: Iterable[str]) -> None:
        """Note roots, by their names, whose run is under way. Called inside a transaction."""
        self.put("unfinished", json.dumps(sorted(roots)))

    def number(self, key: str) -> int:
        """A value that is a whole number, 0 where there is none; ``IndexDamaged`` for anything else."""
        try:
            return int(self.get(key) or 0)
        except ValueError as error:
            raise self._unreadable(f"its {key} is no number") from error

    def _unreadable(self, what: str) -> IndexDamaged:
        return IndexDamaged(f"{self.path} cannot be read: {what}; run `rag doctor --repair`")

    @property
    def generation(self) -> int:
        """Number of committed changes so far."""
        return self.number("generation")

    def counts(self, *tables: str) -> dict[str, int]:
        """Numbers of documents, chunks, files and vectors, or of some of them: those of vectors take longest."""
        wanted = tables or ("documents", "chunks", "files", "vectors")
        return {name: self._db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in wanted}  # noqa: S608

    @property
    def chunk_count(self) -> int:
        """Number of chunks, told without a look at the vectors."""
        return int(self._db.execute("SELECT count(*) FROM chunks").fetchone()[0])

    def roots(self) -> dict[str, dict[str, Any]]:
        """Paths that were given to ``rag index`` and the options they were given with."""
        rows = self._db.execute("SELECT path, options FROM roots ORDER BY path")
        return {path: _from_json(options) for path, options in rows}

    def add_root(self, path: str, options: Mapping[str, Any]) -> None:
        """Remember a path that was indexed."""
        self._db.execute("INSERT OR REPLACE INTO roots VALUES (?, ?)", (path, json.dumps(options)))

    def add_raw_root(self, path: str, options: str) -> None:
        """Remember a path with options as they were stored."""
        self._db.execute("INSERT OR REPLACE INTO roots VALUES (?, ?)", (path, options))

    def drop_root(self, path: str) -> None:
        """Forget a path that was indexed."""
        self._db.execute("DELETE FROM roots WHERE path = ?", (path,))
        unfinished = self.unfinished()
        if path in unfinished:
            self.put_unfinished(root for root in unfinished if root != path)

    # -- files -----------------------------------------------------------------------------------

    def files(self) -> dict[str, FileState]:
        """All files by path."""
        return _states(self._db.execute("SELECT path, size, changed_ns, sha256, recipe, failures FROM files"))

    def files_of(self, documents: Iterable[str]) -> dict[str, FileState]:
        """The files that documents were read from, by path."""
        query = _listed(
            "SELECT path, size, changed_ns, sha256, recipe, failures FROM files "
            "WHERE path IN (SELECT file FROM documents WHERE id IN ?)"
        )
        return _states(self._db.execute(query, (json.dumps(list(documents)),)))

    def touch_file(self, state: FileState) -> None:
        """Note what a file looks like now."""
        self._db.execute(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
            (
                state.path,
                state.size,
                state.changed_ns,
                state.sha256,
                state.recipe,
                json.dumps(state.failures),
            ),
        )

    def forget_state(self, path: str) -> None:
        """Make the next run read a file again."""
        self._db.execute("UPDATE files SET recipe = '' WHERE path = ?", (path,))

    # -- changes -----------------------------------------------------------------------------------

    def begin_generation(self) -> int:
        """Raise the generation; called inside a transaction, once for each."""
        generation = self.generation + 1
        self.put("generation", str(generation))
        return generation

    def put_document(
        self, document: Document, chunks: Sequence[Chunk], indexed: str, generation: int
    ) -> tuple[int, int]:
        """Set a document and its chunks in place of what it had; numbers of chunks added and removed.

        A chunk that is the same as before keeps its generation: nothing derived from it changes.
        """
        self._db.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                document.id, document.path, document.record, document.title, document.format,
                document.language, len(document.text), document.sha256, document.modified, indexed,
                json.dumps(dict(document.metadata), ensure_ascii=False), document.text,
                document.file or document.path,
            ),
        )  # fmt: skip
        old = self.chunk_ids(document.id)
        new = {chunk.id for chunk in chunks}
        self._drop_chunks(old - new, generation)
        for chunk in chunks:
            if chunk.id in old:
                content = content_hash(chunk.sent_text)
                self._db.execute(
                    """UPDATE chunks SET ordinal = ?, situation = ?, content = ?,
                       generation = CASE WHEN content = ? THEN generation ELSE ? END WHERE id = ?""",
                    (chunk.ordinal, chunk.situation, content, content, generation, chunk.id),
                )
                continue
            first, last = chunk.lines or (None, None)
            self._db.execute("DELETE FROM gone WHERE chunk = ?", (chunk.id,))
            self._db.execute(
                "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    chunk.id, chunk.document, chunk.ordinal, chunk.start, chunk.end, chunk.context,
                    json.dumps(chunk.heading, ensure_ascii=False), chunk.page, first, last, chunk.tokens,
                    content_hash(chunk.sent_text), generation, chunk.lead, chunk.page_label,
                    chunk.written, chunk.situation,
                ),
            )  # fmt: skip
        return len(new - old), len(old - new)

    def documents_of(self, file: str) -> list[str]:
        """Ids of the documents read from a file."""
        return [
            row[0] for row in self._db.execute("SELECT id FROM documents WHERE file = ? ORDER BY id", (file,))
        ]

    def chunk_ids(self, document: str) -> set[str]:
        """Ids of the chunks of a document."""
        return {row[0] for row in self._db.execute("SELECT id FROM chunks WHERE document = ?", (document,))}

    def first_line(self, document: str) -> int | None:
        """The line of its file that the chunks of a document begin on."""
        row = self._db.execute(
            "SELECT min(first_line) FROM chunks WHERE document = ?", (document,)
        ).fetchone()
        return None if row is None else row[0]

    def drop_document(self, document: str, generation: int) -> int:
        """Take a document out; the number of chunks that went with it."""
        chunks = self.chunk_ids(document)
        self._drop_chunks(chunks, generation)
        self._db.execute("DELETE FROM documents WHERE id = ?", (document,))
        return len(chunks)

    def drop_file(self, path: str) -> None:
        """Forget a file; its documents are dropped one by one before."""
        self._db.execute("DELETE FROM files WHERE path = ?", (path,))

    def _drop_chunks(self, chunks: Iterable[str], generation: int) -> None:
        for chunk in sorted(chunks):
            self._db.execute("DELETE FROM chunks WHERE id = ?", (chunk,))
            self._db.execute("DELETE FROM flags WHERE chunk = ?", (chunk,))
            self._db.execute("INSERT OR REPLACE INTO gone VALUES (?, ?)", (chunk, generation))

    def forget_gone(self, generation: int) -> None:
        """Forget removals that everything derived has followed up to ``generation``."""
        self._db.execute("DELETE FROM gone WHERE generation <= ?", (generation,))

    # -- flags -------------------------------------------------------------------------------------

    def put_flags(self, document: str, flags: Mapping[str, Sequence[Flag]]) -> None:
        """Set the flags of a document's chunks, by id, in place of what they had."""
        query = "DELETE FROM flags WHERE chunk IN (SELECT id FROM chunks WHERE document = ?)"
        self._db.execute(query, (document,))
        self._db.executemany(
            "INSERT OR REPLACE INTO flags VALUES (?, ?, ?, ?)",
            [(chunk, flag.kind, flag.start, flag.end) for chunk, each in flags.items() for flag in each],
        )

    def flags_of(self, chunks: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The kinds of flags of those of the chunks that have any, in order."""
        query = _listed("SELECT DISTINCT chunk, kind FROM flags WHERE chunk IN ? ORDER BY chunk, kind")
        found: dict[str, tuple[str, ...]] = {}
        for chunk, kind in self._db.execute(query, (json.dumps(list(chunks)),)).fetchall():
            found[chunk] = (*found.get(chunk, ()), kind)
        return found

    def flagged(self) -> Iterator[tuple[str, Flag, StoredChunk]]:
        """Document, flag and chunk of every flag, in the order of the documents and their text."""
        rows = self._db.execute(
            """SELECT document, chunk, kind, flags.start, flags."end" FROM flags JOIN chunks ON id = chunk
               ORDER BY document, ordinal, flags.start, kind"""
        ).fetchall()
        for document, chunk, kind, start, end in rows:
            yield document, Flag(kind, start, end), self.chunks([chunk])[chunk]

    # -- vectors -----------------------------------------------------------------------------------

    def missing_vectors(self, contents: Iterable[str], model: str) -> set[str]:
        """Those of the content hashes that have no vector of this model yet."""
        query = _listed("SELECT content FROM vectors WHERE content IN ? AND model = ?")
        wanted = list(contents)
        known = self._db.execute(query, (json.dumps(wanted), model)).fetchall()
        return set(wanted).difference(content for (content,) in known)

    def put_vectors(self, contents: Sequence[str], model: str, vectors: Vectors) -> None:
        """Keep vectors of shape (n, dim), one for each content hash, durably."""
        with nullcontext() if self._db.in_transaction else self.transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                [
                    (content, model, vector.tobytes())
                    for content, vector in zip(contents, vectors, strict=True)
                ],
            )

    def vectors_of(self, chunks: Sequence[str], model: str) -> Vectors:
        """Vectors of the chunks, in their order, shape (n, dim).

        Raises ``IndexDamaged`` when one is missing.
        """
        import numpy as np

        query = _listed(
            "SELECT chunks.id, vector FROM chunks JOIN vectors USING (content) WHERE chunks.id IN ? AND model = ?"
        )
        blobs = dict(self._db.execute(query, (json.dumps(list(chunks)), model)).fetchall())
        if not blobs.keys() >= set(chunks):
            raise _lacking()
        joined = b"".join(blobs[chunk] for chunk in chunks)
        return np.frombuffer(joined, dtype=np.float32).reshape(len(chunks), -1)

    def all_vectors(self, model: str) -> tuple[list[str], Vectors]:
        """Ids of all chunks, in order, and their vectors, shape (n, dim).

        Raises ``IndexDamaged`` when one is missing.
        """
        import numpy as np

        query = """SELECT chunks.id, vector FROM chunks LEFT JOIN vectors
                   ON vectors.content = chunks.content AND model = ? ORDER BY chunks.id"""
        rows = self._db.execute(query, (model,)).fetchall()
        if not all(vector for _, vector in rows):
            raise _lacking()
        vectors = np.frombuffer(b"".join(vector for _, vector in rows), dtype=np.float32)
        return [chunk for chunk, _ in rows], vectors.reshape(len(rows), -1 if rows else 0)

    def awaits_documents(self) -> bool:
        """Whether files are to be read again, or all of them: vectors without a chunk may be theirs."""
        query = "SELECT NOT EXISTS (SELECT 1 FROM files) OR EXISTS (SELECT 1 FROM files WHERE recipe = '')"
        return bool(self._db.execute(query).fetchone()[0])

    def idle_vectors(self) -> int:
        """How many vectors no chunk uses."""
        return int(self._db.execute(f"SELECT count(*) FROM vectors WHERE {_IDLE}").fetchone()[0])  # noqa: S608

    def drop_idle_vectors(self, *, keep: bool = True) -> int:
        """Drop vectors no chunk uses once they outnumber those in use; how many went.

        Until then they are kept, unless ``keep`` is False: a text that comes back, or a setting
        changed to and fro, costs nothing.
        """
        count = self.idle_vectors()
        if keep and count <= self.chunk_count + 1000:
            return 0
        self._db.execute(f"DELETE FROM vectors WHERE {_IDLE}")  # noqa: S608
        return count

    def free_bytes(self) -> int:
        """Bytes of the file that hold nothing."""
        page = int(self._db.execute("PRAGMA page_size").fetchone()[0])
        return page * int(self._db.execute("PRAGMA freelist_count").fetchone()[0])

    def give_back(self, *, least: int = 0) -> int:
        """Return space that holds nothing to the disk where it is over ``least`` bytes; how much went.

        Outside a transaction.
        """
        free = self.free_bytes()
        if free <= least:
            return 0
        # One page a step, and only a script takes all the steps.
        self._db.executescript("PRAGMA incremental_vacuum")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return free - self.free_bytes()

    def write_copy(self, target: Path) -> None:
        """Write a compact copy of this moment to a file that does not exist."""
        self._db.execute("VACUUM INTO ?", (str(target),))

    def close_log(self) -> None:
        """Put everything into the one file, so that it can be moved alone."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self._db.execute("PRAGMA journal_mode = DELETE").fetchall()

    # -- reading -----------------------------------------------------------------------------------

    _CHUNK = """
        SELECT chunks.id, document, ordinal, start, "end", substr(text, start + 1, "end" - start), context, heading,
               page, first_line, last_line, tokens, lead, page_label, written, situation,
               path, record, title, language, metadata
        FROM chunks JOIN documents ON documents.id = document
    """

    def chunks(self, ids: Sequence[str]) -> dict[str, StoredChunk]:
        """Those of the chunks that exist, by id."""
        rows = self._db.execute(
            _listed(self._CHUNK + "WHERE chunks.id IN ?"), (json.dumps(list(ids)),)
        ).fetchall()
        found = {stored.chunk.id: stored for stored in map(_stored, rows)}
        return {chunk: found[chunk] for chunk in ids if chunk in found}

    def all_chunk_ids(self) -> list[str]:
        """Ids of all chunks in order."""
        return [row[0] for row in self._db.execute("SELECT id FROM chunks ORDER BY id")]

    def contents_of(self, document: str) -> list[tuple[StoredChunk, str]]:
        """The chunks of a document in order, each with the hash of the text it was embedded with."""
        query = self._CHUNK.replace("metadata\n", "metadata, content\n", 1)
        rows = self._db.execute(query + "WHERE document = ? ORDER BY ordinal", (document,))
        return [(_stored(row), row[21]) for row in rows]

    def text_of(self, document: str) -> str | None:
        """The extracted text of a document; None where there is none of that id."""
        row = self._db.execute("SELECT text FROM documents WHERE id = ?", (document,)).fetchone()
        return None if row is None else str(row[0])

    def vector_blobs(self, model: str) -> Iterator[tuple[str, str, bytes | None]]:
        """Document, content hash and stored bytes (None where missing) of every chunk's vector."""
        query = """SELECT document, chunks.content, vector FROM chunks LEFT JOIN vectors
                   ON vectors.content = chunks.content AND model = ? ORDER BY chunks.id"""
        for row in self._db.execute(query, (model,)):
            yield row[0], row[1], row[2]

    def drop_vectors(self, contents: Iterable[str], model: str) -> None:
        """Forget vectors."""
        self._db.executemany(
            "DELETE FROM vectors WHERE content = ? AND model = ?", [(content, model) for content in contents]
        )

    def problems(self) -> list[str]:
        """What SQLite finds wrong with the file, and what contradicts itself; empty for a sound catalogue."""
        try:
            found = [str(row[0]) for row in self._db.execute("PRAGMA integrity_check(5)").fetchall()]
        except IndexDamaged as error:
            return [str(error).split(";")[0]]
        if found != ["ok"]:
            return [f"{self.path} is damaged: {found[0]}"]
        return list(contradictions(self._db))

    def document_facts(self) -> Iterator[tuple[str, str, str | None, str, str, str, str, dict[str, Scalar]]]:
        """Id, path, record, title, format, language, time of change and metadata of every document."""
        rows = self._db.execute(
            "SELECT id, path, record, title, format, language, modified, metadata FROM documents ORDER BY id"
        )
        for row in rows:
            yield (*row[:7], {} if row[7] == "{}" else _from_json(row[7]))

    def chunks_in(self, documents: Container[str]) -> list[str]:
        """Ids of the chunks of some documents."""
        rows = self._db.execute("SELECT id, document FROM chunks")
        return [chunk for chunk, document in rows if document in documents]

    def has_chunks(self, ids: Sequence[str]) -> bool:
        """Whether all of these chunks exist."""
        query = _listed("SELECT count(*) FROM chunks WHERE id IN ?")
        return bool(self._db.execute(query, (json.dumps(list(ids)),)).fetchone()[0] == len(set(ids)))

    def chunks_by_prefix(self, prefix: str, limit: int = 2) -> list[str]:
        """Ids of chunks that begin with ``prefix``, in order."""
        rows = self._db.execute(
            "SELECT id FROM chunks WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (prefix, prefix + "~", limit),
        )
        return [row[0] for row in rows]

    def chunks_of(self, document: str) -> list[StoredChunk]:
        """The chunks of a document in order."""
        rows = self._db.execute(self._CHUNK + "WHERE document = ? ORDER BY ordinal", (document,))
        return [_stored(row) for row in rows]

    def slice_of(self, document: str, start: int, end: int) -> str:
        """A slice of a document's extracted text."""
        row = self._db.execute(
            "SELECT substr(text, ? + 1, ? - ?) FROM documents WHERE id = ?", (start, end, start, document)
        ).fetchone()
        return str(row[0]) if row else ""

    def chunks_since(self, generation: int) -> Iterable[StoredChunk]:
        """Chunks that came after a generation, ordered by id, so that whatever is made of them is the same."""
        rows = self._db.execute(
            "SELECT id FROM chunks WHERE generation > ? ORDER BY id", (generation,)
        ).fetchall()
        for (chunk,) in rows:
            row = self._db.execute(self._CHUNK + "WHERE chunks.id = ?", (chunk,)).fetchone()
            if row is not None:
                yield _stored(row)

    def gone_since(self, generation: int) -> list[str]:
        """Ids of chunks that went after a generation."""
        rows = self._db.execute("SELECT chunk FROM gone WHERE generation > ? ORDER BY chunk", (generation,))
        return [row[0] for row in rows]

    def document_names(self) -> list[tuple[str, str, str | None]]:
        """Id, path and record of every document, ordered by id."""
        return [
            (row[0], row[1], row[2])
            for row in self._db.execute("SELECT id, path, record FROM documents ORDER BY id")
        ]

    def document_origins(self) -> dict[str, tuple[str, str]]:
        """The file that each document came from and the sha256 it was read with, by id."""
        rows = self._db.execute("SELECT id, file, sha256 FROM documents")
        return {row[0]: (row[1], row[2]) for row in rows}

    def document_rows(self) -> Iterator[dict[str, Any]]:
        """One mapping a document, ordered by id, as ``rag list`` shows them."""
        rows = self._db.execute(
            """SELECT documents.id, path, file, title, format, language, characters, sum(tokens), count(chunks.id),
                      sha256, modified, indexed
               FROM documents LEFT JOIN chunks ON document = documents.id GROUP BY documents.id ORDER BY documents.id"""
        )
        names = ("document", "path", "file", "title", "format", "language", "characters", "tokens", "chunks", "sha256",
                 "modified", "indexed")  # fmt: skip
        for row in rows:
            values = dict(zip(names, row, strict=True))
            yield values | {"tokens": values["tokens"] or 0}


_IDLE = "content NOT IN (SELECT content FROM chunks)"


def _lacking() -> IndexDamaged:
    return IndexDamaged("the catalogue lacks vectors; run `rag doctor --repair`, then `rag index`")


def _states(rows: Iterable[tuple[Any, ...]]) -> dict[str, FileState]:
    return {
        row[0]: FileState(row[0], row[1], row[2], row[3], row[4], tuple(map(tuple, _from_json(row[5]))))
        for row in rows
    }


def _from_json(text: str) -> Any:
    try:
        return parse_json(text)
    except (ValueError, TypeError) as error:
        raise IndexDamaged(
            f"the catalogue holds what cannot be read ({error}); run `rag doctor --repair`"
        ) from error


def _stored(row: tuple[Any, ...]) -> StoredChunk:
    lines = None if row[9] is None else (row[9], row[10])
    chunk = Chunk(
        id=row[0], document=row[1], ordinal=row[2], start=row[3], end=row[4], text=row[5], context=row[6],
        heading=tuple(_from_json(row[7])), page=row[8], lines=lines, tokens=row[11],
        lead=row[12], page_label=row[13], written=row[14], situation=row[15],
    )  # fmt: skip
    return StoredChunk(chunk, row[16], row[17], row[18], row[19], _from_json(row[20]))
