"""What a service asks for is granted; otherwise the waits grow."""

from __future__ import annotations

import threading
from collections.abc import Generator
from datetime import UTC, datetime

import pytest

from ragcli.errors import ModelUnavailable
from ragcli.service.feed import Silence, feed
from ragcli.service.patience import Patience, Setback, asked_wait, back_off

NOW = datetime(2026, 11, 21, 7, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Sat, 21 Nov 2026 07:28:20 GMT"}, 20.0),
        ({"retry-after": "Sat, 21 Nov 2026 07:00:00 GMT"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "soon"}, 0.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "inf"}, 0.0),
        ({"retry-after": "nan"}, 0.0),
    ],
)
def test_what_is_asked(headers: dict[str, str], seconds: float) -> None:
    assert asked_wait(headers, NOW) == seconds


def test_the_waits_grow_with_jitter_above_the_half() -> None:
    for failures in range(1, 12):
        full = min(60.0, 2.0 ** (failures - 1))
        assert all(full / 2 <= back_off(failures) <= full for _ in range(20))


def test_patience_ends() -> None:
    waits: list[float] = []
    patience = Patience(sleep=waits.append)
    patience.bear(Setback("slow", 3.0))
    patience.bear(Setback("slow", 4.0))
    with pytest.raises(ModelUnavailable, match=r"^slow$"):
        patience.bear(Setback("slow", 5.0))
    assert waits == [3.0, 4.0]
    with pytest.raises(ModelUnavailable, match=r"^no use$"):
        Patience(sleep=waits.append).bear(Setback("no use"))


def test_a_source_that_never_gives_is_cut_and_its_error_is_nobodys() -> None:
    cut = threading.Event()

    def waits() -> Generator[str, None, None]:
        yield ""
        cut.wait(30)
        raise OSError("cut")

    with pytest.raises(Silence):
        list(feed(waits, cut.set, first=0.1))
    assert cut.is_set()


def test_what_a_source_raises_is_raised_after_what_it_gave() -> None:
    def breaks() -> Generator[str, None, None]:
        yield "a"
        raise OSError("broke")

    pieces = feed(breaks, lambda: None)
    assert next(pieces) == "a"
    with pytest.raises(OSError, match="broke"):
        next(pieces)
