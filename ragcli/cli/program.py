"""The program: global options, the one place where errors become exit codes, and the run itself."""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NoReturn, cast

import typer
from typer.core import TyperGroup

from ragcli.errors import Interrupted, PartlyDone, RagError, UsageError
from ragcli.render.terminal import Terminal, abandon
from ragcli.settings import Resolved, Settings, find_index, resolve

# Global options that may also stand after the command, as people type them, and how many values
# each takes.
_GLOBAL = {
    "--index": 1, "--offline": 0, "--quiet": 0, "-q": 0, "--verbose": 0, "-v": 0, "--traceback": 0,
}  # fmt: skip
_OPTION = re.compile(r"-[\w-]*(=|$)", re.ASCII)
_WORDS = "ragcli.words"

# What typer raises for a command line that it cannot read; it has no public name for it.
_MISUSE = cast("type[Exception]", typer.BadParameter.__mro__[1])


@dataclass(slots=True)
class Context:
    """What the global options said; every command gets it."""

    index: str | None = None
    offline: bool | None = None
    terminal: Terminal = field(default_factory=Terminal)

    def folder(self) -> Path:
        """Where the index lies or would be made."""
        return find_index(Path.cwd(), self.named())[0]

    def named(self) -> str | None:
        """The index that was asked for, where one was."""
        return self.index or os.environ.get("RAG_INDEX") or None

    def typed(self, command: str) -> str:
        """A command that is to be typed, for the index that was named."""
        if self.index is None or "--index" in command:
            return command
        from shlex import quote

        return command.replace("rag ", f"rag --index {quote(self.index)} ", 1)

    def resolved(self, **flags: Any) -> Resolved:
        """Settings in force under these flags, and where each came from."""
        given: Mapping[str, Any] = {"offline": self.offline, "index": self.index, **flags}
        return resolve(given, self.folder())

    def settings(self, **flags: Any) -> Settings:
        """Settings in force under these flags."""
        return self.resolved(**flags).settings

    def reading(self, **flags: Any) -> Settings:
        """Settings in force for a command that reads files; tells which of their commands are not run."""
        resolved = self.resolved(**flags)
        for suffix in resolved.untrusted:
            self.terminal.note(
                f"note: the project names a command that reads *{suffix}; it is not run: look at it, then say --trust"
            )
        return resolved.settings


# Where each command lies and the first line of its help, in the order in which a newcomer meets them.
COMMANDS = {
    "index": ("build", "Load, chunk, embed and store documents."),
    "search": ("search", "Find the passages that answer a question."),
    "query": ("query", "Answer a question, with citations."),
    "chat": ("chat", "Ask one question after another, with one load of the model."),
    "context": ("context", "Print numbered sources for an LLM."),
    "list": ("look", "List the documents of the index."),
    "show": ("look", "Show a chunk with its neighbours."),
    "status": ("look", "Say what is in the index."),
    "remove": ("build", "Take documents out of the index; the files stay as they are."),
    "eval": ("quality", "Measure quality on judged questions."),
    "chunk": ("chunk", "Show how a file is cut."),
    "doctor": ("keep", "Check every part of the index against the others and the files."),
    "export": ("keep", "Write the whole index into one file, to carry it to another machine."),
    "import": ("keep", "Make an exported index answer here."),
    "models": ("look", "List models at hand, and services."),
    "embed": ("look", "Print a text's vector."),
    "similarity": ("look", "Say how alike two texts are."),
    "config": ("look", "Print every setting in force."),
}
_HELP = ("-h", "--help")


def load_commands(words: Sequence[str] = ()) -> None:
    """Load the commands that a command line may mean: none for the program's own help, else all."""
    wanted = {COMMANDS[word][0] for word in words if word in COMMANDS}
    if not wanted and any(word in _HELP for word in words):
        return
    for module in dict.fromkeys(module for module, _ in COMMANDS.values()):
        if not wanted or module in wanted:
            import_module(f"ragcli.cli.{module}")


# What is interrupted in these goes on from where it stood.
_WRITES = frozenset(("index", "remove", "doctor", "import"))


class Program(TyperGroup):
    """The group of commands; an expected error is one line on stderr and its exit code."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """The list of commands, none of which is loaded for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in COMMANDS.items()])

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args:
            return super().parse_args(ctx, args)
        ctx.meta[_WORDS] = args
        try:
            return super().parse_args(ctx, _globals_first(args))
        except _MISUSE as error:
            self._fail(ctx, _told(error, ctx))
        except BrokenPipeError:  # help
            _enough()

    def invoke(self, ctx: Any) -> Any:
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except RagError as error:
            self._fail(ctx, error)
        except _MISUSE as error:
            self._fail(ctx, _told(error, ctx))
        except KeyboardInterrupt:
            kept = "; what was done is kept, and the same command carries on"
            self._fail(ctx, Interrupted(f"interrupted{kept if ctx.invoked_subcommand in _WRITES else ''}"))
        except BrokenPipeError:
            _enough()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                abandon(sys.stdout)
            self._fail(ctx, _outside(error, writes=ctx.invoked_subcommand in _WRITES))
        except MemoryError:
            self._fail(
                ctx, _lacking("memory left", "end other programs", writes=ctx.invoked_subcommand in _WRITES)
            )

    def _fail(self, ctx: Any, error: RagError) -> NoReturn:
        if ctx.params.get("traceback"):
            traceback.print_exception(error)
            raise typer.Exit(error.exit_code) from None
        context = ctx.obj if isinstance(ctx.obj, Context) else Context()
        told = re.sub(r"`(rag (?!.*--help`)[^`]*)`", lambda match: f"`{context.typed(match[1])}`", str(error))
        context.terminal.error(told)
        raise typer.Exit(error.exit_code) from None


def _outside(error: OSError, *, writes: bool = False) -> RagError:
    """What went wrong outside the program: no room, no permission, no such place."""
    reason = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _lacking(f"room to write ({reason})", "make room", writes=writes)
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return _lacking(f"file can be opened ({reason})", "allow more with `ulimit -n`", writes=writes)
    if error.errno == errno.ENOMEM:
        return _lacking(f"memory ({reason})", "end other programs", writes=writes)
    where = str(error.filename)[:200] if error.filename else "the current folder"
    return UsageError(f"{where}: {reason}; are the path and its permissions right?")


def _lacking(what: str, remedy: str, *, writes: bool) -> PartlyDone:
    kept = "what was done is kept: " if writes else ""
    return PartlyDone(f"no {what}; {kept}{remedy} and run the command again")


def _enough() -> NoReturn:
    """Whoever reads our output has had enough of it; that is no error of ours."""
    abandon(sys.stdout)
    raise typer.Exit(0) from None


def _told(error: Any, ctx: Any) -> UsageError:
    """What typer says of a command line, on one line and with the command that helps."""
    where = getattr(error.ctx or ctx, "command_path", "rag")
    message = error.format_message().rstrip(".").replace("Value error, ", "")
    unknown = getattr(error, "option_name", "")[:2]
    for word in ctx.meta.get(_WORDS, ()):
        number = unknown[1:].isdigit() and word.startswith(unknown)
        if word.startswith("-") and (number or not _OPTION.match(word)):
            from shlex import quote

            message += f"; a question that begins with - goes last, behind --: {where} -- {quote(word)}"
            break
    return UsageError(f"{message}; see `{where} --help`")


def _globals_first(args: list[str]) -> list[str]:
    """Global options wherever they stand before ``--``, moved in front of the command."""
    front: list[str] = []
    rest: list[str] = []
    position = 0
    while position < len(args):
        word = args[position]
        if word == "--":
            rest.extend(args[position:])
            break
        name = word.split("=", 1)[0]
        if name in _GLOBAL:
            values = _GLOBAL[name] if "=" not in word else 0
            front.extend(args[position : position + 1 + values])
            position += values
        else:
            rest.append(word)
        position += 1
    return front + rest


app = typer.Typer(
    name="rag",
    cls=Program,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help comes in half the time
    context_settings={"help_option_names": list(_HELP)},
    epilog='Begin with `rag index PATH`, then `rag query "your question"`.',
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"rag {version('ragcli')}")
        raise typer.Exit


@app.callback()
def _options(
    ctx: typer.Context,
    index: Annotated[
        str | None,
        typer.Option("--index", metavar="DIR", help="The index folder (default: the nearest .rag/)."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Open no network connection.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but results and errors.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more: times, sizes.")] = False,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error came from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Search your documents and get answers whose citations can be checked."""
    del traceback, version
    context = Context(index, True if offline else None, Terminal(quiet=quiet, verbose=verbose))
    ctx.obj = context
    if context.settings().offline:
        # For libraries of ours that would otherwise ask a hub for news.
        os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the program."""
    # Closed by whoever started us: read as empty, and written to nowhere.
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
    # A question's few words are multiplied sooner by one thread than several are woken; must be known
    # before numpy is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    signal.signal(signal.SIGTERM, _interrupt)
    load_commands(sys.argv[1:])
    try:
        app()
    except OSError as error:  # help and version, printed to a full disk
        abandon(sys.stdout)
        Terminal().error(str(_outside(error)))
        sys.exit(_outside(error).exit_code)
