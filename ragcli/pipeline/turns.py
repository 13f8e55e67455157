"""Requests to a service that take turns: which may go now, which must wait, and what comes of each.

Requests that begin alike make a chain. Of a chain the first goes alone, so that a provider has the
beginning of the prompt when the others come, and those a few at once.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; ``tokens`` is about how many it sends."""

    situation: str
    document: str
    passage: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Reply:
    """A note (None: nothing of use), what it cost, or why there is none."""

    note: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    error: Exception | None = None


@dataclass
class Turns:
    """Requests and their replies, as they come: of a chain the first alone, then up to ``most`` at once.

    Other chains go on meanwhile. After ``stop`` or a first interrupt, and once ``pays_for`` denies the next request
    together with those under way, nothing more is asked for; what is under way comes.
    """

    chains: Sequence[Sequence[Request]]
    make: Callable[[], Callable[[Request], Reply]]
    most: int
    pays_for: Callable[[Sequence[Request]], bool]
    _stopped: bool = field(default=False, init=False)

    def stop(self) -> None:
        """Ask for nothing more."""
        self._stopped = True

    def __iter__(self) -> Iterator[tuple[Request, Reply]]:
        todo: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        done: queue.SimpleQueue[tuple[Request, Reply]] = queue.SimpleQueue()
        rest = {chain[0].situation: chain[1:] for chain in self.chains}
        ready = deque(chain[0] for chain in self.chains)
        total = sum(map(len, self.chains))
        threads = min(self.most, total)
        for _ in range(threads):
            # Daemons: an interrupted run does not wait for what a service has not answered.
            threading.Thread(target=_serve, args=(self.make, todo, done), daemon=True).start()
        running: dict[str, Request] = {}
        interrupted = False
        try:
            while running or (ready and not self._stopped):
                while ready and len(running) < threads and not self._stopped:
                    if not self.pays_for([*running.values(), ready[0]]):
                        break
                    request = ready.popleft()
                    running[request.situation] = request
                    todo.put(request)
                if not running:
                    break
                try:
                    request, reply = _next(done)
                except KeyboardInterrupt:
                    if self._stopped:  # asked twice: what is under way is given up
                        raise
                    # It is paid for whether anybody waits for it or not.
                    self._stopped = interrupted = True
                    continue
                del running[request.situation]
                # Before other chains, while the beginning of the prompt is fresh.
                ready.extendleft(reversed(rest.pop(request.situation, ())))
                yield request, reply
            if interrupted:
                raise KeyboardInterrupt
        finally:
            for _ in range(threads):
                todo.put(None)


def _next(done: queue.SimpleQueue[tuple[Request, Reply]]) -> tuple[Request, Reply]:
    while True:
        with suppress(queue.Empty):
            return done.get(timeout=1.0)  # an interrupt is heard in between, on every system


def _serve(
    make: Callable[[], Callable[[Request], Reply]],
    todo: queue.SimpleQueue[Request | None],
    done: queue.SimpleQueue[tuple[Request, Reply]],
) -> None:
    ask: Callable[[Request], Reply] | None = None
    while (request := todo.get()) is not None:
        try:
            ask = ask or make()
            reply = ask(request)
        except Exception as error:
            reply = Reply(error=error)
        done.put((request, reply))
