"""What others do to the files: rights that are not given, clocks that are set, texts that change meanwhile."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ..program import Ran, tree
from .answers import answers_of, check_same, chunks_by_document
from .children import CANNOT
from .conftest import SOAK, Fresh
from .corpus import EVERYWHERE, Folder
from .processes import Family, Process

DAY = 86_400


def ended(process: Process, *expected: int) -> Ran:
    """A run that ended as expected; one line says why where that was not well."""
    ran = process.wait()
    if ran.exit == CANNOT:
        pytest.skip(ran.err.strip())
    assert ran.exit in expected, (process.command, ran)
    assert "Traceback" not in ran.err, ran
    return ran


# -- rights ------------------------------------------------------------------------------------------


@pytest.fixture
def open_home(family: Family, model: Path) -> Iterator[Path]:
    """An index, its documents and its model, where every user may read them."""
    home = Path(tempfile.mkdtemp(prefix="rag-open-"))
    try:
        home.chmod(0o755)
        shutil.copytree(model, home / "model")
        Folder(home, random.Random(5), files=8)
        ended(family.rag("index", "docs", "--model", home / "model", "--chunk-size", "24", cwd=home), 0)
        for path in home.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield home
    finally:
        shutil.rmtree(home)


def search(mode: str) -> list[str]:
    return ["search", EVERYWHERE, "--mode", mode, "-k", "2000", "--format", "jsonl"]


@pytest.mark.parametrize("how", ["another user's", "a read-only disk"])
def test_an_index_that_cannot_be_written_answers(family: Family, open_home: Path, how: str) -> None:
    """Without this, an index shared on a server could only be used by the one who made it."""
    wanted = {
        mode: ended(family.rag(*search(mode), cwd=open_home), 0).out
        for mode in ("lexical", "dense", "hybrid")
    }
    if how == "another user's":
        for path in (open_home / ".rag", *(open_home / ".rag").rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
    before = tree(open_home)

    def run(*words: str) -> Process:
        if how == "another user's":
            return family.start("rag_bound_by_modes", words, cwd=open_home)
        return family.start("rag_on_a_read_only_disk", words, str(open_home), cwd=open_home)

    assert ended(run("status", "--format", "json"), 0).json["documents"] > 0
    ended(run("list"), 0)
    for mode in ("lexical", "dense", "hybrid"):
        # Both engines want to write a lock or a journal even to read.
        assert ended(run(*search(mode)), 0).out == wanted[mode]
    for words in (["index", "docs"], ["remove", "docs/deep"]):
        assert "writable" in ended(run(*words), 2).message
    assert tree(open_home) == before


def answered_read_only(family: Family, home: Path, *words: str) -> Ran:
    return ended(family.start("rag_on_a_read_only_disk", words, str(home), cwd=home), 0)


@pytest.mark.parametrize("lost", ["lexical", "chroma", "both", "a term", "the marker", "behind"])
def test_an_index_that_cannot_be_written_answers_from_the_catalogue_where_a_part_is_lost(
    family: Family, open_home: Path, lost: str
) -> None:
    """Without this, a snapshot that was taken at a bad moment would be of no use."""
    index = open_home / ".rag"
    if lost == "behind":
        shutil.copytree(index / "lexical", open_home / "old")
        (open_home / "docs" / "new.txt").write_text(f"Page 999 tells of heron at {EVERYWHERE}.\n", "utf-8")
        ended(family.rag("index", cwd=open_home), 0)
        shutil.rmtree(index / "lexical")
        (open_home / "old").rename(index / "lexical")
    wanted = {}
    with_room = open_home.with_name(f"{open_home.name}-room")
    shutil.copytree(open_home, with_room)
    try:
        for mode in ("lexical", "dense", "hybrid"):
            wanted[mode] = ended(family.rag(*search(mode), cwd=with_room), 0).out
    finally:
        shutil.rmtree(with_room)
    if lost in ("lexical", "both"):
        shutil.rmtree(index / "lexical")
    if lost in ("chroma", "both"):
        shutil.rmtree(index / "chroma")
    if lost == "a term":
        damaged = max((index / "lexical").glob("*.term"), key=lambda path: path.stat().st_size)
        damaged.write_bytes(bytes(damaged.stat().st_size))
    if lost == "the marker":
        (index / "lexical" / "projection.json").unlink()
    before = tree(open_home)
    for mode, out in wanted.items():
        ran = answered_read_only(family, open_home, *search(mode))
        assert ran.out == out
        assert ("temporary one was made" in ran.err) == (lost != "chroma"), ran.err
    assert tree(open_home) == before


@pytest.mark.parametrize("left", ["log", "log and shared memory", "journal"])
def test_what_a_crash_left_beside_a_catalogue_is_not_passed_over_where_nothing_can_be_written(
    family: Family, open_home: Path, left: str
) -> None:
    """Without this, a copy of a machine that crashed would answer from an older state, or a torn one."""
    file = open_home / ".rag" / "catalog.sqlite3"
    kept = open_home / "kept"
    kept.mkdir()
    with closing(sqlite3.connect(file)) as db:
        [document] = db.execute("SELECT min(id) FROM documents").fetchone()
        if left == "journal":
            db.execute("PRAGMA journal_mode = DELETE")
            db.execute("PRAGMA cache_size = 1")  # so that what is not committed reaches the file
            db.execute("BEGIN IMMEDIATE")
            db.execute("UPDATE documents SET title = 'torn'")
            db.execute("INSERT INTO roots VALUES ('torn', hex(zeroblob(1000000)))")
        else:
            db.execute("UPDATE documents SET title = 'committed' WHERE id = ?", (document,))
            db.commit()
        for path in file.parent.glob("catalog.sqlite3*"):
            if left != "log" or not path.name.endswith("-shm"):
                shutil.copy(path, kept)
    for path in file.parent.glob("catalog.sqlite3*"):
        path.unlink()
    for path in kept.iterdir():
        path.rename(file.parent / path.name)
    assert any(path.stat().st_size for path in file.parent.glob("catalog.sqlite3-*"))
    before = tree(open_home)
    rows = answered_read_only(family, open_home, "list", "--format", "jsonl").lines
    titles = {row["document"]: row["title"] for row in rows}
    assert (titles[document] == "committed") == (left != "journal")
    assert "torn" not in titles.values()
    answered_read_only(family, open_home, *search("hybrid"))
    assert tree(open_home) == before


@pytest.mark.parametrize("shut", ["the folder", "the weights"])
def test_a_model_that_may_not_be_read_is_told_and_the_rest_examined(
    family: Family, open_home: Path, shut: str
) -> None:
    """Without this, a slip of the rights would end the examination of a sound index in a traceback."""
    for path in (open_home, *open_home.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    model = open_home / "model"
    for path in [model] if shut == "the folder" else model.rglob("*.safetensors"):
        path.chmod(0)
    ran = ended(family.start("rag_bound_by_modes", ["doctor"], cwd=open_home), 7)
    assert str(model) in ran.err
    for check in ("catalogue", "vectors", "lexical", "chroma", "files"):
        assert f"ok    {check}" in ran.out
    model.chmod(0o777)


def test_documents_that_cannot_be_written_can_be_indexed(
    family: Family, words: list[str], tmp_path: Path
) -> None:
    """Without this, documents on a mounted image could not be searched."""
    Folder(tmp_path, random.Random(5), files=4)
    process = family.start("rag_on_a_read_only_disk", words, str(tmp_path / "docs"), cwd=tmp_path)
    assert ended(process, 0).json["documents"]["failed"] == 0


def test_a_file_that_may_not_be_read_any_more_keeps_its_place(family: Family, open_home: Path) -> None:
    """Without this, a slip of the rights would cost the embedding of what it hides."""
    for path in (open_home, *open_home.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    before = chunks_by_document(open_home)
    hidden = sorted((open_home / "docs").glob("*.txt"))[0]
    hidden.write_text("Page 1 tells of another thing.\n", "utf-8")
    hidden.chmod(0)
    ran = ended(family.start("rag_bound_by_modes", ["index", "docs", "--format", "json"], cwd=open_home), 6)
    assert [failure["path"] for failure in ran.json["failures"]] == [f"docs/{hidden.name}"]
    assert chunks_by_document(open_home) == before
    hidden.chmod(0o644)
    ended(family.start("rag_bound_by_modes", ["index"], cwd=open_home), 0)
    assert chunks_by_document(open_home) != before


# -- clocks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [-DAY, DAY])
def test_a_clock_that_is_set_hides_no_change(
    family: Family, words: list[str], fresh: Fresh, rng: random.Random, tmp_path: Path, shift: int
) -> None:
    """Without this, a machine whose clock was wrong for a day would never see what was edited in it."""
    folder = Folder(tmp_path, rng, files=12)
    ended(family.rag(*words, cwd=tmp_path), 0)
    for _ in range(5 if SOAK else 2):
        folder.change(6)
        ended(family.start("rag_at_another_time", words, shift, cwd=tmp_path), 0)
    folder.change(6)
    ended(family.rag(*words, cwd=tmp_path), 0)
    check_same(answers_of(family, tmp_path), answers_of(family, fresh(tmp_path)))


@pytest.mark.parametrize("shift", [-DAY, 0, DAY])
def test_an_edit_that_keeps_size_and_time_of_a_file_from_the_future_is_seen(
    family: Family, words: list[str], tmp_path: Path, shift: int
) -> None:
    """Without this, files unpacked with a wrong clock would be frozen in the index as they first were."""
    (tmp_path / "docs").mkdir()
    file = tmp_path / "docs" / "page.txt"
    future = time.time() + 300 * DAY
    for word in ("amber", "basil", "cedar"):  # all of one length
        file.write_text(f"Page 1 tells of {word} at {EVERYWHERE}.\n", "utf-8")
        os.utime(file, (future, future))
        ended(family.start("rag_at_another_time", words, shift, cwd=tmp_path), 0)
        hits = ended(family.rag(*search("lexical"), cwd=tmp_path), 0).lines
        assert [word in hit["text"] for hit in hits] == [True]


# -- files that change while they are read ---------------------------------------------------------------

PAGES = ["Page 1 tells of amber at dusk.\n", "Page 2 tells of basil and cedar at dusk.\n"]
RECORDS = [
    "".join(
        f"{json.dumps({'_id': f'r{n}', 'text': f'Page {n} tells of {word} at dusk.'})}\n" for n in range(3)
    )
    for word in ("heron", "saffron")
]


def cases() -> Iterator[object]:
    """What is read, what it becomes, and when; the ordinary tests try a part of it."""
    changes = [
        ("page.txt", PAGES[0], PAGES[1], 0),
        ("page.txt", PAGES[0], PAGES[1], 1),
        ("page.txt", PAGES[0], None, 0),
    ]
    changes += [
        (name, RECORDS[0], new, after)
        for name, new, after in itertools.product(["pages.jsonl"], [RECORDS[1], None], [0, 2])
    ]
    for (name, old, new, after), for_good, is_known in itertools.product(
        changes, [True, False], [True, False]
    ):
        if SOAK or (is_known and for_good == (new is None)):
            words = (
                "known" if is_known else "new", name, "goes" if new is None else "changes",
                f"after {after}", "for good" if for_good else "and back",
            )  # fmt: skip
            yield pytest.param(name, old, new, after, for_good, is_known, id=" ".join(words))


@pytest.mark.parametrize(("name", "old", "new", "after", "for_good", "is_known"), list(cases()))
def test_a_file_that_changes_while_it_is_read_is_right_the_next_time(
    family: Family, words: list[str], fresh: Fresh, tmp_path: Path, name: str, old: str, new: str | None,
    after: int, for_good: bool, is_known: bool,
) -> None:  # fmt: skip
    """Without this, an editor's save or a checkout at the wrong moment would stay unseen for ever."""
    file = tmp_path / "docs" / name
    file.parent.mkdir()
    (file.parent / "other.txt").write_text("Page 9 tells of heron at dusk.\n", "utf-8")
    if is_known:
        file.write_text(old.replace("tells", "dusk"), "utf-8")
        ended(family.rag(*words, cwd=tmp_path), 0)
    file.write_text(old, "utf-8")
    ended(family.start("rag_while_a_file_changes", words, f"docs/{name}", new, after, cwd=tmp_path), 0, 6)
    ended(family.rag(*search("dense"), cwd=tmp_path), 0)
    if not for_good:
        file.write_text(old, "utf-8")
    ended(family.rag(*words, cwd=tmp_path), 0)
    check_same(answers_of(family, tmp_path), answers_of(family, fresh(tmp_path)))
