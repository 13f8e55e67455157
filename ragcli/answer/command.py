"""An answer from a command: the prompt on its standard input, the answer from its output."""

from __future__ import annotations

import codecs
import os
import queue
import signal
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import IO, TYPE_CHECKING

from ragcli.answer.screen import one_line
from ragcli.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ragcli.types import Prompt

_TAIL = 4096  # bytes of standard error kept
_GRACE = 2.0  # seconds for a process to go when told, and for its pipes to close
_LOOK = 0.1  # seconds between two looks at whether the command has ended


@dataclass(frozen=True, slots=True)
class Command:
    """Runs ``words`` without a shell. Nothing is known of its tokens: ``usage`` is empty."""

    words: tuple[str, ...]
    name: str
    first: float | None = None
    stall: float | None = None
    usage: Mapping[str, float] = field(default_factory=dict, repr=False)
    truncated: bool = False

    def stream(self, prompt: Prompt) -> Iterator[str]:
        """The command's output as it comes, in UTF-8 (anything else shows as U+FFFD).

        ModelUnavailable when it cannot be run, ends with another status than 0, or sends nothing
        for ``stall`` seconds, or for ``first`` seconds before it has sent any. An iterator that is
        closed early ends the command and its children.
        """
        text = f"{prompt.system}\n\n{prompt.user}\n".encode(errors="replace")
        program = one_line(PurePath(self.words[0]).name, 40)
        try:
            process = _start(self.words)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ModelUnavailable(f"cannot run {program}: {one_line(reason)}") from None
        pipes = _Pipes(process, text)
        try:
            yield from _decoded(pipes, process, program, self.first, self.stall)
            status = _wait(process, program, self.stall)
            pipes.join()
            if status != 0:
                raise ModelUnavailable(_failure(program, status, pipes.last_error()))
        finally:
            _end(process)
            pipes.join()


def _start(words: tuple[str, ...]) -> subprocess.Popen[bytes]:
    # A session of its own, so that its children can be ended with it.
    return subprocess.Popen(  # noqa: S603 - the user's own command, split and without a shell
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )


class _Pipes:
    """Serves the three pipes of a process at once, so that none can fill and block it."""

    def __init__(self, process: subprocess.Popen[bytes], text: bytes) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError("the process was started with three pipes")
        self.pieces: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._error = bytearray()
        self._threads = [
            threading.Thread(target=_write, args=(process.stdin, text), daemon=True),
            threading.Thread(target=self._read, args=(process.stdout,), daemon=True),
            threading.Thread(target=self._collect, args=(process.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait for the pipes to close; not for ever, as a stray grandchild may hold them open."""
        for thread in self._threads:
            thread.join(_GRACE)

    def last_error(self) -> str:
        """The last line on standard error that is not blank."""
        lines = bytes(self._error).decode(errors="replace").split("\n")
        return next((line for raw in reversed(lines) if (line := one_line(raw))), "")

    def _read(self, pipe: IO[bytes]) -> None:
        try:
            with pipe:
                while piece := pipe.read(65536):
                    self.pieces.put(piece)
        finally:
            self.pieces.put(b"")

    def _collect(self, pipe: IO[bytes]) -> None:
        with pipe:
            while piece := pipe.read(65536):
                self._error += piece
                del self._error[:-_TAIL]


def _write(pipe: IO[bytes], text: bytes) -> None:
    """Send the prompt; a command that closes its input, or never reads it, may do so."""
    rest = memoryview(text)
    with suppress(OSError), pipe:  # BrokenPipeError; EINVAL on Windows
        while rest:
            rest = rest[pipe.write(rest) or 0 :]


def _decoded(
    pipes: _Pipes, process: subprocess.Popen[bytes], program: str, first: float | None, stall: float | None
) -> Iterator[str]:
    """The output as text, to its end: that of the pipe, or of a command whose child still holds it."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    limit, waited = first, 0.0
    while True:
        try:
            piece = pipes.pieces.get(timeout=_LOOK)
        except queue.Empty:
            waited += _LOOK
            if limit is not None and waited >= limit:
                raise ModelUnavailable(f"{program} sent nothing for {limit:g} s") from None
            if waited < _GRACE or process.poll() is None:
                continue
            # A child of it holds the pipe, and with it the group, whose number is thus no other's.
            _signal(process, "SIGTERM")
            piece = b""
        limit, waited = stall, 0.0
        if text := decoder.decode(piece, final=not piece):
            yield text
        if not piece:
            return


def _wait(process: subprocess.Popen[bytes], program: str, stall: float | None) -> int:
    """The exit status, once the output has ended."""
    try:
        return process.wait(stall)
    except subprocess.TimeoutExpired:
        raise ModelUnavailable(f"{program} did not end within {stall:g} s of its answer") from None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that has not ended by itself, and its children; politely first."""
    for name in ("SIGTERM", "SIGKILL"):
        if process.returncode is not None:  # reaped: its number may be another's by now
            return
        _signal(process, name)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)


def _signal(process: subprocess.Popen[bytes], name: str) -> None:
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, getattr(signal, name))
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):  # macOS says EPERM of a group of zombies
        return


def _failure(program: str, status: int, error: str) -> str:
    if status < 0:
        try:
            how = f"was ended by {signal.Signals(-status).name}"
        except ValueError:
            how = f"was ended by signal {-status}"
    else:
        how = f"failed with exit code {status}"
    return f"{program} {how}" + (f": {error}" if error else "")
