"""Files that others read: a function of an installed package, or a command of the user's own."""

from __future__ import annotations

import shlex
import subprocess
import threading
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ragcli.load.encoding import decode
from ragcli.load.limits import memory_unbounded
from ragcli.load.markup.markdown import read_markdown
from ragcli.load.parsed import CannotRead, Content, Parsed
from ragcli.load.source import clean, inline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ragcli.load.parsed import Item

GROUP = "ragcli.loaders"
"""The entry point group: a name is a suffix with its dot, its value a Reader."""

COMMAND = "$ "
"""How a loader that is a command begins."""

_MOST = 100_000_000  # bytes of output
_SAID = 300


def installed_loaders() -> dict[str, str]:
    """Suffix → ``module:function`` of the readers that installed packages bring."""
    from importlib.metadata import entry_points

    return {point.name.lower(): point.value for point in entry_points(group=GROUP)}


def read_with(loader: str, content: Content, file: Path | None) -> Parsed | Iterable[Item]:
    """What the loader makes of a file; commands need one that lies on the disk, ``file``."""
    if not loader.startswith(COMMAND):
        module, _, name = loader.partition(":")
        read: Parsed | Iterable[Item] = getattr(import_module(module), name)(content)
        return read
    if file is None:
        raise CannotRead("unsupported", "it lies within another file, where its command cannot reach it")
    return _parse(_run(loader.removeprefix(COMMAND), file))


def _run(command: str, file: Path) -> bytes:
    """The command's output; no shell sees it, and ``{path}`` is one argument whatever it holds."""
    arguments = [part.replace("{path}", str(file.absolute())) for part in shlex.split(command)]
    try:
        with memory_unbounded():
            process = subprocess.Popen(  # noqa: S603
                arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
    except OSError as error:
        told = inline(error.strerror or "cannot be started").lower()
        raise CannotRead("loader-failed", f"its command {arguments[0]}: {told}") from None
    said: list[bytes] = []
    with process:
        # Read beside the output: a full pipe would hold the command up.
        listener = threading.Thread(target=_collect, args=(process.stderr, said), daemon=True)
        listener.start()
        output = process.stdout.read(_MOST + 1) if process.stdout else b""
        if len(output) > _MOST:
            process.kill()
            raise CannotRead("too-large", f"its command wrote more than {_MOST // 1_000_000} MB")
        listener.join()
    if process.returncode:
        lines = decode(b"".join(said)[-_SAID:])[0].strip().splitlines() if any(said) else []
        code = process.returncode
        told = f"its command ended with {f'signal {-code}' if code < 0 else f'exit {code}'}"
        told += f": {inline(lines[-1])}" if lines else ""
        raise CannotRead("loader-failed", told)
    return output


def _collect(stream: IO[bytes] | None, said: list[bytes]) -> None:
    while stream and (part := stream.read(8192)):
        said[:] = [(said[0] if said else b"")[-_SAID:] + part]


def _parse(output: bytes) -> Parsed:
    """Text or Markdown; its lines are not those of the file."""
    read = read_markdown(clean(decode(output)[0]))
    return Parsed(read.title, read.text, read.blocks, None, metadata=read.metadata)
