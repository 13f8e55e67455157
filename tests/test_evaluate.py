"""Metrics on numbers worked out by hand, the files of judgements, and a whole evaluation."""

from __future__ import annotations

import json
from math import log2
from pathlib import Path

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcli.errors import ModelUnavailable, UsageError
from ragcli.evaluate import (
    ModeReport,
    Query,
    Row,
    Span,
    between_modes,
    compare,
    evaluate,
    interval,
    judge_bounds,
    judged_names,
    measure,
    read_bound,
    read_metrics,
    read_qrels,
    read_queries,
    read_rows,
    tune,
    weights_to_try,
    with_baseline,
    write_rows,
)
from ragcli.evaluate.metrics import average_precision, mrr, ndcg, precision, recall, success

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


def test_average_precision_by_hand() -> None:
    assert average_precision(["a", "other", "x", "c"], GRADES, 10) == pytest.approx((1 / 1 + 2 / 4) / 3)
    assert average_precision(["a", "other", "x", "c"], GRADES, 3) == pytest.approx(1 / 3)
    assert average_precision(["x"], {"x": 0}, 10) == 0.0


def test_precision_by_hand() -> None:
    assert precision(["a", "other", "x", "c"], GRADES, 4) == 0.5
    assert precision(["a"], GRADES, 10) == pytest.approx(0.1)


def test_success_by_hand() -> None:
    assert success(["other", "x", "c"], GRADES, 3) == 1.0
    assert success(["other", "x", "c"], GRADES, 2) == 0.0


NAMES = st.sampled_from([f"d{number}" for number in range(30)])


@settings(max_examples=200)
@given(
    run=st.dictionaries(NAMES, st.integers(0, 8), min_size=1),  # few scores: ties all the time
    grades=st.dictionaries(NAMES, st.integers(0, 3), min_size=1),
    depth=st.sampled_from([1, 3, 5, 10, 100]),
)
def test_metrics_agree_with_the_reference(run: dict[str, int], grades: dict[str, int], depth: int) -> None:
    """Against ir-measures, which asks trec_eval; that one orders ties by name, from the last."""
    ranking = sorted(run, key=lambda name: (run[name], name), reverse=True)
    named = {
        "ndcg": ir_measures.nDCG @ depth,
        "recall": ir_measures.R @ depth,
        "mrr": ir_measures.RR @ depth,
        "map": ir_measures.AP @ depth,
        "precision": ir_measures.P @ depth,
        "success": ir_measures.Success @ depth,
    }
    tied = {name: float(score) for name, score in run.items()}
    # Where it cuts a ranking by itself, as for RR@k, its order of ties is another.
    apart = {name: -float(rank) for rank, name in enumerate(ranking)}
    for name, reference in named.items():
        scores = apart if name == "mrr" else tied
        wanted = ir_measures.calc_aggregate([reference], {"q": grades}, {"q": scores})
        assert measure(f"{name}@{depth}", ranking, grades) == pytest.approx(wanted[reference], abs=1e-6), name


@pytest.mark.parametrize("name", ["ndcg", "ndcg@0", "ndcg@101", "speed@10", "", "ndcg@ten", "ndcg@-1"])
def test_what_is_no_metric_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is no metric"):
        read_metrics([name])


def test_metrics_are_read_once_each_in_any_case() -> None:
    assert read_metrics(["NDCG@10", " map@5", "ndcg@10"]) == ("ndcg@10", "map@5")


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


def passages(*names: str) -> list[Span]:
    """A passage of each document."""
    return [Span(name, 0, 10) for name in names]


QUERIES = [Query("q1", "one"), Query("q2", "two"), Query("q3", "not judged"), Query("q4", "nothing relevant")]
QRELS = {"q1": {"a": 1}, "q2": {"b": 1}, "q4": {"a": 0}, "q9": {"a": 1}}


def test_means_are_over_the_judged_questions() -> None:
    found = {"one": passages("a"), "two": passages("x", "x", "b")}
    report = evaluate(found.__getitem__, QUERIES, QRELS)
    assert report.metrics == pytest.approx(
        {"ndcg@10": (1 + 1 / log2(3)) / 2, "recall@10": 1.0, "recall@100": 1.0, "mrr@10": 0.75}, abs=1e-6
    ), "the chunks of x count once, so b is second"
    assert report.failed == []
    assert 0 <= report.p50 <= report.p95


def test_a_question_that_fails_counts_as_zero_and_is_listed() -> None:
    def search(text: str) -> list[Span]:
        if text == "two":
            raise ModelUnavailable("no model")
        return passages("a")

    report = evaluate(search, QUERIES, QRELS)
    assert set(report.metrics.values()) == {0.5}
    assert report.failed == ["q2: no model"]


def test_a_bug_in_the_search_is_not_taken_for_a_bad_result() -> None:
    with pytest.raises(KeyError):
        evaluate({}.__getitem__, QUERIES, QRELS)


def test_judgements_of_other_questions_are_refused() -> None:
    with pytest.raises(UsageError, match="belong together"):
        evaluate(lambda _: [], QUERIES, {"other": {"a": 1}})


# -- how sure it is --------------------------------------------------------------------------------------


def test_the_interval_holds_the_mean_and_narrows_with_more_questions() -> None:
    few, many = [0.0, 1.0] * 10, [0.0, 1.0] * 1000
    low, high = interval(few)
    assert low < 0.5 < high
    # Half of a coin's throws, 2,000 times: 1.96 * 0.5 / sqrt(2000).
    assert interval(many) == pytest.approx((0.5 - 0.0219, 0.5 + 0.0219), abs=0.002)
    assert interval([0.25] * 5) == (0.25, 0.25)
    assert interval(few) == interval(few)


def test_differences_that_chance_makes_are_told_from_others() -> None:
    same = compare([0.3, 0.6, 0.9] * 20, [0.3, 0.6, 0.9] * 20)
    assert (same.mean, same.p, same.wins, same.losses) == (0.0, 1.0, 0, 0)
    better = compare([0.5] * 40, [0.4] * 40)
    assert better.mean == pytest.approx(0.1)
    assert better.p < 0.001
    assert (better.wins, better.losses) == (40, 0)
    # All of 2**4 ways to set the signs: only two are as far out.
    assert compare([1.0] * 4, [0.0] * 4).p == pytest.approx(2 / 16, abs=0.01)
    with pytest.raises(ValueError, match="same questions"):
        compare([1.0], [1.0, 0.0])


# -- rows, gates, comparisons ----------------------------------------------------------------------------


def report_of(*values: float) -> ModeReport:
    rows = [
        Row(Query(f"q{n}", f"question {n}"), {"ndcg@10": value}, ("a", "b"), {"b": 1}, 1.5)
        for n, value in enumerate(values)
    ]
    return ModeReport({"ndcg@10": sum(values) / len(values)}, 1.5, 1.5, rows=rows)


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_rows(path, {"lexical": report_of(0.5, 1.0), "hybrid": report_of(0.25, 0.0)})
    assert read_rows(path) == {
        "lexical": {"q0": {"ndcg@10": 0.5}, "q1": {"ndcg@10": 1.0}},
        "hybrid": {"q0": {"ndcg@10": 0.25}, "q1": {"ndcg@10": 0.0}},
    }


@pytest.mark.parametrize("bad", ["{", "[]", '{"mode": "m"}', '{"mode": "m", "query_id": 1, "metrics": [1]}'])
def test_a_bad_row_is_named_by_its_line(bad: str, tmp_path: Path) -> None:
    write_rows(tmp_path / "input", {"lexical": report_of(1.0)})
    with (tmp_path / "input").open("a") as file:
        file.write(f"\n{bad}\n")
    with pytest.raises(UsageError, match=r"input:3: no row"):
        read_rows(tmp_path / "input")
    with pytest.raises(UsageError, match="no rows"):
        read_rows(written(tmp_path, "\n"))


def test_modes_are_compared_question_by_question() -> None:
    reports = {
        "lexical": report_of(0.5, 0.5, 0.0),
        "dense": report_of(1.0, 0.5, 0.0),
        "hybrid": report_of(1, 1, 1),
    }
    found = between_modes(reports, "ndcg@10")
    assert [(c.mode, c.against) for c in found] == [
        ("dense", "lexical"), ("hybrid", "lexical"), ("hybrid", "dense"),
    ]  # fmt: skip
    assert found[0].difference.mean == pytest.approx(0.5 / 3, abs=1e-6)
    assert (found[1].difference.wins, found[1].difference.losses) == (3, 0)


def test_a_baseline_counts_where_both_have_the_question(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_rows(path, {"hybrid": report_of(0.5, 0.5)})
    [contrast] = with_baseline({"hybrid": report_of(1.0, 0.5, 0.0)}, read_rows(path), ["ndcg@10"])
    assert (contrast.questions, contrast.against) == (2, "baseline")
    assert contrast.difference.mean == pytest.approx(0.25)
    assert with_baseline({"lexical": report_of(1.0)}, read_rows(path), ["ndcg@10"]) == []


def test_a_gate_is_of_hybrid_unless_it_names_a_mode() -> None:
    reports = {"lexical": report_of(0.5), "hybrid": report_of(0.75)}
    bounds = [read_bound("ndcg@10=0.7"), read_bound("lexical:ndcg@10=0.6")]
    assert [(v.mode, v.passed) for v in judge_bounds(bounds, reports)] == [
        ("hybrid", True),
        ("lexical", False),
    ]
    alone = {"lexical": reports["lexical"]}
    assert [v.mode for v in judge_bounds(bounds[:1], alone)] == ["lexical"]
    with pytest.raises(UsageError, match="not among --modes"):
        judge_bounds([read_bound("dense:ndcg@10=0.6")], reports)


@pytest.mark.parametrize("word", ["", "ndcg@10", "ndcg@10=", "ndcg@10=high", "ndcg@10=nan", "speed@1=0.5"])
def test_what_is_no_gate_is_refused(word: str) -> None:
    with pytest.raises(UsageError):
        read_bound(word)


# -- tuning ----------------------------------------------------------------------------------------------

GRID = (0.0, 0.25, 0.5, 0.75, 1.0)


def table_of(rows: list[list[float]]) -> dict[str, list[float]]:
    return {f"q{number}": row for number, row in enumerate(rows)}


def test_a_weight_that_is_better_everywhere_is_taken() -> None:
    found = tune("ndcg@10", table_of([[0.1, 0.2, 0.4, 0.9, 0.3]] * 20), GRID, 0.5)
    assert (found.best, found.weight, found.sure) == (0.75, 0.75, True)
    assert found.by_fold == (0.75,) * 5
    assert (found.tuned, found.before) == pytest.approx((0.9, 0.4))
    assert found.difference.p < 0.01


def test_a_weight_that_only_suits_the_questions_it_was_chosen_on_is_not_taken() -> None:
    # One question out of ten speaks for 0.75, and loudly: left out, the others see nothing in it.
    rows = [[0.0, 0.0, 0.5, 0.5, 0.0] for _ in range(9)] + [[0.0, 0.0, 0.0, 1.0, 0.0]]
    found = tune("ndcg@10", table_of(rows), GRID, 0.5)
    assert found.best == 0.75
    assert not found.sure
    assert found.weight == 0.5


def test_of_equal_weights_the_one_in_force_stays() -> None:
    found = tune("ndcg@10", table_of([[0.5] * 5] * 10), GRID, 0.25)
    assert (found.best, found.weight) == (0.25, 0.25)
    assert found.difference.mean == 0.0


def test_the_order_of_the_questions_makes_no_difference() -> None:
    rows = [[(n * 7 + w * 3) % 11 / 10 for w in range(5)] for n in range(23)]
    forward = table_of(rows)
    backward = dict(reversed(list(forward.items())))
    first, second = (tune("ndcg@10", values, GRID, 0.5) for values in (forward, backward))
    assert first == second


@settings(max_examples=50)
@given(st.lists(st.lists(st.sampled_from([0.0, 0.3, 1.0]), min_size=5, max_size=5), min_size=10, max_size=40))
def test_every_question_is_judged_once_at_a_weight_it_had_no_part_in(rows: list[list[float]]) -> None:
    found = tune("ndcg@10", table_of(rows), GRID, 0.5)
    assert found.before == pytest.approx(sum(row[2] for row in rows) / len(rows), abs=1e-6)
    assert found.means[found.best] == max(found.means.values())
    assert found.tuned <= max(max(row) for row in rows)
    assert found.weight in (found.best, 0.5)


def test_few_questions_tune_nothing() -> None:
    with pytest.raises(UsageError, match="10 judged questions and there are 9"):
        tune("ndcg@10", table_of([[0.5] * 5] * 9), GRID, 0.5)


def test_the_weight_in_force_is_among_those_tried() -> None:
    assert len(weights_to_try(0.5)) == 21
    assert 0.33 in weights_to_try(0.33)
