"""A command in a process of its own, and what it took: seconds, and memory of all its processes."""

from __future__ import annotations

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
# Runs the command and notes what it took. A process of its own and a small one: what holds much memory
# itself would be told its own as that of what it starts.
_LAUNCH = """
import os, sys, time
start = time.perf_counter()
process = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(process, 0)
took = time.perf_counter() - start
with open(sys.argv[1], "w") as told:
    print(took, usage.ru_maxrss, os.waitstatus_to_exitcode(status), file=told)
"""


class Ran(NamedTuple):
    """Wall-clock seconds, the most megabytes that all processes held together, and what was printed."""

    seconds: float
    megabytes: float
    out: str


def run(command: Sequence[str], home: Path, environment: Mapping[str, str] | None = None) -> Ran:
    """Run a command in a folder. Raises ``RuntimeError`` where it fails. Unix only."""
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        tempfile.NamedTemporaryFile("r") as told,
    ):
        launch = [sys.executable, "-ISc", _LAUNCH, told.name, *command]
        process = subprocess.Popen(launch, stdout=out, stderr=err, env=environment, cwd=home)
        peak = [0]
        watch = threading.Thread(target=_watch, args=(process.pid, peak))
        watch.start()
        process.wait()
        watch.join()
        printed = []
        for stream in (out, err):
            stream.seek(0)
            printed.append(stream.read().decode(errors="replace"))
        seconds, largest, code = told.read().split() or ("0", "0", "1")
    if int(code):
        raise RuntimeError(f"{' '.join(command)} exited with {code}:\n{''.join(printed)[-3000:]}")
    own = int(largest) * (1 if sys.platform == "darwin" else 1024)  # of the largest process, not of all
    return Ran(float(seconds), max(own, peak[0]) / 1e6, printed[0])


def _watch(pid: int, peak: list[int]) -> None:
    """Keep the largest sum of resident memory of a process's children, until it ends."""
    try:
        root = psutil.Process(pid)
        while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for process in root.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    total += process.memory_info().rss
            peak[0] = max(peak[0], total)
            time.sleep(_POLL)
    except psutil.NoSuchProcess:
        return
