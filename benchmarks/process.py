"""A command in a process of its own, and what it took: seconds, and memory of all its processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

_POLL = 0.1  # seconds


class Ran(NamedTuple):
    """Wall-clock seconds, the most megabytes that all processes held together, and what was printed."""

    seconds: float
    megabytes: float
    out: str


def run(command: Sequence[str], home: Path, environment: Mapping[str, str] | None = None) -> Ran:
    """Run a command in a folder. Raises ``RuntimeError`` where it fails. Unix only."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, env=environment, cwd=home)
        peak = [0]
        watch = threading.Thread(target=_watch, args=(process.pid, peak))
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.join()
        told = []
        for stream in (out, err):
            stream.seek(0)
            told.append(stream.read().decode(errors="replace"))
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} exited with {process.returncode}:\n{''.join(told)[-3000:]}")
    own = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)  # of the largest process, not of all
    return Ran(seconds, max(own, peak[0]) / 1e6, told[0])


def _watch(pid: int, peak: list[int]) -> None:
    """Keep the largest sum of resident memory of a process and its children, until it ends."""
    try:
        root = psutil.Process(pid)
        while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for process in [root, *root.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    total += process.memory_info().rss
            peak[0] = max(peak[0], total)
            time.sleep(_POLL)
    except psutil.NoSuchProcess:
        return
