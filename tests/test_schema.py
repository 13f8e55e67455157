"""Format versions: an older catalogue is brought up step by step, whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ragcli.catalog import FORMAT, Catalog, schema
from ragcli.errors import IndexMismatch

_NEXT = "ALTER TABLE roots ADD COLUMN note TEXT; CREATE TABLE more (name TEXT)"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A catalogue of the present format with something in it."""
    path = tmp_path / "catalog.sqlite3"
    with Catalog.create(path) as catalog, catalog.transaction():
        catalog.add_root("docs", {})
    return path


@pytest.fixture
def db(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None)) as opened:
        yield opened


def format_of(db: sqlite3.Connection) -> str:
    value: str = db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()[0]
    return value


def test_a_catalogue_goes_through_the_steps_it_lacks_and_keeps_what_it_holds(db: sqlite3.Connection) -> None:
    steps = (*schema._STEPS, _NEXT, "CREATE TABLE last (name TEXT)")
    schema.migrate(db, steps)
    assert format_of(db) == str(FORMAT + 2)
    assert db.execute("SELECT path, note FROM roots").fetchall() == [("docs", None)]
    assert db.execute("SELECT count(*) FROM more, last").fetchone() == (0,)
    schema.migrate(db, steps)  # another process was quicker
    assert format_of(db) == str(FORMAT + 2)


def test_a_step_that_fails_leaves_the_catalogue_as_it_was(db: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(db, (*schema._STEPS, _NEXT, "CREATE TABLE more (name TEXT)"))
    assert format_of(db) == str(FORMAT)
    assert not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'more'").fetchone()
    assert schema.same_schema(db)


def test_an_older_catalogue_is_brought_up_when_it_is_opened(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (*schema._STEPS, _NEXT)
    monkeypatch.setattr("ragcli.catalog.database.FORMAT", FORMAT + 1)
    monkeypatch.setattr("ragcli.catalog.database.migrate", lambda db: schema.migrate(db, steps))
    for _ in range(2):
        with Catalog.open(file) as catalog:
            assert catalog.get("format") == str(FORMAT + 1)
            assert list(catalog.roots()) == ["docs"]


def test_a_newer_catalogue_is_refused_politely(file: Path, db: sqlite3.Connection) -> None:
    db.execute("UPDATE meta SET value = ? WHERE key = 'format'", (str(FORMAT + 1),))
    with pytest.raises(IndexMismatch, match="upgrade ragcli"):
        Catalog.open(file)
    assert format_of(db) == str(FORMAT + 1)


@pytest.mark.parametrize("statement", ["CREATE VIEW v AS SELECT 1", "DROP INDEX chunks_by_content"])
def test_another_schema_is_seen(db: sqlite3.Connection, statement: str) -> None:
    assert schema.same_schema(db)
    db.execute(statement)
    assert not schema.same_schema(db)


@pytest.mark.parametrize(("remote", "journal"), [(True, "delete"), (False, "wal")])
def test_no_log_beside_the_file_on_another_machines_disk(
    file: Path, monkeypatch: pytest.MonkeyPatch, remote: bool, journal: str
) -> None:
    monkeypatch.setattr("ragcli.catalog.database.is_remote", lambda _: remote)
    with Catalog.open(file) as catalog, catalog.transaction():
        catalog.add_root("more", {})
    with closing(sqlite3.connect(file)) as plain:
        # A file does not say which journal without a log was used last.
        assert plain.execute("PRAGMA journal_mode").fetchone() == (journal,)
    with Catalog.open(file) as catalog:
        assert list(catalog.roots()) == ["docs", "more"]


def test_documents_of_the_first_format_know_their_file(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite3"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(schema._STEPS[0])
        db.executemany("INSERT INTO meta VALUES (?, ?)", [("format", "1"), ("uid", "u"), ("generation", "1")])
        values = ("a.jsonl#7", "a.jsonl", "7", "", "jsonl", "en", 3, "0" * 64, "", "", "{}", "one")
        db.execute(f"INSERT INTO documents VALUES ({', '.join('?' * len(values))})", values)
        db.commit()
        assert schema.same_schema(db)
    with Catalog.open(path) as catalog:
        assert catalog.get("format") == str(FORMAT)
        assert catalog.documents_of("a.jsonl") == ["a.jsonl#7"]
        assert catalog.problems() == []
    with closing(sqlite3.connect(path)) as db:
        assert schema.same_schema(db)


@pytest.mark.parametrize("told", ["0", "-1", str(FORMAT + 1), "two", "1 "])
def test_a_schema_of_a_format_that_is_none_is_another(db: sqlite3.Connection, told: str) -> None:
    db.execute("UPDATE meta SET value = ? WHERE key = 'format'", (told,))
    assert not schema.same_schema(db)
