"""Locks between processes: one writer at a time, and readers kept apart from what it changes.

The one place that knows how the operating systems differ. The kernel gives a lock back when its
process ends, however it ends, so there is no stale lock to clean up. On Windows, which has no
shared locks on ranges of a file in the standard library, readers take turns.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ragcli.disk import is_writable
from ragcli.errors import IndexBusy, UsageError
from ragcli.jsontext import parse_json

_PAUSE = 0.05  # seconds between two tries
_PATIENCE = 0.5  # seconds until a wait is told of

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes], shared: bool) -> bool:  # noqa: ARG001
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file: IO[bytes], shared: bool) -> bool:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:  # a network's disk may have no locks at all
            raise UsageError(
                f"{file.name} cannot be locked ({error.strerror}); "
                f"put the index on a local disk with --index DIR or RAG_INDEX"
            ) from error
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


class _Patience:
    """How long to go on trying: one allowance for all the locks that a step takes."""

    def __init__(self, wait: float, holder: Path, tell: Callable[[str], None] | None = None) -> None:
        self._start = time.monotonic()
        self._wait = wait
        self._holder = holder
        self._tell = tell

    def pause(self) -> None:
        """Sleep a moment; ``IndexBusy`` when there was enough waiting."""
        waited = time.monotonic() - self._start
        if waited >= self._wait:
            raise IndexBusy(
                f"the index is busy{self._busy()}; try again later or wait longer with --wait SECONDS"
            )
        if self._tell is not None and waited >= _PATIENCE:
            self._tell(f"waiting up to {self._wait:.0f} s for the index{self._busy()}")
            self._tell = None
        time.sleep(_PAUSE)

    def _busy(self) -> str:
        try:
            note = parse_json(self._holder.read_text("utf-8"))
            if note["pid"] == os.getpid():
                return ": other processes read it"
            return (
                f": process {note['pid']} on {note['host']} has been running "
                f"`{note['command']}` since {note['since']}"
            )
        except (OSError, ValueError, KeyError, TypeError):
            return ": another process reads or changes it"


@contextmanager
def _locked(path: Path, shared: bool, patience: _Patience) -> Iterator[None]:
    try:
        file = path.open("rb" if shared and path.exists() else "ab")
    except OSError as error:
        raise UsageError(f"cannot lock {path}: {error.strerror}; is the folder writable?") from error
    with file:
        while not _try_lock(file, shared):
            patience.pause()
        try:
            yield
        finally:
            _unlock(file)


@contextmanager
def reading(folder: Path, wait: float) -> Iterator[None]:
    """Keep writers from changing what is derived from the catalogue while it is read.

    Readers pass a gate that a waiting writer closes, so that a stream of readers cannot keep it
    out for ever. Raises ``IndexBusy`` after ``wait`` seconds. In a folder that cannot be written
    and has no locks, nobody can write either.
    """
    patience = _Patience(wait, folder / "writer.json")
    gate, store = folder / "gate.lock", folder / "store.lock"
    if not (gate.exists() and store.exists()) and not is_writable(folder):
        yield
        return
    with ExitStack() as held:
        with _locked(gate, True, patience):
            held.enter_context(_locked(store, True, patience))
        yield


@contextmanager
def changing(folder: Path, wait: float) -> Iterator[None]:
    """Keep readers away while what is derived from the catalogue changes."""
    patience = _Patience(wait, folder / "writer.json")
    with _locked(folder / "gate.lock", False, patience), _locked(folder / "store.lock", False, patience):
        yield


@contextmanager
def writing(
    folder: Path, command: str, wait: float, tell: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Be the one writer of the index in ``folder``, and leave a note of who that is.

    ``tell`` is told once who is waited for. Raises ``IndexBusy`` after ``wait`` seconds.
    """
    holder = folder / "writer.json"
    with _locked(folder / "writer.lock", False, _Patience(wait, holder, tell)):
        note = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": command,
        }
        holder.write_text(json.dumps(note), "utf-8")
        try:
            yield
        finally:
            holder.unlink(missing_ok=True)
