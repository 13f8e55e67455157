"""Budgets a minute, on a clock of the test's own."""

from __future__ import annotations

import threading

import pytest

from ragcli.service.rates import Rates, seconds_of


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def sent(rates: Rates, clock: Clock, tokens: int, seconds: float) -> int:
    """How many requests of so many tokens go out, asked for as often as one is let."""
    end, count = clock.now + seconds, 0
    while clock.now < end:
        wait = rates.ask(tokens)
        count += wait <= 0
        clock.now += max(wait, 0.001)
    return count


@pytest.mark.parametrize(
    ("rpm", "tpm", "expected"), [(60, None, 60), (None, 6000, 60), (600, 6000, 60), (60, 1e6, 60)]
)
def test_no_more_goes_out_in_a_minute_than_is_allowed_and_hardly_less(
    rpm: float | None, tpm: float | None, expected: int
) -> None:
    clock = Clock()
    assert expected * 0.97 <= sent(Rates(rpm, tpm, clock=clock), clock, 100, 60) <= expected + 2


def test_idle_seconds_are_made_up_for_up_to_ten() -> None:
    clock = Clock()
    rates = Rates(60, None, clock=clock)
    clock.now += 3600
    assert sent(rates, clock, 1, 0.5) == 10


def test_a_request_larger_than_ten_seconds_allow_goes_and_is_paid_off() -> None:
    clock = Clock()
    rates = Rates(None, 600, clock=clock)
    clock.now += 60
    assert rates.ask(500) == 0
    assert rates.ask(1) == pytest.approx(40, abs=0.2)


def test_a_pause_holds_everybody() -> None:
    clock = Clock()
    rates = Rates(clock=clock)
    rates.pause(5)
    rates.pause(2)
    assert rates.ask(1) == pytest.approx(5)
    clock.now += 5
    assert rates.ask(1) == 0


def test_what_was_refused_is_given_back_and_what_was_read_is_settled() -> None:
    clock = Clock()
    rates = Rates(None, 6000, clock=clock)
    assert rates.ask(100) == 0
    assert rates.ask(100) == pytest.approx(1)
    rates.give_back(100)
    assert rates.ask(100) == 0
    rates.settle(100, 300)
    assert rates.ask(100) == pytest.approx(3)


def test_headers_say_when_the_next_request_is_possible() -> None:
    clock = Clock()
    rates = Rates(clock=clock)
    told = {
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "100",
        "x-ratelimit-reset-tokens": "54s",
    }
    rates.heed(told, 50)
    assert rates.ask(50) == 0
    rates.heed(told, 400)  # 300 are lacking, and 900 come in 54 s
    assert rates.ask(400) == pytest.approx(18)


def test_headers_that_say_nonsense_hold_nobody() -> None:
    rates = Rates(clock=Clock())
    for limit, left, reset in (
        ("x", "0", "1s"),
        ("10", "-5", "1s"),
        ("10", "0", "soon"),
        ("0", "0", "1s"),
        ("nan", "0", "1s"),
    ):
        rates.heed({"x-ratelimit-limit-requests": limit, "x-ratelimit-remaining-requests": left,
                    "x-ratelimit-reset-requests": reset}, 1)  # fmt: skip
    assert rates.ask(1) == 0


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("1.5", 1.5),
        ("17ms", 0.017),
        ("1s", 1),
        ("6m0s", 360),
        ("1h2m3s", 3723),
        ("8.64s", 8.64),
        ("", None),
        ("x", None),
    ],
)
def test_durations_as_services_write_them(told: str, seconds: float | None) -> None:
    assert seconds_of(told) == (None if seconds is None else pytest.approx(seconds))


def test_who_waits_is_let_go_when_the_work_stops() -> None:
    rates, stop = Rates(60), threading.Event()
    rates.pause(3600)
    threading.Timer(0.1, stop.set).start()
    assert rates.take(1, stop) is False
