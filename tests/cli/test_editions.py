"""Another model: made beside the one that answers, taking over in one step, and the way back."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ..program import Run, tree
from ..tiny import WORDS, save_static, save_transformer, truncate

QUESTION = ("search", "bees in winter", "--mode", "dense", "--format", "jsonl")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small models: ``one`` and ``two`` static, ``three`` a transformer."""
    folder = tmp_path_factory.mktemp("models")
    save_static(folder / "one", WORDS.split(), 1)
    save_static(folder / "two", WORDS.split(), 2)
    save_transformer(folder / "three", WORDS.split(), 3)
    return folder


def model_of(run: Run, home: Path) -> str:
    spec = run("status", "--format", "json", cwd=home).json["model"]["spec"]
    assert isinstance(spec, str)
    return Path(spec).name


def judge(home: Path) -> list[str]:
    """Judged questions, as words of a command: bees.md answers the one, and nothing the other."""
    (home / "queries.jsonl").write_text('{"_id": "q1", "text": "bees in winter"}\n', "utf-8")
    (home / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tdocs/bees.md\t1\n", "utf-8")
    return ["--queries", "queries.jsonl", "--qrels", "qrels.tsv"]


@pytest.mark.parametrize("name", ["one", "three"])
def test_another_model_takes_over_and_a_rollback_returns(
    run: Run, fresh: Path, models: Path, name: str
) -> None:
    before = run(*QUESTION, cwd=fresh).out
    told = run("index", "--model", models / name, "--format", "json", cwd=fresh).json
    assert Path(told["model"]).name == name
    assert told["embedded"] == told["chunks"]["total"] > 0
    assert model_of(run, fresh) == name
    after = run(*QUESTION, cwd=fresh).out
    assert after != before
    assert {hit["id"] for hit in map(json.loads, after.splitlines())}
    back = run("index", "--rollback", cwd=fresh)
    assert "all-MiniLM-L6-v2 answers now" in back.out
    assert run(*QUESTION, cwd=fresh).out == before
    run("index", "--rollback", cwd=fresh)
    assert run(*QUESTION, cwd=fresh).out == after


def test_what_answered_before_the_last_change_is_removed(run: Run, fresh: Path, models: Path) -> None:
    run("index", "--model", models / "one", cwd=fresh)
    run("index", "--model", models / "two", cwd=fresh)
    assert not (fresh / ".rag" / "catalog.sqlite3").exists()
    assert len(list((fresh / ".rag" / "editions").iterdir())) == 2
    run("index", "--rollback", cwd=fresh)
    assert model_of(run, fresh) == "one"


def test_the_new_edition_is_kept_up_and_knows_its_roots(run: Run, fresh: Path, models: Path) -> None:
    run("index", "--model", models / "one", cwd=fresh)
    (fresh / "docs" / "new.md").write_text("# Ponds\n\nThe swift drinks in flight.\n", "utf-8")
    told = run("index", "--format", "json", cwd=fresh).json
    assert told["documents"]["added"] == 1
    assert told["embedded"] == told["chunks"]["added"]
    assert "new.md" in run("search", "ponds", "--format", "paths", cwd=fresh).out


def test_a_rollback_stands_alone_and_needs_something_to_go_back_to(run: Run, fresh: Path) -> None:
    assert "nothing to go back to" in run.fails(2, "index", "--rollback", cwd=fresh)
    assert "stands alone" in run.fails(2, "index", "docs", "--rollback", cwd=fresh)
    run.fails(3, "index", "--rollback", cwd=fresh / "docs", env={"RAG_INDEX": "none"})


def test_a_gate_keeps_a_worse_model_from_answering_and_costs_nothing_twice(
    run: Run, fresh: Path, models: Path
) -> None:
    before = run(*QUESTION, cwd=fresh).out
    words = ["index", "--model", models / "one", *judge(fresh)]
    message = run.fails(9, *words, "--gate", "ndcg@10=1.1", cwd=fresh)
    assert "ndcg@10" in message
    assert "all-MiniLM-L6-v2 goes on" in message
    assert run(*QUESTION, cwd=fresh).out == before
    told = run(*words, "--gate", "old", "--gate", "recall@10=0.5", "--format", "json", cwd=fresh).json
    assert told["embedded"] == 0
    assert model_of(run, fresh) == "one"


@pytest.mark.parametrize(
    ("gate", "part"),
    [("ndcg@10", "METRIC=VALUE"), ("ndcg@10=x", "METRIC=VALUE"), ("beauty=1", "is no metric")],
)
def test_a_gate_that_is_none(run: Run, fresh: Path, models: Path, gate: str, part: str) -> None:
    words = ["index", "--model", models / "one", *judge(fresh)]
    assert part in run.fails(2, *words, "--gate", gate, cwd=fresh)


def test_a_gate_needs_questions_and_a_change(run: Run, fresh: Path, models: Path) -> None:
    message = run.fails(2, "index", "--model", models / "one", "--gate", "old", cwd=fresh)
    assert "--queries" in message
    assert "--model" in run.fails(2, "index", "docs", "--gate", "old", *judge(fresh), cwd=fresh)


def test_a_plan_for_another_model_changes_nothing(run: Run, fresh: Path, models: Path) -> None:
    before = tree(fresh / ".rag")
    told = run("index", "--model", models / "one", "--plan", "--format", "json", cwd=fresh).json
    assert told["embedded"] > 0
    after = tree(fresh / ".rag")
    assert after["catalog.sqlite3"][0] == before["catalog.sqlite3"][0]
    assert "editions.json" not in after


def test_documents_that_cannot_be_read_now_keep_the_old_model_answering(
    run: Run, fresh: Path, models: Path
) -> None:
    page = fresh / "docs" / "tea.md"
    page.write_bytes(b"\x00\x01\x02" * 500)
    before = run(*QUESTION, cwd=fresh).out
    ran = run("index", "docs", "docs/tea.md", "--model", models / "one", cwd=fresh, exit=6)
    assert "does not take over" in ran.err
    assert run(*QUESTION, cwd=fresh).out == before


def test_a_missing_folder_stops_a_change_of_model_unless_pruned(run: Run, fresh: Path, models: Path) -> None:
    other = fresh / "other"
    other.mkdir()
    (other / "pond.txt").write_text("The wren sleeps at the pond.\n", "utf-8")
    run("index", "other", cwd=fresh)
    shutil.rmtree(other)
    assert "--prune" in run.fails(2, "index", "--model", models / "one", cwd=fresh)
    run("index", "--model", models / "one", "--prune", cwd=fresh)
    assert "pond" not in run("list", cwd=fresh).out
    assert "other" not in run("status", "--format", "json", cwd=fresh).json["roots"]


@pytest.mark.parametrize("kept", ["nothing", "its name"])
def test_an_unfinished_edition_does_not_answer_when_the_note_of_the_other_is_lost(
    run: Run, fresh: Path, models: Path, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    from ragcli.pipeline import update

    before = run(*QUESTION, cwd=fresh).out

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(update, "_check_whole", interrupted)
        run("index", "--model", models / "one", cwd=fresh, exit=130)
    lose_note(fresh, kept)
    assert "rag doctor --repair" in run.fails(8, *QUESTION, cwd=fresh)
    run("doctor", "--repair", cwd=fresh)
    assert run(*QUESTION, cwd=fresh).out == before


def lose_note(home: Path, kept: str) -> None:
    """Lose which edition answers, or all but a name that no edition has."""
    note = home / ".rag" / "editions.json"
    if kept == "nothing":
        note.unlink()
    else:
        note.write_text('{"current": "editions/7", "previous": null}', "utf-8")


@pytest.mark.parametrize("kept", ["nothing", "its name"])
def test_a_lost_note_of_which_edition_answers_is_damage(
    run: Run, fresh: Path, models: Path, kept: str
) -> None:
    run("index", "--model", models / "one", cwd=fresh)
    before = run(*QUESTION, cwd=fresh).out
    lose_note(fresh, kept)
    for words in (QUESTION, ("index", "docs"), ("index", "--rollback"), ("status",)):
        assert "`rag doctor --repair`" in run.fails(8, *words, cwd=fresh)
    assert "`rag doctor --repair`" in run("doctor", cwd=fresh, exit=8).err
    run("doctor", "--repair", cwd=fresh)
    assert run(*QUESTION, cwd=fresh).out == before
    run("index", "--rollback", cwd=fresh)
    assert model_of(run, fresh) == "all-MiniLM-L6-v2"


@pytest.mark.parametrize("lost", ["folder", "catalogue"])
def test_where_the_edition_that_answers_is_gone_the_one_before_it_does(
    run: Run, fresh: Path, models: Path, lost: str
) -> None:
    before = run(*QUESTION, cwd=fresh).out
    run("index", "--model", models / "one", cwd=fresh)
    (place,) = (fresh / ".rag" / "editions").iterdir()
    if lost == "folder":
        shutil.rmtree(place)
    else:
        (place / "catalog.sqlite3").unlink()
    for words in (QUESTION, ("index", "docs"), ("index", "--rollback")):
        message = run.fails(8, *words, cwd=fresh)
        assert place.name in message
        assert "`rag doctor --repair`" in message
    assert "the edition before it is there" in run("doctor", cwd=fresh, exit=8).err
    ran = run("doctor", "--repair", cwd=fresh)
    assert f"editions/{place.name} is gone: the edition before it answers again" in ran.out
    assert not place.exists()
    assert run(*QUESTION, cwd=fresh).out == before
    assert run("index", "--format", "json", cwd=fresh).json["embedded"] == 0
    assert "nothing to go back to" in run.fails(2, "index", "--rollback", cwd=fresh)


def test_an_edition_that_a_rollback_would_return_to_is_missed(run: Run, fresh: Path, models: Path) -> None:
    run("index", "--model", models / "one", cwd=fresh)
    (fresh / ".rag" / "catalog.sqlite3").unlink()
    assert "`rag doctor --repair`" in run.fails(8, "index", "--rollback", cwd=fresh)
    assert "rollback would return to" in run("doctor", cwd=fresh, exit=8).err
    run("doctor", "--repair", cwd=fresh)
    assert model_of(run, fresh) == "one"
    run("doctor", cwd=fresh)


HIDDEN = {
    "emptied": lambda docs: empty(docs / "deep"),
    "too large": lambda docs: (docs / "tea.md").write_text("Green tea. " * 20_000, "utf-8"),
    "left out": lambda _: None,
    "unreadable records": lambda docs: (docs / "birds.jsonl").write_text('{"_id": "b1"\n', "utf-8"),
}


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize("how", HIDDEN)
def test_documents_that_are_only_out_of_sight_keep_the_old_model_answering(
    run: Run, fresh: Path, models: Path, how: str
) -> None:
    HIDDEN[how](fresh / "docs")
    before = run(*QUESTION, cwd=fresh).out
    words = ["index", "--model", models / "one"]
    (fresh / "rag.toml").write_text("max_file_mb = 0.1\n", "utf-8")
    if how == "left out":
        words += ["docs", "--exclude", "*.md"]
    ran = run(*words, cwd=fresh, exit=6)
    assert "does not take over" in ran.err
    assert "--prune" in ran.err
    assert run(*QUESTION, cwd=fresh).out == before
    ran = run(*words, "--prune", cwd=fresh, exit=6 if how == "unreadable records" else 0)
    assert model_of(run, fresh) == "one"


def test_documents_that_are_gone_do_not_hold_up_a_change_of_model(
    run: Run, fresh: Path, models: Path
) -> None:
    (fresh / "docs" / "tea.md").unlink()
    (fresh / "docs" / "birds.jsonl").write_text('{"_id": "b2", "text": "The wren is loud."}\n', "utf-8")
    run("index", "--model", models / "one", cwd=fresh)
    assert model_of(run, fresh) == "one"
    listed = run("list", cwd=fresh).out
    assert "tea" not in listed
    assert "#b1" not in listed
    assert "#b2" in listed


# -- models that are not what they were --------------------------------------------------------------------


def made_with(run: Run, tmp_path: Path, model: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "bees.md").write_text("# Bees\n\nIn winter the cluster shivers.\n", "utf-8")
    run("index", "docs", "--model", model, cwd=tmp_path)


@pytest.mark.parametrize("how", ["swapped", "truncated"])
def test_a_model_folder_with_another_content_is_refused_by_name(
    run: Run, tmp_path: Path, models: Path, how: str
) -> None:
    model = tmp_path / "model"
    shutil.copytree(models / "one", model)
    made_with(run, tmp_path, model)
    before = tree(tmp_path / ".rag")["catalog.sqlite3"]
    if how == "swapped":
        shutil.rmtree(model)
        shutil.copytree(models / "two", model)
    else:
        truncate(model, 8)
    for words in (("search", "bees", "--mode", "dense"), ("index", "docs"), ("doctor",)):
        ran = run(*words, cwd=tmp_path, exit=4)
        assert str(model) in ran.err
        assert f"`rag index --model {model}`" in ran.err
    assert tree(tmp_path / ".rag")["catalog.sqlite3"][0] == before[0]
    run("search", "bees", "--mode", "lexical", cwd=tmp_path)
    told = run("index", "--model", model, cwd=tmp_path).out
    run("search", "bees", "--mode", "dense", cwd=tmp_path)
    # One name for both would tell nothing.
    now, before = re.findall(rf"{re.escape(str(model))} \((\w+)\)", told)
    assert now != before
    back = run("index", "--rollback", cwd=tmp_path).out
    assert re.findall(rf"{re.escape(str(model))} \((\w+)\)", back) == [before, now]


def test_a_model_that_makes_other_vectors_than_it_did_is_refused_before_it_writes(
    run: Run, fresh: Path, models: Path
) -> None:
    run("index", "--model", models / "one", cwd=fresh)
    (place,) = (fresh / ".rag" / "editions").glob("*/catalog.sqlite3")
    with closing(sqlite3.connect(place)) as db, db:
        (told,) = db.execute("SELECT value FROM meta WHERE key = 'probe'").fetchone()
        other = " ".join(reversed(told.split()))
        db.execute("UPDATE meta SET value = ? WHERE key = 'probe'", (other,))
    (fresh / "docs" / "new.md").write_text("The granite cools.\n", "utf-8")
    message = run.fails(4, "index", "docs", cwd=fresh)
    assert "no longer makes the vectors" in message
    assert "new.md" not in run("list", cwd=fresh).out


def test_a_change_of_model_that_is_interrupted_goes_on_where_it_was(
    run: Run, fresh: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ragcli.pipeline import update

    before = run(*QUESTION, cwd=fresh).out

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(update, "_check_whole", interrupted)
        run("index", "--model", models / "one", cwd=fresh, exit=130)
    assert run(*QUESTION, cwd=fresh).out == before
    run("index", "docs", cwd=fresh)  # the old edition is kept up meanwhile
    told = run("index", "--model", models / "one", "--format", "json", cwd=fresh).json
    assert told["embedded"] == 0
    assert model_of(run, fresh) == "one"
