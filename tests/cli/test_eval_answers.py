"""``rag eval --answers``: reference answers, refusals, citations, and an LLM that grades."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ..answer.server import Act, Refuses, Streams, replying, serving
from ..program import Ran, Run

EVAL = ("eval", "--answers", "--queries", "q.jsonl", "--modes", "lexical")
QUESTIONS = [
    {"_id": "bees", "text": "How many bees does a hive hold?", "answers": ["forty thousand", "40,000"]},
    {"_id": "tea", "text": "How long is green tea steeped?", "answer": "for two minutes"},
    {"_id": "none", "text": "Who won the championship of loud zebra riders?", "answerable": False},
]
# An LLM is asked whatever was found.
ASKED = {"RAG_MIN_EVIDENCE": "0"}
QRELS = "query-id\tcorpus-id\tscore\nbees\tbees\t1\ntea\ttea\t1\ntea\tnowhere\t1\n"


@pytest.fixture
def judged(fresh: Path) -> Path:
    (fresh / "q.jsonl").write_text("".join(json.dumps(question) + "\n" for question in QUESTIONS))
    (fresh / "q.tsv").write_text(QRELS)
    return fresh


def lexical(ran: Ran) -> dict[str, float]:
    found = ran.json["modes"]["lexical"]
    assert isinstance(found, dict)
    return found


def write(_: str, user: str) -> str:
    question = user.rpartition("Question: ")[2]
    if "zebra" in question:
        return "It was the striped one."
    if "bees" in question:
        return "Forty thousand [1]. They are yellow."
    return "two minutes [1]"


def test_quoted_answers(run: Run, judged: Path) -> None:
    ran = run(*EVAL, "--qrels", "q.tsv", "--format", "json", cwd=judged)
    found = lexical(ran)
    assert ran.json["llm"] == "none"
    assert ran.json["queries"] == 3
    assert found["contains"] == found["answered"] == found["refusal"] == found["refusal_precision"] == 1.0
    assert found["citation_precision"] == found["citation_recall"] == 1.0
    assert found["document_precision"] == 1.0
    assert found["document_recall"] == 0.75  # one of the two that tea should cite is not there
    assert 0.0 < found["f1"] < 1.0
    assert ran.json["modes"]["lexical"]["questions"]["refusal"] == 1
    assert "1 judged documents are not in the index (nowhere" in ran.err


def test_answers_of_an_llm_by_hand(run: Run, judged: Path) -> None:
    with serving(replying(write)) as server:
        found = lexical(run(*EVAL, "--llm", f"{server.url}#m", "--format", "json", cwd=judged, env=ASKED))
    # bees: 2 shared words of 5 and 2; tea: 2 of 2 and 3.
    assert found["f1"] == pytest.approx((4 / 7 + 4 / 5) / 2, abs=1e-6)
    assert found["exact_match"] == 0.0
    assert found["answered"] == 1.0
    assert found["refusal"] == 0.0  # an answer that was made up is no refusal
    assert "document_recall" not in found  # no documents are judged


def test_rows_and_a_comparison_with_them(run: Run, judged: Path) -> None:
    run(*EVAL, "--rows", "rows.jsonl", cwd=judged)
    rows = [json.loads(line) for line in (judged / "rows.jsonl").read_text().splitlines()]
    assert [row["query_id"] for row in rows] == ["bees", "tea", "none"]
    assert rows[0]["answers"] == ["forty thousand", "40,000"]
    assert "forty thousand" in rows[0]["answer"]
    assert rows[2]["metrics"] == {"refusal": 1.0, "refusal_precision": 1.0}
    with serving(replying(write)) as server:
        ran = run(
            *EVAL, "--baseline", "rows.jsonl", "--llm", f"{server.url}#m", "--format", "json", cwd=judged,
            env=ASKED,
        )  # fmt: skip
    compared = {each["metric"]: each for each in ran.json["comparisons"]}
    assert compared["refusal"]["difference"] == -1.0
    assert compared["f1"]["queries"] == 2


@pytest.mark.parametrize(("gate", "code"), [("contains=0.9", 0), ("lexical:f1=0.99", 9), ("refusal=0.5", 0)])
def test_gates(run: Run, judged: Path, gate: str, code: int) -> None:
    ran = run(*EVAL, "--gate", gate, "--format", "json", cwd=judged, exit=code)
    assert [verdict["passed"] for verdict in ran.json["gates"]] == [code == 0]


def test_every_form_of_report(run: Run, judged: Path) -> None:
    ran = run(*EVAL, "--worst", "1", "--report", "page.html", cwd=judged)
    assert "citation_recall" in ran.out
    assert "wanted " in ran.out
    page = (judged / "page.html").read_text()
    assert "Answer quality" in page
    assert "Recall of" not in page
    assert "Time of an answer" in page
    suite = ElementTree.fromstring(run(*EVAL, "--format", "junit", cwd=judged).out)
    assert {each.get("name") for each in suite.iter("property")} >= {"f1", "refusal"}
    assert "::notice title=rag eval lexical::f1 " in run(*EVAL, "--format", "github", cwd=judged).out


def test_metrics_that_are_asked_for(run: Run, judged: Path) -> None:
    found = lexical(run(*EVAL, "--metrics", "refusal,f1", "--format", "json", cwd=judged))
    assert list(found)[:2] == ["refusal", "f1"]
    assert "contains" not in found


def test_modes_side_by_side(run: Run, judged: Path) -> None:
    ran = run(*EVAL[:-2], "--modes", "lexical,hybrid", "--qrels", "q.tsv", "--format", "json", cwd=judged)
    assert list(ran.json["modes"]) == ["lexical", "hybrid"]
    assert ran.json["comparisons"][0]["metric"] == "f1"


def graded(grades: str) -> Act:
    return replying(lambda system, user: grades if system.startswith("You grade") else write(system, user))


def test_a_judge(run: Run, judged: Path) -> None:
    with serving(graded("correct: 0.5\nsupported: 1")) as server:
        spec = f"{server.url}#m"
        ran = run(
            *EVAL,
            "--llm",
            spec,
            "--judge",
            spec,
            "--gate",
            "judge_correct=0.5",
            "--format",
            "json",
            cwd=judged,
        )
    found = lexical(ran)
    assert (found["judge_correct"], found["judge_supported"]) == (0.5, 1.0)
    assert ran.json["modes"]["lexical"]["questions"]["judge_correct"] == 2
    assert ran.json["judge"] == spec


def test_a_judge_of_quoted_answers_sees_no_refusal(run: Run, judged: Path) -> None:
    with serving(graded("correct: 1\nsupported: 1")) as server:
        lexical(run(*EVAL, "--judge", f"{server.url}#m", "--format", "json", cwd=judged))
    assert len(server.requests) == 2


@pytest.mark.parametrize("grades", ["correct: nan\nsupported: 1", "", "good", "correct: 7\nsupported: 1"])
def test_a_judge_that_gives_no_grade_is_an_error(run: Run, judged: Path, grades: str) -> None:
    (judged / "q.jsonl").write_text("".join(json.dumps(question) + "\n" for question in QUESTIONS[:2]))
    with serving(graded(grades)) as server:
        ran = run(*EVAL, "--judge", f"{server.url}#m", "--format", "json", cwd=judged, exit=6)
    assert "judge_correct" not in lexical(ran)
    assert lexical(ran)["contains"] == 1.0
    assert len(ran.json["failed"]) == 2
    assert all("no grade between 0 and 1" in line for line in ran.json["failed"])


def test_a_gate_on_grades_that_were_not_given(run: Run, judged: Path) -> None:
    (judged / "q.jsonl").write_text(json.dumps(QUESTIONS[0]))
    with serving(graded("nan")) as server:
        words = (*EVAL, "--judge", f"{server.url}#m", "--gate", "judge_correct=0.1")
        assert "a gate cannot be judged" in run.fails(6, *words, cwd=judged)


def test_a_question_that_fails(run: Run, judged: Path) -> None:
    acts = [Streams(("Forty thousand [1].",)), Refuses(501, "out of order"), Streams(("No idea.",))]
    with serving(*acts) as server:
        ran = run(*EVAL, "--llm", f"{server.url}#m", "--format", "json", cwd=judged, exit=6)
    assert lexical(ran)["answered"] == 0.5
    assert len(ran.json["failed"]) == 1
    assert ran.json["failed"][0].startswith("tea: ")


def test_a_service_that_is_gone(run: Run, judged: Path) -> None:
    with serving(Refuses(501, "out of order")) as server:
        message = run.fails(7, *EVAL, "--llm", f"{server.url}#m", cwd=judged, env=ASKED)
    assert "3 questions in a row failed, the last none: " in message


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--spans", "q.tsv"), "leave out --spans"),
        (("--tune",), "leave out --answers"),
        (("--metrics", "ndcg@10"), "no metric of answers"),
        (("--gate", "ndcg@10=0.5"), "no metric of answers"),
        (("--gate", "document_recall=0.5"), "none of the questions gives"),
        (("--gate", "judge_correct=0.5"), "--judge SPEC"),
        (("--judge", "none"), "grades nothing"),
    ],
)
def test_mistakes(run: Run, judged: Path, words: tuple[str, ...], told: str) -> None:
    assert told in run.fails(2, *EVAL, *words, cwd=judged)


def test_a_judge_without_answers(run: Run, judged: Path) -> None:
    words = ("eval", "--queries", "q.jsonl", "--qrels", "q.tsv", "--judge", "cmd:cat")
    assert "add --answers" in run.fails(2, *words, cwd=judged)
