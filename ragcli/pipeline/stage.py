"""A stage of the indexing pipeline that has a thread of its own: texts in, vectors out, in order.

While it embeds one portion, the next is read and cut and the one before stored. Everything that
touches the catalogue stays in the thread that has it open: the stage only calls the model.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_TICK = 1.0  # seconds after which an interrupt is heard, on every system


@dataclass(frozen=True, slots=True)
class Made:
    """The vectors of one batch, shape (n, dim), and the seconds that they took."""

    vectors: Vectors
    seconds: float


class EmbeddingStage:
    """Embeds batches in the order they came, in a thread that begins with the first.

    ``embed`` is never called by two threads at once. What it raises is raised by :meth:`take`.
    """

    def __init__(self, embed: Callable[[Sequence[str]], Vectors]) -> None:
        self._embed = embed
        self._one = threading.Lock()
        self._changed = threading.Condition()
        self._todo: deque[Sequence[str]] = deque()
        self._made: deque[Made] = deque()
        self._trouble: BaseException | None = None
        self._closing = False
        self._thread: threading.Thread | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts that are needed at once."""
        with self._one:
            return self._embed(texts)

    def put(self, batch: Sequence[str]) -> None:
        """Have a batch of texts embedded, after those before it."""
        with self._changed:
            self._todo.append(batch)
            self._changed.notify_all()
        if self._thread is None:
            # A daemon: an interrupted run does not wait for it.
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def take(self, *, wait: bool) -> Made | None:
        """The next batch that is done, in the order they came; None where it is not yet, unless ``wait``."""
        with self._changed:
            while wait and not self._made and self._trouble is None:
                self._changed.wait(_TICK)
            if self._made:
                return self._made.popleft()
            if self._trouble is not None:
                raise self._trouble
            return None

    def close(self) -> None:
        """Begin no other batch."""
        with self._changed:
            self._closing = True
            self._todo.clear()
            self._changed.notify_all()

    def _run(self) -> None:
        while (texts := self._next()) is not None:
            start = time.perf_counter()
            try:
                vectors = self.embed(texts)
            except BaseException as error:
                with self._changed:
                    self._trouble = error
                    self._changed.notify_all()
                return
            with self._changed:
                self._made.append(Made(vectors, time.perf_counter() - start))
                self._changed.notify_all()

    def _next(self) -> Sequence[str] | None:
        with self._changed:
            while not self._todo and not self._closing:
                self._changed.wait()
            return None if self._closing else self._todo.popleft()
