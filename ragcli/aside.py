"""A second process that makes something ready while the first one is still loading.

Threads would not do: Chroma's engine holds Python's lock while it reads a graph, which takes as long as
all else of a search. The process is forked before anything is open and answers over a socket. It is of
use to nobody but for the time it saves: whatever goes wrong with it, the first one does the work itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

_PATIENCE = 120.0  # seconds for an answer: what takes longer will take no longer here

Answer = Callable[[Any], Any]


class Aside:
    """A line to the other process. It ends when this one does, or when the line is closed."""

    def __init__(self, line: socket.socket, process: int) -> None:
        self._line: socket.socket | None = line
        self._process = process
        self._sent: Any = None  # a question whose answer was not taken yet

    def foresee(self, question: Any) -> None:
        """Have a question answered meanwhile that will be asked next."""
        if self._line is not None and self._sent is None:
            try:
                _send(self._line, question)
                self._sent = question
            except OSError:
                self.close()

    def ask(self, question: Any) -> Any:
        """Its answer to a question, both such as JSON has; None where there is none."""
        if self._line is None:
            return None
        sent, self._sent = self._sent, None
        try:
            answer = _receive(self._line) if sent is not None else None
            if sent != question:  # another one was foreseen, or none
                _send(self._line, question)
                answer = _receive(self._line)
        except (OSError, ValueError):
            answer = None
        if answer is None:
            self.close()
        return answer

    def close(self) -> None:
        """Have it end."""
        if self._line is not None:
            self._line.close()
            self._line = None
            with contextlib.suppress(OSError):
                os.kill(self._process, signal.SIGKILL)
                os.waitpid(self._process, os.WNOHANG)  # what is left of it goes with this process


def begin(prepare: Callable[[], Answer]) -> Aside | None:
    """Call ``prepare`` in a process of its own, whose result answers what is asked there.

    To be called before anything is open that two processes must not share. None where that cannot be
    done: on other systems than Linux, and where threads run, of which a fork would leave the locks.
    """
    if sys.platform != "linux" or _threads() > 1:
        return None
    here, there = socket.socketpair()
    here.settimeout(_PATIENCE)
    try:
        process = os.fork()
    except OSError:  # no memory, or too many processes
        here.close()
        there.close()
        return None
    if process:
        there.close()
        return Aside(here, process)
    try:
        here.close()
        _leave_the_terminal()
        _serve(there, prepare())
    finally:
        os._exit(0)  # nothing of the first process is to be done twice


def _threads() -> int:
    """How many threads this process has, those of libraries too."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:  # nobody can tell
        return 2


def _leave_the_terminal() -> None:
    """Interrupts end this process in silence, and whoever reads from a pipe does not wait for it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)


def _serve(line: socket.socket, answer: Answer) -> None:
    while (question := _receive(line)) is not None:
        _send(line, answer(question))


def _send(line: socket.socket, message: Any) -> None:
    told = json.dumps(message).encode()
    line.sendall(len(told).to_bytes(8, "big") + told)


def _receive(line: socket.socket) -> Any:
    """A message; None where the line was closed."""
    length = _exactly(line, 8)
    return json.loads(_exactly(line, int.from_bytes(length, "big"))) if length else None


def _exactly(line: socket.socket, size: int) -> bytes:
    """So many bytes, or none where the line was closed before."""
    pieces = []
    while size:
        piece = line.recv(min(size, 1 << 20))
        if not piece:
            return b""
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
