"""The catalogue's file: its schema, how it is made and opened, and SQLite's errors in our words."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ragcli.errors import IndexBusy, IndexDamaged, IndexMismatch, PartlyDone, RagError, UsageError

_T = TypeVar("_T")

FORMAT = 1

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE roots (path TEXT PRIMARY KEY, options TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, changed_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, recipe TEXT NOT NULL, failures TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE documents (
    id TEXT PRIMARY KEY, path TEXT NOT NULL, record TEXT, title TEXT NOT NULL, format TEXT NOT NULL,
    language TEXT NOT NULL, characters INTEGER NOT NULL, sha256 TEXT NOT NULL,
    modified TEXT NOT NULL, indexed TEXT NOT NULL, metadata TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX documents_by_path ON documents (path);
CREATE TABLE chunks (
    id TEXT PRIMARY KEY, document TEXT NOT NULL, ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, context TEXT NOT NULL, heading TEXT NOT NULL,
    page INTEGER, first_line INTEGER, last_line INTEGER, tokens INTEGER NOT NULL,
    content TEXT NOT NULL, generation INTEGER NOT NULL
);
CREATE INDEX chunks_by_document ON chunks (document, ordinal);
CREATE INDEX chunks_by_generation ON chunks (generation);
CREATE INDEX chunks_by_content ON chunks (content);
CREATE TABLE gone (chunk TEXT PRIMARY KEY, generation INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE vectors (
    content TEXT NOT NULL, model TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (content, model)
) WITHOUT ROWID;
"""


class _Cursor(sqlite3.Cursor):
    """Says in our words what SQLite could not do, whenever it is noticed."""

    def execute(self, *args: Any) -> _Cursor:
        return self._guarded(super().execute, *args)

    def executemany(self, *args: Any) -> _Cursor:
        return self._guarded(super().executemany, *args)

    def fetchone(self) -> Any:
        return self._guarded(super().fetchone)

    def fetchall(self) -> list[Any]:
        return self._guarded(super().fetchall)

    def __next__(self) -> Any:
        return self._guarded(super().__next__)

    def _guarded(self, work: Callable[..., _T], *args: Any) -> _T:
        try:
            return work(*args)
        except sqlite3.DatabaseError as error:
            told = _told(getattr(self.connection, "path", Path()), error)
            if told is None:
                raise
            raise told from error


class _Connection(sqlite3.Connection):
    path = Path()

    def execute(self, *args: Any) -> _Cursor:
        return self.cursor(_Cursor).execute(*args)

    def executemany(self, *args: Any) -> _Cursor:
        return self.cursor(_Cursor).executemany(*args)


def make_database(path: Path) -> None:
    """Make an empty catalogue at ``path``: whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    try:
        db = sqlite3.connect(partial)
        _fill(db)
        db.close()
    except sqlite3.Error as error:
        raise UsageError(f"cannot write {path.parent}: {error}") from error
    partial.replace(path)


def memory_database() -> sqlite3.Connection:
    """An empty catalogue that is in no file."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    _fill(db)
    return db


def open_database(path: Path) -> sqlite3.Connection:
    """Open the catalogue at ``path``; ``IndexMismatch`` for another format, ``IndexDamaged`` for none."""
    try:
        if not os.access(path, os.R_OK):
            raise UsageError(f"cannot read {path}; are its permissions right?")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    # Without the right to write nobody here can change it, so that it need not be locked either.
    name = path.absolute().as_uri() + ("" if writable else "?immutable=1")
    db = sqlite3.connect(name, uri=True, timeout=30, isolation_level=None, factory=_Connection)
    db.path = path
    try:
        if writable:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
        row = db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    except sqlite3.DatabaseError as error:
        db.close()
        raise _damaged(path, error) from error
    except RagError:
        db.close()
        raise
    if row is None or row[0] != str(FORMAT):
        db.close()
        raise IndexMismatch(
            f"the index has format {row[0] if row else 'unknown'}, this program reads format {FORMAT}; "
            f"make another with `rag --index NEW_FOLDER index PATH`"
        )
    return db


def _told(path: Path, error: sqlite3.DatabaseError) -> RagError | None:
    """What an error of SQLite means to a user; None for a mistake of ours."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    incomplete = "no such table" in str(error) or "no such column" in str(error)
    corrupt = code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    if corrupt or incomplete or type(error) is sqlite3.DatabaseError:
        return _damaged(path, error)
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return PartlyDone(f"cannot write {path}: {error}; make room and run the same command again")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return IndexBusy(f"{path} is held by another program ({error}); try again later")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return UsageError(f"cannot write {path}: {error}; are the folder and its files writable?")
    return None


def _damaged(path: Path, error: Exception) -> IndexDamaged:
    return IndexDamaged(
        f"{path} is not a readable catalogue ({error}); remove {path.parent} and run `rag index PATH`"
    )


def _fill(db: sqlite3.Connection) -> None:
    """Write the schema and the first notes of a new catalogue."""
    with db:
        db.executescript(_SCHEMA)
        db.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [("format", str(FORMAT)), ("uid", uuid.uuid4().hex), ("generation", "0")],
        )
