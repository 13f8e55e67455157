"""Metrics of answers on numbers worked out by hand, and the files that they are read from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.errors import UsageError
from ragcli.evaluate import (
    Answered,
    Given,
    Gold,
    ModeReport,
    Query,
    Row,
    between_modes,
    judge_bounds,
    read_answer_metrics,
    read_bound,
    read_golds,
    report_answers,
)
from ragcli.evaluate.answers import answer_tokens, contains, exact_match, measure_answer, token_f1

Q = Query("q", "What?")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The Eiffel Tower, in Paris!", ["eiffel", "tower", "in", "paris"]),
        ("“A 1,000 km² trip”", ["1000", "km2", "trip"]),
        ("well-known", ["wellknown"]),  # as SQuAD's script has it
        ("an answer another", ["answer", "another"]),
        ("埃菲尔铁塔，高330米。", ["埃", "菲", "尔", "铁", "塔", "高", "330", "米"]),
        ("", []),
        ("the.", []),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert answer_tokens(text) == tokens


def test_f1_by_hand() -> None:
    # Two of three words found, two of four wanted: precision 2/3, recall 1/2.
    assert token_f1("red green blue", ["red green white black"]) == pytest.approx(4 / 7)
    assert token_f1("red red", ["red"]) == pytest.approx(2 / 3)  # a word counts as often as both have it
    assert token_f1("The cat", ["dog", "a cat"]) == 1.0
    assert token_f1("", ["cat"]) == 0.0
    assert token_f1("高330米", ["330米"]) == pytest.approx(0.8)


def test_exact_match_by_hand() -> None:
    assert exact_match("The Normans.", ["Normans", "Vikings"]) == 1.0
    assert exact_match("The old Normans", ["Normans"]) == 0.0


def test_contains_whole_words_in_a_row() -> None:
    assert contains(["It was built in 1889, they say."], ["1889"]) == 1.0
    assert contains(["It was built in 1889."], ["188", "built 1889"]) == 0.0
    assert contains(["塔高330米"], ["330米"]) == 1.0
    assert contains(["塔高1330米"], ["330米"]) == 0.0
    assert contains(["anything"], ["the"]) == 0.0


@given(st.text(), st.text())
def test_measures_agree_with_each_other(text: str, answer: str) -> None:
    f1 = token_f1(text, [answer])
    assert 0.0 <= f1 <= 1.0
    assert f1 == pytest.approx(token_f1(answer, [text]))
    if exact_match(text, [answer]):
        assert f1 == 1.0
        assert contains([text], [answer]) == float(bool(answer_tokens(answer)))


GIVEN = Given(
    text="It is red",
    quotes=("The door is dark red.",),
    verified=(True, False, True, True),
    backed=0.5,
    documents=("d1", "d9"),
)


def test_an_answered_question() -> None:
    found = measure_answer(Gold(Q, ("dark red",), True), GIVEN, {"d1", "d2", "d3", "d4"})
    assert found == {
        "f1": pytest.approx(2 * 1 / 5),
        "exact_match": 0.0,
        "contains": 1.0,  # in the sentence cited
        "answered": 1.0,
        "citation_precision": 0.75,
        "citation_recall": 0.5,
        "document_precision": 0.5,
        "document_recall": 0.25,
    }


def test_refusals() -> None:
    refused = Given(refused=True)
    assert measure_answer(Gold(Q, ("red",), True), refused, {"d1"}) == {
        "f1": 0.0, "exact_match": 0.0, "contains": 0.0, "answered": 0.0, "refusal_precision": 0.0,
    }  # fmt: skip
    assert measure_answer(Gold(Q, (), False), refused) == {"refusal": 1.0, "refusal_precision": 1.0}
    assert measure_answer(Gold(Q, (), None), refused) == {}


def test_an_invented_answer_is_no_refusal() -> None:
    found = measure_answer(Gold(Q, (), False), Given(text="Blue"))
    assert found == {"refusal": 0.0, "citation_recall": 0.0}


def test_a_failure_counts_where_an_answer_was_owed() -> None:
    assert measure_answer(Gold(Q, ("red",), True), None) == {
        "f1": 0.0, "exact_match": 0.0, "contains": 0.0, "answered": 0.0,
    }  # fmt: skip
    assert measure_answer(Gold(Q, (), False), None) == {"refusal": 0.0}


def test_means_are_over_the_questions_that_have_a_metric() -> None:
    answered = [
        Answered(
            Gold(Query("1", "a"), ("red",), True), Given(text="red", verified=(True,), backed=1.0), 10.0
        ),
        Answered(Gold(Query("2", "b"), ("blue",), True), Given(refused=True), 20.0),
        Answered(Gold(Query("3", "c"), (), False), Given(refused=True), 30.0),
        Answered(Gold(Query("4", "d"), ("x",), True), None, 5.0, "it failed"),
    ]
    report = report_answers(answered, {})
    assert report.metrics == {
        "f1": 0.333333, "exact_match": 0.333333, "contains": 0.333333, "answered": 0.333333,
        "refusal": 1.0, "refusal_precision": 0.5, "citation_precision": 1.0, "citation_recall": 1.0,
    }  # fmt: skip
    assert report.failed == ["4: it failed"]
    assert (report.p50, report.p95) == (20.0, 30.0)
    assert report_answers(answered, {}, ["refusal"]).metrics == {"refusal": 1.0}


def test_a_metric_that_no_question_has() -> None:
    with pytest.raises(UsageError, match="no question has what refusal needs"):
        report_answers([Answered(Gold(Q, ("red",), True), GIVEN, 1.0)], {}, ["refusal"])


def test_modes_are_compared_on_the_questions_that_both_have() -> None:
    def report(values: dict[str, float]) -> ModeReport:
        rows = [Row(Query(name, "?"), {"f1": value}, (), {}, 0.0) for name, value in values.items()]
        return ModeReport({"f1": 0.0}, 0.0, 0.0, rows=rows)

    [contrast] = between_modes({"a": report({"1": 0.0, "2": 0.5}), "b": report({"2": 1.0, "3": 1.0})}, "f1")
    assert (contrast.questions, contrast.difference.mean) == (1, 0.5)


def test_gates() -> None:
    bound = read_bound("hybrid:F1=0.4", read_answer_metrics)
    report = ModeReport({"f1": 0.39}, 0.0, 0.0)
    assert [verdict.passed for verdict in judge_bounds([bound], {"hybrid": report})] == [False]
    with pytest.raises(UsageError, match="no metric of answers"):
        read_bound("ndcg@10=0.4", read_answer_metrics)
    with pytest.raises(UsageError, match="which none of the questions gives"):
        judge_bounds([read_bound("refusal=0.4", read_answer_metrics)], {"hybrid": report})


def golds(folder: Path, *entries: object) -> list[Gold]:
    file = folder / "queries.jsonl"
    file.write_text("".join(json.dumps(entry) + "\n\n" for entry in entries))
    return read_golds(file)


def test_files_of_every_kind(tmp_path: Path) -> None:
    found = golds(
        tmp_path,
        {"_id": "squad", "text": "?a", "answerable": True, "answers": ["x", "x", "y"]},
        {"_id": "none", "text": "?b", "answerable": False, "answers": []},
        {"_id": "empty", "text": "?c", "answers": []},
        {"_id": "text", "text": "?d", "answer": "z"},
        {"_id": "unsaid", "text": "?e"},
        {"_id": "plausible", "text": "?f", "answerable": False, "answers": ["wrong"]},
        {"_id": "null", "text": "?g", "answer": None},
    )
    assert [(gold.query.id, gold.answers, gold.answerable) for gold in found] == [
        ("squad", ("x", "y"), True), ("none", (), False), ("empty", (), False), ("text", ("z",), True),
        ("unsaid", (), None), ("plausible", (), False), ("null", (), None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"answers": "x", "answerable": "yes"}, "answerable is neither"),
        ({"answers": {"text": "x"}}, "answers is no list of texts"),
        ({"answers": [1]}, "answers is no list of texts"),
        ({}, "--answers needs some"),
    ],
)
def test_files_that_are_none(tmp_path: Path, entry: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        golds(tmp_path, {"_id": "1", "text": "?", **entry})
