"""Requests and tokens a minute, shared by all threads that ask one service.

A token bucket each for requests and tokens (Turner, IEEE Communications Magazine 1986), and the
pauses that the service itself asks for. What a service tells in its headers is believed sooner
than what was set.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_SAVED = 10.0  # seconds of idleness that may be made up for
_BEGIN = 1.0  # seconds' worth that may be spent at once
_LOOK = 0.5  # seconds between two looks at whether the work was stopped
_LONGEST = 60.0  # seconds that a header may make everybody wait
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")


@dataclass(slots=True)
class _Bucket:
    """What may be spent: it fills by ``rate`` a second and holds ``_SAVED`` seconds of it."""

    rate: float
    level: float
    seen: float

    @property
    def size(self) -> float:
        return max(1.0, self.rate * _SAVED)

    def fill(self, now: float) -> None:
        self.level = min(self.size, self.level + self.rate * (now - self.seen))
        self.seen = now

    def wait(self, need: float) -> float:
        """Seconds until ``need`` is there; what is more than the bucket holds may overdraw a full one."""
        return max(0.0, (min(need, self.size) - self.level) / self.rate)


class Rates:
    """Hands out leave to send a request. Safe for threads.

    ``rpm`` and ``tpm`` are requests and tokens a minute, None for no limit. ``clock`` tells seconds.
    """

    def __init__(
        self,
        rpm: float | None = None,
        tpm: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        now = clock()
        self._requests = _Bucket(rpm / 60, max(1.0, rpm / 60 * _BEGIN), now) if rpm else None
        self._tokens = _Bucket(tpm / 60, tpm / 60 * _BEGIN, now) if tpm else None
        self._until = 0.0
        self._lock = threading.Lock()

    def take(self, tokens: int, stop: threading.Event) -> bool:
        """Wait until a request of ``tokens`` may go; False where ``stop`` was set before."""
        while not stop.is_set():
            wait = self.ask(tokens)
            if wait <= 0:
                return True
            stop.wait(min(wait, _LOOK))
        return False

    def ask(self, tokens: int) -> float:
        """Seconds to wait before asking again; 0 where the request may go, and is counted."""
        with self._lock:
            now = self._clock()
            wait = max(0.0, self._until - now)
            for bucket, need in ((self._requests, 1.0), (self._tokens, float(tokens))):
                if bucket is not None:
                    bucket.fill(now)
                    wait = max(wait, bucket.wait(need))
            if wait <= 0:
                self._spend(1.0, float(tokens))
            return wait

    def settle(self, expected: int, told: int | None) -> None:
        """Correct the tokens of a request by what the service says it has read."""
        if told is not None:
            with self._lock:
                self._spend(0.0, float(told - expected))

    def give_back(self, tokens: int) -> None:
        """A request was refused: what was counted for it was not spent."""
        with self._lock:
            self._spend(-1.0, -float(tokens))

    def pause(self, seconds: float) -> None:
        """Nobody sends anything for so long."""
        with self._lock:
            self._until = max(self._until, self._clock() + seconds)

    def heed(self, headers: Mapping[str, str], tokens: int) -> None:
        """Pause where the service says that the next request of ``tokens`` would be too much.

        Reads ``x-ratelimit-limit-*``, ``-remaining-*`` and ``-reset-*`` as OpenAI sends them; the
        reset is the time until all of the limit is there again.
        """
        for kind, need in (("requests", 1.0), ("tokens", float(tokens))):
            limit, left = (
                _number(headers.get(f"x-ratelimit-{what}-{kind}")) for what in ("limit", "remaining")
            )
            reset = seconds_of(headers.get(f"x-ratelimit-reset-{kind}", ""))
            if limit is None or left is None or reset is None or left >= need or limit <= left:
                continue
            self.pause(min(_LONGEST, reset * (min(need, limit) - left) / (limit - left)))

    def _spend(self, requests: float, tokens: float) -> None:
        for bucket, amount in ((self._requests, requests), (self._tokens, tokens)):
            if bucket is not None:
                bucket.level = min(bucket.size, bucket.level - amount)


def seconds_of(told: str) -> float | None:
    """A duration as services write it: ``1.5``, ``17ms``, ``1s``, ``6m0s``, ``1h2m``; None for others."""
    told = told.strip()
    if (number := _number(told)) is not None:
        return number
    found = _DURATION.fullmatch(told)
    if not told or found is None:
        return None
    hours, minutes, seconds, thousandths = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def _number(told: str | None) -> float | None:
    try:
        number = float(told or "")
    except ValueError:
        return None
    return number if 0 <= number < 1e12 else None
