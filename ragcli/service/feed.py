"""A stream that a thread of its own reads, so that whoever waits for it can stop waiting."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing, suppress

_LOOK = 0.2  # seconds between two looks: a wait without an end is deaf to Ctrl-C on Windows
_GRACE = 2.0  # seconds for the thread to end when its source was cut
_AHEAD = 256  # pieces that are read before somebody takes them


class Silence(Exception):
    """Nothing came for ``seconds``, before the first word or, where ``begun``, after it."""

    def __init__(self, seconds: float, *, begun: bool) -> None:
        super().__init__(f"nothing for {seconds:g} s")
        self.seconds, self.begun = seconds, begun


def feed(
    read: Callable[[], Generator[str, None, None]],
    cut: Callable[[], None],
    *,
    first: float | None = None,
    stall: float | None = None,
) -> Generator[str, None, None]:
    """What ``read()`` gives, read by a thread. An empty piece is a sign of life and no word.

    The first word may take ``first`` seconds, whatever signs of life come before it; after it,
    nothing at all may come for ``stall`` seconds; None is no limit. ``Silence`` is raised
    otherwise, and what ``read`` raises is raised here. ``cut`` must end a wait of the thread, from
    another one; it is called when the iterator ends or is closed, and more than once does no harm.
    """
    pieces: queue.Queue[str | BaseException | None] = queue.Queue(_AHEAD)
    over = threading.Event()
    thread = threading.Thread(target=_work, args=(read, pieces, over), daemon=True)
    thread.start()
    begun, limit, since = False, first, time.monotonic()
    try:
        while True:
            try:
                piece = pieces.get(timeout=_LOOK if limit is None else min(_LOOK, limit))
            except queue.Empty:
                if limit is not None and time.monotonic() - since >= limit:
                    raise Silence(limit, begun=begun) from None
                continue
            if piece is None:
                return
            if isinstance(piece, BaseException):
                raise piece
            if piece or begun:
                begun, limit = True, stall
            yield piece
            if begun:  # the time that the reader took is not the stream's
                since = time.monotonic()
            elif limit is not None and time.monotonic() - since >= limit:
                raise Silence(limit, begun=False)
    finally:
        over.set()
        cut()
        thread.join(_GRACE)


def _work(
    read: Callable[[], Generator[str, None, None]],
    pieces: queue.Queue[str | BaseException | None],
    over: threading.Event,
) -> None:
    last: BaseException | None = None
    try:
        with closing(read()) as source:
            for piece in source:
                if not _put(pieces, piece, over):
                    return
    except BaseException as error:  # it belongs to whoever reads
        last = error
    _put(pieces, last, over)


def _put(
    pieces: queue.Queue[str | BaseException | None], piece: str | BaseException | None, over: threading.Event
) -> bool:
    """Hand a piece over; False when nobody wants any more."""
    while not over.is_set():
        with suppress(queue.Full):
            pieces.put(piece, timeout=_LOOK)
            return True
    return False
