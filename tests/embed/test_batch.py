"""``rag index --batch-api`` against a server that behaves like OpenAI's batch endpoint."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from ..program import Run
from .server import serving
from .test_build import home

__all__ = ["home"]


def records(server_paid: dict[str, int]) -> list[int]:
    """How often each text of the collection was paid for."""
    return [n for text, n in server_paid.items() if text.startswith("Record")]


def test_a_batch_is_handed_in_waited_for_and_stored(run: Run, home: Path) -> None:
    with serving() as server:
        ran = run("index", "texts.jsonl", "--model", f"{server.url}#m", "--batch-api", cwd=home)
        assert "handed in as batch_0" in ran.err
        assert records(server.paid) == [1] * 60
        found = run(
            "search", "Record 17 tells of grove and dune.", "--mode", "dense", "--format", "json", cwd=home
        )
        assert found.json["hits"][0]["record"] == "r17"
        assert run("index", "texts.jsonl", "--batch-api", cwd=home).out.startswith("documents: 60 unchanged")
        assert len(server.batches.made) == 1


def test_a_batch_that_is_not_ready_is_fetched_by_the_same_command(run: Run, home: Path) -> None:
    with serving() as server:
        server.batches.looks = 10_000
        words = ("index", "texts.jsonl", "--model", f"{server.url}#m", "--batch-api")
        for _ in range(2):
            ran = run(*words, cwd=home, exit=6, env={"RAG_EMBED_PATIENCE": "0.1"})
            assert "the batch batch_0 is under way" in ran.err
            assert "the same command fetches it" in ran.err
        server.batches.looks = 0
        run(*words, cwd=home)
        assert len(server.batches.made) == 1
        assert records(server.paid) == [1] * 60


def test_who_embeds_beside_a_batch_that_is_under_way_is_told_before_it_is_paid_for(
    run: Run, home: Path
) -> None:
    with serving() as server:
        server.batches.looks = 10_000
        words = ("index", "texts.jsonl", "--model", f"{server.url}#m")
        hasty = {"RAG_EMBED_PATIENCE": "0.1"}
        run(*words, "--batch-api", cwd=home, exit=6, env=hasty)
        ran = run(*words, cwd=home)
        [note] = [line for line in ran.err.splitlines() if "under way" in line]
        host = server.url.removeprefix("http://").removesuffix("/v1")
        assert note == (
            f"note: a batch of 60 texts is under way at {host}, which --batch-api fetches; "
            f"without it texts are embedded, and paid for, anew"
        )
        assert records(server.paid) == [1] * 60
        # Nothing is paid for now, and where it is waited for there is nothing to warn of.
        assert "under way" not in run(*words, cwd=home).err
        assert "paid for" not in run(*words, "--batch-api", cwd=home, exit=6, env=hasty).err
        server.batches.looks = 0
        assert not run(*words, "--batch-api", cwd=home).err
        with (home / "texts.jsonl").open("a") as file:
            file.write('{"_id": "new", "text": "Another tells of none of these."}\n')
        assert "under way" not in run(*words, cwd=home).err


def test_batches_noted_without_their_texts_are_fetched_and_told_of(run: Run, home: Path) -> None:
    with serving() as server:
        server.batches.looks = 10_000
        words = ("index", "texts.jsonl", "--model", f"{server.url}#m")
        run(*words, "--batch-api", cwd=home, exit=6, env={"RAG_EMBED_PATIENCE": "0.1"})
        with sqlite3.connect(home / ".rag" / "catalog.sqlite3") as db:
            [(told,)] = db.execute("SELECT value FROM meta WHERE key = 'embed_batches'").fetchall()
            before = json.dumps({signature: list(ids) for signature, ids in json.loads(told).items()})
            db.execute("UPDATE meta SET value = ? WHERE key = 'embed_batches'", (before,))
        assert "note: a batch is under way at " in run(*words, cwd=home).err
        server.batches.looks = 0
        run(*words, "--batch-api", cwd=home)
        assert records(server.paid) == [2] * 60
        assert len(server.batches.made) == 1


@pytest.mark.parametrize("fate", ["failed", "expired"])
def test_a_batch_that_failed_is_handed_in_again(run: Run, home: Path, fate: str) -> None:
    with serving() as server:
        server.batches.fates.append(fate)
        words = ("index", "texts.jsonl", "--model", f"{server.url}#m", "--batch-api")
        ran = run(*words, cwd=home, exit=6)
        assert f"batch_0 {fate}" in ran.err
        assert "hands them in again" in ran.err
        run(*words, cwd=home)
        assert records(server.paid) == [1] * 60


def test_lines_that_failed_are_told_and_tried_again(run: Run, home: Path) -> None:
    with serving() as server:
        server.batches.broken = {3, 5}
        words = ("index", "texts.jsonl", "--model", f"{server.url}#m", "--batch-api")
        ran = run(*words, cwd=home, exit=6)
        assert "2 texts of the batch batch_0 failed: line failed" in ran.err
        assert len(run("list", "--format", "jsonl", cwd=home).lines) == 58
        run(*words, cwd=home)
        assert records(server.paid) == [1] * 60


def test_a_vector_that_is_none_costs_no_other(run: Run, home: Path) -> None:
    with serving() as server:
        server.batches.zero = {3}
        words = ("index", "texts.jsonl", "--model", f"{server.url}#m", "--batch-api")
        ran = run(*words, cwd=home, exit=6)
        assert "1 texts of the batch batch_0 failed: " in ran.err
        assert "zero or not finite" in ran.err
        assert len(run("list", "--format", "jsonl", cwd=home).lines) == 59
        server.batches.zero = set()
        run(*words, cwd=home)
        assert sorted(records(server.paid)) == [1] * 59 + [2]


@pytest.mark.parametrize(
    "errors", [[{"message": "x"}], {"data": ["oops"]}, {"data": []}, "no", None], ids=repr
)
def test_a_batch_that_failed_in_other_words(run: Run, home: Path, errors: object) -> None:
    with serving() as server:
        server.batches.fates.append("failed")
        server.batches.errors = errors
        words = ("index", "texts.jsonl", "--model", f"{server.url}#m", "--batch-api")
        assert "batch_0 failed" in run(*words, cwd=home, exit=6).err


def test_a_model_without_a_batch_endpoint_is_refused(run: Run, home: Path) -> None:
    assert "no batch endpoint" in run.fails(2, "index", "texts.jsonl", "--batch-api", cwd=home)
