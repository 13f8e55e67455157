"""Many texts through a server that misbehaves: nothing is lost, nothing wrong is kept."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.embed.stream import Limits, batches, halves
from ragcli.errors import ModelUnavailable

from .server import (
    DIMENSIONS,
    Act,
    cuts,
    fails,
    good,
    hangs_up,
    raw,
    reads_at_most,
    sends,
    serving,
    slow,
    stalls,
    vector_of,
)
from .test_wire import KEY, served

TEXTS = [f"text number {n} of words" for n in range(40)]


class Kept:
    """What came, by position."""

    def __init__(self) -> None:
        self.vectors: dict[int, Any] = {}

    def __call__(self, positions: Sequence[int], vectors: Any) -> None:
        assert threading.current_thread() is threading.main_thread()
        assert not self.vectors.keys() & set(positions)
        self.vectors.update(zip(positions, vectors, strict=True))

    def check(self, texts: Sequence[str] = TEXTS) -> None:
        for position, vector in self.vectors.items():
            expected = np.array(vector_of(texts[position]), dtype=np.float32)
            assert np.allclose(vector, expected / np.linalg.norm(expected), atol=1e-5)


PASSING: dict[str, Act] = {
    "500": fails(500, "oops"),
    "503 that says when": fails(503, "later", Retry_After="0.05"),
    "429 that says when": fails(429, "too fast", Retry_After="0.05"),
    "429 in milliseconds": fails(429, "too fast", retry_after_ms="20"),
    "429 that says nothing": fails(429, "too fast"),
    "408": fails(408),
    "hangs up": hangs_up,
    "cut": cuts,
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_borne(name: str) -> None:
    kept = Kept()
    with serving(good, PASSING[name], good, PASSING[name]) as server:
        embedder = served(server, patience=30, batch=10, concurrency=2)
        embedder.stream(TEXTS, [5] * 40, kept)
    kept.check()
    assert len(kept.vectors) == 40
    assert set(server.paid.values()) == {1}
    assert len(server.paid) == 40
    assert embedder.spent == 200


FATAL: dict[str, tuple[Act, str]] = {
    "401": (fails(401, f"Incorrect API key provided: {KEY[:20]}"), "refused the key; set RAG_EMBED_KEY"),
    "quota": (fails(429, "You exceeded your current quota", "insufficient_quota"), "the quota is spent"),
    "404": (fails(404, "no such model"), "has no model m"),
    "400": (fails(400, "unknown field"), "answered 400: unknown field"),
    "wrong count": (sends(lambda texts: [vector_of(text) for text in texts][1:]), "9 vectors for 10 texts"),
    "another length": (
        sends(lambda texts: [vector_of(text, 8) for text in texts]),
        "vectors of 8 dimensions",
    ),
    "many lengths": (sends(lambda texts: [[1.0] * n for n in range(len(texts))]), "no list of vectors"),
    "NaN": (sends(lambda texts: [[math.nan] * DIMENSIONS for _ in texts]), "zero or not finite"),
    "infinite": (sends(lambda texts: [[1e300] * DIMENSIONS for _ in texts]), "zero or not finite"),
    "zero": (sends(lambda texts: [[0.0] * DIMENSIONS for _ in texts]), "zero or not finite"),
    "words": (sends(lambda texts: ["no vector" for _ in texts]), "no list of vectors"),
    "no JSON": (raw(b"<html>"), "no list of vectors"),
    "deep": (raw(b"[" * 100_000), "no list of vectors"),
    "another object": (raw(b'{"data": null}'), "no list of vectors"),
    "twice the same place": (
        raw(b'{"data": [{"index": 0, "embedding": [1]}, {"index": 0}]}'),
        "no list of vectors",
    ),
}


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("name", FATAL)
def test_what_does_not_pass_ends_the_work_and_keeps_the_rest(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_EMBED_KEY", KEY)
    act, told = FATAL[name]
    kept = Kept()
    with serving(good, good, act) as server:
        embedder = served(server, batch=10, concurrency=1, patience=30)
        with pytest.raises(ModelUnavailable, match=told) as error:
            embedder.stream(TEXTS, [5] * 40, kept)
    kept.check()
    assert len(kept.vectors) == 20
    assert len(server.requests) == 3
    assert KEY[:20] not in str(error.value)


def test_what_is_under_way_when_the_work_ends_is_kept() -> None:
    kept = Kept()
    with serving(slow(0.5), slow(0.5), fails(401), otherwise=good) as server:
        embedder = served(server, batch=10, concurrency=3)
        with pytest.raises(ModelUnavailable):
            embedder.stream(TEXTS, [5] * 40, kept)
    assert len(kept.vectors) == server.paid.total() >= 20


@pytest.mark.parametrize("act", [fails(503, "down"), fails(429, "too fast"), hangs_up])
def test_patience_ends(act: Act) -> None:
    with (
        serving(otherwise=act) as server,
        pytest.raises(ModelUnavailable, match="the same command carries on"),
    ):
        served(server, patience=0.2).stream(TEXTS, [5] * 40, Kept())


def test_a_service_that_wants_hours_is_not_waited_for() -> None:
    with (
        serving(otherwise=fails(429, "daily limit", Retry_After="7200")) as server,
        pytest.raises(ModelUnavailable, match="it asks to wait 7200 s"),
    ):
        served(server, patience=60).stream(TEXTS, [5] * 40, Kept())


def test_nobody_there_is_told_after_patience() -> None:
    with serving() as server:
        pass
    with pytest.raises(ModelUnavailable, match="cannot reach"):
        served(server).stream(TEXTS, [5] * 40, Kept())


def test_a_server_that_returns_is_found_again() -> None:
    kept = Kept()
    with serving(good, hangs_up) as first:
        embedder = served(first, batch=10, concurrency=1, patience=30)
        port = first.server_port
        ended = threading.Event()

        def leave() -> None:
            while len(first.requests) < 2:
                ended.wait(0.01)
            ended.set()

        thread = threading.Thread(target=leave)
        thread.start()
        again: list[Any] = []

        def keep(positions: Sequence[int], vectors: Any) -> None:
            kept(positions, vectors)
            if len(kept.vectors) == 10:
                first.shutdown()
                first.server_close()
                context = serving(port=port)
                again.append((context, context.__enter__()))

        embedder.stream(TEXTS, [5] * 40, keep)
        thread.join()
        again[0][0].__exit__(None, None, None)
    kept.check()
    assert len(kept.vectors) == 40


def test_a_silent_server_is_given_fewer_texts_then_given_up() -> None:
    with serving(otherwise=stalls) as server, pytest.raises(ModelUnavailable, match="sent nothing for"):
        served(server, timeout=0.2, batch=4, concurrency=1).stream(TEXTS[:4], [5] * 4, Kept())
    assert [len(body["input"]) for body in server.bodies] == [4, 2, 1]


def test_a_batch_that_is_too_large_is_halved() -> None:
    kept = Kept()
    with serving(otherwise=reads_at_most(100, texts=3)) as server:
        served(server, batch=40, concurrency=2).stream(TEXTS, [5] * 40, kept)
    kept.check()
    assert len(kept.vectors) == 40
    assert set(server.paid.values()) == {1}


def test_a_text_that_is_too_long_is_embedded_in_parts_and_none_of_it_is_lost() -> None:
    long = " ".join(f"word{n}" for n in range(95))
    texts = ["short one", long, "another short one"]
    kept = Kept()
    with serving(otherwise=reads_at_most(30)) as server:
        embedder = served(server)
        embedder.stream(texts, [2, 95, 3], kept)
        parts = [
            body["input"][0]
            for body in server.bodies
            if len(body["input"]) == 1 and "word" in body["input"][0]
        ]
        paid = [part for part in parts if part in server.paid]
    assert "".join(paid) == long
    total = sum(len(part) * _unit(part) for part in paid)
    assert np.allclose(kept.vectors[1], total / np.linalg.norm(total), atol=1e-5)
    assert embedder.in_parts == 1


def test_what_is_too_long_whatever_its_length_is_refused() -> None:
    with serving(otherwise=fails(400, "maximum context length is 0 tokens")) as server:
        with pytest.raises(ModelUnavailable, match="is too long for it"):
            served(server).stream(["word " * 30], [30], Kept())
        assert len(server.requests) < 10


def test_no_more_is_under_way_than_was_said() -> None:
    with serving(otherwise=slow(0.05)) as server:
        served(server, batch=2, concurrency=4).stream(TEXTS, [5] * 40, Kept())
    assert 2 <= server.most_under_way <= 4


def _unit(text: str) -> Any:
    vector = np.array(vector_of(text), dtype=np.float32)
    return vector / np.linalg.norm(vector)


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 8), st.integers(1, 60))
def test_batches_hold_every_text_once_and_in_order(tokens: list[int], texts: int, most: int) -> None:
    cut = batches(tokens, Limits(texts, most))
    assert [position for batch in cut for position in batch] == list(range(len(tokens)))
    for batch in cut:
        assert 1 <= len(batch) <= texts
        assert len(batch) == 1 or sum(tokens[position] for position in batch) <= most


@given(st.text(min_size=2, max_size=200))
def test_halves_make_the_whole_and_both_are_shorter(text: str) -> None:
    first, second = halves(text)
    assert first + second == text
    assert first
    assert second
