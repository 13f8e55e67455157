"""Dates as people write them, compared as far as they are told: 2026-05 is the whole of May."""

from __future__ import annotations

import re
from calendar import monthrange
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = rf"(?P<name>{'|'.join(_MONTHS)})[a-z]*\.?"
_DAY = r"(?P<day>[0-9]{1,2})"
_CLOCK = (
    r"(?:[T ,]+(?P<hour>[0-9]{2})(?::?(?P<minute>[0-9]{2})"
    r"(?::?(?P<second>[0-9]{2})(?:\.(?P<part>[0-9]{1,6})[0-9]*)?)?)?"
    r"\s*(?P<zone>Z|GMT|UTC|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
# The year first, by hyphens, slashes, dots or in Chinese; by days and months with a name; by dots.
_FORMS = tuple(
    re.compile(f"{form}{_CLOCK}$", re.IGNORECASE)
    for form in (
        r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?",
        r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})",
        r"(?P<year>[0-9]{4})([-/.])(?P<month>[0-9]{1,2})(?:\2(?P<day>[0-9]{1,2}))?",
        r"(?P<year>[0-9]{4})\s*年(?:\s*(?P<month>[0-9]{1,2})\s*月(?:\s*(?P<day>[0-9]{1,2})\s*[日号號])?)?",
        rf"(?:[a-z]{{3,9}},?\s+)?{_DAY}(?:st|nd|rd|th)?\.?[\s-]+{_NAME}[\s,-]+(?P<year>[0-9]{{4}})",
        rf"(?:[a-z]{{3,9}},?\s+)?{_NAME}\s+{_DAY}(?:st|nd|rd|th)?,?\s+(?P<year>[0-9]{{4}})",
        r"(?P<day>[0-9]{1,2})\.\s*(?P<month>[0-9]{1,2})\.\s*(?P<year>[0-9]{4})",
    )
)
_ISO = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:[T ].+)?)?)?$")


class Span(NamedTuple):
    """The first and the last moment that a date may mean, without a zone."""

    first: datetime
    last: datetime


def is_date(text: str) -> bool:
    """Whether a text is a year, a month, a day or a time of the calendar, the largest part first."""
    return _ISO.match(text) is not None and _read(text, False) is not None


def meets(found: str, operator: str, wanted: str) -> bool:
    """Whether a document's date, taken for the first moment that it may mean, lies as it is asked.

    A day is the one that is written. Where a time is asked for, times are compared in UTC; one
    without its distance from UTC is taken for it. What is no date lies nowhere.
    """
    timed = len(wanted) > len("2026-05-17")
    asked, told = _read(wanted, timed), _read(found, timed)
    if asked is None or told is None:
        return False
    return {
        "=": asked.first <= told.first <= asked.last,
        ">": told.first > asked.last,
        ">=": told.first >= asked.first,
        "<": told.first < asked.first,
        "<=": told.first <= asked.last,
    }[operator]


@lru_cache(maxsize=4096)
def _read(text: str, in_utc: bool) -> Span | None:
    match = next(filter(None, (form.match(text.strip()) for form in _FORMS)), None)
    if match is None:
        return None
    told = match.groupdict()
    name = (told.get("name") or "")[:3].lower()
    month = _MONTHS.index(name) + 1 if name else int(told["month"] or 0)
    year, day = int(told["year"]), int(told["day"] or 0)
    hour, minute, second = (int(told[part] or 0) for part in ("hour", "minute", "second"))
    if told["hour"] and not day:
        return None
    with suppress(ValueError, OverflowError):
        part = int((told["part"] or "").ljust(6, "0"))
        first = datetime(year, month or 1, day or 1, hour, minute, second, part)
        last = _last(first, told, month, day)
        if in_utc and told["zone"]:
            away = _distance(told["zone"])
            return Span(_moved(first, away), _moved(last, away))
        return Span(first, last)
    return None


def _last(first: datetime, told: dict[str, str | None], month: int, day: int) -> datetime:
    """The last moment of what begins there."""
    if not month:
        return first.replace(month=12, day=31, hour=23, minute=59, second=59, microsecond=999_999)
    if not day:
        day = monthrange(first.year, month)[1]
        return first.replace(day=day, hour=23, minute=59, second=59, microsecond=999_999)
    if told["part"]:
        length = timedelta(microseconds=10 ** (6 - len(told["part"])))
    elif told["second"]:
        length = timedelta(seconds=1)
    elif told["minute"]:
        length = timedelta(minutes=1)
    else:
        length = timedelta(hours=1) if told["hour"] else timedelta(days=1)
    return first + (length - timedelta(microseconds=1))


def _distance(zone: str) -> timedelta:
    """How far local time is ahead of UTC."""
    if zone[0] not in "+-":
        return timedelta(0)
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    away = timedelta(hours=hours, minutes=minutes) * (1 if zone[0] == "+" else -1)
    timezone(away)  # no zone is a day away
    return away


def _moved(moment: datetime, away: timedelta) -> datetime:
    """A moment in UTC; the calendar's first and last stay within it."""
    try:
        return moment - away
    except OverflowError:
        return datetime.min if away > timedelta(0) else datetime.max
