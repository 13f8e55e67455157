"""What a worker process may take: memory, time, and nothing of the world outside.

Linux and macOS can limit a process's memory and processor time, Windows cannot from within: there
the parent's clock, which also holds elsewhere, is the only limit.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

_LOOK = 1.0  # seconds
MEMORY = 1_400_000_000
"""Bytes that a worker may allocate."""

NO_MEMORY = "it needs more memory than a file may take"
"""What is told of a file that a worker could not hold."""

# What no reader needs: other programs, the network, changes on the disk.
_PROGRAMS = frozenset(
    ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn")
)
_FORBIDDEN = frozenset(
    [
        *("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "os.startfile"),
        *(
            "os.remove",
            "os.rename",
            "os.rmdir",
            "os.mkdir",
            "os.link",
            "os.symlink",
            "os.truncate",
            "os.chmod",
        ),
    ]
)
_CACHE = "__pycache__"  # where the interpreter keeps what it compiled
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def bound_memory() -> None:
    """Let allocations beyond MEMORY fail, where the system can."""
    if sys.platform == "win32":
        return
    import resource

    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    with suppress(ValueError, OSError):  # a harder limit is in force already
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def memory_unbounded() -> Iterator[None]:
    """Other programs started within are not bound as this process is; some map far more than they use."""
    if sys.platform == "win32":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a worker and, where it leads a session of its own, whatever it started."""
    if sys.platform == "win32" or process.poll() is not None:
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def bound_time(seconds: float) -> None:
    """Let the system end this process after so many more seconds of processor time, where it can."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def end_with_parent() -> None:
    """End this process and what it started soon after its parent is gone, where it leads its own session."""
    if sys.platform == "win32":
        return
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def leave_interrupts_to_parent() -> None:
    """Ctrl-C may reach every process of a terminal; the parent decides what becomes of this one."""
    with suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def shut_in(*, programs: bool) -> None:
    """From here on nothing is written, reached or started; other ``programs`` only where that is asked for.

    A second line behind the readers, which do none of it: the interpreter's audit events (PEP 578).
    Libraries' temporary files without a name are kept in memory.
    """
    import tempfile

    tempfile.TemporaryFile = tempfile.SpooledTemporaryFile  # type: ignore[assignment]

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            writes = isinstance(flags, int) and flags & _WRITING and isinstance(path, str)
            if writes and path != os.devnull and _CACHE not in path:
                raise PermissionError("a reader may not write")
        elif (event in _PROGRAMS and not programs) or (
            event in _FORBIDDEN and _CACHE not in str(arguments[:1])
        ):
            raise PermissionError(f"a reader may not: {event}")

    sys.addaudithook(watch)


def peak_memory() -> int:
    """Most bytes that this process has held in memory so far; 0 where that is not told."""
    if sys.platform == "win32":
        return 0
    if sys.platform == "linux":  # where getrusage counts what the parent held when it started this one
        with suppress(OSError, ValueError, IndexError), open("/proc/self/status", "rb") as status:
            return int(status.read().partition(b"VmHWM:")[2].split(maxsplit=1)[0]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
