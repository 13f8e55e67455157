"""The tests' side of the fork server: processes that are started, killed and waited for."""

from __future__ import annotations

import itertools
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..program import Ran

# Against hanging for ever; nothing is concluded from how long a run takes.
PATIENCE = 300.0


@dataclass(eq=False)
class Process:
    """A forked run of the program."""

    family: Family
    number: int
    command: str
    out: Path
    err: Path
    began: float = field(default_factory=time.monotonic)
    status: int | None = None

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        self.family.listen(0)
        return self.status is None

    def kill(self) -> bool:
        """Kill it at once; whether it was still running. It has ended when this returns."""
        self.family.tell(child=self.number, signal=int(signal.SIGKILL))
        return self.wait().exit == -signal.SIGKILL

    def wait(self, patience: float = PATIENCE) -> Ran:
        """What it left behind."""
        deadline = time.monotonic() + patience
        while self.status is None:
            left = deadline - time.monotonic()
            if left <= 0:
                self.family.tell(child=self.number, signal=int(signal.SIGKILL))
                raise AssertionError(f"`{self.command}` hangs; it had said: {self.err.read_text('utf-8')}")
            self.family.listen(left)
        return Ran(self.status, self.out.read_text("utf-8"), self.err.read_text("utf-8"))


class Family:
    """Processes forked from one server; all are gone when it is closed."""

    def __init__(self, folder: Path) -> None:
        """Start the server; ``folder`` takes what the processes print."""
        self._folder = folder
        self._numbers = itertools.count(1)
        self._processes: dict[int, Process] = {}
        self._unread = b""
        self._ready = False
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forkserver"],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def close(self) -> None:
        """End the server, and with it whatever still runs."""
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.close()
        self._server.wait(30)
        self._server.stdout.close()

    def rag(self, *words: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> Process:
        """Start the program with these words."""
        return self.start("rag", list(map(str, words)), cwd=cwd, env=env)

    def start(
        self, function: str, *arguments: Any, cwd: Path, env: Mapping[str, str] | None = None
    ) -> Process:
        """Start a function of `children` as a process of its own."""
        number = next(self._numbers)
        paths = self._folder / f"{number}.out", self._folder / f"{number}.err"
        for path in paths:
            path.touch()
        told = " ".join([function, *map(str, arguments)])
        process = self._processes[number] = Process(self, number, told, *paths)
        self.tell(
            child=number, call=f"tests.faults.children:{function}", arguments=arguments, cwd=str(cwd),
            env=dict(env or {}), out=str(paths[0]), err=str(paths[1]),
        )  # fmt: skip
        return process

    def tell(self, **request: Any) -> None:
        """Send the server a request."""
        assert self._server.stdin
        self._server.stdin.write(json.dumps(request, default=str).encode() + b"\n")
        self._server.stdin.flush()

    def listen(self, patience: float) -> None:
        """Take in what the server tells within so many seconds, and at least once."""
        assert self._server.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(self._server.stdout, selectors.EVENT_READ)
            if not selector.select(patience):
                return
        data = os.read(self._server.stdout.fileno(), 65536)
        assert data, "the fork server has ended"
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            event = json.loads(line)
            if "ended" in event:
                self._processes.pop(event["child"]).status = event["ended"]
