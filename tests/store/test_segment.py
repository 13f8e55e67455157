"""What is read of Chroma's own files is what its public client says, and what an exact search finds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragcli.catalog import Catalog, content_hash
from ragcli.embed import Measure
from ragcli.errors import IndexDamaged
from ragcli.store import DenseStore, bring_up_to_date, dense, discard, is_current, segment
from ragcli.store.chroma import forget_clients, open_client, open_writer
from ragcli.store.segment import ORDER, open_segment, write_order
from tests.store.samples import NOW, SIGNATURE, make_chunks, make_document, put, vector_of

MEASURES: dict[str, Measure] = {"cosine": "cosine", "ip": "dot", "l2": "euclidean"}
RNG = np.random.default_rng(17)


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    with Catalog.in_memory() as opened:
        yield opened


def name(number: int) -> str:
    return f"{number * 2654435761 % 2**64:016x}"


def collection(folder: Path, space: str, vectors: np.ndarray, gone: Sequence[int] = ()) -> None:
    """A collection at rest, in which some rows were deleted and all that is in the log is in the graph."""
    folder.mkdir(exist_ok=True)
    writer = open_writer(folder, "chunks", {"space": space, "num_threads": 1, "sync_threshold": 2})
    names = [name(number) for number in range(len(vectors))]
    writer.put(names, vectors, [{"source": each} for each in names])
    if gone:
        writer.delete([name(number) for number in gone])
    kept = next(number for number in range(len(vectors)) if number not in gone)
    for _ in range(2):
        writer.put([name(kept)], vectors[kept][None])
    del writer
    # Whoever reads writes what is in the log into the graph.
    found = open_client(folder).get_collection("chunks")
    found.query(query_embeddings=vectors[:1], n_results=1)
    forget_clients()


def scores(space: str, vectors: np.ndarray, question: np.ndarray) -> np.ndarray:
    """Higher is nearer, in double precision."""
    many, one = vectors.astype(np.float64), question.astype(np.float64)
    if space == "l2":
        return -((many - one) ** 2).sum(axis=1)
    if space == "cosine":
        many = many / np.linalg.norm(many, axis=1, keepdims=True)
    return many @ one


@pytest.mark.parametrize("space", ["cosine", "ip", "l2"])
def test_rows_are_those_that_the_client_has(tmp_path: Path, space: str) -> None:
    vectors = RNG.standard_normal((700, 24)).astype(np.float32)
    collection(tmp_path, space, vectors, gone=[3, 4, 699])
    assert write_order(tmp_path) == tmp_path / ORDER
    found = open_segment(tmp_path, MEASURES[space])
    assert found is not None
    ours = dict(zip(found.names(found.alive), found.vectors(found.alive), strict=True))
    client = open_client(tmp_path).get_collection("chunks")
    theirs = client.get(include=["embeddings"])
    assert ours.keys() == set(theirs["ids"])
    for each, vector in zip(theirs["ids"], theirs["embeddings"], strict=True):
        # For the cosine Chroma keeps a vector and its length apart.
        length = np.linalg.norm(vector) if space == "cosine" else 1.0
        assert np.allclose(ours[each], vector / length, rtol=1e-6, atol=1e-7)
    questions = RNG.standard_normal((20, 24)).astype(np.float32)
    told = client.query(query_embeddings=questions, n_results=10)["ids"]
    assert [found.names(rows)[:10] for rows in found.nearest(questions, 10)] == told
    forget_clients()


@pytest.mark.parametrize("space", ["cosine", "ip", "l2"])
@pytest.mark.parametrize("block", [200, 5_000, 2 << 20])
@given(
    rows=st.integers(1, 200), limit=st.integers(1, 40), alike=st.integers(1, 200), every=st.integers(1, 9),
    seed=st.integers(0, 2**32),
)  # fmt: skip
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_nearest_are_found_whatever_is_read_at_once(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, space: str, block: int,
    rows: int, limit: int, alike: int, every: int, seed: int,
) -> None:  # fmt: skip
    """In blocks of any size and threads, of one question or several, with ties, among all rows or some."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((rows, 8)).astype(np.float32)
    vectors[alike:] = vectors[0]  # what ties with each other
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    folder = tmp_path_factory.mktemp("made")
    monkeypatch.setattr(segment, "_BLOCK", block)
    monkeypatch.setattr(segment, "_SHARED", 50)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # as the program has it
    collection(folder, space, vectors)
    write_order(folder)
    found = open_segment(folder, MEASURES[space])
    assert found is not None
    number = {name(each): each for each in range(rows)}
    questions = rng.standard_normal((3, 8)).astype(np.float32)
    some = found.alive[::every]
    for within, asked in ((None, found.alive), (some, some)):
        together = found.nearest(questions, limit, within)
        for question, near in zip(questions, together, strict=True):
            meant = [number[each] for each in found.names(asked)]
            wanted = scores(space, vectors[meant], question)
            got = scores(space, vectors[[number[each] for each in found.names(near)]], question)
            assert set(near.tolist()) <= set(asked.tolist())
            assert len(set(near.tolist())) == len(near) >= min(limit, len(asked))
            assert got[:limit] == pytest.approx(np.sort(wanted)[::-1][:limit], abs=1e-5)
            # What ties with the last is told, too: ids and not places decide.
            assert len(near) >= min((wanted > got[min(limit, len(got)) - 1] + 1e-5).sum(), 4 * limit)


def fill(catalog: Catalog, lines: int) -> None:
    put(catalog, make_document("a.md", "\n".join(f"passage {number}" for number in range(lines))))


def test_every_small_change_can_be_searched_without_the_engine(tmp_path: Path, catalog: Catalog) -> None:
    """What Chroma would leave in its log is written into the graph, one row at a time."""
    store = DenseStore(tmp_path / "chroma", SIGNATURE)
    texts: dict[str, str] = {}
    steps = [
        ("a", "one"),
        ("b", "two"),
        ("c", "three\nfour"),
        ("a", "five"),
        ("b", ""),
        ("d", "six"),
        ("c", ""),
    ]
    for document, text in steps:
        texts[document] = text
        if text:
            put(catalog, make_document(document, text))
        else:
            put(catalog, drop=[document])
        bring_up_to_date([store], catalog)
        assert store.segment() is not None
        ids, vectors = catalog.all_vectors(SIGNATURE)
        for chunk, vector in zip(ids, vectors, strict=True):
            found = store.search(catalog, vector, 10)
            assert len(found) == len(ids)
            assert found[0] == (chunk, 1.0)
        assert store._reader is None, "the engine was not opened"


def test_what_is_open_is_let_go_where_it_was_discarded_and_made_anew_meanwhile(
    tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer takes the marker away while a reader looks: what the reader opens then belongs to none."""
    fill(catalog, 40)
    ours, theirs = (DenseStore(tmp_path / "chroma", SIGNATURE) for _ in range(2))
    bring_up_to_date([theirs], catalog)
    with monkeypatch.context() as patch:
        patch.setattr(dense, "marker_stamp", lambda _: None)
        assert not is_current(ours, catalog)
    assert ours.segment() is not None
    discard([theirs])
    bring_up_to_date([theirs], catalog)
    assert is_current(ours, catalog)
    ids, vectors = catalog.all_vectors(SIGNATURE)
    assert ours.search(catalog, vectors[3], 5)[0] == (ids[3], 1.0)


def test_questions_to_come_are_answered_as_they_would_be_alone(tmp_path: Path, catalog: Catalog) -> None:
    fill(catalog, 300)
    store = DenseStore(tmp_path / "chroma", SIGNATURE)
    bring_up_to_date([store], catalog)
    questions = [vector_of(f"question {number}") for number in range(70)]
    alone = [store.search(catalog, question, 20) for question in questions]
    store.close()
    reads = []
    assert store.segment() is not None
    assert store._segment is not None
    nearest = store._segment.nearest
    store._segment.nearest = lambda *told: reads.append(len(told[0])) or nearest(*told)  # type: ignore[method-assign,func-returns-value]
    together = [
        store.search(catalog, question, 20, upcoming=questions[number + 1 :])
        for number, question in enumerate(questions)
    ]
    assert together == alone
    assert reads == [64, 6]
    # What comes into the index meanwhile is found: what was found ahead counts no more.
    put(catalog, make_document("new.md", "question 69"))
    bring_up_to_date([store], catalog)
    store.is_whole(catalog)
    assert store.search(catalog, questions[69], 20)[0][1] == 1.0


@pytest.mark.parametrize("read_one_by_one", [0, 5000])
def test_a_filtered_search_is_that_of_all_without_the_rest(
    tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, read_one_by_one: int
) -> None:
    monkeypatch.setattr(dense, "_COMPARED", read_one_by_one)
    fill(catalog, 400)
    store = DenseStore(tmp_path / "chroma", SIGNATURE)
    bring_up_to_date([store], catalog)
    assert store.segment() is not None
    for number in range(10):
        question = vector_of(f"question {number}")
        everything = store.search(catalog, question, 400)
        some = frozenset(chunk for chunk, _ in everything[number :: number + 2])
        wanted = [hit for hit in everything if hit[0] in some]
        assert store.search(catalog, question, 30, some) == wanted[:30]
        assert store.search(catalog, question, 30, frozenset()) == []


def damage(folder: Path, how: str) -> None:
    [graph] = [path.parent for path in folder.glob("*/header.bin")]
    header, level = graph / "header.bin", graph / "data_level0.bin"
    told = bytearray(header.read_bytes())
    if how == "version":
        told[0] = 2
    elif how == "offset":
        told[44] += 4
    elif how == "header":
        del told[50:]
    elif how == "rows":
        level.write_bytes(level.read_bytes()[:5000])
    elif how == "ids":
        pickled = graph / "index_metadata.pickle"
        pickled.write_bytes(re.sub(rb"X\x10\0\0\0", b"X\x0f\0\0\0", pickled.read_bytes()))
    elif how == "label":
        pickled = graph / "index_metadata.pickle"
        pickled.write_bytes(pickled.read_bytes().replace(b"J\x05\0\0\0", b"J\x99\0\0\0"))
    elif how == "second":
        (folder / "another").mkdir()
        (folder / "another" / "index_metadata.pickle").touch()
    header.write_bytes(told)


@pytest.mark.parametrize("how", ["version", "offset", "header", "rows", "ids", "label", "second"])
def test_files_that_are_not_as_they_are_known_are_left_to_the_engine(tmp_path: Path, how: str) -> None:
    vectors = RNG.standard_normal((50, 24)).astype(np.float32)
    collection(tmp_path, "cosine", vectors)
    assert write_order(tmp_path) is not None
    damage(tmp_path, how)
    if how not in ("ids", "label"):
        with pytest.raises(IndexDamaged):  # noted, and not as it was: nothing for the engine either
            open_segment(tmp_path, "cosine")
    (tmp_path / ORDER).unlink()
    assert open_segment(tmp_path, "cosine") is None
    assert write_order(tmp_path) is None


def test_rows_that_are_others_are_not_noted(
    tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the order is read wrongly the engine is asked, as before."""
    fill(catalog, 60)

    def wrong(folder: Path) -> Path | None:
        path = write_order(folder)
        assert path is not None
        path.write_bytes(path.read_bytes()[16:] + path.read_bytes()[:16])
        return path

    monkeypatch.setattr(dense, "write_order", wrong)
    store = DenseStore(tmp_path / "chroma", SIGNATURE)
    bring_up_to_date([store], catalog)
    assert store.segment() is None
    assert not (tmp_path / "chroma" / ORDER).exists()
    ids, vectors = catalog.all_vectors(SIGNATURE)
    assert store.search(catalog, vectors[7], 5)[0] == (ids[7], 1.0)
    assert store._reader is not None


def test_a_file_that_is_cut_short_or_changed_is_noticed(tmp_path: Path, catalog: Catalog) -> None:
    fill(catalog, 300)
    store = DenseStore(tmp_path / "chroma", SIGNATURE)
    bring_up_to_date([store], catalog)
    assert store.segment() is not None
    [level] = (tmp_path / "chroma").glob("*/data_level0.bin")
    whole = level.read_bytes()
    level.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(IndexDamaged):
        store.search(catalog, vector_of("x"), 5)
    level.write_bytes(bytes(np.frombuffer(whole, dtype=np.uint8)[::-1]))
    with pytest.raises(IndexDamaged):
        store.search(catalog, vector_of("x"), 5)
    # The other way round: rows that are exchanged are not whose names they bear.
    level.write_bytes(whole)
    order = tmp_path / "chroma" / ORDER
    order.write_bytes(order.read_bytes()[16:] + order.read_bytes()[:16])
    store.close()
    with pytest.raises(IndexDamaged):
        store.search(catalog, vector_of("x"), 5)


def test_vectors_of_another_length_are_refused(tmp_path: Path) -> None:
    collection(tmp_path, "cosine", RNG.standard_normal((9, 8)).astype(np.float32))
    write_order(tmp_path)
    found = open_segment(tmp_path, "cosine")
    assert found is not None
    with pytest.raises(IndexDamaged):
        found.nearest(np.ones((1, 9), dtype=np.float32), 3)


def test_ids_that_are_none_are_noticed(tmp_path: Path, catalog: Catalog) -> None:
    """An index may come from anywhere."""
    fill(catalog, 40)
    store = DenseStore(tmp_path / "chroma", SIGNATURE)
    bring_up_to_date([store], catalog)
    (tmp_path / "chroma" / ORDER).write_bytes(b"\xff" * 16 * 40)
    for within in (None, frozenset(["a"])):
        store.close()
        with pytest.raises(IndexDamaged):
            store.search(catalog, vector_of("x"), 5, within)


def test_a_score_that_is_no_number_is_noticed_in_a_filtered_search_too(
    tmp_path: Path, catalog: Catalog
) -> None:
    fill(catalog, 60)
    store = DenseStore(tmp_path / "chroma", SIGNATURE)
    bring_up_to_date([store], catalog)
    assert store._segment is None
    assert store.segment() is not None
    [level] = (tmp_path / "chroma").glob("*/data_level0.bin")
    told = bytearray(level.read_bytes())
    row = 4 + 4 * 32 + 4 * 8 + 8
    told[5 * row + 140 : 5 * row + 144] = b"\xff\xff\xff\x7f"
    level.write_bytes(told)
    with pytest.raises(IndexDamaged):
        store.search(catalog, vector_of("x"), 3, frozenset(catalog.all_chunk_ids()))


def test_ids_decide_among_thousands_that_are_alike(
    tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are asked for, and wherever they lie."""
    monkeypatch.setattr(segment, "_BLOCK", 5_000)
    vector = vector_of("alike")
    text = "\n".join(f"passage {number}" for number in range(500))
    document = make_document("a.md", text)
    chunks = make_chunks(document)
    contents = [content_hash(chunk.embedded_text) for chunk in chunks]
    catalog.put_vectors(contents, SIGNATURE, np.tile(vector, (len(chunks), 1)))
    with catalog.transaction():
        catalog.put_document(document, chunks, NOW, catalog.begin_generation())
    store = DenseStore(tmp_path / "chroma", SIGNATURE)
    bring_up_to_date([store], catalog)
    assert store.segment() is not None
    wanted = sorted(chunk.id for chunk in chunks)
    for limit in (5, 40, 500):
        found = store.search(catalog, vector_of("alike too"), limit)
        assert [name for name, _ in found] == wanted[:limit]
