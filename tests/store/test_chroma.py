"""What Chroma's engine reads is what its public client reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ragcli.store import chroma
from ragcli.store.chroma import (
    ClientReader,
    ClientWriter,
    EngineReader,
    EngineWriter,
    Writer,
    forget_clients,
    open_client,
    open_reader,
)

ROWS = 300
RNG = np.random.default_rng(5)
VECTORS = RNG.standard_normal((ROWS, 24)).astype(np.float32)


@pytest.fixture(params=["cosine", "ip", "l2"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A collection, of which a hundred rows still lie in the log."""
    configuration = {"hnsw": {"space": request.param, "sync_threshold": 100, "num_threads": 1}}
    rows = open_client(tmp_path).create_collection(
        "chunks", embedding_function=None, configuration=configuration
    )
    for start in (0, 100, 200):
        part = range(start, start + 100)
        rows.add(
            ids=[f"c{n}" for n in part], embeddings=VECTORS[list(part)], documents=[f"text {n} 温度" for n in part],
            metadatas=[{"n": n} for n in part],
        )  # fmt: skip
    rows.delete(ids=["c7", "c250"])
    rows.upsert(ids=["c8"], embeddings=[VECTORS[9] + 1], documents=["another"])
    forget_clients()
    yield tmp_path
    forget_clients()


def test_the_engine_reads_what_the_client_reads(folder: Path) -> None:
    engine = EngineReader(folder, "chunks")
    count, first, rest = engine.count, engine.rows(200), engine.rows(200, 200)
    found = [engine.nearest(vector.tolist(), 10) for vector in VECTORS[::20]]
    del engine
    client = ClientReader(folder, "chunks")
    assert client.count == count == ROWS - 2
    for ours, theirs in ((first, client.rows(200)), (rest, client.rows(200, 200))):
        assert ours.ids == theirs.ids
        assert (ours.vectors == theirs.vectors).all()
    for vector, (ids, distances) in zip(VECTORS[::20], found, strict=True):
        again, measured = client.nearest(vector.tolist(), 10)
        assert ids == again
        assert np.allclose(distances, measured, atol=1e-6)


def test_an_engine_that_is_not_known_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(open_reader(folder, "chunks"), EngineReader)
    monkeypatch.setattr(chroma, "_KNOWN", ("0.1.",))
    assert isinstance(open_reader(folder, "chunks"), ClientReader)


@pytest.mark.parametrize("space", ["cosine", "ip", "l2"])
def test_the_engine_writes_what_the_client_writes(tmp_path: Path, space: str) -> None:
    hnsw = {
        "space": space,
        "ef_search": 400,
        "num_threads": 1,
        "sync_threshold": 40,
    }  # finds all: graphs differ
    ids = [f"c{n}" for n in range(ROWS)]
    told: list[dict[str, str | int]] = [{"path": f"{n}.md", "first_line": n} for n in range(ROWS)]
    for kind in (EngineWriter, ClientWriter):
        (tmp_path / kind.__name__).mkdir()
        writer: Writer = kind(tmp_path / kind.__name__, "chunks", hnsw)
        writer.put(ids[:200], VECTORS[:200], told[:200])
        del writer
        forget_clients()
        writer = kind(tmp_path / kind.__name__, "chunks")
        writer.write_graph_after(60)
        writer.put(ids[150:], VECTORS[150:], told[150:])
        writer.delete(ids[3:9])
        writer.put(ids[9:10], VECTORS[9:10])  # what is told of it stays
        writer.write_graph_after(2)
        del writer
        forget_clients()
    ours, theirs = (
        open_client(tmp_path / kind.__name__).get_collection("chunks")
        for kind in (EngineWriter, ClientWriter)
    )
    assert ours.count() == theirs.count() == ROWS - 6
    assert ours.configuration_json == theirs.configuration_json
    assert ours._model.serialized_schema == theirs._model.serialized_schema
    rows = [each.get(include=["metadatas", "embeddings"]) for each in (ours, theirs)]
    assert rows[0]["ids"] == rows[1]["ids"]
    assert rows[0]["metadatas"] == rows[1]["metadatas"]
    assert np.array_equal(rows[0]["embeddings"], rows[1]["embeddings"])
    found = [each.query(query_embeddings=VECTORS[::30], n_results=20)["ids"] for each in (ours, theirs)]
    assert found[0] == found[1]
    forget_clients()


def test_whoever_reads_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_reader(tmp_path, "chunks")
    assert not list(tmp_path.iterdir())


def test_what_is_to_be_there_must_be_there(tmp_path: Path) -> None:
    for kind in (EngineWriter, ClientWriter):
        with pytest.raises(Exception, match="exist"):
            kind(tmp_path, "chunks")
        forget_clients()
