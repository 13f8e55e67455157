"""Blending a reranker's scores with the first stage's: what holds whatever the scores are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ragcli.rerank import blend, reorder, score_within
from ragcli.tokens import FastTokenizer
from ragcli.types import Hit

HIT = Hit(0, "", "d", None, "d", "", (), None, None, (0, 1), "t", 0.0)
numbers = st.floats(-50, 50).map(lambda x: round(x, 3))
weights = st.floats(0, 1)


@st.composite
def searches(draw: st.DrawFn) -> tuple[list[Hit], list[float | None]]:
    """Hits as a first stage gives them, and scores of some of the first few."""
    firsts = draw(st.lists(numbers, min_size=1, max_size=12))
    ordered = sorted((-score, f"{n:02}") for n, score in enumerate(firsts))
    hits = [
        replace(HIT, rank=rank, id=name, score=-score, fused=-score)
        for rank, (score, name) in enumerate(ordered, 1)
    ]
    count = draw(st.integers(0, len(hits)))
    return hits, draw(st.lists(st.none() | numbers, min_size=count, max_size=count))


@given(searches(), weights)
def test_candidates_change_places_and_nothing_else_happens(
    search: tuple[list[Hit], list[float | None]], weight: float
) -> None:
    hits, scores = search
    found = reorder(hits, scores, weight)
    assert {hit.id for hit in found[: len(scores)]} == {hit.id for hit in hits[: len(scores)]}
    assert [hit.id for hit in found[len(scores) :]] == [hit.id for hit in hits[len(scores) :]]
    assert [hit.rank for hit in found] == list(range(1, len(hits) + 1))
    assert [(-hit.score, hit.id) for hit in found] == sorted((-hit.score, hit.id) for hit in found)
    assert {(hit.id, hit.fused) for hit in found} == {(hit.id, hit.fused) for hit in hits}
    said = {hit.id: hit.rerank for hit in found}
    assert [said[hit.id] for hit in hits[: len(scores)]] == scores


@given(searches())
def test_weight_0_keeps_the_first_stage(search: tuple[list[Hit], list[float | None]]) -> None:
    hits, scores = search
    assert [(hit.id, hit.score) for hit in reorder(hits, scores, 0.0)] == [
        (hit.id, hit.score) for hit in hits
    ]


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=12))
def test_weight_1_takes_the_rerankers_order(pairs: list[tuple[float, float]]) -> None:
    first, scores = [a for a, _ in pairs], [b for _, b in pairs]
    blended = blend(first, scores, 1.0)
    if len(set(scores)) > 1:
        for a, x in zip(scores, blended, strict=True):
            for b, y in zip(scores, blended, strict=True):
                assert a <= b or x >= y
    else:
        assert blended == first


@given(st.lists(st.tuples(numbers, st.none() | numbers), min_size=1, max_size=12), weights)
def test_a_passage_without_a_score_stands_where_it_stood(
    pairs: list[tuple[float, float | None]], weight: float
) -> None:
    first, scores = [a for a, _ in pairs], [b for _, b in pairs]
    for before, score, after in zip(first, scores, blend(first, scores, weight), strict=True):
        assert score is not None or after == before


def test_by_hand() -> None:
    # First stage: mean 2, deviation 1. Reranker: mean 30, deviation 10.
    assert blend([3.0, 1.0], [20.0, 40.0], 0.25) == [2.5, 1.5]
    assert blend([3.0, 1.0], [20.0, 40.0], 0.75) == [1.5, 2.5]
    assert blend([3.0, 9.0, 1.0], [20.0, None, 40.0], 0.75) == [1.5, 9.0, 2.5]


class Counting:
    """A reranker whose score is the text's length, NaN for an empty one; notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    @property
    def tokenizer(self) -> FastTokenizer:
        raise NotImplementedError

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        del query
        self.asked.append(list(texts))
        return np.array([len(text) or np.nan for text in texts], dtype=np.float32)


TEXTS = ["a" * n for n in range(1, 12)]


def test_without_a_budget_everything_is_scored_at_once() -> None:
    reranker = Counting()
    assert score_within(reranker, "q", ["aa", "", "a"], None) == ([2.0, None, 1.0], False)
    assert len(reranker.asked) == 1


def test_when_the_time_is_up_the_first_are_scored_and_the_rest_are_not() -> None:
    scores, late = score_within(Counting(), "q", TEXTS, 1e-9)
    assert late
    assert scores == [1.0, 2.0, 3.0, 4.0] + [None] * 7


@pytest.mark.parametrize("budget", [None, 1e9])
def test_with_time_enough_everything_is_scored(budget: float | None) -> None:
    assert score_within(Counting(), "q", TEXTS, budget) == ([float(n) for n in range(1, 12)], False)
