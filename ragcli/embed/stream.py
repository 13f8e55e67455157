"""Many texts through a service at once: batches by tokens, several under way, each kept as it comes.

Failures that pass are met with patience, batches that are too large are halved, a text that is
too long is embedded in parts. When the work is stopped, no further request is sent, and what is
under way is waited for and kept: it is paid for.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.embed.requests import Passing, Reply, TooLarge, TooManyRequests
from ragcli.errors import ModelUnavailable
from ragcli.interrupts import first_signal
from ragcli.service.patience import back_off
from ragcli.service.rates import Rates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

GRACE = 30.0  # seconds that requests under way may still take when the work is stopped
_LONGEST = 30.0  # seconds between two tries
_SHORTEST = 32  # characters; what is refused as too long below that is refused for another reason


@dataclass(frozen=True, slots=True)
class Limits:
    """How much goes into a request and how many are under way; ``patience`` in seconds.

    A failure that may pass is borne so long: of one batch, or, of refusals for too many requests,
    as long as none succeeds at all. ``comfort`` is what the message then ends with.
    """

    texts: int
    tokens: int
    concurrency: int = 8
    patience: float = 120.0
    comfort: str = "; what was done is kept, and the same command carries on"


def batches(tokens: Sequence[int], limits: Limits) -> list[list[int]]:
    """Positions of texts in their order, cut into batches; a text above the limit is alone."""
    cut: list[list[int]] = []
    used = 0
    for position, count in enumerate(tokens):
        if not cut or len(cut[-1]) >= limits.texts or used + count > limits.tokens:
            cut.append([])
            used = 0
        cut[-1].append(position)
        used += count
    return cut


class Stream:
    """One run over some texts; see :meth:`run`."""

    def __init__(
        self,
        send: Callable[[Sequence[str]], Reply],
        rates: Rates,
        limits: Limits,
        texts: Sequence[str],
        tokens: Sequence[int],
    ) -> None:
        self._send, self._rates, self._limits = send, rates, limits
        self._texts, self._tokens = texts, tokens
        self._todo = deque(batches(tokens, limits))
        # What is finished and not kept yet is as good as under way: it is bounded.
        self._done: queue.Queue[tuple[list[int], Vectors] | BaseException] = queue.Queue(limits.concurrency)
        self._stop = threading.Event()
        self._good = time.monotonic()  # when a request last succeeded
        self.in_parts = 0  # texts that were too long for the service
        self.spent = 0  # tokens, as the service counted them where it did

    def run(self, keep: Callable[[Sequence[int], Vectors], None]) -> None:
        """Embed every text; ``keep`` gets positions and unit vectors as each batch finishes.

        It is called in this thread. SIGINT and SIGTERM let what is under way finish and raise
        ``KeyboardInterrupt``, a second one at once. The first failure that does not pass is raised
        (``ModelUnavailable``) once what was under way is kept.
        """
        waiting = len(self._texts)
        count = min(self._limits.concurrency, len(self._todo))
        threads = [threading.Thread(target=self._work, name=f"embed-{n}", daemon=True) for n in range(count)]
        with first_signal(self._stop.set) as signalled:
            for thread in threads:
                thread.start()
            try:
                while waiting and not self._stop.is_set():
                    waiting -= self._take(keep, 0.2)
            finally:
                self._stop.set()
                waiting -= self._drain(threads, keep)
        if signalled and waiting:
            raise KeyboardInterrupt

    def one(self) -> Vectors:
        """The vectors of texts that are one batch, shape (n, dim), asked for in this thread."""
        vectors = self._embed(self._todo.popleft())
        if vectors is None:
            raise KeyboardInterrupt
        return vectors

    def _take(self, keep: Callable[[Sequence[int], Vectors], None], seconds: float) -> int:
        """Keep the next finished batch; how many texts it has, 0 where none came in time."""
        try:
            item = self._done.get(timeout=seconds)
        except queue.Empty:
            return 0
        if isinstance(item, BaseException):
            raise item
        keep(*item)
        return len(item[0])

    def _drain(
        self, threads: Sequence[threading.Thread], keep: Callable[[Sequence[int], Vectors], None]
    ) -> int:
        """Keep what is still under way; how many texts that were."""
        deadline = time.monotonic() + GRACE
        kept = 0
        while time.monotonic() < deadline:
            alive = any(thread.is_alive() for thread in threads)
            try:
                kept += self._take(keep, 0.05 if alive else 0.0)
            except ModelUnavailable:
                continue  # the first failure is the one that is told
            if not alive and self._done.empty():
                break
        return kept

    # -- in the threads ------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    batch = self._todo.popleft()
                except IndexError:
                    return
                vectors = self._embed(batch)
                if vectors is not None:
                    self._done.put((batch, vectors))
        except BaseException as error:
            self._done.put(error)

    def _embed(self, batch: list[int]) -> Vectors | None:
        """The vectors of a batch; None where its halves go back to the others, or the work was stopped."""
        texts = [self._texts[position] for position in batch]
        try:
            return self._ask(texts, sum(self._tokens[position] for position in batch))
        except TooLarge as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                self._todo.extendleft((batch[middle:], batch[:middle]))
                return None
            self.in_parts += 1
            return self._mean(texts[0], error)

    def _mean(self, text: str, refusal: Exception) -> Vectors | None:
        """The vector of a text that is too long: the mean of its parts', weighed by their lengths."""
        import numpy as np

        parts = self._parts(text, refusal)
        if parts is None:
            return None
        total: Vectors = np.asarray(sum(length * vector for length, vector in parts))
        size = float(np.linalg.norm(total))
        if not size:
            raise ModelUnavailable(f"{refusal}; its parts' vectors cancel each other out")
        mean: Vectors = total / size
        return mean

    def _parts(self, text: str, refusal: Exception) -> list[tuple[int, Vectors]] | None:
        """Lengths and vectors of parts that the service takes; None where the work was stopped."""
        if len(text) < _SHORTEST:
            raise ModelUnavailable(f"{refusal}; a text of {len(text)} characters is too long for it")
        found: list[tuple[int, Vectors]] = []
        for part in halves(text):
            try:
                # No counter is at hand; the service tells what it read.
                vectors = self._ask([part], max(1, len(part) // 4))
                more = None if vectors is None else [(len(part), vectors)]
            except TooLarge as error:
                more = self._parts(part, error)
            if more is None:
                return None
            found += more
        return found

    def _ask(self, texts: Sequence[str], tokens: int) -> Vectors | None:
        """One request, repeated while its failures pass; None where the work was stopped."""
        tries, since = 0, None
        while self._rates.take(tokens, self._stop):
            try:
                reply = self._send(texts)
            except TooManyRequests as error:
                tries += 1
                self._rates.give_back(tokens)
                self._bear(error, self._good, error.wait)
                wait = error.wait if error.wait is not None else back_off(tries, longest=_LONGEST)
                if error.wait is not None:
                    self._rates.pause(wait)
            except Passing as error:
                if error.slow and len(texts) > 1:
                    raise TooLarge(str(error)) from None
                tries += 1
                now = time.monotonic()
                since = since or now
                self._bear(error, since, error.wait)
                wait = max(error.wait or 0.0, back_off(tries, longest=_LONGEST))
            else:
                self._good = time.monotonic()
                self.spent += tokens if reply.tokens is None else reply.tokens
                self._rates.settle(tokens, reply.tokens)
                self._rates.heed(reply.headers, tokens)
                return reply.vectors
            self._stop.wait(wait)
        return None

    def _bear(self, error: Exception, since: float, wait: float | None) -> None:
        """Raise where patience ends, or would before the service wants to be asked again."""
        if wait is not None and wait > self._limits.patience:
            raise ModelUnavailable(f"{error}; it asks to wait {wait:.0f} s{self._limits.comfort}")
        if time.monotonic() - since > self._limits.patience:
            raise ModelUnavailable(f"{error}{self._limits.comfort}")


def halves(text: str) -> tuple[str, str]:
    """A text in two, cut where it does least harm near the middle: a line, a sentence, a blank."""
    middle, room = len(text) // 2, len(text) // 4
    for marks in (("\n",), (". ", "! ", "? ", "。", "！", "？"), (" ",)):
        found = [
            at + len(mark)
            for mark in marks
            for at in (text.rfind(mark, middle - room, middle), text.find(mark, middle, middle + room))
            if at >= 0
        ]
        if found:
            cut = min(found, key=lambda at: abs(at - middle))
            if text[:cut].strip() and text[cut:].strip():
                return text[:cut], text[cut:]
    return text[:middle], text[middle:]
