"""Signals that come at a bad time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ragcli.interrupts import held_back

NUMBERS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(params=NUMBERS, ids=lambda number: number.name)
def raising(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """A signal that the program has turned into ``KeyboardInterrupt``, as it does with both."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(request.param, end)
    yield request.param
    signal.signal(request.param, before)


def holding(reached: list[int], *signals: signal.Signals) -> None:
    """Something that gets signals, does a little more, and fails."""
    with held_back():
        for number in signals:
            os.kill(os.getpid(), number)
        reached.append(len(signals))
        raise ImportError("what a library makes of it")


def test_an_interrupt_waits_for_the_end_and_beats_what_was_raised(raising: signal.Signals) -> None:
    reached: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        holding(reached, raising, raising)
    with pytest.raises(ImportError):
        holding(reached)
    assert reached == [2, 0]
    with pytest.raises(KeyboardInterrupt):  # as before
        os.kill(os.getpid(), raising)


_WATCHED = """
import os, signal, sys, time

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "openvino":
            try:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.01)
            except KeyboardInterrupt:
                raise ImportError("interrupted") from None

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are deaf to it
sys.meta_path.insert(0, Finder())
from ragcli.embed import find_model
from ragcli.embed.encoder import EncoderEmbedder
from ragcli.settings import DEFAULT_MODEL

made = EncoderEmbedder(find_model(DEFAULT_MODEL))
try:
    made.embed_documents(["A hive holds forty thousand bees."])
    print(made.runtime)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interrupt_while_the_model_is_loaded_changes_no_runtime() -> None:
    """It is made an ImportError by modules in C++: then numpy would go on, at its own pace."""
    pytest.importorskip("openvino")
    ran = subprocess.run([sys.executable, "-c", _WATCHED], capture_output=True, text=True, check=True)
    assert ran.stdout == "interrupted\n"
