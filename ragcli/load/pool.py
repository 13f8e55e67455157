"""Files read by worker processes: several at once, in order, within bounds, whatever is in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from ragcli.cores import usable_cores
from ragcli.errors import PartlyDone
from ragcli.load.limits import MEMORY, NO_MEMORY, end
from ragcli.load.parsed import Means
from ragcli.load.wire import read_frame, unpack
from ragcli.types import Document, Failure

MOST_WORKERS = 8
_AHEAD = 4  # files begun for each worker before the first of them is asked for
_BUFFERED = 48_000_000  # bytes of answers that wait
_GROWN = 300_000_000  # bytes of memory after which a worker makes room for a new one
_GRACE = 2.0  # seconds
_TICK = 0.2
_NEARLY = 0.6  # of the memory that a worker may take
_MAY_BE = "the file may be damaged, or need too much memory"


@dataclass(frozen=True, slots=True)
class Job:
    """A file to read and the name that its documents are stored under."""

    file: Path
    path: str


@dataclass(slots=True)
class _Answers:
    """What a worker said of one file so far."""

    job: Job
    frames: deque[bytes] = field(default_factory=deque)
    failure: Failure | None = None
    told: bool = False  # something was heard of it
    done: bool = False


class LoaderPool:
    """Reads files in worker processes. A context manager; for one thread.

    ``seconds`` is how long a worker may say nothing of a file before it is ended. A worker that
    ends so, or dies, costs that file only: it becomes a Failure ``timeout`` or ``crashed``.
    """

    def __init__(
        self, means: Means | None = None, *, workers: int | None = None, seconds: float = 120.0
    ) -> None:
        self._means = means or Means()
        self._workers = workers or max(1, min(MOST_WORKERS, usable_cores()))
        self._seconds = seconds
        self._changed = threading.Condition()
        self._queue: deque[_Answers] = deque()  # begun or not, in the order asked for
        self._todo: deque[_Answers] = deque()
        self._buffered = 0
        self._closing = False
        self._trouble: BaseException | None = None  # of a thread, for the one that waits for it
        self._threads: list[threading.Thread] = []
        self._running: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            running = list(self._running)
        for worker in running:
            worker.end()
        for thread in self._threads:
            thread.join(_GRACE)

    def load(
        self, jobs: Iterable[Job], meanwhile: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[Job, Document | Failure | None]]:
        """What is in the files, in their order: every file's items, then None for its end.

        ``jobs`` is asked for more only as the work goes on. ``meanwhile`` is called now and then
        while a file is waited for.
        """
        waiting = iter(jobs)
        more = True
        while True:
            while more and len(self._queue) < self._workers * _AHEAD:
                job = next(waiting, None)
                more = job is not None
                if job is not None:
                    self._ask(job)
            if not self._queue:
                return
            answers = self._queue[0]
            while (frame := self._next(answers, meanwhile)) is not None:
                yield from (
                    (answers.job, unpack(item))
                    for item in json.loads(frame.decode("utf-8", "surrogatepass"))["items"]
                )
            if answers.failure:
                yield answers.job, answers.failure
            yield answers.job, None
            with self._changed:
                self._queue.popleft()
                self._changed.notify_all()

    def _ask(self, job: Job) -> None:
        with self._changed:
            answers = _Answers(job)
            self._queue.append(answers)
            self._todo.append(answers)
            if len(self._threads) < min(self._workers, len(self._queue)):
                thread = threading.Thread(target=self._work, daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify_all()

    def _next(self, answers: _Answers, meanwhile: Callable[[], None]) -> bytes | None:
        """The next frame of the first file; None after its last."""
        while not self._heard(answers):
            meanwhile()
        with self._changed:
            if self._closing:  # what the end of the workers left is no answer
                raise RuntimeError("the pool is closed")
            if not answers.frames:
                return None
            frame = answers.frames.popleft()
            self._buffered -= len(frame)
            self._changed.notify_all()
            return frame

    def _heard(self, answers: _Answers) -> bool:
        """Wait a moment for a frame of the first file, or its end; whether there is one."""
        with self._changed:
            if not answers.frames and not answers.done:
                if self._closing:
                    raise RuntimeError("the pool is closed")
                if self._trouble is not None:
                    raise self._trouble
                self._changed.wait(_TICK)
                self._end_the_silent()
            return bool(answers.frames) or answers.done

    def _end_the_silent(self) -> None:
        now = time.monotonic()
        for worker in self._running:
            worker.look()
            if worker.since is not None and now - worker.since > self._seconds:
                worker.end(silent=True)

    # -- in the threads, one for each worker ---------------------------------------------------

    def _work(self) -> None:
        worker: _Worker | None = None
        try:
            while (answers := self._take()) is not None:
                if worker is None:
                    worker = self._start()
                worker = self._serve(worker, answers)
        except BaseException as error:
            with self._changed:
                self._trouble = error
                self._changed.notify_all()
        finally:
            if worker is not None:
                self._retire(worker)

    def _take(self) -> _Answers | None:
        with self._changed:
            while not self._todo and not self._closing:
                self._changed.wait()
            return None if self._closing else self._todo.popleft()

    def _start(self) -> _Worker:
        worker = _Worker(self._means)
        with self._changed:
            self._running.append(worker)
            if self._closing:
                worker.end()
        return worker

    def _retire(self, worker: _Worker) -> None:
        with self._changed:
            if worker in self._running:  # another may have been meant to take its place, and could not
                self._running.remove(worker)
        worker.close()

    def _serve(self, worker: _Worker, answers: _Answers) -> _Worker | None:
        """Have one file read; the worker if it can read another."""
        failure: Failure | None = None
        peak = _GROWN
        try:
            peak = self._converse(worker, answers)
        except (EOFError, OSError):
            failure = worker.reason(answers.job.path, self._seconds)
            if failure.error == "crashed" and not answers.told and not self._closing:
                # It may have been ended from outside, before it had begun: another one decides.
                self._retire(worker)
                worker = self._start()
                try:
                    peak = self._converse(worker, answers)
                    failure = None
                except (EOFError, OSError):
                    failure = worker.reason(answers.job.path, self._seconds)
        healthy = failure is None and peak < _GROWN
        if not healthy:
            self._retire(worker)
        with self._changed:
            answers.failure, answers.done = failure, True
            self._changed.notify_all()
        return worker if healthy else None

    def _converse(self, worker: _Worker, answers: _Answers) -> int:
        """Ask for one file and keep the answers; the worker's peak of memory. ``EOFError``: it is gone."""
        worker.ask(answers.job, self._means, self._seconds)
        while (frame := worker.listen()) is not None:
            if frame.startswith(b'{"end"'):
                peak: int = json.loads(frame)["end"]
                return peak
            answers.told = True
            self._keep(answers, frame)
        raise EOFError

    def _keep(self, answers: _Answers, frame: bytes) -> None:
        """Hold a frame until it is asked for; that of a file whose turn has not come waits while much is held."""
        with self._changed:
            while self._buffered > _BUFFERED and not self._closing:
                if self._queue and self._queue[0] is answers and not answers.frames:
                    break
                self._changed.wait()
            if self._closing:
                raise EOFError
            answers.frames.append(frame)
            self._buffered += len(frame)
            self._changed.notify_all()


class _Worker:
    """One process. ``since`` is when it was last asked or heard, None while nobody waits for it."""

    def __init__(self, means: Means) -> None:
        # -P: a module that lies in the current folder is not imported.
        command = [sys.executable, "-P", "-m", "ragcli.load.worker"]
        if means.needs_programs:
            command.append("--programs")
        try:
            self._process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # on Windows without effect
            )
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            told = f"no process could be started to read files in ({reason}); end others and run this again"
            raise PartlyDone(told) from error
        self._silent = False
        self._vast = False
        self.since: float | None = None

    def ask(self, job: Job, means: Means, seconds: float) -> None:
        """Hand it a file."""
        stream = self._process.stdin
        if stream is None:
            raise EOFError
        request = {
            "file": os.fspath(job.file.absolute()),
            "path": job.path,
            "passwords": means.passwords,
            "ocr": means.ocr,
            "loaders": dict(means.loaders),
            "seconds": 2 * seconds,  # of processor time, should the parent be gone
        }
        stream.write(json.dumps(request).encode() + b"\n")
        stream.flush()

    def listen(self) -> bytes | None:
        """Its next frame; None when it is gone."""
        stream = cast("BinaryIO | None", self._process.stdout)
        if stream is None:
            return None
        self.since = time.monotonic()
        try:
            return read_frame(stream)
        finally:
            self.since = None

    def look(self) -> None:
        """Note whether it takes nearly all the memory it may, where the system tells."""
        if sys.platform == "linux":
            with suppress(OSError, ValueError, IndexError):
                pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[0])
                self._vast = pages * os.sysconf("SC_PAGE_SIZE") > _NEARLY * MEMORY

    def end(self, *, silent: bool = False) -> None:
        """Kill it."""
        self._silent = self._silent or silent
        end(self._process)

    def close(self) -> None:
        """Kill it and let go of its pipes."""
        self.end()
        self._wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if stream:
                    stream.close()

    def reason(self, path: str, seconds: float) -> Failure:
        """Why it is gone, as a failure of the file it was reading."""
        code = self._wait()
        if self._silent:
            return Failure(
                path, "timeout", f"reading it took longer than {seconds:g} seconds; it was given up"
            )
        if sys.platform != "win32" and code == -24:  # SIGXCPU
            return Failure(path, "timeout", "reading it took too much processor time; it was given up")
        if self._vast and code < 0:  # what libraries in C do where they get no more
            return Failure(path, "too-large", NO_MEMORY)
        told = f"signal {-code}" if code < 0 else f"exit {code}"
        return Failure(path, "crashed", f"the process that read it ended ({told}); {_MAY_BE}")

    def _wait(self) -> int:
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(_GRACE)
        end(self._process)
        return self._process.wait()
