"""The catalogue's file: how it is made and opened, and SQLite's errors in our words."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from ragcli.catalog.schema import FORMAT, fill, migrate
from ragcli.disk import is_remote, is_writable
from ragcli.errors import IndexBusy, IndexDamaged, IndexMismatch, PartlyDone, RagError, UsageError

_T = TypeVar("_T")
# Rows that are fetched at once.
_ROWS = 1000


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

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        while rows := self._guarded(self.fetchmany, _ROWS):
            yield from rows

    def _guarded(self, work: Callable[..., _T], *args: Any) -> _T:
        try:
            return work(*args)
        except sqlite3.DatabaseError as error:
            told = explain(getattr(self.connection, "path", Path()), error)
            if told is None:
                raise
            raise told from error


class _Connection(sqlite3.Connection):
    path = Path()
    copied: TemporaryDirectory[str] | None = None

    def close(self) -> None:
        super().close()
        if self.copied is not None:
            self.copied.cleanup()

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
        fill(db)
        db.close()
    except sqlite3.Error as error:
        raise explain(path, error) or UsageError(f"cannot write {path.parent}: {error}") from error
    drop_log(path)
    partial.replace(path)


def drop_log(path: Path) -> None:
    """Remove the log of a catalogue that is no longer there: it would be played into the next one."""
    for ending in ("-wal", "-shm"):
        path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)


def memory_database() -> sqlite3.Connection:
    """An empty catalogue that is in no file."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    fill(db)
    return db


def open_database(path: Path) -> sqlite3.Connection:
    """Open the catalogue at ``path``; ``IndexMismatch`` for another format, ``IndexDamaged`` for none."""
    try:
        if not os.access(path, os.R_OK):
            raise UsageError(f"cannot read {path}; are its permissions right?")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    writable = is_writable(path) and is_writable(path.parent)
    db = _connected(path) if writable else _connected_to_read(path)
    db.path = path
    try:
        if writable:
            # A log beside the file lets others read meanwhile; it needs memory that they share.
            db.execute(f"PRAGMA journal_mode = {'TRUNCATE' if is_remote(path) else 'WAL'}")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA cache_size = -64000")  # KiB: vectors lie scattered all over the file
        _check_format(db, path, writable=writable)
    except sqlite3.DatabaseError as error:
        db.close()
        raise _damaged(path, error) from error
    except RagError:
        db.close()
        raise
    return db


def _connected(path: Path, how: str = "") -> _Connection:
    name = path.absolute().as_uri() + how
    return sqlite3.connect(name, uri=True, timeout=30, isolation_level=None, factory=_Connection)


def _connected_to_read(path: Path) -> _Connection:
    """A connection to a catalogue in a place that cannot be written.

    What a crash left in a log beside it is committed, or must be taken back, but SQLite needs to
    write for either: that is done in a copy.
    """
    logs = [path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-journal")]
    logs = [log for log in logs if log.exists() and log.stat().st_size]
    if not logs:
        # Nobody is writing, and nobody here can: it need not be locked, which would take writing.
        return _connected(path, "?immutable=1")
    db = _connected(path, "?mode=ro")
    try:
        sqlite3.Cursor(db).execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.DatabaseError as error:
        db.close()
        if not isinstance(error, sqlite3.OperationalError):
            raise _damaged(path, error) from error
        if path.with_name(f"{path.name}-shm").exists():  # somebody writes: a copy might be of two moments
            raise UsageError(f"cannot read {path}: {error}; are the permissions beside it right?") from error
    else:
        return db
    copied = TemporaryDirectory(prefix="rag-", ignore_cleanup_errors=True)
    try:
        for part in (path, *logs):
            shutil.copyfile(part, Path(copied.name) / part.name)
    except OSError as error:
        copied.cleanup()
        raise UsageError(
            f"a crash left changes in {logs[0].name}, which is read from a copy, and {path} cannot be copied to "
            f"{copied.name} ({error.strerror}); copy the index to where it can be written, or set TMPDIR"
        ) from error
    db = _connected(Path(copied.name) / path.name)
    db.copied = copied
    return db


def _check_format(db: sqlite3.Connection, path: Path, *, writable: bool) -> None:
    """Bring an older catalogue up to this program's format; ``IndexMismatch`` where that cannot be."""
    row = db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    if row is None or not str(row[0]).isdecimal() or int(row[0]) == 0:
        raise _damaged(path, ValueError("it names no format"))
    found = int(row[0])
    if found > FORMAT:
        raise IndexMismatch(
            f"the index has format {found}, made by a newer rag; this one reads up to format {FORMAT}: "
            f"upgrade ragcli, or make another with `rag --index NEW_FOLDER index PATH`"
        )
    if found < FORMAT and not writable:
        raise IndexMismatch(
            f"the index has format {found} and cannot be brought to format {FORMAT} in a folder "
            f"that cannot be written; copy it, or run `rag status` where it can be"
        )
    if found < FORMAT:
        migrate(db)


def explain(path: Path, error: sqlite3.Error) -> RagError | None:
    """What an error of SQLite means to a user; None for a mistake of ours."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    incomplete = any(told in str(error) for told in ("no such table", "no such column", "Could not decode"))
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
    return IndexDamaged(f"{path} is not a readable catalogue ({error}); run `rag doctor --repair`")
