"""The program as the tests run it: in this process, or as a process of its own.

Whatever goes wrong is loud: another exit code than the one expected, a traceback, or a control
character on either stream fails the test that ran the command.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

SAMPLES = Path(__file__).parents[1] / "sample_docs"
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Ran:
    """What a run left behind."""

    exit: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        assert self.out.count("\n") == 1, self.out
        return _entry(self.out)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON objects on stdout, one a line."""
        return [_entry(line) for line in self.out.splitlines()]

    @property
    def message(self) -> str:
        """The one line on stderr, without ``rag: ``; nothing is on stdout."""
        assert not self.out, self.out
        [line] = self.err.splitlines()
        assert line.startswith("rag: "), line
        return line.removeprefix("rag: ")


def _entry(text: str) -> dict[str, Any]:
    entry = json.loads(text)
    assert isinstance(entry, dict)
    assert entry["schema"] == 1
    return entry


def _checked(ran: Ran, expected: int, *, colour: bool) -> Ran:
    told = f"exit code {ran.exit}\n--- stdout\n{ran.out}\n--- stderr\n{ran.err}"
    assert "Traceback" not in ran.err, told
    assert "Warning" not in ran.err, told
    assert ran.exit == expected, told
    if not colour:
        assert not _CONTROLS.search(ran.out + ran.err), told.encode("unicode_escape")
    return ran


class Run:
    """``run("search", "x", cwd=…)``: the program in this process."""

    def __call__(
        self,
        *words: str | Path,
        cwd: Path | None = None,
        exit: int = 0,  # noqa: A002 - as the shell calls it
        stdin: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        colour: bool = False,
    ) -> Ran:
        from ragcli.cli import app

        with chdir(cwd or Path.cwd()), pytest.MonkeyPatch.context() as patch:
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            result = CliRunner().invoke(app, [str(word) for word in words], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return _checked(Ran(result.exit_code, result.stdout, result.stderr), exit, colour=colour)

    def fails(self, code: int, *words: str | Path, **options: Any) -> str:
        """The one-line message of a run that must fail so, and leave stdout empty."""
        return self(*words, exit=code, **options).message


class Rag:
    """``rag("search", "x", cwd=…)``: the program as a process of its own."""

    def __call__(
        self,
        *words: str | Path,
        cwd: Path,
        exit: int = 0,  # noqa: A002 - as the shell calls it
        stdin: str | None = None,
        colour: bool = False,
    ) -> Ran:
        done = subprocess.run(
            self.command(*words), cwd=cwd, input=stdin, capture_output=True, encoding="utf-8", timeout=300
        )
        return _checked(Ran(done.returncode, done.stdout, done.stderr), exit, colour=colour)

    def start(self, *words: str | Path, cwd: Path, **options: Any) -> subprocess.Popen[bytes]:
        """A running process with its outputs as pipes."""
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        if os.name != "nt":
            # A shell starts its background jobs deaf to SIGINT, and they hand that down.
            pipes["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        return subprocess.Popen(self.command(*words), cwd=cwd, **pipes)

    @staticmethod
    def command(*words: str | Path) -> list[str]:
        """What is executed."""
        return [sys.executable, "-m", "ragcli", *map(str, words)]


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of every file under a folder."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
