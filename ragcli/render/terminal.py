"""The terminal: where rich is, and the one door through which text reaches a screen."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

# Escape sequences first, then what is left of control characters, and marks that reorder text.
_ESCAPES = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b\[[0-?]*[ -/]*[@-~]?|\x1b.")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_LINE_SECONDS = 10.0


def safe(text: str) -> str:
    """``text`` without anything that could steer a terminal; line ends and tabs stay."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text)).encode("utf-8", "replace").decode("utf-8")


def one_line(text: str) -> str:
    """The same on one line."""
    return " ".join(safe(text).split())


class Terminal:
    """Results to stdout, everything else to stderr."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self._consoles: dict[str, Console] = {}
        self._in_line = False

    def out(self, text: str = "", end: str = "\n") -> None:
        """A result, as it is."""
        self._in_line = False
        sys.stdout.write(safe(text) + end)

    def piece(self, text: str) -> None:
        """A piece of a streamed result."""
        self._in_line = (bool(text) and not text.endswith("\n")) or (self._in_line and not text)
        sys.stdout.write(safe(text))
        sys.stdout.flush()

    def flush(self) -> None:
        """What was put out so far is there to be read."""
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Something a person should know; not said under ``--quiet``."""
        if not self.quiet:
            self._end_line()
            sys.stderr.write(safe(text) + "\n")

    def detail(self, text: str) -> None:
        """Something only said under ``--verbose``."""
        if self.verbose:
            self.note(text)

    def error(self, text: str) -> None:
        """What went wrong, on one line; always said. Where nobody can hear it, the exit code still tells."""
        self._end_line()
        try:
            sys.stderr.write(f"rag: {one_line(text)}\n")
            sys.stderr.flush()
        except OSError:
            abandon(sys.stderr)

    def _end_line(self) -> None:
        """Let what is said next begin a line of its own, should a streamed result stand in the middle of one."""
        sys.stdout.flush()
        if self._in_line and _same_place():
            sys.stderr.write("\n")
        self._in_line = False

    @property
    def console(self) -> Console:
        """rich on stdout: colour and hyperlinks on a terminal, plain text elsewhere."""
        return self._console("out")

    @property
    def styled(self) -> bool:
        """Whether stdout shows colours and hyperlinks, as rich finds it."""
        # A pipe needs no rich to be told apart, which takes longer to load than much else of a search.
        asked = any(os.environ.get(name) for name in ("FORCE_COLOR", "TTY_COMPATIBLE"))
        return (asked or sys.stdout.isatty()) and self.console.is_terminal and not self.console.no_color

    def line(self, *pieces: tuple[str, str], end: str = "\n") -> None:
        """Pieces of a line, each with its style; the mere text where no styles are shown."""
        if not self.styled:
            self.out("".join(text for text, _ in pieces), end)
            return
        from rich.text import Text

        self.console.print(Text.assemble(*pieces), end=end)

    def print(self, renderable: Any) -> None:
        """Something rich knows how to lay out."""
        self.console.print(renderable)

    def _console(self, which: str) -> Console:
        if which not in self._consoles:
            from rich.console import Console

            class Quitting(Console):
                def on_broken_pipe(self) -> None:
                    raise

            console = Quitting(
                stderr=which == "err", highlight=False, markup=False, emoji=False, soft_wrap=True
            )
            if not console.is_terminal:
                console.width = 10_000  # a pipe has no width to wrap or crop to
            self._consoles[which] = console
        return self._consoles[which]

    @contextmanager
    def progress(self, what: str) -> Iterator[Bar]:
        """A bar with rate and time left on a terminal, a line now and then elsewhere."""
        if self.quiet:
            yield Bar()
        elif sys.stderr.isatty():
            with _drawn_bar(self._console("err"), what) as bar:
                yield bar
        else:
            bar = _LineBar(self, what)
            yield bar
            bar.end()


def abandon(stream: TextIO) -> None:
    """Give what is still in a stream's buffer somewhere to go when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Bar:
    """Progress of work of a known size; this one shows nothing."""

    def begin(self, total: int) -> None:
        """``total`` units lie ahead."""

    def advance(self, done: int, said: str) -> None:
        """``done`` units are finished; ``said`` is shown beside."""


class _LineBar(Bar):
    def __init__(self, terminal: Terminal, what: str) -> None:
        self._terminal = terminal
        self._what = what
        self._total = 0
        self._said_at = time.monotonic()
        self._said = ""

    def begin(self, total: int) -> None:
        self._total = total

    def end(self) -> None:
        """Whoever was told of a part is told of the whole."""
        if self._said not in ("", "100 %"):
            self._terminal.note(f"{self._what}: 100 %")

    def advance(self, done: int, said: str) -> None:
        if time.monotonic() - self._said_at >= _LINE_SECONDS and self._total:
            self._said_at = time.monotonic()
            self._said = f"{min(100, 100 * done // self._total)} %"
            self._terminal.note(f"{self._what}: {self._said}{', ' if said else ''}{said}")


@contextmanager
def _drawn_bar(console: Console, what: str) -> Iterator[Bar]:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(what), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[said]}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=None, said="")

        class Drawn(Bar):
            def begin(self, total: int) -> None:
                progress.update(task, total=total or 1)

            def advance(self, done: int, said: str) -> None:
                progress.update(task, completed=done, said=said)

        yield Drawn()


def _same_place() -> bool:
    """Whether results and notes go to one screen, file or pipe."""
    try:
        return os.path.samestat(os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno()))
    except (OSError, ValueError):  # closed, or none of the system's
        return False
