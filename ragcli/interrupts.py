"""SIGINT and SIGTERM held back, where they would come at a bad time."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_NAMES = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def first_signal(tell: Callable[[], object], *, patient: bool = False) -> Iterator[list[int]]:
    """Let the first signal only call ``tell``; gives those that came. Main thread alone.

    A second one raises ``KeyboardInterrupt`` at once, unless ``patient``.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before: dict[int, Any] = {number: signal.getsignal(number) for number in _NAMES}

    def note(number: int, _: object) -> None:
        if came and not patient:
            raise KeyboardInterrupt
        came.append(number)
        tell()

    for number in _NAMES:
        if before[number] not in (None, signal.SIG_IGN):
            signal.signal(number, note)
    try:
        yield came
    finally:
        for number in _NAMES:
            if before[number] not in (None, signal.SIG_IGN):
                signal.signal(number, before[number])


@contextmanager
def held_back() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` only at the end of the block, whatever else it raised.

    Modules in C++ make an error of their own of one that comes while they are loaded or at work,
    which would be taken for a library that is not to be had.
    """
    came: list[int] = []
    try:
        with first_signal(lambda: None, patient=True) as came:
            yield
    finally:
        if came:
            raise KeyboardInterrupt
