"""What the parts of a question found, as one list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ragcli.pipeline.parts import merge
from ragcli.types import Hit

from ..answer.samples import make_hit


def hit(name: str) -> Hit:
    made = make_hit(f"alpha {name} beta {name} gamma {name} delta {name}", rank=1)
    return Hit(**{field: getattr(made, field) for field in Hit.__slots__} | {"id": name})


def names(*lists: str) -> list[str]:
    return [found.id for found in merge([[hit(name) for name in each] for each in lists])]


def test_no_part_goes_without_its_best() -> None:
    # c to f are in both lists, so by reciprocal rank alone they would come before b and h.
    assert names("abcdef", "ghcdef") == ["a", "g", "b", "h", "c", "d", "e", "f"]


def test_what_both_found_comes_first_and_once() -> None:
    assert names("ab", "cb")[:1] == ["b"]
    assert sorted(names("ab", "cb")) == ["a", "b", "c"]


def test_what_says_the_same_is_told_once() -> None:
    same = make_hit("The very same words stand in both of them here.", rank=1)
    other = make_hit("The very same words stand in both of them here.", rank=2)
    [kept] = merge([[same], [other]])
    assert [copy.id for copy in kept.duplicates] == ["h2"]


@given(st.lists(st.lists(st.sampled_from("abcdefghij"), unique=True, max_size=8), min_size=2, max_size=4))
def test_each_once_and_in_order(lists: list[list[str]]) -> None:
    found = merge([[hit(name) for name in each] for each in lists])
    assert {each.id for each in found} == {name for each in lists for name in each}
    assert [each.rank for each in found] == list(range(1, len(found) + 1))
    assert [(-each.score, each.id) for each in found] == sorted((-each.score, each.id) for each in found)
    best = {name for each in lists for name in each[:2]}
    assert {each.id for each in found[: len(best)]} == best
