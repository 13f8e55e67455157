"""Dot products and Euclidean distances: what Chroma finds is in the order that brute force gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ragcli.catalog import Catalog, content_hash
from ragcli.embed import closeness, cosines, is_sound, measure_of
from ragcli.errors import IndexDamaged
from ragcli.store import DenseStore, ScanStore, bring_up_to_date

from .samples import NOW, make_chunks, make_document

SIGNATURES = {
    "cosine": "test:8d:unit",
    "dot": "test:8d:measure=dot",
    "euclidean": "test:8d:measure=euclidean",
}
DIMENSIONS = 24
each_measure = pytest.mark.parametrize("measure", SIGNATURES)


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    with Catalog.in_memory() as opened:
        yield opened


def fill(catalog: Catalog, measure: str, count: int, scale: float = 1.0) -> None:
    """One document whose chunks have vectors of very different lengths, or of unit length for the cosine."""
    text = "\n".join(f"line {number}" for number in range(count))
    document = make_document("a", text)
    chunks = make_chunks(document)
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(count, DIMENSIONS)) * rng.uniform(0.2, 5, size=(count, 1)) * scale
    if measure == "cosine":
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    contents = [content_hash(chunk.embedded_text) for chunk in chunks]
    catalog.put_vectors(contents, SIGNATURES[measure], vectors.astype(np.float32))
    with catalog.transaction():
        catalog.put_document(document, chunks, NOW, catalog.begin_generation())


def brute_force(catalog: Catalog, measure: str, question: np.ndarray) -> list[str]:
    """Ids, nearest first, in double precision and without a line of the product."""
    ids, single = catalog.all_vectors(SIGNATURES[measure])
    vectors, vector = single.astype(np.float64), question.astype(np.float64)
    scores = -np.sqrt(((vectors - vector) ** 2).sum(axis=1)) if measure == "euclidean" else vectors @ vector
    return [ids[row] for row in np.argsort(-scores, kind="stable")]


def questions(measure: str, scale: float = 1.0) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(8)
    for _ in range(10):
        vector = (rng.normal(size=DIMENSIONS) * scale).astype(np.float32)
        yield vector / np.linalg.norm(vector) if measure == "cosine" else vector


@each_measure
@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
def test_hits_are_in_the_order_of_brute_force(
    tmp_path: Path, catalog: Catalog, measure: str, scale: float
) -> None:
    fill(catalog, measure, 900, scale)
    store, scan = (
        DenseStore(tmp_path / "store", SIGNATURES[measure]),
        ScanStore(tmp_path / "none", SIGNATURES[measure]),
    )
    bring_up_to_date([store], catalog)
    for question in questions(measure, scale):
        wanted = brute_force(catalog, measure, question)
        found = store.search(catalog, question, 300)
        assert len(found) == 300
        assert [name for name, _ in found[:10]] == wanted[:10]
        told = scan.search(catalog, question, 10)
        assert [name for name, _ in told] == wanted[:10], "no Chroma, the same hits"
        # Chroma brings lengths to 1 itself: the last of the digits that are told may be another.
        assert [score for _, score in found[:10]] == pytest.approx(
            [score for _, score in told], rel=1e-6, abs=2e-6
        )
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
        few = frozenset(wanted[::7])
        assert [name for name, _ in store.search(catalog, question, 5, few)] == wanted[::7][:5]
    store.close()


@each_measure
def test_all_rows_can_be_asked_for(tmp_path: Path, catalog: Catalog, measure: str) -> None:
    fill(catalog, measure, 250)
    store = DenseStore(tmp_path / "store", SIGNATURES[measure])
    bring_up_to_date([store], catalog)
    for question in questions(measure):
        assert len(store.search(catalog, question, 300)) == 250
    store.close()


@each_measure
@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_other_vectors_than_the_catalogues_are_noticed(
    tmp_path: Path, catalog: Catalog, measure: str, scale: float
) -> None:
    fill(catalog, measure, 50, scale)
    store = DenseStore(tmp_path / "store", SIGNATURES[measure])
    bring_up_to_date([store], catalog)
    ids, vectors = catalog.all_vectors(SIGNATURES[measure])
    contents = [content_hash(catalog.chunks([name])[name].chunk.embedded_text) for name in ids]
    catalog.put_vectors(contents, SIGNATURES[measure], np.roll(vectors, 1, axis=0))
    with pytest.raises(IndexDamaged):
        store.search(catalog, next(questions(measure, scale)), 10)
    store.close()


def test_scores_by_hand() -> None:
    vectors, vector = np.array([[3, 4], [0, 2], [1, 0]], dtype=np.float32), np.array([1, 0], dtype=np.float32)
    assert closeness("dot", vectors, vector).tolist() == [3, 0, 1]
    assert closeness("euclidean", vectors, vector) == pytest.approx([-(20**0.5), -(5**0.5), 0])
    assert cosines(vectors, vector) == pytest.approx([0.6, 0, 1])
    assert cosines(vectors, 0 * vector).tolist() == [0, 0, 0]


def test_what_a_signature_says_of_the_measure() -> None:
    told = "sentence-transformers:0123:32d:64t:{}:known-words:prompts='measure=dot','x'"
    assert measure_of(told.format("unit")) == "cosine"
    assert measure_of(told.format("measure=dot")) == "dot"
    assert measure_of("test:8") == "cosine"


def test_only_cosines_need_unit_length() -> None:
    long = np.array([3, 4], dtype=np.float32)
    assert [is_sound(measure, long) for measure in ("cosine", "dot", "euclidean")] == [False, True, True]
    assert not is_sound("dot", np.array([np.nan, 1], dtype=np.float32))
