"""Files read in a process of their own, which may hang or die without taking the tests along.

Run as a program it is that process: a path a line on its input, a verdict a line on its output.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import subprocess
import sys
import traceback
from pathlib import Path

# Against hanging; far above what any of these small files takes on a busy machine.
PATIENCE = 120.0
_MEMORY = 3_000_000_000


class Trial:
    """Reads files; a process that hangs or dies is replaced by a new one."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def problem(self, file: Path) -> str:
        """What reading the file broke: a promise kept by no document of it, a crash, a hang; else empty."""
        process = self._process or self._start()
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{file}\n".encode())
        process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(self._patience):
                self._end()
                return f"it takes more than {self._patience:.0f} seconds"
        said = process.stdout.readline()
        if not said:
            status = process.wait()
            self._end()
            return f"the process died: {status}"
        return str(json.loads(said))

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.load.trial"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self._process

    def _end(self) -> None:
        if self._process:
            assert self._process.stdin
            assert self._process.stdout
            self._process.kill()
            self._process.wait()
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.stdout.close()
            self._process = None


def _main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    for line in sys.stdin:
        answers.write(json.dumps(_problem(Path(line.rstrip("\n")))) + "\n")
        answers.flush()


def _problem(file: Path) -> str:
    from ragcli.load import load_file
    from ragcli.types import Document

    from .support import check, check_failure

    try:
        items = list(load_file(file, path=file.name))
        assert items, "nothing is told of it"
        for item in items:
            if isinstance(item, Document):
                check(item)
            else:
                check_failure(item)
    except Exception:
        return traceback.format_exc(limit=-4)
    return ""


if __name__ == "__main__":
    _main()
