"""``rag doctor``: what is wrong is found, named and mended without embedding."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ragcli.locks import changing
from ragcli.pipeline import examine, repair

from ..program import Rag, Run
from ..tiny import WORDS, save_static

SEARCHES = tuple(
    ("search", "bees in winter", "--mode", mode, "--format", "jsonl")
    for mode in ("lexical", "dense", "hybrid")
)


def answers(run: Run, home: Path) -> list[str]:
    return [run(*words, cwd=home).out for words in SEARCHES]


def examined(run: Run, home: Path, *words: str, exit: int = 0) -> dict[str, dict[str, Any]]:  # noqa: A002
    """The checks by name; of several findings of one check a bad one."""
    told = json.loads(run("doctor", *words, "--format", "json", cwd=home, exit=exit).out)
    return {
        check["check"]: check
        for check in sorted(told["checks"], key=lambda check: not check["ok"], reverse=False)[::-1]
    }


@contextmanager
def catalogue(home: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(home / ".rag" / "catalog.sqlite3")) as db, db:
        yield db


def collection(home: Path) -> Any:
    import chromadb

    return chromadb.PersistentClient(path=str(home / ".rag" / "chroma")).get_collection(
        "chunks", embedding_function=None
    )


def forget_chroma() -> None:
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient.clear_system_cache()


def test_a_sound_index_passes_every_check(run: Run, samples: Path) -> None:
    ran = run("doctor", cwd=samples)
    for check in ("catalogue", "vectors", "model", "lexical", "chroma", "files"):
        assert f"ok    {check}" in ran.out
    assert "bad" not in ran.out
    found = examined(run, samples)
    assert all(check["ok"] and check["mend"] is None for check in found.values())


def test_an_index_that_was_emptied_is_sound_however_often_it_is_looked_at(run: Run, fresh: Path) -> None:
    run("remove", "docs", cwd=fresh)
    for _ in range(3):
        run("doctor", cwd=fresh)
    run("search", "bees in winter", "--mode", "dense", cwd=fresh, exit=1)
    run("doctor", cwd=fresh)
    run("index", "docs", cwd=fresh)
    assert all(answers(run, fresh))
    run("doctor", cwd=fresh)


def test_where_there_is_no_index_there_is_nothing_to_examine(run: Run, tmp_path: Path) -> None:
    assert "rag index" in run.fails(3, "doctor", cwd=tmp_path)
    assert "rag index" in run.fails(3, "doctor", "--repair", cwd=tmp_path)
    assert not (tmp_path / ".rag").exists()


def lose_rows(home: Path) -> None:
    rows = collection(home)
    rows.delete(ids=rows.get(limit=2)["ids"])
    forget_chroma()


def exchange_vectors(home: Path) -> None:
    rows = collection(home)
    first, second = rows.get(limit=2, include=["embeddings"])["ids"]
    vectors = rows.get(ids=[first, second], include=["embeddings"])["embeddings"]
    rows.update(ids=[second, first], embeddings=vectors)
    forget_chroma()


def empty_lexical(home: Path) -> None:
    import tantivy

    index = tantivy.Index.open(str(home / ".rag" / "lexical"))
    writer = index.writer()
    writer.delete_all_documents()
    writer.commit()


HARMS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "chroma rows lost": ("chroma", lose_rows),
    "chroma vectors exchanged": ("chroma", exchange_vectors),
    "chroma gone": ("chroma", lambda home: shutil.rmtree(home / ".rag" / "chroma")),
    "lexical emptied": ("lexical", empty_lexical),
    "lexical gone": ("lexical", lambda home: shutil.rmtree(home / ".rag" / "lexical")),
    "marker gone": ("lexical", lambda home: (home / ".rag" / "lexical" / "projection.json").unlink()),
}


@pytest.mark.parametrize("harm", HARMS)
def test_harm_to_what_is_derived_is_named_and_mended_without_embedding(
    run: Run, fresh: Path, harm: str
) -> None:
    before = answers(run, fresh)
    check, do = HARMS[harm]
    do(fresh)
    found = examined(run, fresh, exit=8)
    assert [name for name, told in found.items() if not told["ok"]] == [check]
    assert "rag doctor --repair" in found[check]["mend"]
    assert "rag doctor --repair" in run("doctor", cwd=fresh, exit=8).err
    ran = run("doctor", "--repair", cwd=fresh)
    assert "made anew" in ran.out
    assert all(told["ok"] for told in examined(run, fresh).values())
    assert answers(run, fresh) == before
    assert run("index", "docs", "--format", "json", cwd=fresh).json["embedded"] == 0


@pytest.mark.parametrize(
    "harm", ["chroma rows lost", "chroma vectors exchanged", "chroma gone", "lexical emptied"]
)
def test_a_search_never_answers_from_harmed_stores(run: Run, fresh: Path, harm: str) -> None:
    before = answers(run, fresh)
    HARMS[harm][1](fresh)
    assert answers(run, fresh) == before


def test_vectors_that_are_lost_or_spoilt_are_embedded_again_by_the_next_run(run: Run, fresh: Path) -> None:
    before = answers(run, fresh)
    with catalogue(fresh) as db:
        one, two = (row[0] for row in db.execute("SELECT content FROM chunks ORDER BY id LIMIT 2"))
        db.execute("DELETE FROM vectors WHERE content = ?", (one,))
        db.execute("UPDATE vectors SET vector = zeroblob(length(vector)) WHERE content = ?", (two,))
    found = examined(run, fresh, exit=8)
    assert "2 texts to embed" in found["vectors"]["message"]
    assert found["vectors"]["mend"] == "rag doctor --repair && rag index"
    run("doctor", "--repair", cwd=fresh)
    assert run("index", "docs", "--format", "json", cwd=fresh).json["embedded"] == 2
    assert answers(run, fresh) == before
    examined(run, fresh)


def test_chunks_that_are_not_in_their_text_are_cut_anew(run: Run, fresh: Path) -> None:
    before = answers(run, fresh)
    with catalogue(fresh) as db:
        db.execute("UPDATE documents SET text = upper(text) WHERE path LIKE '%tea.md'")
    assert "tea.md" in examined(run, fresh, exit=8)["catalogue"]["message"]
    run("doctor", "--repair", cwd=fresh)
    assert run("index", "docs", "--format", "json", cwd=fresh).json["embedded"] == 0
    assert answers(run, fresh) == before


@pytest.mark.parametrize("harm", ["overwritten", "cut", "gone", "scribbled"])
def test_of_a_damaged_catalogue_the_vectors_are_saved(run: Run, fresh: Path, harm: str) -> None:
    for number in range(60):
        (fresh / "docs" / f"more {number}.txt").write_text(
            f"Swift number {number} sleeps on the wing.\n", "utf-8"
        )
    total = run("index", "docs", "--format", "json", cwd=fresh).json["chunks"]["total"]
    before = answers(run, fresh)
    file = fresh / ".rag" / "catalog.sqlite3"
    data = file.read_bytes()
    if harm == "overwritten":
        file.write_bytes(b"harm" * (len(data) // 4))
    elif harm == "cut":
        file.write_bytes(data[: len(data) * 3 // 4])
    elif harm == "gone":
        file.unlink()
    else:
        file.write_bytes(data[: len(data) // 2] + b"\xaa" * 3 * 4096 + data[len(data) // 2 + 3 * 4096 :])
    run("doctor", cwd=fresh, exit=8)
    ran = run("doctor", "--repair", cwd=fresh)
    assert "rag index" in ran.out
    told = run("index", "docs", "--format", "json", cwd=fresh).json
    assert told["chunks"]["total"] == total
    if harm in ("cut", "scribbled"):
        assert told["embedded"] < total, "something of it could be saved"
    assert answers(run, fresh) == before
    examined(run, fresh)


def cut(home: Path) -> None:
    """Lose the last quarter of the catalogue."""
    file = home / ".rag" / "catalog.sqlite3"
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 3 // 4])


def grow(run: Run, home: Path, name: str) -> int:
    """Index enough more documents for something to be saved of a part; the chunks there are then."""
    for number in range(60):
        (home / "docs" / f"{name} {number}.txt").write_text(
            f"Swift number {number} of {name} sleeps on the wing.\n", "utf-8"
        )
    total = run("index", "docs", "--format", "json", cwd=home).json["chunks"]["total"]
    assert isinstance(total, int)
    return total


def test_saved_vectors_wait_for_their_documents_through_another_repair(run: Run, fresh: Path) -> None:
    total = grow(run, fresh, "more")
    cut(fresh)
    run("doctor", "--repair", cwd=fresh)
    run("doctor", "--repair", cwd=fresh)
    assert "wait for their documents" in examined(run, fresh)["room"]["message"]
    assert run("index", "docs", "--format", "json", cwd=fresh).json["embedded"] < total


def test_a_damaged_catalogue_that_was_put_aside_is_not_written_over(run: Run, fresh: Path) -> None:
    folder = fresh / ".rag"
    kept = []
    for number in ("", ".2"):
        grow(run, fresh, f"flight{number}")
        cut(fresh)
        run("doctor", "--repair", cwd=fresh)
        kept.append((folder / f"catalog.damaged{number}.sqlite3").read_bytes())
        run("index", "docs", cwd=fresh)
    assert (folder / "catalog.damaged.sqlite3").read_bytes() == kept[0] != kept[1]
    assert not list(folder.glob("catalog.mending*"))
    assert not list(folder.glob("catalog.saved*"))


def test_a_catalogue_that_is_gone_is_damage_for_every_command(run: Run, fresh: Path) -> None:
    (fresh / ".rag" / "catalog.sqlite3").unlink()
    for words in (("search", "bees"), ("status",), ("index", "docs"), ("index", "docs", "--plan")):
        message = run.fails(8, *words, cwd=fresh)
        assert "catalog.sqlite3 is gone" in message
        assert "`rag doctor --repair`" in message


def test_no_writer_comes_between_a_repair_and_its_report(
    run: Run, rag: Rag, fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = repair.examine

    def examine_while_others_try(*arguments: Any, **options: Any) -> examine.Examination:
        assert "rag doctor --repair" in rag("index", "docs", "--wait", "0", cwd=fresh, exit=5).err
        return look(*arguments, **options)

    monkeypatch.setattr(repair, "examine", examine_while_others_try)
    HARMS["lexical gone"][1](fresh)
    run("doctor", "--repair", cwd=fresh)


def test_while_the_model_is_loaded_writers_need_not_wait(
    run: Run, fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = examine.open_model
    loaded = []

    def load_while_others_write(spec: str, *known: Any) -> Any:
        with changing(fresh / ".rag", 0):
            loaded.append(spec)
        return load(spec, *known)

    monkeypatch.setattr(examine, "open_model", load_while_others_write)
    run("doctor", cwd=fresh)
    assert len(loaded) == 1


def test_what_answers_once_the_model_is_loaded_is_examined(
    run: Run, rag: Rag, fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_static(tmp_path / "model", WORDS.split(), 1)
    load = examine.open_model
    loaded: list[str] = []

    def load_while_another_takes_over(spec: str, *known: Any) -> Any:
        if not loaded:
            rag("index", "--model", tmp_path / "model", cwd=fresh)
        loaded.append(spec)
        return load(spec, *known)

    monkeypatch.setattr(examine, "open_model", load_while_another_takes_over)
    assert str(tmp_path / "model") in examined(run, fresh)["model"]["message"]
    assert loaded == ["all-MiniLM-L6-v2", str(tmp_path / "model")]


SPOILT = {
    "gone": shutil.rmtree,
    "empty": lambda model: (model / "modules.json").unlink(),
    "weights": lambda model: next(model.rglob("*.safetensors")).write_bytes(b"harm" * 100),
    "tokenizer": lambda model: next(model.rglob("tokenizer.json")).write_text("{", "utf-8"),
    "configuration": lambda model: (model / "modules.json").write_text("[", "utf-8"),
}


@pytest.mark.parametrize("harm", SPOILT)
def test_without_its_model_everything_else_of_an_index_is_examined(
    run: Run, tmp_path: Path, harm: str
) -> None:
    model = tmp_path / "model"
    save_static(model, WORDS.split(), 1)
    (tmp_path / "bees.md").write_text("# Bees\n\nIn winter the cluster shivers.\n", "utf-8")
    run("index", "bees.md", "--model", model, cwd=tmp_path)
    SPOILT[harm](model)
    ran = run("doctor", cwd=tmp_path, exit=7)
    assert str(model) in ran.err
    for check in ("catalogue", "vectors", "lexical", "chroma", "files"):
        assert f"ok    {check}" in ran.out
    assert "bad   model" in ran.out
    run("search", "bees", "--mode", "dense", cwd=tmp_path, exit=7)
    if harm == "gone":
        (tmp_path / ".rag" / "lexical" / "projection.json").unlink()
        assert "lexical: " in run("doctor", cwd=tmp_path, exit=8).err
        assert "made anew" in run("doctor", "--repair", cwd=tmp_path, exit=7).out


def test_which_edition_answers_is_found_out_again(run: Run, fresh: Path) -> None:
    before = answers(run, fresh)
    (fresh / ".rag" / "editions.json").write_text("{", "utf-8")
    assert "rag doctor --repair" in run.fails(8, "search", "bees", cwd=fresh)
    run("doctor", "--repair", cwd=fresh)
    assert answers(run, fresh) == before


def test_changed_files_are_told_and_are_no_damage(run: Run, fresh: Path) -> None:
    run("index", "docs", cwd=fresh)
    (fresh / "docs" / "tea.md").write_text("Black tea.\n", "utf-8")
    found = examined(run, fresh)
    assert "tea.md" in found["files"]["message"]
    assert found["files"]["mend"] == "rag index"


def test_room_is_given_back(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "docs" / "many"
    folder.mkdir(parents=True)
    (tmp_path / "docs" / "bees.md").write_text("# Bees\n\nIn winter the cluster shivers.\n", "utf-8")
    save_static(tmp_path / "model", WORDS.split(), 1)
    run("index", "docs", "--model", tmp_path / "model", cwd=tmp_path)
    for number in range(400):
        (folder / f"{number}.txt").write_text(f"Bee number {number} flies. " * 60, "utf-8")
    run("index", "docs", cwd=tmp_path)

    def size() -> int:
        return sum(path.stat().st_size for path in (tmp_path / ".rag").rglob("*") if path.is_file())

    full = size()
    shutil.rmtree(folder)
    run("index", "docs", cwd=tmp_path)
    run("doctor", "--repair", cwd=tmp_path)
    assert size() < full / 4
    assert run("status", "--format", "json", cwd=tmp_path).json["documents"] == 1
    assert answers(run, tmp_path)
