"""Fusion on numbers worked out by hand, and what must hold of any two lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcli.search.fuse import FUSIONS, convex, reciprocal_rank, standardize

MANY = settings(max_examples=100)

Pairs = list[tuple[str, float]]


def best_first(scores: dict[str, float]) -> Pairs:
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


# Whole numbers and few names: ties and names in both lists come up all the time.
LISTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 30).map(float), max_size=8).map(
    best_first
)
FUSE = st.sampled_from([convex, reciprocal_rank])


# -- standardize ---------------------------------------------------------------------------------------


def test_standard_scores_count_deviations_above_the_worst() -> None:
    # Mean 4, variance ((2)^2 + 0 + (2)^2) / 3 = 8/3.
    deviation = (8 / 3) ** 0.5
    found = standardize([("a", 6.0), ("b", 4.0), ("c", 2.0)])
    assert found == pytest.approx({"a": 4 / deviation, "b": 2 / deviation, "c": 0.0})


def test_a_list_shorter_than_asked_for_is_filled_with_zeros() -> None:
    # 3, 1, 0, 0: mean 1, variance (4 + 0 + 1 + 1) / 4 = 1.5, worst 0.
    found = standardize([("a", 3.0), ("b", 1.0)], depth=4)
    assert found == pytest.approx({"a": 3 / 1.5**0.5, "b": 1 / 1.5**0.5})


def test_a_full_list_takes_no_heed_of_its_depth() -> None:
    ranked = [("a", 3.0), ("b", 1.0)]
    assert standardize(ranked, depth=2) == standardize(ranked) == {"a": 2.0, "b": 0.0}


@pytest.mark.parametrize("score", [0.0, 5.0, -2.0, 1e6])
def test_equal_scores_give_one_each(score: float) -> None:
    assert standardize([("a", score), ("b", score)]) == {"a": 1.0, "b": 1.0}
    assert standardize([("a", score)]) == {"a": 1.0}


def test_the_last_bits_of_equal_scores_decide_nothing() -> None:
    assert standardize([("a", 0.1 + 0.2), ("b", 0.3)]) == {"a": 1.0, "b": 1.0}


def test_no_list_has_no_scores() -> None:
    assert standardize([]) == {}
    assert standardize([], depth=10) == {}


# -- convex --------------------------------------------------------------------------------------------


def test_convex_sum_by_hand() -> None:
    # Both lists have deviation 1: lexical a 2, b 0; dense b 2, c 0.
    fused = convex([("a", 7.0), ("b", 5.0)], [("b", 0.9), ("c", 0.7)], 0.25)
    assert fused == [("a", 1.5), ("b", 0.5), ("c", 0.0)]


def test_weights_of_zero_and_one_leave_one_list_alone() -> None:
    lexical, dense = [("a", 7.0), ("b", 5.0)], [("c", 0.9), ("d", 0.7)]
    for fuse in FUSIONS.values():
        assert [name for name, _ in fuse(lexical, dense, 0.0)] == ["a", "b"]
        assert [name for name, _ in fuse(lexical, dense, 1.0)] == ["c", "d"]


def test_ties_are_broken_by_id() -> None:
    assert [name for name, _ in convex([("z", 1.0)], [("b", 1.0)], 0.5)] == ["b", "z"]
    assert [name for name, _ in reciprocal_rank([("z", 1.0)], [("b", 1.0)], 0.5)] == ["b", "z"]
    assert [name for name, _ in convex([("z", 2.0), ("y", 2.0), ("a", 2.0)], [], 0.5)] == ["a", "y", "z"]


def test_a_complete_list_stands_out_from_what_it_lacks() -> None:
    # One 5 among 99 zeros stands 5 / sqrt(25 * 0.01 * 0.99) deviations above them.
    assert convex([("a", 5.0)], [], 0.5, depth=100) == [("a", round(0.5 / 0.0099**0.5, 6))]


# -- reciprocal rank -----------------------------------------------------------------------------------


def test_reciprocal_rank_by_hand() -> None:
    fused = reciprocal_rank([("a", 9.0), ("b", 1.0)], [("b", 0.9), ("c", 0.1)], 0.5)
    assert fused == [
        ("b", round(1 / 62 + 1 / 61, 6)),
        ("a", round(1 / 61, 6)),
        ("c", round(1 / 62, 6)),
    ]


def test_weighted_reciprocal_rank_by_hand() -> None:
    fused = reciprocal_rank([("a", 9.0)], [("b", 0.9)], 0.75)
    assert fused == [("b", round(1.5 / 61, 6)), ("a", round(0.5 / 61, 6))]


def test_reciprocal_rank_looks_at_ranks_alone() -> None:
    one = reciprocal_rank([("a", 9.0), ("b", 8.9)], [("c", 1.0)], 0.4)
    other = reciprocal_rank([("a", 900.0), ("b", -1.0)], [("c", 0.0)], 0.4)
    assert one == other == reciprocal_rank([("a", 9.0), ("b", 8.9)], [("c", 1.0)], 0.4, depth=100)


# -- of any lists --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fuse", FUSIONS.values(), ids=FUSIONS)
def test_empty_lists(fuse: Callable[..., Pairs]) -> None:
    assert fuse([], [], 0.5) == []
    assert [name for name, _ in fuse([("a", 1.0)], [], 0.5)] == ["a"]
    assert [name for name, _ in fuse([], [("a", 1.0)], 0.5)] == ["a"]


@MANY
@given(FUSE, LISTS, LISTS, st.sampled_from([0.0, 0.3, 0.5, 1.0]), st.integers(0, 20))
def test_the_result_is_sorted_and_names_each_once(
    fuse: Callable[..., Pairs], lexical: Pairs, dense: Pairs, weight: float, depth: int
) -> None:
    fused = fuse(lexical, dense, weight, depth=depth)
    assert fused == sorted(fused, key=lambda pair: (-pair[1], pair[0]))
    expected = {name for name, _ in lexical if weight < 1} | {name for name, _ in dense if weight > 0}
    assert sorted(name for name, _ in fused) == sorted(expected)


@MANY
@given(LISTS, LISTS, st.sampled_from([0.0, 0.3, 0.5, 1.0]), st.randoms())
def test_the_order_in_which_equals_come_in_is_irrelevant(
    lexical: Pairs, dense: Pairs, weight: float, random: object
) -> None:
    shuffled = list(lexical)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert convex(shuffled, dense[::-1], weight) == convex(lexical, dense, weight)


@MANY
@given(
    LISTS,
    LISTS,
    st.sampled_from([0.3, 0.5]),
    st.floats(0.01, 100),
    st.floats(-50, 50),
    st.floats(0.01, 100),
    st.floats(-50, 50),
)
def test_another_scale_of_a_list_changes_nothing(
    lexical: Pairs,
    dense: Pairs,
    weight: float,
    times: float,
    plus: float,
    other_times: float,
    other_plus: float,
) -> None:
    def moved(pairs: Sequence[tuple[str, float]], factor: float, shift: float) -> Pairs:
        return [(name, score * factor + shift) for name, score in pairs]

    one = dict(convex(lexical, dense, weight))
    other = dict(convex(moved(lexical, times, plus), moved(dense, other_times, other_plus), weight))
    assert one == pytest.approx(other, abs=3e-6)


@MANY
@given(FUSE, LISTS, LISTS, LISTS)
def test_a_list_without_weight_has_no_influence(
    fuse: Callable[..., Pairs], ranked: Pairs, one: Pairs, other: Pairs
) -> None:
    assert fuse(ranked, one, 0.0) == fuse(ranked, other, 0.0)
    assert fuse(one, ranked, 1.0) == fuse(other, ranked, 1.0)
