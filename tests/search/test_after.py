"""What is done with hits after fusion: copies folded, neighbours merged, hits made to differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.catalog import Catalog
from ragcli.search.diversity import diversify
from ragcli.search.duplicates import fold_duplicates
from ragcli.search.passages import merge_passages
from ragcli.types import Hit

from ..store.samples import make_document, put

LONG = "The pump stands behind the house and fills the tank every night between two and three o'clock"


def hit(name: str, text: str = "", score: float = 1.0, document: str = "d") -> Hit:
    return Hit(
        rank=1, id=name, document=document, record=None, path=document, title="", heading=(), page=None,
        lines=None, span=(0, len(text)), text=text, score=score, fused=score,
    )  # fmt: skip


def test_copies_are_told_once_and_named() -> None:
    found = fold_duplicates([
        hit("a", LONG), hit("b", "Something else"), hit("c", f"{LONG.upper()}."), hit("d", f"{LONG}, says the plan."),
    ])  # fmt: skip
    assert [(each.rank, each.id) for each in found] == [(1, "a"), (2, "b")]
    assert [copy.id for copy in found[0].duplicates] == ["c", "d"]
    assert found[1].duplicates == ()


def test_a_text_with_another_number_is_another_text() -> None:
    texts = ["Error E1316: the disk is full.", "Error E1317: the disk is slow.", "水泵在屋后", "水泵在屋前"]
    assert len(fold_duplicates([hit(str(at), text) for at, text in enumerate(texts)])) == 4


@given(st.lists(st.sampled_from(["a b c d e f", "a b c d e g", "A b, c d e f", "", "x", "x y"]), max_size=8))
def test_folding_loses_nothing(texts: list[str]) -> None:
    hits = [hit(str(at), text) for at, text in enumerate(texts)]
    found = fold_duplicates(hits)
    assert sorted(each.id for one in found for each in (one, *one.duplicates)) == [one.id for one in hits]
    assert [one.rank for one in found] == list(range(1, len(found) + 1))


def test_marginal_relevance_by_hand() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 3]], dtype=np.float32)
    hits = [hit("a", score=3.0), hit("b", score=2.5), hit("c", score=1.0)]
    chosen = diversify(hits, vectors, 0.5, 3)
    assert [each.id for each in chosen] == ["a", "c", "b"]
    # 0.5 * 1; 0.5 * 0 - 0.5 * 0; 0.5 * 0.75 - 0.5 * 1.
    assert [each.score for each in chosen] == [0.5, 0.0, -0.125]
    assert [each.fused for each in chosen] == [3.0, 1.0, 2.5]


@given(
    st.lists(st.tuples(st.floats(-3, 3), st.integers(0, 5), st.integers(0, 5)), max_size=8),
    st.floats(0, 1),
    st.integers(1, 9),
)
def test_marginal_relevance_orders_by_score_and_then_by_id(
    rows: list[tuple[float, int, int]], relevance: float, k: int
) -> None:
    vectors = np.array([row[1:] for row in rows], dtype=np.float32).reshape(-1, 2)
    hits = [hit(f"{at}", score=row[0]) for at, row in enumerate(rows)]
    hits.sort(key=lambda each: (-each.score, each.id))
    vectors = vectors[[int(each.id) for each in hits]]
    chosen = diversify(hits, vectors, relevance, k)
    assert len(chosen) == min(k, len(hits))
    assert len({each.id for each in chosen}) == len(chosen)
    assert [(-each.score, each.id) for each in chosen] == sorted((-each.score, each.id) for each in chosen)
    if relevance == 1.0 and len({round(each.score, 3) for each in hits}) == len(hits):
        assert [each.id for each in chosen] == [each.id for each in hits[:k]]


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    with Catalog.in_memory() as catalog:
        put(catalog, make_document("a", "\n".join(f"line {n} of a" for n in range(12))))
        put(catalog, make_document("b", "one\ntwo"))
        yield catalog


def found(catalog: Catalog, *names: str) -> list[Hit]:
    """Hits ``a3``: the fourth chunk of document a."""
    hits = []
    for rank, name in enumerate(names, 1):
        stored = catalog.chunks_of(name[0])[int(name[1:])]
        chunk = stored.chunk
        hits.append(
            Hit(
                rank=rank, id=chunk.id, document=chunk.document, record=None, path=stored.path, title="",
                heading=(), page=None, lines=chunk.lines, span=(chunk.start, chunk.end), text=chunk.text,
                score=1.0 / rank,
            )
        )  # fmt: skip
    return hits


@pytest.mark.parametrize(
    ("hits", "passages"),
    [
        (["a3", "a4"], ["line 3 of a\nline 4 of a"]),
        (["a4", "b1", "a3"], ["line 3 of a\nline 4 of a", "two"]),
        (["a4", "a6"], ["line 4 of a\nline 5 of a\nline 6 of a"]),  # what lies between comes along
        (["a4", "a7"], ["line 4 of a", "line 7 of a"]),
        # Four at most, the better hits first.
        (
            ["a0", "a1", "a2", "a3", "a4"],
            ["line 0 of a\nline 1 of a\nline 2 of a\nline 3 of a", "line 4 of a"],
        ),
        (
            ["a5", "a9", "a3", "a7"],
            ["line 3 of a\nline 4 of a\nline 5 of a", "line 7 of a\nline 8 of a\nline 9 of a"],
        ),
    ],
)
def test_neighbours_become_one_passage(catalog: Catalog, hits: list[str], passages: list[str]) -> None:
    merged = merge_passages(catalog, found(catalog, *hits), 10)
    assert [each.text for each in merged] == passages
    assert [each.rank for each in merged] == list(range(1, len(passages) + 1))
    assert merged[0].id == found(catalog, hits[0])[0].id


@given(st.lists(st.integers(0, 11), unique=True, min_size=1), st.integers(1, 12))
def test_passages_are_slices_that_share_no_chunk(order: list[int], k: int) -> None:
    with Catalog.in_memory() as catalog:
        put(catalog, make_document("a", "\n".join(f"line {n} of a" for n in range(12))))
        hits = found(catalog, *(f"a{n}" for n in order))
        merged = merge_passages(catalog, hits, k)
        whole = "\n".join(f"line {n} of a" for n in range(12))
        assert all(each.text == whole[slice(*each.span)] for each in merged)
        names = [name for each in merged for name in each.chunks]
        assert len(names) == len(set(names))
        assert len(merged) <= k
        if len(merged) < k:
            assert {each.id for each in hits} <= set(names)
        assert [each.score for each in merged] == sorted((each.score for each in merged), reverse=True)
