"""The search over a few chunks that are in no index."""

from __future__ import annotations

import math

import pytest

from ragcli.errors import UsageError
from ragcli.search import rank_in_memory
from ragcli.types import Chunk


def make_chunk(name: str, text: str, context: str = "") -> Chunk:
    return Chunk(
        id=name, document="d", ordinal=0, start=0, end=len(text), text=text, context=context,
        heading=(), page=None, lines=None, tokens=1,
    )  # fmt: skip


def names(query: str, *chunks: Chunk) -> list[str]:
    return [name for name, _ in rank_in_memory(query, chunks)]


def test_a_single_chunk_that_holds_the_word_is_found_with_a_score() -> None:
    # BM25+: idf log((1 + 1) / 1), length normalisation 1, frequency 1: idf * (1 + 2.2 / 2.2).
    ((name, score),) = rank_in_memory("tower", [make_chunk("a", "The tower stands.")])
    assert name == "a"
    assert score == pytest.approx(2 * math.log(2), abs=1e-5)


def test_a_word_that_all_chunks_hold_still_ranks_them() -> None:
    chunks = [
        make_chunk("a", "tower and bridge and river"),
        make_chunk("b", "tower tower"),
        make_chunk("c", "tower x y z"),
    ]
    ranked = rank_in_memory("tower", chunks)
    assert ranked[0][0] == "b"
    assert len(ranked) == 3
    assert all(score > 0 for _, score in ranked)


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    chunks = [make_chunk("a", "tower rain"), make_chunk("b", "tower snow"), make_chunk("c", "tower zebra")]
    assert names("tower zebra", *chunks)[0] == "c"


def test_chunks_that_share_no_word_are_left_out() -> None:
    chunks = [make_chunk("a", "rain and snow"), make_chunk("b", "the towers of Paris")]
    assert names("tower", *chunks) == ["b"]
    assert names("zebra", *chunks) == []


def test_title_and_headings_are_searched_too() -> None:
    assert names(
        "zebra", make_chunk("a", "It has stripes.", context="Zebra"), make_chunk("b", "It has none.")
    ) == ["a"]


def test_chinese_is_found() -> None:
    assert names("杭州", make_chunk("a", "计划于2023年杭州举办"), make_chunk("b", "北京大学")) == ["a"]


def test_equal_scores_are_ordered_by_id() -> None:
    assert names(
        "tower", make_chunk("z", "a tower"), make_chunk("b", "a tower"), make_chunk("m", "the tower")
    ) == ["b", "m", "z"]


@pytest.mark.parametrize("query", ["the of is", "???", "😀"])
def test_a_query_without_a_term_finds_nothing(query: str) -> None:
    assert names(query, make_chunk("a", "the tower of Paris ???")) == []


def test_chunks_without_a_term_find_nothing() -> None:
    assert names("tower", make_chunk("a", "..."), make_chunk("b", "the")) == []
    assert names("tower", make_chunk("a", "..."), make_chunk("b", "tower")) == ["b"]


def test_no_chunks_find_nothing() -> None:
    assert names("tower") == []


@pytest.mark.parametrize("query", ["", " \n\t"])
def test_an_empty_query_is_refused(query: str) -> None:
    with pytest.raises(UsageError, match="query is empty"):
        rank_in_memory(query, [make_chunk("a", "tower")])
