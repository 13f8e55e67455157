"""What the forked processes do: the program as it is, or with a fault built in."""

from __future__ import annotations

import functools
import importlib
import itertools
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from .forkserver import end_with
from .mounts import CannotMount, leave_the_others, make_read_only, mount_memory, resize
from .rights import CannotGiveUp, obey_the_modes
from .writes import count_writes

# The exit status that says that this system does not let us try it; the reason is on stderr.
CANNOT = 77


def rag(words: Sequence[str]) -> None:
    """The program itself."""
    from ragcli.__main__ import main

    sys.argv = ["rag", *words]
    main()


def rag_in_small_steps(words: Sequence[str], portion: int, durable: int) -> None:
    """The program, with portions so small that a small folder takes many of them."""
    from ragcli.pipeline import build, vectorize

    for module, name, value in ((build, "_PORTION", portion), (vectorize, "_DURABLE", durable)):
        assert hasattr(module, name)
        setattr(module, name, value)
    rag(words)


def make_model(folder: str, words: Sequence[str], seed: int) -> None:
    """Save an embedding model that costs nothing."""
    from ..tiny import save_static

    save_static(Path(folder), words, seed)


def read(mode: str, query: str, log: str, stop: str, paced: bool = False) -> None:
    """Search without end, with one index that stays open, until there is a file ``stop``.

    Where it is ``paced``, the nth search waits for a file ``log.n``.

    Writes a line a search to ``log``: the generations and chunks of the catalogue before and after
    it, the ids that were found, the passages behind those that were not seen before, and notes.
    """
    from ragcli.errors import RagError
    from ragcli.pipeline.ask import Asker
    from ragcli.pipeline.index import Index
    from ragcli.settings import Settings

    passages: dict[str, tuple[str, str]] = {}
    with (
        Index.open(Path(".rag"), Settings(offline=True, wait=20)) as index,
        open(log, "w", encoding="utf-8", buffering=1) as out,
    ):
        notes: list[str] = []
        asker = Asker(index, notes.append)
        for number in itertools.count(1):
            while paced and not Path(f"{log}.{number}").exists() and not Path(stop).exists():
                time.sleep(0.01)
            if Path(stop).exists():
                return
            entry: dict[str, Any] = {"exit": 0, "ids": [], "new": []}
            before = _catalogue(index)
            try:
                hits = asker.search(query, k=2000, mode=mode).hits  # type: ignore[arg-type]
            except RagError as error:
                entry |= {"exit": error.exit_code, "message": str(error)}
                hits = []
            for hit in hits:
                entry["ids"].append(hit.id)
                if passages.get(hit.id) != (hit.document, hit.text):
                    passages[hit.id] = hit.document, hit.text
                    entry["new"].append((hit.id, hit.document, hit.text))
            entry["before"], entry["after"], entry["notes"] = before, _catalogue(index), notes[:]
            notes.clear()
            json.dump(entry, out)
            out.write("\n")


def _catalogue(index: Any) -> tuple[int, list[str]]:
    """Generation and chunks of one moment."""
    with index.catalog.snapshot():
        documents = [document for document, _, _ in index.catalog.document_names()]
        chunks = [chunk for document in documents for chunk in index.catalog.chunk_ids(document)]
        return index.catalog.generation, sorted(chunks)


def rag_until(words: Sequence[str], place: str, times: int, portion: int, durable: int) -> None:
    """The program, which kills itself once ``place`` (``module:Class.method``) has returned so often."""
    module, _, name = place.partition(":")
    owner = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    original = getattr(owner, last)
    left = [times]

    @functools.wraps(original)
    def counted(*arguments: Any, **options: Any) -> Any:
        result = original(*arguments, **options)
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, last, counted)
    rag_in_small_steps(words, portion, durable)


def rag_until_write(words: Sequence[str], last: int | None, told: str) -> None:
    """The program, killed before the write to the index that comes after so many; tells their number."""
    count, status = count_writes(Path.cwd() / ".rag", lambda: rag(words), last)
    Path(told).write_text(str(count), "utf-8")
    sys.exit(status if status >= 0 else 128 - status)


def rag_with_small_files(words: Sequence[str], most: int) -> None:
    """The program, where no file may grow beyond so many bytes."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    rag(words)


def rag_on_a_full_disk(
    words: Sequence[str], questions: Sequence[Sequence[str]], room: int, told: str
) -> None:
    """The program with its index on a disk that has room for so many bytes more, then with room enough.

    Tells how ``words`` and the questions ended, and then with room the questions and ``words``. The
    index of the current folder is moved to that disk; afterwards it lies in ``kept``.
    """
    index, kept = Path(".rag").absolute(), Path("kept").absolute()
    try:
        leave_the_others()
        index.rename(kept)
        index.mkdir()
        mount_memory(index, _ROOMY)
    except CannotMount as error:
        Path(told).write_text(json.dumps({"skip": str(error)}), "utf-8")
        return
    shutil.copytree(kept, index, dirs_exist_ok=True)
    shutil.rmtree(kept)
    used = _used(index)
    resize(index, used + room)
    runs = [_ran(command) for command in (words, *questions)]
    resize(index, _ROOMY)
    runs += [_ran(command) for command in (*questions, words)]
    shutil.copytree(index, kept)
    Path(told).write_text(json.dumps({"runs": runs, "grown": _used(index) - used}), "utf-8")


_ROOMY = 1 << 28


def _used(disk: Path) -> int:
    found = os.statvfs(disk)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def _ran(words: Sequence[str]) -> tuple[int, str, str]:
    """One run of the program: its exit status and what it said on both streams."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            end_with(lambda: rag(words))
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        said = []
        for stream in (out, err):
            stream.seek(0)
            said.append(stream.read().decode())
        return status, said[0], said[1]


def rag_on_a_read_only_disk(words: Sequence[str], folder: str) -> None:
    """The program, where nobody can write in a folder."""
    try:
        leave_the_others()
        make_read_only(Path(folder).absolute())
    except CannotMount as error:
        sys.stderr.write(f"skip: {error}\n")
        sys.exit(CANNOT)
    rag(words)


def rag_bound_by_modes(words: Sequence[str]) -> None:
    """The program, run by a user for whom owners and modes hold."""
    try:
        obey_the_modes()
    except CannotGiveUp as error:
        sys.stderr.write(f"skip: {error}\n")
        sys.exit(CANNOT)
    rag(words)


def rag_at_another_time(words: Sequence[str], seconds: float) -> None:
    """The program, with a clock that is so many seconds fast."""
    moment, nanoseconds = time.time, time.time_ns

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(time.time(), tz)

    from ragcli import locks
    from ragcli.pipeline import build

    time.time = lambda: moment() + seconds
    time.time_ns = lambda: nanoseconds() + int(seconds * 1e9)
    for module in (build, locks):
        assert module.datetime is datetime
        module.datetime = Shifted  # type: ignore[misc]
    rag(words)


def rag_while_a_file_changes(words: Sequence[str], name: str, text: str | None, after: int) -> None:
    """The program, where a file gets another text, or none, just before or while it is read.

    ``after`` is the number of documents that are read from it before; with none it happens when
    the file is about to be opened.
    """
    from ragcli.load import Job, LoaderPool

    load = LoaderPool.load

    def watched(self: LoaderPool, jobs: Iterable[Job], **how: Any) -> Iterator[Any]:
        number = 0
        for job, item in load(self, about_to_be_opened(jobs), **how):
            yield job, item
            number += job.path == name and item is not None
            if job.path == name and item is not None and number == after:
                change(job.file)

    def about_to_be_opened(jobs: Iterable[Job]) -> Iterator[Job]:
        for job in jobs:
            if job.path == name and not after:
                change(job.file)
            yield job

    def change(file: Path) -> None:
        if text is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(text, "utf-8")

    LoaderPool.load = watched  # type: ignore[method-assign]
    rag(words)
