"""How often and how long to try again: what a service asks for, else an exponential back-off with jitter."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

from ragcli.errors import ModelUnavailable

TRIES = 3
LONGEST_WAIT = 60.0  # seconds that the waits between the tries may take together


class Setback(Exception):
    """A service failed; says so on one line that holds no key.

    ``wait`` is how many seconds it asks to be left alone, 0 where it does not say, None where
    another try is of no use.
    """

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


@dataclass(slots=True)
class Patience:
    """Counts the setbacks of one request. ``sleep`` waits; a Ctrl-C must end it."""

    tries: int = TRIES
    longest: float = LONGEST_WAIT
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    _failed: int = 0
    _waited: float = 0.0

    def bear(self, setback: Setback) -> None:
        """Wait until it is time to try again; raise ``ModelUnavailable`` where there is no use or no time."""
        self._failed += 1
        if setback.wait is None or self._failed >= self.tries:
            raise ModelUnavailable(str(setback)) from None
        wait = setback.wait or back_off(self._failed)
        if self._waited + wait > self.longest:
            raise ModelUnavailable(f"{setback}; it asks to wait {wait:.0f} s, try again then") from None
        self.sleep(wait)
        self._waited += wait


def back_off(failures: int, *, longest: float = LONGEST_WAIT) -> float:
    """Seconds to wait after so many failures in a row: 1, 2, 4 … with jitter.

    The jitter lies above the half, so that many callers do not come back together.
    """
    return min(longest, 2.0 ** (failures - 1)) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def asked_wait(headers: Mapping[str, str], now: datetime | None = None) -> float:
    """Seconds that a reply asks to wait, 0 where it asks nothing or nonsense.

    ``retry-after-ms`` as Azure and OpenAI send it, else Retry-After, a number or a date (RFC 9110).
    ``headers`` are looked up in lower case.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "").strip()
    seconds = _number(value)
    if seconds is not None:
        return seconds
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def may_pass(status: int) -> bool:
    """Whether a request that was answered so may succeed later."""
    return status in (408, 425, 429) or (status >= 500 and status != 501)


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return max(0.0, number) if isfinite(number) else 0.0
