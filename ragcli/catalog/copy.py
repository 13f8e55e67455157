"""Copies of a catalogue: one to carry away, one that came from elsewhere, what is left of a damaged one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ragcli.catalog.catalog import Catalog
from ragcli.catalog.check import can_be_noted, can_be_options
from ragcli.catalog.database import explain
from ragcli.catalog.schema import same_schema
from ragcli.embed import is_sound, measure_of
from ragcli.errors import IndexDamaged

# What SQLite says of a log that it has no room to read: that is no damage.
_NO_ROOM = frozenset({
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_SHMMAP,
})  # fmt: skip


def copy_catalog(catalog: Catalog, target: Path) -> None:
    """Write a copy of one moment, without empty space, what no chunk uses, or a log beside it."""
    catalog.write_copy(target)
    with Catalog.open(target) as copy:
        with copy.transaction():
            copy.drop_idle_vectors(keep=False)
            copy.contexts.drop_idle()
        copy.give_back()


def check_copy(path: Path) -> None:
    """Raise ``IndexDamaged`` unless a file from elsewhere is a sound catalogue and nothing more."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
    try:
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("PRAGMA cell_size_check = ON")
        if not same_schema(db):
            raise IndexDamaged("its catalogue holds other tables than a catalogue has")
        found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise IndexDamaged(f"its catalogue is damaged: {found}")
    except sqlite3.Error as error:
        raise IndexDamaged(f"its catalogue is damaged: {error}") from error
    finally:
        db.close()


def salvage(damaged: Path, catalog: Catalog) -> int:
    """Take what can be read of a damaged catalogue over into an empty one; how many vectors.

    Roots and settings are kept, and the vectors and written contexts, which cost most: with them
    the files are indexed again for the price of reading them. Vectors that cannot be those of their
    model are left behind.
    Raises ``PartlyDone`` when there is no room, so that nothing is taken for unreadable that is not.
    """
    import numpy as np

    _fill_up(damaged)
    db = sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    vectors = 0
    try:
        with catalog.transaction():
            for key, value in _readable(db, damaged, "meta", "key"):
                if key not in ("uid", "generation", "format") and can_be_noted(str(key), str(value)):
                    catalog.put(str(key), str(value))
            for path, options in _readable(db, damaged, "roots", "path"):
                if can_be_options(options):
                    catalog.add_raw_root(str(path), options)
            for row in _readable(db, damaged, "contexts", "situation, writer"):
                if all(isinstance(part, str) for part in row):
                    catalog.contexts.put(*row)
            for content, model, blob in _readable(db, damaged, "vectors", "content, model"):
                if not isinstance(blob, bytes) or len(blob) % 4:
                    continue
                vector = np.frombuffer(blob, dtype=np.float32)
                if vector.size and is_sound(measure_of(str(model)), vector):
                    catalog.put_vectors([str(content)], str(model), vector.reshape(1, -1))
                    vectors += 1
    finally:
        db.close()
    return vectors


def _fill_up(damaged: Path) -> None:
    """Make a file that was cut as long as it says it is: of a shorter one SQLite reads nothing."""
    with damaged.open("rb+") as file:
        header = file.read(32)
        if len(header) == 32:
            page = int.from_bytes(header[16:18], "big")
            length = (65536 if page == 1 else page) * int.from_bytes(header[28:32], "big")
            if damaged.stat().st_size < length < 8 * damaged.stat().st_size:
                file.truncate(length)


def _readable(db: sqlite3.Connection, path: Path, table: str, key: str) -> Iterator[tuple[Any, ...]]:
    """Rows of a table from its beginning up to the damage, then from its end down to it."""
    seen = set()
    for direction in ("ASC", "DESC"):
        order = ", ".join(f"{name} {direction}" for name in key.split(", "))
        try:
            for row in db.execute(f"SELECT * FROM {table} ORDER BY {order}"):  # noqa: S608
                if row[: key.count(",") + 1] in seen:
                    break  # the two ways have met
                seen.add(row[: key.count(",") + 1])
                yield row
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) in _NO_ROOM:
                raise explain(path, error) or error from error
