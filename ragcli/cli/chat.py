"""``rag chat``: one question after another, each of which may lean on those before."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from ragcli.cli.asking import open_asker, tell_stale
from ragcli.cli.options import (
    CountOption,
    FilterOption,
    Format,
    FormatOption,
    LlmOption,
    MinScoreOption,
    ModeOption,
    RerankerOption,
    RerankOption,
    WaitOption,
    rerank_flags,
)
from ragcli.cli.program import Context, app
from ragcli.cli.talk import Talk
from ragcli.errors import NOTHING_FOUND, Interrupted, RagError, UsageError

if TYPE_CHECKING:
    from types import FrameType

    from ragcli.pipeline.ask import Asker
    from ragcli.types import Answer

_PROMPT = "> "
_HELP = """\
/sources  the passages that the last answer was made from
/new      forget what was said and begin anew
/help     this
/quit     end, as Ctrl-D does; Ctrl-C stops an answer"""


@app.command("chat", epilog="Example: rag chat --mode lexical")
def chat_command(
    ctx: typer.Context,
    llm: LlmOption = None,
    k: CountOption = None,
    mode: ModeOption = None,
    filters: FilterOption = None,
    min_score: MinScoreOption = None,
    rerank: RerankOption = None,
    reranker: RerankerOption = None,
    budget: Annotated[
        int | None, typer.Option(metavar="TOKENS", min=50, help="Most tokens of the sources (default: 3000).")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--continue", help="Go on with the last conversation with this index.")
    ] = False,
    decompose: Annotated[
        bool, typer.Option("--decompose", help="Have the LLM split questions that have several parts.")
    ] = False,
    wait: WaitOption = None,
    output: FormatOption = Format.text,
) -> None:
    """Ask one question after another, with one load of the model. Off a terminal, a question a line of stdin."""
    context: Context = ctx.obj
    if output is Format.json:
        raise UsageError("a chat prints text or jsonl")
    flags = {
        "k": k, "mode": mode, "budget": budget, "llm": llm, "wait": wait, "min_score": min_score,
        **rerank_flags(rerank, reranker, None, None, None),
    }  # fmt: skip
    with open_asker(context, flags, filters, fold=True, for_prompt=True) as asker, _ended_by_a_signal():
        talk = Talk.open(context, asker, resume=resume, leans=True, decompose=decompose)
        chat = _Chat(context, asker, talk, output)
        code = chat.on_terminal() if sys.stdin.isatty() else chat.on_lines()
    if code:
        raise typer.Exit(code)


class _Chat:
    """The loop: reads a line, obeys it or answers it."""

    def __init__(self, context: Context, asker: Asker, talk: Talk, output: Format) -> None:
        self._context = context
        self._terminal = context.terminal
        self._asker = asker
        self._talk = talk
        self._output = output
        self._last: Answer | None = None
        self._code = 0

    def on_terminal(self) -> int:
        """Until Ctrl-D or ``/quit``. Ctrl-C stops an answer, or empties the line, and nothing else."""
        self._terminal.note("ask; /help says what else there is, Ctrl-D ends")
        with suppress(ImportError):
            import readline  # noqa: F401 - what is imported edits the lines of input()
        while True:
            try:
                line = self._typed()
                if line is None:
                    self._terminal.note("")
                    return 0
                if self._takes(line):
                    return 0
            except KeyboardInterrupt:
                self._terminal.note("\nstopped")

    def on_lines(self) -> int:
        """A question a line; the exit code of the last."""
        for raw in sys.stdin.buffer:
            try:
                line = raw.decode("utf-8-sig").strip()
            except UnicodeDecodeError:
                raise UsageError("the questions on standard input are not UTF-8") from None
            if self._takes(line):
                break
        return self._code

    def _typed(self) -> str | None:
        """A line that was typed, None at the end of them."""
        if sys.stdout.isatty():
            try:
                return input(_PROMPT).strip()
            except EOFError:
                return None
        sys.stderr.write(_PROMPT)
        sys.stderr.flush()
        line = sys.stdin.readline()
        return line.strip() if line else None

    def _takes(self, line: str) -> bool:
        """Obey or answer a line; whether it was the last."""
        if line == "/quit":
            return True
        if line == "/new":
            self._talk.conversation.forget()
            self._terminal.note("a new conversation")
        elif line == "/help":
            self._terminal.note(_HELP)
        elif line == "/sources":
            self._sources()
        elif line.startswith("/") and line[1:].isalpha():
            self._terminal.note(f"there is no {line}; /help says what there is")
        elif line:
            self._answer(line)
        return False

    def _answer(self, question: str) -> None:
        from ragcli.cli.query import finish_text

        try:
            answer = self._talk.ask(self._asker, question, self._output)
        except RagError as error:
            if isinstance(error, Interrupted):
                raise
            self._code = error.exit_code
            self._terminal.error(self._context.typed(str(error)))
            return
        self._last = answer
        self._code = 0 if answer.answered else NOTHING_FOUND
        if self._output is Format.text:
            finish_text(self._context, answer, self._asker.home)
            self._terminal.out()
        tell_stale(self._context, self._asker, [citation.hit for citation in answer.citations])
        self._terminal.flush()

    def _sources(self) -> None:
        from ragcli.render.passages import print_hits

        if self._last is None or not self._last.hits:
            self._terminal.note("no passages were found so far")
            return
        asked = self._talk.standalone
        print_hits(
            self._terminal, self._last.hits, asked, self._asker.home, self._asker.analyze, explain=False
        )


@contextmanager
def _ended_by_a_signal() -> Iterator[None]:
    """Let SIGTERM end the chat and not, as Ctrl-C does, an answer of it."""

    def end(_: int, __: FrameType | None) -> None:
        raise Interrupted("ended; the conversation is kept up to the last answer")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
