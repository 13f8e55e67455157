"""The languages of an index: noted in it, followed by its lexical part alone, and used by every search."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ..program import Run

_TEXTS = {
    "haus.md": "# Haus\n\nDas alte Haus steht am Fluss.\n",
    "ecole.md": "# École\n\nJe vais à l'école nationale.\n",
    "kniga.md": "# Книга\n\nЭта книга лежит на столе.\n",
    "house.md": "# Bees\n\nThe hive houses forty thousand bees.\n",
}
_ASKED = {"Häuser": "haus.md", "nationaux": "ecole.md", "книгами": "kniga.md"}


@pytest.fixture
def home(run: Run, tmp_path: Path) -> Path:
    """A folder with an index of a text in each of four languages."""
    for name, text in _TEXTS.items():
        (tmp_path / name).write_text(text, "utf-8")
    run("index", *_TEXTS, cwd=tmp_path)
    return tmp_path


def found(run: Run, home: Path, query: str, *more: str) -> list[str]:
    """Files that the words of a question find."""
    words = ("search", query, "--mode", "lexical", "--format", "paths", *more)
    return run(*words, cwd=home).out.split()


def finds_nothing(run: Run, home: Path, query: str) -> bool:
    return run("search", query, "--mode", "lexical", cwd=home, exit=1).out == ""


def test_another_choice_makes_the_lexical_index_anew_and_embeds_nothing(run: Run, home: Path) -> None:
    assert all(finds_nothing(run, home, query) for query in _ASKED)
    before = (home / ".rag" / "chroma" / "projection.json").stat().st_mtime_ns
    told = run("index", "--languages", "en,de,fr,ru", "--format", "json", cwd=home).json
    assert told["embedded"] == 0
    assert told["documents"]["unchanged"] == len(_TEXTS)
    assert (home / ".rag" / "chroma" / "projection.json").stat().st_mtime_ns == before
    assert [found(run, home, query) for query in _ASKED] == [[name] for name in _ASKED.values()]
    assert found(run, home, "housing") == ["house.md"]
    assert run("status", "--format", "json", cwd=home).json["languages"] == ["de", "en", "fr", "ru"]
    assert "de, en, fr, ru" in run("status", cwd=home).out
    run("doctor", cwd=home)
    run("index", "--languages", "en", cwd=home)
    assert all(finds_nothing(run, home, query) for query in _ASKED)


def test_the_index_and_not_the_setting_says_how_a_question_is_read(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "rag.toml").write_text('languages = ["de", "en"]\n', "utf-8")
    assert finds_nothing(run, home, "Häuser")
    run("index", cwd=home)
    assert found(run, home, "Häuser") == ["haus.md"]
    (home / "rag.toml").unlink()
    monkeypatch.setenv("RAG_LANGUAGES", "fr")
    assert found(run, home, "Häuser") == ["haus.md"]
    monkeypatch.delenv("RAG_LANGUAGES")
    (home / "new.md").write_text("Zwei Häuser.\n", "utf-8")
    run("index", "new.md", cwd=home)
    assert sorted(found(run, home, "Haus")) == ["haus.md", "new.md"]


def test_an_answer_counts_a_word_with_two_stems_once(run: Run, home: Path) -> None:
    run("index", "--languages", "en,de", cwd=home)
    ran = run("query", "die alten Häuser am Fluss", "--mode", "lexical", cwd=home)
    assert "Das alte Haus steht am Fluss." in ran.out


def test_the_languages_go_over_to_another_model_and_to_another_machine(run: Run, home: Path) -> None:
    from ..tiny import WORDS, save_static

    run("index", "--languages", "de", cwd=home)
    save_static(home / "model", WORDS.split(), 1)
    run("index", "--model", home / "model", cwd=home)
    assert found(run, home, "Häuser") == ["haus.md"]
    run("export", "all.rag", cwd=home)
    run("--index", "other/.rag", "import", "all.rag", cwd=home)
    assert found(run, home, "Häuser", "--index", "other/.rag") != []


def test_files_without_an_index_are_searched_in_the_languages_that_are_set(run: Run, home: Path) -> None:
    (home / "rag.toml").write_text('languages = "de"\n', "utf-8")
    assert found(run, home, "Häuser", "--in", "haus.md") == ["haus.md"]


def test_an_unknown_language_is_refused_before_anything_is_made(run: Run, home: Path) -> None:
    message = run.fails(2, "index", ".", "--languages", "en,klingon", cwd=home, env={"RAG_INDEX": "none"})
    assert "klingon" in message
    assert "de german" in message
    assert not (home / "none").exists()


def test_a_language_that_has_no_stemmer_here_is_another_index(run: Run, home: Path) -> None:
    with closing(sqlite3.connect(home / ".rag" / "catalog.sqlite3")) as db, db:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('languages', 'tlh')")
    for words in (("search", "bees"), ("status",), ("doctor",)):
        assert "pystemmer" in run(*words, cwd=home, exit=4).err
    run("index", "--languages", "en", cwd=home)
    assert found(run, home, "bees") == ["house.md"]
