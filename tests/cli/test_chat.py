"""``rag chat``: from a pipe, and on a terminal where the platform has pseudo-terminals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from ..answer.server import Refuses, Streams, serving, stalls
from ..program import Rag, Run

CHAT = ("chat", "--mode", "lexical")
BEES = "How many bees does a hive hold?"


def test_a_question_a_line(run: Run, fresh: Path) -> None:
    ran = run(*CHAT, cwd=fresh, stdin=f"{BEES}\n\nAnd in winter?\n")
    assert "forty thousand" in ran.out
    assert ran.out.count("[1] docs/bees.md:") == 2
    assert "asked as: And in winter? bees hive hold" in ran.err


def test_records(run: Run, fresh: Path) -> None:
    events = run(*CHAT, "--format", "jsonl", cwd=fresh, stdin=f"{BEES}\nAnd in winter?").lines
    done = [event for event in events if event["event"] == "done"]
    assert [event["query"] for event in done] == [BEES, "And in winter?"]
    assert done[1]["standalone"] == "And in winter? bees hive hold"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (f"zebra crossing?\n{BEES}\n", 0),
        (f"{BEES}\nzebra crossing?\n", 1),
        (f"{BEES}\n/new\n-nothing\n", 2),
        (f"-nothing\n{BEES}\n/sources\n", 0),
        (f"zebra crossing?\n/quit\n{BEES}\n", 1),
        ("", 0),
    ],
)
def test_the_exit_code_is_that_of_the_last_question(run: Run, fresh: Path, lines: str, code: int) -> None:
    run(*CHAT, cwd=fresh, stdin=lines, exit=code)


def test_commands(run: Run, fresh: Path) -> None:
    typed = ("/sources", BEES, "/sources", "/new", "and in winter, the cluster?", "/help", "/nonsense")
    lines = "\n".join((*typed, "/etc/hosts of bees in a hive?\n"))
    ran = run(*CHAT, cwd=fresh, stdin=lines, exit=1)
    assert "no passages were found so far" in ran.err
    assert "1  docs/bees.md:" in ran.out
    assert "asked as" not in ran.err
    assert "/quit" in ran.err
    assert "there is no /nonsense" in ran.err


def test_one_conversation_with_query(run: Run, fresh: Path) -> None:
    run(*CHAT, cwd=fresh, stdin=f"{BEES}\n")
    ran = run("query", "And in winter?", "--continue", "--mode", "lexical", "--format", "json", cwd=fresh)
    assert ran.json["standalone"] == "And in winter? bees hive hold"
    ran = run(*CHAT, "--continue", cwd=fresh, stdin="And what about it in June?\n")
    assert "asked as: And what about it in June? " in ran.err
    ran = run(*CHAT, cwd=fresh, stdin="What about it?\n", exit=1)
    assert "asked as" not in ran.err


def test_an_llm_that_fails_does_not_end_the_chat(run: Run, fresh: Path) -> None:
    acts = [Refuses(501, "out of order"), Streams(("Forty thousand [1].",))]
    with serving(*acts) as server:
        ran = run(*CHAT, "--llm", f"{server.url}#m", cwd=fresh, stdin=f"{BEES}\n{BEES}\n")
    assert "rag: 127.0.0.1" in ran.err
    assert "Forty thousand [1]." in ran.out


def test_mistakes(run: Run, fresh: Path) -> None:
    assert "text or jsonl" in run.fails(2, *CHAT, "--format", "json", cwd=fresh)
    assert "--llm SPEC" in run.fails(2, *CHAT, "--decompose", cwd=fresh)
    assert "not UTF-8" in run.fails(2, *CHAT, cwd=fresh, stdin=b"\xff\xfe\n")


# -- on a terminal -------------------------------------------------------------------------------------------

terminal = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


class Screen:
    """A process on a pseudo-terminal: what it shows, and what is typed."""

    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self.process, self._screen, self._shown = process, screen, b""

    def types(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def says(self, text: str, *, within: float) -> bool:
        """Whether ``text`` stands there before so many seconds have passed."""
        import select

        end = time.monotonic() + within
        while text.encode() not in self._shown:
            if not select.select([self._screen], [], [], max(0.0, end - time.monotonic()))[0]:
                return False
            piece = b""
            with suppress(OSError):  # EIO: the process is gone
                piece = os.read(self._screen, 65536)
            assert piece, f"never shown: {text!r}\n{self._shown.decode(errors='replace')}"
            self._shown += piece
        return True

    def shows(self, text: str) -> str:
        """Wait until ``text`` stands there; all up to it, which is not looked at again."""
        assert self.says(text, within=120), f"never shown: {text!r}\n{self._shown.decode(errors='replace')}"
        before, _, self._shown = self._shown.partition(text.encode())
        return before.decode(errors="replace")


@contextmanager
def on_terminal(rag: Rag, *words: str, cwd: Path) -> Iterator[Screen]:
    import fcntl
    import pty
    import termios

    screen, keyboard = pty.openpty()

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(keyboard, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    options: dict[str, Any] = {"stdin": keyboard, "stdout": keyboard, "stderr": keyboard}
    env = {**os.environ, "TERM": "dumb"}
    process = subprocess.Popen(rag.command(*words), cwd=cwd, preexec_fn=take_terminal, env=env, **options)
    os.close(keyboard)
    try:
        yield Screen(process, screen)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(screen)


@terminal
def test_ctrl_d_ends(rag: Rag, fresh: Path) -> None:
    with on_terminal(rag, *CHAT, cwd=fresh) as screen:
        screen.shows("> ")
        screen.types(f"{BEES}\n")
        screen.shows("forty thousand")
        screen.shows("> ")
        screen.types("\x04")
        assert screen.process.wait(60) == 0


@terminal
def test_ctrl_c_stops_the_answer_and_not_the_chat(rag: Rag, fresh: Path) -> None:
    with (
        serving(stalls, Streams(("Forty thousand [1].",))) as server,
        on_terminal(rag, *CHAT, "--llm", f"{server.url}#m", cwd=fresh) as screen,
    ):
        screen.shows("> ")
        screen.types(f"{BEES}\n")
        screen.shows("Two words")
        screen.types("\x03")
        screen.shows("stopped")
        screen.shows("> ")
        screen.types("half a lin\x03")
        while not screen.says("stopped", within=20):  # as below: readline was not yet listening
            screen.types("\x03")
        screen.shows("stopped")
        screen.shows("> ")
        screen.types(f"{BEES}\n")
        screen.shows("Forty thousand [1].")
        screen.shows("> ")
        screen.types("/quit\n")
        assert screen.process.wait(60) == 0


@terminal
def test_a_signal_ends_it(rag: Rag, fresh: Path) -> None:
    with on_terminal(rag, *CHAT, cwd=fresh) as screen:
        screen.shows("> ")
        # Between what the prompt shows and the wait for a key, readline hears no signal.
        screen.process.send_signal(signal.SIGTERM)
        while not screen.says("rag: ended", within=20):
            screen.process.send_signal(signal.SIGTERM)
        assert screen.process.wait(60) == 130
