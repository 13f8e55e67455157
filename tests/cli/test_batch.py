"""``rag query --batch``: many questions with one start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..answer.server import Act, Refuses, Streams, serving
from ..program import Run
from .shapes import QUERY, misfit

GOOD = Streams(("It is so [1].",))
DOWN = Refuses(501, "out of order")
MODE = ("--mode", "lexical")


@pytest.fixture
def asking(fresh: Path) -> Path:
    write(
        fresh, "How many bees does a hive hold?", "How long is green tea steeped?", "How does granite cool?"
    )
    return fresh


def write(folder: Path, *questions: str) -> None:
    lines = (json.dumps({"_id": f"q{n}", "text": text}) + "\n" for n, text in enumerate(questions, 1))
    (folder / "q.jsonl").write_text("".join(lines))


def test_a_record_a_question_in_order(run: Run, asking: Path) -> None:
    records = run("query", "--batch", "q.jsonl", *MODE, cwd=asking).lines
    assert [record["query_id"] for record in records] == ["q1", "q2", "q3"]
    assert not [said for record in records if (said := misfit(record, QUERY))]
    assert "forty thousand" in records[0]["answer"]
    assert records == run("query", "--batch", "q.jsonl", *MODE, "--format", "jsonl", cwd=asking).lines


def test_each_is_answered_as_by_itself(run: Run, asking: Path) -> None:
    records = run("query", "--batch", "q.jsonl", *MODE, cwd=asking).lines
    alone = run("query", "How does granite cool?", *MODE, "--format", "json", cwd=asking).json
    assert {**alone, "query_id": "q3"} == records[2]


def test_none_answered(run: Run, asking: Path) -> None:
    write(asking, "zebra crossing?", "quantum chromodynamics?")
    ran = run("query", "--batch", "q.jsonl", *MODE, cwd=asking, exit=1)
    assert [record["answered"] for record in ran.lines] == [False, False]


@pytest.mark.parametrize(
    ("acts", "given", "code"),
    [
        ((GOOD, DOWN, GOOD), ["q1", "q3"], 6),
        ((DOWN, GOOD, DOWN), ["q2"], 6),
        ((DOWN,), [], 7),
        ((GOOD,), ["q1", "q2", "q3"], 0),
    ],
)
def test_a_question_that_fails(
    run: Run, asking: Path, acts: tuple[Act, ...], given: list[str], code: int
) -> None:
    with serving(*acts) as server:
        ran = run("query", "--batch", "q.jsonl", *MODE, "--llm", f"{server.url}#m", cwd=asking, exit=code)
    assert [record["query_id"] for record in ran.lines] == given
    for name in {"q1", "q2", "q3"} - set(given):
        assert f"rag: q.jsonl: question {name}: " in ran.err
    assert "out of order" in ran.err or not code


def test_a_service_that_is_gone_is_asked_no_more(run: Run, asking: Path) -> None:
    write(asking, *("How many bees does a hive hold?" for _ in range(9)))
    with serving(GOOD, DOWN) as server:
        ran = run("query", "--batch", "q.jsonl", *MODE, "--llm", f"{server.url}#m", cwd=asking, exit=6)
    assert len(server.requests) == 4
    assert "3 of 9 questions failed, the last 3 in a row, so the 5 after them were not asked" in ran.err
    with serving(DOWN) as server:
        ran = run("query", "--batch", "q.jsonl", *MODE, "--llm", f"{server.url}#m", cwd=asking, exit=7)
    assert len(server.requests) == 3
    assert "the 6 after them were not asked" in ran.err


def test_a_question_that_cannot_be_asked(run: Run, asking: Path) -> None:
    write(asking, "-nothing", "How does granite cool?")
    ran = run("query", "--batch", "q.jsonl", *MODE, cwd=asking, exit=6)
    assert "question q1: the query only says what to leave out" in ran.err
    assert [record["query_id"] for record in ran.lines] == ["q2"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("x", "--batch", "q.jsonl"), "leave out QUERY"),
        (("--batch", "q.jsonl", "--continue"), "leave out QUERY and --continue"),
        (("--batch", "q.jsonl", "--format", "json"), "--batch prints jsonl"),
        (("--batch", "nowhere.jsonl"), "nowhere.jsonl"),
        (("--batch", "q.jsonl", "--decompose"), "--llm SPEC"),
        (("--batch", "q.jsonl", "--llm", "magic:m"), "no such LLM"),
        ((), "the question is missing"),
    ],
)
def test_mistakes(run: Run, asking: Path, words: tuple[str, ...], told: str) -> None:
    assert told in run.fails(2, "query", *words, cwd=asking)


def test_a_batch_is_no_conversation(run: Run, asking: Path, home: Path) -> None:
    run("query", "--batch", "q.jsonl", *MODE, cwd=asking)
    assert not list(home.rglob("*.json"))
