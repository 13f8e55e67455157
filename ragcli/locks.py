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
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ragcli.errors import IndexBusy, UsageError

_PAUSE = 0.05  # seconds between two tries

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
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def locked(path: Path, *, shared: bool, wait: float, holder: Path | None = None) -> Iterator[None]:
    """Hold the lock file ``path``, shared with other readers or alone.

    Waits at most ``wait`` seconds, then raises ``IndexBusy`` with what stands in ``holder``.
    """
    try:
        file = path.open("rb" if shared and path.exists() else "ab")
    except OSError as error:
        raise UsageError(f"cannot lock {path}: {error.strerror}; is the folder writable?") from error
    with file:
        deadline = time.monotonic() + wait
        while not _try_lock(file, shared):
            if time.monotonic() >= deadline:
                raise IndexBusy(
                    f"the index is busy{_described(holder)}; try again later or wait longer with --wait SECONDS"
                )
            time.sleep(_PAUSE)
        try:
            yield
        finally:
            _unlock(file)


@contextmanager
def reading(folder: Path, wait: float) -> Iterator[None]:
    """Keep writers from changing what is derived from the catalogue while it is read.

    Readers pass a gate that a waiting writer closes, so that a stream of readers cannot keep it
    out for ever.
    """
    holder = folder / "writer.json"
    with ExitStack() as held:
        with locked(folder / "gate.lock", shared=True, wait=wait, holder=holder):
            held.enter_context(locked(folder / "store.lock", shared=True, wait=wait, holder=holder))
        yield


@contextmanager
def changing(folder: Path, wait: float) -> Iterator[None]:
    """Keep readers away while what is derived from the catalogue changes."""
    with (
        locked(folder / "gate.lock", shared=False, wait=wait),
        locked(folder / "store.lock", shared=False, wait=wait),
    ):
        yield


@contextmanager
def writing(folder: Path, command: str, wait: float) -> Iterator[None]:
    """Be the one writer of the index in ``folder``, and leave a note of who that is."""
    holder = folder / "writer.json"
    with locked(folder / "writer.lock", shared=False, wait=wait, holder=holder):
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


def _described(holder: Path | None) -> str:
    try:
        note = json.loads(holder.read_text("utf-8")) if holder else {}
        return f": process {note['pid']} on {note['host']} has been running `{note['command']}` since {note['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
