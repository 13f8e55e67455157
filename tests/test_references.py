"""Characters found, read and missed, worked out by hand; and references looked up in extracted texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.errors import ModelUnavailable, UsageError
from ragcli.evaluate import (
    Query,
    Reference,
    Span,
    between_modes,
    evaluate,
    locate,
    measure_spans,
    read_metrics,
    read_references,
    row_record,
)
from ragcli.evaluate.overlap import span_iou, span_precision, span_recall

# -- metrics -------------------------------------------------------------------------------------------

REFERENCES = [Span("a", 10, 30), Span("a", 100, 120)]


def test_characters_by_hand() -> None:
    # 10 of the first reference and all of the second, of 40; read are 20 + 60 + 20.
    passages = [Span("a", 0, 20), Span("a", 90, 150), Span("b", 10, 30)]
    assert span_recall(passages, REFERENCES, 5) == 30 / 40
    assert span_precision(passages, REFERENCES, 5) == 30 / 100
    assert span_iou(passages, REFERENCES, 5) == 30 / (100 + 10)


def test_what_overlapping_passages_share_is_found_once_and_read_twice() -> None:
    passages = [Span("a", 0, 25), Span("a", 15, 40)]
    assert span_recall(passages, REFERENCES, 5) == 20 / 40
    assert span_precision(passages, REFERENCES, 5) == 20 / 50
    assert span_iou(passages, REFERENCES, 5) == 20 / (50 + 20)


def test_only_the_first_passages_count() -> None:
    passages = [Span("a", 200, 220), Span("a", 10, 30)]
    assert measure_spans("span_recall@1", passages, REFERENCES) == 0.0
    assert measure_spans("span_recall@2", passages, REFERENCES) == 0.5
    assert measure_spans("span_precision@2", passages, REFERENCES) == 0.5


def test_answers_of_several_people_are_wanted_once() -> None:
    assert span_recall([Span("a", 0, 10)], [Span("a", 0, 10), Span("a", 5, 20)], 5) == 10 / 20


def test_nothing_found() -> None:
    for measure in (span_recall, span_precision, span_iou):
        assert measure([], REFERENCES, 5) == 0.0
        assert measure([Span("b", 10, 30)], REFERENCES, 5) == 0.0
        assert measure([Span("a", 30, 100)], REFERENCES, 5) == 0.0


def test_names_of_metrics() -> None:
    assert read_metrics(["SPAN_IOU@3", "ndcg@10"]) == ("span_iou@3", "ndcg@10")
    with pytest.raises(UsageError, match="span_recall, span_precision, span_iou"):
        read_metrics(["span_mrr@5"])


SPANS = st.builds(
    lambda name, start, length: Span(name, start, start + length),
    st.sampled_from("ab"), st.integers(0, 60), st.integers(1, 30),
)  # fmt: skip


@given(st.lists(SPANS, max_size=8), st.lists(SPANS, min_size=1, max_size=5))
def test_against_sets_of_characters(passages: list[Span], references: list[Span]) -> None:
    wanted = {(span.document, at) for span in references for at in range(span.start, span.end)}
    read = [(span.document, at) for span in passages for at in range(span.start, span.end)]
    found = wanted & set(read)
    assert span_recall(passages, references, 8) == len(found) / len(wanted)
    assert span_precision(passages, references, 8) == (len(found) / len(read) if read else 0.0)
    assert span_iou(passages, references, 8) == len(found) / (len(read) + len(wanted - found))


@given(st.lists(SPANS, max_size=8), st.lists(SPANS, min_size=1, max_size=5))
def test_bounds_and_more_passages(passages: list[Span], references: list[Span]) -> None:
    for measure in (span_recall, span_precision, span_iou):
        assert 0.0 <= measure(passages, references, 8) <= 1.0
    recalls = [span_recall(passages, references, k) for k in range(1, 9)]
    assert recalls == sorted(recalls)
    assert span_iou(passages, references, 8) <= min(
        span_recall(passages, references, 8), span_precision(passages, references, 8)
    )


@given(SPANS)
def test_a_passage_that_is_the_reference_gives_one(span: Span) -> None:
    assert [measure([span], [span], 5) for measure in (span_recall, span_precision, span_iou)] == [1.0] * 3


# -- files ---------------------------------------------------------------------------------------------


def written(folder: Path, *lines: str) -> Path:
    path = folder / "spans.jsonl"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_references_are_read_by_question(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '{"query-id": "1", "doc": "a.md", "start": 0, "end": 4, "text": "Bees"}',
        "",
        '{"query-id": 1, "doc": 7, "start": 9, "end": 12}',
    )
    assert read_references(path) == {
        "1": [Reference(Span("a.md", 0, 4), "Bees"), Reference(Span("7", 9, 12), None)]
    }


@pytest.mark.parametrize(
    "bad",
    [
        "{", "[]", "null", "[" * 100_000,
        '{"query-id": "1", "doc": "a", "start": 4, "end": 4}',
        '{"query-id": "1", "doc": "a", "start": -1, "end": 4}',
        '{"query-id": "1", "doc": "a", "start": 0, "end": 1e3}',
        '{"query-id": "1", "doc": "a", "start": false, "end": true}',
        '{"query-id": "1", "doc": "a", "start": 0, "end": 99999999999999999999}',
        '{"query-id": "1", "doc": null, "start": 0, "end": 4}',
        '{"query-id": "1", "doc": "a", "start": 0, "end": 4, "text": ["Bees"]}',
        '{"doc": "a", "start": 0, "end": 4}',
    ],
)  # fmt: skip
def test_a_bad_reference_is_named_by_its_line(bad: str, tmp_path: Path) -> None:
    path = written(tmp_path, '{"query-id": "1", "doc": "a", "start": 0, "end": 4}', bad)
    with pytest.raises(UsageError, match=r"spans.jsonl:2: not an object with query-id, doc, start and end"):
        read_references(path)


def test_a_file_without_references_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no references"):
        read_references(written(tmp_path, ""))


# -- where they lie in what was indexed ------------------------------------------------------------------


def find(text: str, start: int, end: int, quote: str | None) -> Span | None:
    """The one reference in the text, or None where it is lost."""
    located = locate({"q": [Reference(Span("a", start, end), quote)]}, {"a": text}.get)
    assert len(located.lost) == (not located.spans)
    return located.spans["q"][0] if located.spans else None


def test_offsets_are_taken_where_the_quote_stands_there() -> None:
    text = "one swarm, two swarms, one swarm"
    assert find(text, 27, 32, "swarm") == Span("a", 27, 32), "of three places the one that is meant"
    assert find("one\nswarm", 0, 9, "one  swarm") == Span("a", 0, 9)


def test_a_quote_that_moved_is_found_where_it_stands_once() -> None:
    assert find("The drones leave.\nThe queen stays.", 30, 46, "The\r\nqueen stays.") == Span("a", 18, 34)
    assert find("caf\u00e9 society", 40, 45, "cafe\u0301") == Span("a", 0, 4)
    assert find("一只蜜蜂", 40, 42, "蜜蜂") == Span("a", 2, 4)


def test_a_quote_that_is_not_there_or_in_several_places_is_lost() -> None:
    assert find("The queen stays.", 0, 5, "drone") is None
    assert find("bee, bee", 1, 4, "bee") is None
    assert find("aaaa", 9, 12, "aaa") is None, "places that overlap are several, too"


def test_offsets_without_a_quote_must_lie_in_the_text() -> None:
    assert find("bees", 0, 4, None) == Span("a", 0, 4)
    assert find("bees", 0, 5, None) is None


def test_a_reference_in_a_document_that_is_not_indexed_counts_as_missed() -> None:
    reference = Reference(Span("elsewhere", 0, 4), "bees")
    located = locate({"q": [reference]}, lambda _: None)
    assert (located.spans, located.lost) == ({"q": [reference.span]}, [])


@given(st.text(alphabet="ab \n", min_size=1, max_size=30), st.data())
def test_a_located_reference_holds_its_quote(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    quote = text[start:end]
    if not quote.strip():
        return
    assert find(text, start, end, quote) == Span("a", start, end)
    moved = find("".join(text.split()), start, end, quote)
    assert moved is None or len(moved) == len("".join(quote.split()))


# -- a run -----------------------------------------------------------------------------------------------

QUERIES = [Query("1", "one"), Query("2", "two"), Query("3", "three")]
SPANNED = {"1": [Span("a", 0, 10)], "2": [Span("b", 0, 10)]}


def test_each_mean_is_over_the_questions_that_have_what_it_needs() -> None:
    found = {"one": [Span("a", 5, 25)], "two": [Span("a", 0, 10)], "three": [Span("c", 0, 10)]}
    metrics = ["span_recall@5", "span_precision@5", "mrr@10"]
    report = evaluate(found.__getitem__, QUERIES, {"1": {"a": 1}, "3": {"d": 1}}, metrics, SPANNED)
    assert report.metrics == {"span_recall@5": 0.25, "span_precision@5": 0.125, "mrr@10": 0.5}
    assert [sorted(row.metrics) for row in report.rows] == [
        sorted(metrics), ["span_precision@5", "span_recall@5"], ["mrr@10"],
    ]  # fmt: skip
    assert [row.query.id for row in report.worst("span_recall@5", 9)] == ["2", "1"]
    assert between_modes({"lexical": report, "dense": report}, "span_recall@5")[0].questions == 2
    assert row_record("lexical", report.rows[0])["references"] == [{"document": "a", "span": [0, 10]}]
    assert json.dumps(row_record("lexical", report.rows[2])).count("references") == 0


def test_a_question_that_fails_has_found_nothing() -> None:
    def search(_: str) -> list[Span]:
        raise ModelUnavailable("no model")

    report = evaluate(search, QUERIES, {}, ["span_recall@5", "span_iou@5"], SPANNED)
    assert report.metrics == {"span_recall@5": 0.0, "span_iou@5": 0.0}
    assert report.failed == ["1: no model", "2: no model"]


def test_a_metric_that_no_question_can_have_is_refused() -> None:
    with pytest.raises(UsageError, match="no question has what ndcg@10 needs; add --qrels FILE"):
        evaluate(lambda _: [], QUERIES, {}, ["ndcg@10"], SPANNED)
