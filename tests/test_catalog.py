"""The catalogue: what is put in comes out again, whole or not at all."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcli.catalog import Catalog, FileState, content_hash
from ragcli.errors import IndexDamaged, IndexMismatch, UsageError

from .store.samples import NOW, SIGNATURE, make_chunks, make_document, put, vector_of


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.create(tmp_path / "catalog.sqlite") as opened:
        yield opened


def names(catalog: Catalog) -> list[str]:
    return [name for name, _, _ in catalog.document_names()]


def texts(catalog: Catalog, document: str) -> list[str]:
    return [stored.chunk.text for stored in catalog.chunks_of(document)]


# -- documents and chunks --------------------------------------------------------------------------------


def test_a_document_comes_back_as_it_was_put(catalog: Catalog) -> None:
    document = make_document(
        "a.jsonl#7",
        "one\ntwo",
        title="Title",
        record="7",
        metadata={"year": 2026, "ok": True, "name": "杭州"},
    )
    chunks = [replace(chunk, page=3, page_label="iii", lead="| name |") for chunk in make_chunks(document)]
    with catalog.transaction():
        assert catalog.put_document(document, chunks, NOW, catalog.begin_generation()) == (2, 0)
    stored = catalog.chunks([chunk.id for chunk in chunks])
    assert [stored[chunk.id].chunk for chunk in chunks] == chunks
    first = stored[chunks[0].id]
    assert (first.path, first.record, first.title, first.language) == ("a.jsonl", "7", "Title", "en")
    assert first.metadata == {"year": 2026, "ok": True, "name": "杭州"}
    assert catalog.documents_of("a.jsonl") == ["a.jsonl#7"]
    (row,) = catalog.document_rows()
    assert (row["document"], row["characters"], row["tokens"], row["chunks"], row["indexed"]) == (
        "a.jsonl#7",
        7,
        6,
        2,
        NOW,
    )


def test_documents_within_a_file_are_found_by_the_file(catalog: Catalog) -> None:
    inner = replace(make_document("papers.zip/a.txt", "one"), file="papers.zip")
    put(catalog, inner, make_document("papers.zip.txt", "two"))
    assert catalog.documents_of("papers.zip") == ["papers.zip/a.txt"]
    assert catalog.documents_of("papers.zip/a.txt") == []
    assert catalog.document_origins()["papers.zip/a.txt"][0] == "papers.zip"


def test_lines_and_pages_may_be_absent(catalog: Catalog) -> None:
    document = make_document("a", "one")
    (chunk,) = make_chunks(document)
    with catalog.transaction():
        catalog.put_document(document, [replace(chunk, lines=None)], NOW, catalog.begin_generation())
    stored = catalog.chunks([chunk.id])[chunk.id].chunk
    assert (stored.lines, stored.page) == (None, None)


def test_a_changed_document_replaces_its_chunks_and_keeps_those_that_stayed(catalog: Catalog) -> None:
    (one, two) = put(catalog, make_document("a", "one\ntwo"))
    changed = make_document("a", "one\nnew")
    chunks = make_chunks(changed)
    assert chunks[0].id == one
    with catalog.transaction():
        assert catalog.put_document(changed, chunks, NOW, catalog.begin_generation()) == (1, 1)
    assert texts(catalog, "a") == ["one", "new"]
    assert catalog.gone_since(0) == [two]
    assert [stored.chunk.text for stored in catalog.chunks_since(1)] == ["new"], (
        "what stayed is not made again"
    )
    assert catalog.chunks([two]) == {}


def test_a_chunk_that_moved_up_keeps_its_id_and_gets_its_new_number(catalog: Catalog) -> None:
    document = make_document("a", "one\ntwo\nthree")
    chunks = make_chunks(document)
    put(catalog, document)
    with catalog.transaction():
        catalog.put_document(document, [replace(chunks[2], ordinal=0)], NOW, catalog.begin_generation())
    assert [(stored.chunk.id, stored.chunk.ordinal) for stored in catalog.chunks_of("a")] == [
        (chunks[2].id, 0)
    ]


def test_a_dropped_document_leaves_with_its_chunks(catalog: Catalog) -> None:
    gone = put(catalog, make_document("a", "one\ntwo"), make_document("b", "three"))[:2]
    put(catalog, drop=["a"])
    assert names(catalog) == ["b"]
    assert catalog.counts()["chunks"] == 1
    assert catalog.gone_since(1) == sorted(gone)
    assert catalog.gone_since(2) == []


def test_what_comes_back_is_no_longer_gone(catalog: Catalog) -> None:
    document = make_document("a", "one")
    put(catalog, document)
    put(catalog, drop=["a"])
    (chunk,) = put(catalog, document)
    assert catalog.gone_since(0) == []
    assert [stored.chunk.id for stored in catalog.chunks_since(2)] == [chunk]


def test_removals_are_forgotten_up_to_a_generation(catalog: Catalog) -> None:
    put(catalog, make_document("a", "one"), make_document("b", "two"))
    put(catalog, drop=["a"])
    put(catalog, drop=["b"])
    catalog.forget_gone(2)
    assert len(catalog.gone_since(0)) == 1
    catalog.forget_gone(3)
    assert catalog.gone_since(0) == []


def test_chunks_since_a_generation_come_in_the_order_of_their_ids(catalog: Catalog) -> None:
    old = put(catalog, make_document("z", "\n".join("abcdef")))
    new = put(catalog, make_document("b", "\n".join("ghijkl")), make_document("a", "\n".join("mnopqr")))
    assert [stored.chunk.id for stored in catalog.chunks_since(1)] == sorted(new)
    assert [stored.chunk.id for stored in catalog.chunks_since(0)] == sorted(old + new)
    assert list(catalog.chunks_since(2)) == []


def test_chunks_are_found_by_the_beginning_of_their_ids(catalog: Catalog) -> None:
    ids = sorted(put(catalog, make_document("a", "\n".join("abcdefgh"))))
    assert catalog.chunks_by_prefix(ids[0]) == [ids[0]]
    assert catalog.chunks_by_prefix("") == ids[:2]
    assert catalog.chunks_by_prefix("x") == []


# -- characters ------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(
            st.characters(exclude_categories=["Cs", "Cc"])
            | st.sampled_from("😀𠮷中é\u0301\ufeff\u2028\uffff\t"),
            min_size=1,
            max_size=8,
        ),
        max_size=6,
    )
)
def test_spans_count_characters_of_any_plane(lines: list[str]) -> None:
    document = make_document("a", "\n".join(lines), title="".join(lines), metadata={"m": "".join(lines)})
    with Catalog.in_memory() as catalog:
        put(catalog, document)
        assert texts(catalog, "a") == [chunk.text for chunk in make_chunks(document)]
        (row,) = catalog.document_rows()
        assert (row["title"], row["characters"]) == (document.title, len(document.text))
        assert catalog.chunks_of("a")[0].metadata == document.metadata


def test_a_content_hash_can_be_had_of_any_string() -> None:
    assert content_hash("\ud800") != content_hash("\udfff")
    assert len(content_hash("")) == 32


# -- vectors ---------------------------------------------------------------------------------------------


def test_vectors_come_back_in_the_order_asked_for(catalog: Catalog) -> None:
    one, two, three = put(catalog, make_document("a", "one\ntwo\nthree", title="T"))
    found = catalog.vectors_of([three, one, two, one], SIGNATURE)
    assert found.shape == (4, 8)
    assert found.dtype == np.float32
    expected = [vector_of(f"T\n{text}") for text in ("three", "one", "two", "one")]
    np.testing.assert_array_equal(found, np.stack(expected))


def test_documents_with_the_same_text_share_a_vector(catalog: Catalog) -> None:
    ids = put(catalog, make_document("a", "same"), make_document("b", "same"))
    assert catalog.counts()["vectors"] == 1
    one, other = catalog.vectors_of(ids, SIGNATURE)
    np.testing.assert_array_equal(one, other)


def test_a_missing_vector_is_damage_and_never_skipped(catalog: Catalog) -> None:
    ids = put(catalog, make_document("a", "one"))
    with pytest.raises(IndexDamaged, match="lacks vectors"):
        catalog.vectors_of([*ids, "unknown"], SIGNATURE)
    with pytest.raises(IndexDamaged, match="lacks vectors"):
        catalog.vectors_of(ids, "another model")


def test_missing_vectors_are_told_by_model(catalog: Catalog) -> None:
    put(catalog, make_document("a", "one"))
    one, two = content_hash("one"), content_hash("two")
    assert catalog.missing_vectors([one, two, two], SIGNATURE) == {two}
    assert catalog.missing_vectors([one, two], "another model") == {one, two}


def test_vectors_are_durable_before_any_document_is(tmp_path: Path) -> None:
    script = """
import os, sys, numpy as np
from pathlib import Path
from ragcli.catalog import Catalog
catalog = Catalog.create(Path(sys.argv[1]))
catalog.put_vectors(["c1"], "m", np.ones((1, 4), np.float32))
catalog._db.execute("BEGIN IMMEDIATE")
catalog.put_vectors(["c2"], "m", np.ones((1, 4), np.float32))
catalog.put("generation", "7")
os.kill(os.getpid(), 9)
"""
    path = tmp_path / "catalog.sqlite"
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode != 0
    with Catalog.open(path) as catalog:
        assert catalog.missing_vectors(["c1", "c2"], "m") == {"c2"}
        assert catalog.generation == 0


def test_vectors_of_an_unequal_number_are_refused_and_none_is_kept(catalog: Catalog) -> None:
    with pytest.raises(ValueError, match="shorter"):
        catalog.put_vectors(["c1", "c2"], SIGNATURE, np.ones((1, 8), np.float32))
    assert catalog.counts()["vectors"] == 0


def test_idle_vectors_are_kept_until_they_outnumber_those_in_use(catalog: Catalog) -> None:
    (used,) = put(catalog, make_document("a", "one"))
    idle = [f"idle {n}" for n in range(1001)]
    catalog.put_vectors(idle, SIGNATURE, np.ones((len(idle), 8), np.float32))
    assert catalog.drop_idle_vectors() == 0
    catalog.put_vectors(["one more"], SIGNATURE, np.ones((1, 8), np.float32))
    assert catalog.drop_idle_vectors() == 1002
    assert catalog.counts()["vectors"] == 1
    catalog.vectors_of([used], SIGNATURE)


# -- all or nothing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_transaction_that_fails_changes_nothing(error: type[BaseException], catalog: Catalog) -> None:
    before = put(catalog, make_document("a", "one"))
    document = make_document("a", "two")

    def change_and_fail() -> None:
        generation = catalog.begin_generation()
        catalog.put_document(document, make_chunks(document), NOW, generation)
        catalog.drop_document("a", generation)
        catalog.put_vectors(["c"], SIGNATURE, np.ones((1, 8), np.float32))
        raise error

    with pytest.raises(error), catalog.transaction():
        change_and_fail()
    assert catalog.generation == 1
    assert texts(catalog, "a") == ["one"]
    assert catalog.gone_since(0) == []
    assert catalog.missing_vectors(["c"], SIGNATURE) == {"c"}
    assert list(catalog.chunks(before)) == before


def test_a_snapshot_sees_one_moment(catalog: Catalog) -> None:
    put(catalog, make_document("a", "one"))
    with Catalog.open(catalog.path) as reader, reader.snapshot():
        assert reader.generation == 1
        put(catalog, drop=["a"])
        assert reader.generation == 1
        assert names(reader) == ["a"]
    with Catalog.open(catalog.path) as reader:
        assert reader.generation == 2


def test_what_is_committed_is_there_for_the_next_process(catalog: Catalog) -> None:
    put(catalog, make_document("a", "one"))
    catalog.touch_file(
        FileState("a", 3, 4, "f" * 64, "recipe", (("bad-line", "line 3"), ("damaged", "杭州")))
    )
    catalog.add_root("docs", {"include": ["*.md"], "ignore": True})
    with Catalog.open(catalog.path) as other:
        assert names(other) == ["a"]
        assert other.files() == catalog.files()
        assert other.files()["a"].failures == (("bad-line", "line 3"), ("damaged", "杭州"))
        assert other.roots() == {"docs": {"include": ["*.md"], "ignore": True}}
        assert other.get("uid") == catalog.get("uid")


# -- files that are no catalogue ------------------------------------------------------------------------------


def test_a_new_catalogue_has_an_identity_of_its_own(tmp_path: Path) -> None:
    with Catalog.create(tmp_path / "a") as one, Catalog.create(tmp_path / "b") as other:
        assert one.get("uid") != other.get("uid")
        assert one.generation == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_making_a_catalogue_that_is_there_opens_it(catalog: Catalog) -> None:
    put(catalog, make_document("a", "one"))
    with Catalog.create(catalog.path) as again:
        assert names(again) == ["a"]


def test_the_log_of_a_catalogue_that_is_gone_is_no_part_of_the_next(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite3"
    with Catalog.create(path) as catalog:
        with catalog.transaction():
            catalog.put("model", "the old one")
        log = path.with_name("catalog.sqlite3-wal").read_bytes()
    assert log
    path.unlink()
    path.with_name("catalog.sqlite3-wal").write_bytes(log)
    with Catalog.create(path) as catalog:
        assert catalog.get("model") is None
        assert not catalog.problems()


def test_another_format_is_a_mismatch(catalog: Catalog) -> None:
    catalog.put("format", "99")
    with pytest.raises(IndexMismatch, match="format 99"):
        Catalog.open(catalog.path)


@pytest.mark.parametrize(
    "content", [b"no database at all, " * 50, b"SQLite format 3\0" + b"\xff" * 4000, b""]
)
def test_what_is_no_database_is_damage(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(content)
    with pytest.raises(IndexDamaged, match="not a readable catalogue"):
        Catalog.open(path)


def test_a_database_of_something_else_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE something (other TEXT)")
    with pytest.raises(IndexDamaged, match="not a readable catalogue"):
        Catalog.open(path)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        Catalog.create(tmp_path / "missing" / "catalog.sqlite")
