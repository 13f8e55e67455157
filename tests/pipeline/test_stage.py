"""Batches come back in the order they were given, and so does what went wrong."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from ragcli.errors import ModelUnavailable
from ragcli.pipeline.stage import EmbeddingStage


def lengths(texts: Sequence[str]) -> np.ndarray:
    return np.array([[len(text)] for text in texts], dtype=np.float32)


def test_batches_come_in_order_while_others_wait() -> None:
    stage = EmbeddingStage(lengths)
    assert stage.take(wait=False) is None
    for size in range(50):
        stage.put(["x" * size] * 3)
    found = [stage.take(wait=True) for _ in range(50)]
    assert [made.vectors.tolist() for made in found if made] == [[[float(size)]] * 3 for size in range(50)]
    assert stage.take(wait=False) is None
    stage.close()


def test_what_was_made_before_a_failure_can_be_had_and_then_the_failure() -> None:
    def embed(texts: Sequence[str]) -> np.ndarray:
        if "bad" in texts:
            raise ModelUnavailable("no more")
        return lengths(texts)

    stage = EmbeddingStage(embed)
    for batch in (["a"], ["bb"], ["bad"], ["never"]):
        stage.put(batch)
    assert [made.vectors[0, 0] for made in (stage.take(wait=True), stage.take(wait=True)) if made] == [1, 2]
    with pytest.raises(ModelUnavailable, match="no more"):
        stage.take(wait=True)
    stage.close()


def test_the_model_is_never_asked_by_two_at_once() -> None:
    inside = threading.Semaphore(1)

    def embed(texts: Sequence[str]) -> np.ndarray:
        assert inside.acquire(blocking=False)
        try:
            return lengths(texts)
        finally:
            inside.release()

    stage = EmbeddingStage(embed)
    for _ in range(200):
        stage.put(["text"])
        assert stage.embed(["at once"])[0, 0] == 7
    for _ in range(200):
        stage.take(wait=True)
    stage.close()


def test_after_the_end_no_batch_is_begun() -> None:
    seen: list[str] = []
    go = threading.Event()

    def embed(texts: Sequence[str]) -> np.ndarray:
        go.wait(60)
        seen.extend(texts)
        return lengths(texts)

    stage = EmbeddingStage(embed)
    stage.put(["first"])
    stage.put(["second"])
    stage.close()
    go.set()
    assert stage._thread is not None
    stage._thread.join(60)
    assert "second" not in seen
