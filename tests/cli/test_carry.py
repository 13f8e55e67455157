"""An index carried to another place: whole, unchanged, and not trusted blindly."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from ragcli.pipeline.ask import Asker
from ragcli.pipeline.index import Index
from ragcli.settings import Settings

from ..program import Run, tree

SEARCHES = tuple(
    ("search", "bees in winter", "--mode", mode, "--format", "jsonl")
    for mode in ("lexical", "dense", "hybrid")
)


@pytest.fixture
def exported(run: Run, fresh: Path, tmp_path: Path) -> Path:
    file = tmp_path / "notes.rag"
    run("export", file, cwd=fresh)
    return file


def test_an_index_arrives_whole_and_answers_alike_without_embedding(
    run: Run, fresh: Path, exported: Path, tmp_path: Path
) -> None:
    away = tmp_path / "away"
    away.mkdir()
    told = run("import", exported, "--format", "json", cwd=away).json
    assert told["documents"] == 5
    assert told["signature"]
    for words in SEARCHES:
        assert run(*words, cwd=away).out == run(*words, cwd=fresh).out
    (away / "docs").mkdir()
    for file in (fresh / "docs").rglob("*"):
        target = away / file.relative_to(fresh)
        target.mkdir(exist_ok=True) if file.is_dir() else target.write_bytes(file.read_bytes())
    report = run("index", "--format", "json", cwd=away).json
    assert report["embedded"] == 0
    assert report["documents"]["unchanged"] == 5
    run("doctor", cwd=away)


def test_an_export_changes_nothing_and_leaves_nothing_beside(run: Run, fresh: Path, tmp_path: Path) -> None:
    before = tree(fresh / ".rag")
    run("export", tmp_path / "one.rag", cwd=fresh)
    assert {name: data for name, (data, _) in tree(fresh / ".rag").items()} == {
        name: data for name, (data, _) in before.items()
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fresh", "one.rag"]


def test_a_file_that_is_there_is_not_written_over(run: Run, fresh: Path, exported: Path) -> None:
    before = exported.read_bytes()
    assert "--force" in run.fails(2, "export", exported, cwd=fresh)
    assert exported.read_bytes() == before
    run("export", exported, "--force", cwd=fresh)
    run.fails(2, "export", exported.parent, "--force", cwd=fresh)
    run.fails(2, "export", exported.parent / "none" / "x.rag", cwd=fresh)
    run.fails(3, "export", exported.parent / "y.rag", cwd=exported.parent)


def test_an_index_that_is_there_is_replaced_only_when_asked_and_can_return(
    run: Run, fresh: Path, exported: Path, tmp_path: Path
) -> None:
    (tmp_path / "pond.txt").write_text("The wren sleeps at the pond.\n", "utf-8")
    run("index", "pond.txt", cwd=tmp_path)
    assert "--force" in run.fails(2, "import", exported, cwd=tmp_path)
    assert "pond" in run("list", cwd=tmp_path).out
    run("import", exported, "--force", cwd=tmp_path)
    assert "pond" not in run("list", cwd=tmp_path).out
    assert run(*SEARCHES[1], cwd=tmp_path).out == run(*SEARCHES[1], cwd=fresh).out
    run("index", "--rollback", cwd=tmp_path)
    assert "pond" in run("list", cwd=tmp_path).out


def test_a_reader_that_stays_open_notices_another_catalogue_in_the_place_of_its_own(
    run: Run, fresh: Path, exported: Path
) -> None:
    (fresh / "docs" / "pond.txt").write_text("The wren sleeps at the pond.\n", "utf-8")
    run("index", "docs", cwd=fresh)
    with Index.open(fresh / ".rag", Settings(offline=True)) as index:
        asker = Asker(index)
        assert "docs/pond.txt" in {hit.document for hit in asker.search("wren pond", mode="lexical").hits}
        (fresh / ".rag" / "catalog.sqlite3").unlink()
        run("import", exported, cwd=fresh)
        found = {hit.document for hit in asker.search("wren pond", mode="lexical").hits}
    assert found == {"docs/birds.jsonl#b2"}


def test_the_log_of_a_catalogue_that_is_gone_is_no_part_of_the_next(
    run: Run, fresh: Path, exported: Path
) -> None:
    before = run("list", "--format", "jsonl", cwd=fresh).out
    file = fresh / ".rag" / "catalog.sqlite3"
    log = file.with_name("catalog.sqlite3-wal")
    with closing(sqlite3.connect(file)) as db:
        db.execute("UPDATE documents SET title = 'another'")
        db.commit()
        left = log.read_bytes()
    assert left
    file.unlink()
    log.write_bytes(left)
    run("import", exported, cwd=fresh)
    assert run("list", "--format", "jsonl", cwd=fresh).out == before
    run("doctor", cwd=fresh)


def rewritten(file: Path, change: str) -> None:
    """The same archive with one thing changed."""
    with zipfile.ZipFile(file) as archive:
        manifest, data = json.loads(archive.read("manifest.json")), archive.read("catalog.sqlite3")
    extra = {}
    if change == "byte":
        data = data[:5000] + bytes([data[5000] ^ 1]) + data[5001:]
    elif change == "kind":
        manifest["kind"] = "something else"
    elif change == "newer":
        manifest["format"] = 99
    elif change == "longer":
        manifest["files"]["catalog.sqlite3"]["bytes"] += 1
    elif change == "no checksum":
        manifest["files"] = {}
    elif change == "another file":
        extra["../../evil"] = b"x"
    elif change in ("trigger", "no catalogue"):
        import hashlib

        place = file.with_suffix(".db")
        place.write_bytes(data)
        if change == "trigger":
            with closing(sqlite3.connect(place)) as db, db:
                db.execute("CREATE TRIGGER t AFTER UPDATE ON meta BEGIN DELETE FROM documents; END")
            data = place.read_bytes()
        else:
            data = b"no database" * 1000
        place.unlink()
        manifest["files"]["catalog.sqlite3"] = {
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        archive.writestr("catalog.sqlite3", data)
        for name, content in extra.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    "change",
    [
        "byte",
        "kind",
        "newer",
        "longer",
        "no checksum",
        "another file",
        "trigger",
        "no catalogue",
        "cut",
        "text",
    ],
)
def test_what_is_no_whole_export_is_refused_and_leaves_nothing(
    run: Run, exported: Path, tmp_path: Path, change: str
) -> None:
    if change == "cut":
        exported.write_bytes(exported.read_bytes()[:-300])
    elif change == "text":
        exported.write_text("no archive", "utf-8")
    else:
        rewritten(exported, change)
    away = tmp_path / "away"
    away.mkdir()
    message = run.fails(4 if change == "newer" else 2, "import", exported, cwd=away)
    assert "notes.rag" in message
    run.fails(3, "search", "bees", cwd=away)
    assert not list(away.rglob("catalog*"))


def test_a_file_that_is_missing_is_told(run: Run, tmp_path: Path) -> None:
    assert "none.rag" in run.fails(2, "import", "none.rag", cwd=tmp_path)


def changed_inside(exported: Path, change: str) -> Path:
    """The export with its catalogue changed by one statement, and every checksum right again."""
    with zipfile.ZipFile(exported) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        catalogue = exported.with_name("changed.sqlite3")
        catalogue.write_bytes(archive.read("catalog.sqlite3"))
    with closing(sqlite3.connect(catalogue)) as db, db:
        db.execute(change)
    with closing(sqlite3.connect(catalogue)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    data = catalogue.read_bytes()
    manifest["files"]["catalog.sqlite3"] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    file = exported.with_name("changed.rag")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        archive.writestr("catalog.sqlite3", data)
    return file


NAN = "x'0000c07f' || substr(vector, 5)"
HOSTILE = {
    "a trigger": "CREATE TRIGGER t AFTER UPDATE ON meta BEGIN DELETE FROM documents; END",
    "a view": "CREATE VIEW v AS SELECT * FROM meta",
    "a virtual table": "CREATE VIRTUAL TABLE v USING fts5(x)",
    "another type of text": "UPDATE documents SET title = x'00ff'",
    "another type of number": "UPDATE chunks SET tokens = 'many'",
    "half a page": "UPDATE chunks SET page = 1.5",
    "no unicode": "UPDATE documents SET title = CAST(x'ff' AS TEXT)",
    "no generation": "UPDATE meta SET value = 'soon' WHERE key = 'generation'",
    "no uid": "DELETE FROM meta WHERE key = 'uid'",
    "dimensions that are none": "UPDATE meta SET value = '1e3' WHERE key = 'dimensions'",
    "other dimensions": "UPDATE meta SET value = '7' WHERE key = 'dimensions'",
    "a probe that is none": "UPDATE meta SET value = 'far away' WHERE key = 'probe'",
    "a probe that is short": "UPDATE meta SET value = '1.0' WHERE key = 'probe'",
    "a size that is none": "UPDATE meta SET value = '9' || value || 'k' WHERE key = 'chunk_size'",
    "no signature": "DELETE FROM meta WHERE key = 'signature'",
    "options that are no JSON": "UPDATE roots SET options = '{'",
    "options that are a list": "UPDATE roots SET options = '[]'",
    "a file of less than nothing": "UPDATE files SET size = -1",
    "failures that are none": """UPDATE files SET failures = '["no pair"]'""",
    "a document elsewhere": "UPDATE documents SET path = '../' || path, id = '../' || id",
    "a text that writes": "UPDATE documents SET text = char(7) || substr(text, 2)",
    "a length that is another": "UPDATE documents SET characters = characters + 1",
    "metadata that are a list": "UPDATE documents SET metadata = '[1]'",
    "metadata within metadata": """UPDATE documents SET metadata = '{"a": {"b": 1}}'""",
    "metadata without an end": "UPDATE documents SET metadata = '{\"a\":' || replace(hex(zeroblob(9999)), '0', '[')",
    "a span beyond the end": 'UPDATE chunks SET "end" = "end" + 10000',
    "a span that is empty": 'UPDATE chunks SET "end" = start',
    "a span that is another": 'UPDATE chunks SET "end" = "end" - 1',
    "another context": "UPDATE chunks SET context = context || '!'",
    "headings that are none": "UPDATE chunks SET heading = '[1]'",
    "page nought": "UPDATE chunks SET page = 0",
    "lines that run backwards": "UPDATE chunks SET first_line = 2, last_line = 1",
    "half of the lines": "UPDATE chunks SET first_line = NULL",
    "tokens beyond numbers": "UPDATE chunks SET tokens = 9223372036854775807",
    "a chunk of the future": "UPDATE chunks SET generation = 99999",
    "a chunk of no document": "DELETE FROM documents WHERE rowid = 1",
    "a vector that is short": "UPDATE vectors SET vector = substr(vector, 1, 40)",
    "a vector that is long": "UPDATE vectors SET vector = vector || zeroblob(4)",
    "a vector of nothing": "UPDATE vectors SET vector = zeroblob(length(vector))",
    "a vector that is not finite": f"UPDATE vectors SET vector = CAST({NAN} AS BLOB)",
    "a vector that is missing": "DELETE FROM vectors WHERE content IN (SELECT content FROM vectors LIMIT 1)",
    "span of words": "UPDATE chunks SET start = 'one'",
    "another text": "UPDATE documents SET text = upper(text)",
    "a line that is a word": "UPDATE chunks SET first_line = 'x'",
    "a heading that is none": "UPDATE chunks SET heading = '{'",
    "no vectors": "DELETE FROM vectors",
    "chunks of no document": "DELETE FROM documents",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_an_export_that_somebody_changed_is_refused_and_leaves_nothing(
    run: Run, fresh: Path, exported: Path, tmp_path: Path, kind: str
) -> None:
    file = changed_inside(exported, HOSTILE[kind])
    away = tmp_path / "away"
    away.mkdir()
    assert "no whole export" in run.fails(2, "import", file, cwd=away)
    assert list(away.iterdir()) == []
    before = tree(fresh / ".rag")
    run.fails(2, "import", file, "--force", cwd=fresh)
    assert tree(fresh / ".rag") == before


def test_what_is_told_of_an_import_is_what_it_holds(run: Run, exported: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(exported) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        data = archive.read("catalog.sqlite3")
    file = tmp_path / "other.rag"
    with zipfile.ZipFile(file, "w") as archive:
        lies = manifest | {"documents": ["\x1b[31m"], "chunks": -5, "model": "\x1b]0;title\x07"}
        archive.writestr("manifest.json", json.dumps(lies))
        archive.writestr("catalog.sqlite3", data)
    away = tmp_path / "away"
    away.mkdir()
    told = run("import", file, cwd=away).out
    assert "5 documents" in told
    assert "\x1b" not in told
    file.unlink()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest | {"format": "new"}))
        archive.writestr("catalog.sqlite3", data)
    assert "no whole export" in run.fails(2, "import", file, "--force", cwd=away)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_file_is_not_waited_for(run: Run, fresh: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "nothing.rag", ".", "-"):
        run.fails(2, "import", name, cwd=tmp_path)
    assert not (tmp_path / ".rag").exists()
    run.fails(2, "export", "-", cwd=fresh)
