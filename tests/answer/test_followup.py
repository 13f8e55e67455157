"""Follow-ups made whole without an LLM."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.analyze import ENGLISH
from ragcli.answer.followup import joined, points_back
from ragcli.types import Turn

TURN = Turn(
    "How long does the hub keep hourly averages?",
    "How long does the hub keep hourly averages?",
    "“Hourly averages are kept for 730 days.” [1]",
    ("Hourly averages are kept for 730 days by the Perch hub.",),
)
WEIGHTS = {"hub": 1.0, "keep": 2.0, "hour": 5.0, "averag": 4.0, "perch": 3.0, "kept": 2.0, "day": 1.0}


@pytest.mark.parametrize(
    "question",
    [
        "How tall is it?",
        "What about its weight?",
        "Who made them?",
        "and daily averages of humidity?",
        "Why?",
        "What does this mean?",
        "How is that possible?",
        "Which one is the cheapest hub of all?",
        "它的高度是多少？",
        "他什么时候出生的？",
        "那保温帘的温度呢？",
        "还有湿度传感器的电池吗？",
        "这个传感器多少钱？",
    ],
)
def test_points_back(question: str) -> None:
    assert points_back(question, ENGLISH)


@pytest.mark.parametrize(
    "question",
    [
        "How long does the hub keep hourly averages?",
        "Is it possible to change the retention of readings?",
        "Is there a rule that closes the thermal screen at night?",
        "What other greenhouse sensors are supported besides temperature?",
        "温室的湿度传感器电池能用多久？",
        "其他温室的传感器电池能用多久？",
        "该吃什么药".replace("该吃什么药", "怎么连接无线传感器和主机？"),
    ],
)
def test_stands_alone(question: str) -> None:
    assert not points_back(question, ENGLISH)


def test_rare_words_and_names_are_taken_over() -> None:
    assert (
        joined("And daily ones?", TURN, WEIGHTS, ENGLISH) == "And daily ones? hub keep hourly averages Perch"
    )


def test_what_is_said_already_is_not_said_again() -> None:
    whole = joined("Are its hourly averages of the hub kept longer?", TURN, WEIGHTS, ENGLISH)
    assert whole == "Are its hourly averages of the hub kept longer? keep Perch"


def test_no_names_where_nothing_points_at_them() -> None:
    assert joined("And in winter?", TURN, WEIGHTS, ENGLISH) == "And in winter? hub keep hourly averages"


def test_chinese_words() -> None:
    turn = Turn("埃菲尔铁塔高多少米？", "埃菲尔铁塔高多少米？", "", ("埃菲尔铁塔高330米。",))
    whole = joined("它在哪里？", turn, {}, ENGLISH)
    assert "铁塔" in whole
    assert whole.startswith("它在哪里？ ")


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_whole_question_begins_with_what_was_asked(question: str, before: str) -> None:
    whole = joined(question, Turn(before, before, "", (before,)), {}, ENGLISH)
    assert whole.startswith(question.strip())
    assert len(set(whole[len(question.strip()) :].split())) <= 12


@pytest.mark.parametrize(
    ("before", "question", "whole"),
    [
        ("How long are camera stills kept?", "And the audit log?", "And the audit log? how long kept"),
        ("What does Trellis cost per year?", "What about Canopy?", "What about Canopy? what cost per year"),
        ("How long are camera stills kept?", "And in winter?", "And in winter? camera stills kept"),
    ],
)
def test_another_thing_takes_the_place_of_the_one_that_was_asked_about(
    before: str, question: str, whole: str
) -> None:
    weights = {"camera": 5.0, "still": 6.0, "kept": 2.0, "trelli": 6.0, "cost": 3.0, "per": 1.0, "year": 2.0}
    assert joined(question, Turn(before, before, ""), weights, ENGLISH) == whole
