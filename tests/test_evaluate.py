"""Metrics on numbers worked out by hand, the files of judgements, and a whole evaluation."""

from __future__ import annotations

import json
from math import log2
from pathlib import Path

import pytest

from ragcli.errors import ModelUnavailable, UsageError
from ragcli.evaluate import (
    Query,
    evaluate,
    judged_names,
    measure,
    mrr,
    ndcg,
    read_qrels,
    read_queries,
    recall,
)

GRADES = {"a": 2, "b": 1, "c": 1, "x": 0, "y": -1}


# -- metrics -------------------------------------------------------------------------------------------


def test_ndcg_by_hand() -> None:
    ideal = 2 / log2(2) + 1 / log2(3) + 1 / log2(4)
    assert ndcg(["a", "b", "c"], GRADES, 10) == 1.0
    assert ndcg(["b", "other", "a"], GRADES, 10) == pytest.approx((1 / log2(2) + 2 / log2(4)) / ideal)
    assert ndcg(["other"], GRADES, 10) == 0.0
    assert ndcg([], GRADES, 10) == 0.0


def test_ndcg_looks_no_deeper_than_k_neither_at_the_ranking_nor_at_the_ideal() -> None:
    assert ndcg(["other", "a"], GRADES, 1) == 0.0
    assert ndcg(["b"], GRADES, 1) == pytest.approx(1 / 2)
    many = {f"d{n}": 1 for n in range(50)}
    assert ndcg([f"d{n}" for n in range(10)], many, 10) == 1.0


def test_ndcg_rewards_no_document_judged_irrelevant() -> None:
    assert ndcg(["x", "a"], {"a": 1, "x": 0}, 10) == pytest.approx(1 / log2(3))
    assert ndcg(["x"], {"x": 0}, 10) == 0.0


def test_recall_by_hand() -> None:
    assert recall(["a", "other", "x", "c"], GRADES, 10) == pytest.approx(2 / 3)
    assert recall(["a", "other", "x", "c"], GRADES, 3) == pytest.approx(1 / 3)
    assert recall(["x"], {"x": 0}, 10) == 0.0


def test_mrr_by_hand() -> None:
    assert mrr(["other", "x", "c", "a"], GRADES, 10) == pytest.approx(1 / 3)
    assert mrr(["other", "x", "c", "a"], GRADES, 2) == 0.0
    assert mrr(["a"], GRADES, 10) == 1.0


def test_a_metric_is_measured_by_its_name() -> None:
    ranking = ["other"] * 10 + ["a"]
    assert measure("recall@10", ranking, GRADES) == 0.0
    assert measure("recall@100", ranking, GRADES) == pytest.approx(1 / 3)
    assert measure("mrr@100", ranking, GRADES) == pytest.approx(1 / 11)


# -- files ---------------------------------------------------------------------------------------------


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "input"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_queries_are_read_in_order(tmp_path: Path) -> None:
    text = '{"_id": "q1", "text": "one", "metadata": {}}\n\n{"_id": 2, "text": "杭州"}\n'
    assert read_queries(written(tmp_path, text)) == [Query("q1", "one"), Query("2", "杭州")]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(newline: str, tmp_path: Path) -> None:
    queries = written(
        tmp_path, f'\ufeff{{"_id": "q1", "text": "one"}}{newline}{{"_id": "q2", "text": "two"}}{newline}'
    )
    assert [query.id for query in read_queries(queries)] == ["q1", "q2"]
    qrels = written(tmp_path, f"\ufeffq1\td1\t1{newline}q2\td2\t2{newline}")
    assert read_qrels(qrels) == {"q1": {"d1": 1}, "q2": {"d2": 2}}


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\x1c", "\x0b"])
def test_only_line_feeds_part_lines(separator: str, tmp_path: Path) -> None:
    text = f"one{separator}two"
    line = json.dumps({"_id": "q1", "text": text}, ensure_ascii=False)
    assert read_queries(written(tmp_path, line + "\n")) == [Query("q1", text)]
    assert read_qrels(written(tmp_path, f"q1\td{separator}1\t1\n")) == {"q1": {f"d{separator}1": 1}}


@pytest.mark.parametrize("bad", ["{", "[]", "null", '"text"', '{"_id": "q"}', '{"text": "t"}'])
def test_a_bad_question_is_named_by_its_line(bad: str, tmp_path: Path) -> None:
    path = written(tmp_path, '{"_id": "q1", "text": "one"}\n\n' + bad + "\n")
    with pytest.raises(UsageError, match=r"input:3: not an object with _id and text"):
        read_queries(path)


@pytest.mark.parametrize(
    "text",
    [
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td 2\t0\nq2\td1\t1\n",
        "q1\td1\t2\nq1\td 2\t0\n\nq2\td1\t1",
    ],
    ids=["header", "no header"],
)
def test_qrels_with_and_without_a_header(text: str, tmp_path: Path) -> None:
    assert read_qrels(written(tmp_path, text)) == {"q1": {"d1": 2, "d 2": 0}, "q2": {"d1": 1}}


@pytest.mark.parametrize(
    "text", ["q1 0 d1 2\nq2 0 d2 -1\n", "q1\t0\td1\t2\nq2\t0\td2\t-1\n"], ids=["spaces", "tabs"]
)
def test_qrels_in_the_form_of_trec(text: str, tmp_path: Path) -> None:
    assert read_qrels(written(tmp_path, text)) == {"q1": {"d1": 2}, "q2": {"d2": -1}}


def test_quotation_marks_in_ids_are_letters_like_others(tmp_path: Path) -> None:
    assert read_qrels(written(tmp_path, 'q1\t"d1\t1\nq2\td"2"\t1\n')) == {"q1": {'"d1': 1}, "q2": {'d"2"': 1}}


@pytest.mark.parametrize("bad", ["q1\td1", "q1\td1\tmuch", "q1\td1\t1.5", "q1", "a\tb\tc\td\t5"])
def test_a_bad_judgement_is_named_by_its_line(bad: str, tmp_path: Path) -> None:
    path = written(tmp_path, f"query-id\tcorpus-id\tscore\nq1\td1\t1\n\n{bad}\nq2\td1\t1\n")
    with pytest.raises(UsageError, match=r"input:4: not query-id, corpus-id, score"):
        read_qrels(path)


def test_files_without_content_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no questions"):
        read_queries(written(tmp_path, "\n"))
    with pytest.raises(UsageError, match="no judgements"):
        read_qrels(written(tmp_path, "query-id\tcorpus-id\tscore\n"))
    with pytest.raises(UsageError, match="not UTF-8"):
        read_queries(written(tmp_path, b"\xff\xfe\x00"))
    with pytest.raises(UsageError, match="No such file"):
        read_qrels(tmp_path / "missing")


# -- which document a judged id means --------------------------------------------------------------------


def test_a_record_comes_before_a_file() -> None:
    documents = [("c.jsonl#7", "c.jsonl", "7"), ("7", "7", None), ("d/7.md", "d/7.md", None)]
    assert judged_names(["7"], documents) == {"c.jsonl#7": "7"}


def test_a_record_of_two_collections_means_both() -> None:
    documents = [("a.jsonl#7", "a.jsonl", "7"), ("b.jsonl#7", "b.jsonl", "7")]
    assert judged_names(["7"], documents) == {"a.jsonl#7": "7", "b.jsonl#7": "7"}


@pytest.mark.parametrize("turn", [1, -1])
def test_a_whole_path_comes_before_one_that_ends_in_it(turn: int) -> None:
    documents = [("guide.md", "guide.md", None), ("docs/guide.md", "docs/guide.md", None)][::turn]
    assert judged_names(["guide.md"], documents) == {"guide.md": "guide.md"}
    assert judged_names(["docs/guide.md"], documents) == {"docs/guide.md": "docs/guide.md"}


def test_the_end_of_a_path_means_a_file_when_it_is_the_only_one() -> None:
    documents = [(name, name, None) for name in ("x/api/a.md", "y/b.md", "z/b.md")]
    assert judged_names(["api/a.md", "b.md", "z/b.md", "i/a.md"], documents) == {
        "x/api/a.md": "api/a.md",
        "z/b.md": "z/b.md",
    }


def test_a_name_without_its_ending_means_a_file_when_it_is_the_only_one() -> None:
    documents = [(name, name, None) for name in ("x/a.md", "y/b.md", "z/b.txt", "v1.2.md")]
    assert judged_names(["a", "b", "v1.2", "none"], documents) == {"x/a.md": "a", "v1.2.md": "v1.2"}


# -- evaluation ------------------------------------------------------------------------------------------

QUERIES = [Query("q1", "one"), Query("q2", "two"), Query("q3", "not judged"), Query("q4", "nothing relevant")]
QRELS = {"q1": {"a": 1}, "q2": {"b": 1}, "q4": {"a": 0}, "q9": {"a": 1}}


def test_means_are_over_the_judged_questions() -> None:
    found = {"one": ["a"], "two": ["x", "x", "b"]}
    report = evaluate(found.__getitem__, QUERIES, QRELS)
    assert report.metrics == pytest.approx(
        {"ndcg@10": (1 + 1 / log2(3)) / 2, "recall@10": 1.0, "recall@100": 1.0, "mrr@10": 0.75}, abs=1e-6
    ), "the chunks of x count once, so b is second"
    assert report.failed == []
    assert 0 <= report.p50 <= report.p95


def test_a_question_that_fails_counts_as_zero_and_is_listed() -> None:
    def search(text: str) -> list[str]:
        if text == "two":
            raise ModelUnavailable("no model")
        return ["a"]

    report = evaluate(search, QUERIES, QRELS)
    assert set(report.metrics.values()) == {0.5}
    assert report.failed == ["q2: no model"]


def test_a_bug_in_the_search_is_not_taken_for_a_bad_result() -> None:
    with pytest.raises(KeyError):
        evaluate({}.__getitem__, QUERIES, QRELS)


def test_judgements_of_other_questions_are_refused() -> None:
    with pytest.raises(UsageError, match="belong together"):
        evaluate(lambda _: [], QUERIES, {"other": {"a": 1}})
