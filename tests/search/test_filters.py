"""Filters: what a condition means for a document."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, tzinfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ragcli.errors import UsageError
from ragcli.search import Facts, choose, parse_filters

FACTS = Facts(
    "notes/2026/May plan.md", "notes/2026/May plan.md", None, "The plan", "markdown", "en", "2026-05-17T08:00:00+00:00",
    {"Author": "Ada Lovelace", "draft": False, "pages": 12, "date": "2026-05-20", "price": "9.50"},
)  # fmt: skip
RECORD = Facts(
    "c.jsonl#7", "/data/c.jsonl", "7", "", "jsonl", "zh", "2025-01-01T00:00:00+00:00", {"tag": "x"}
)


def holds(*words: str, facts: Facts = FACTS) -> bool:
    return all(condition.holds(facts) for condition in parse_filters(words))


@pytest.mark.parametrize(
    "word",
    [
        "path=notes/**", "path=2026/*.md", "path=*.md", "path=notes/", "path=/notes/2026/*",
        "ext=md", "ext=.md", "extension=txt,md", "language=EN", "lang=en,zh", "format=markdown", "title=the plan",
        "title=the*", "document=notes/2026/May plan.md",
        "date=2026", "date=2026-05", "date=2026-05-20", "date>=2026-05", "date<=2026-05", "date<2026-06",
        "date>2026-05-19", "modified=2026-05-17", "modified<2026-05-18",
        "author=ada lovelace", "AUTHOR=Ada*", "metadata.author=*love*", "draft=false", "pages=12", "pages>=12",
        "pages<12.5", "price>9", "price<10", "price=9.50", "author!=Bob", "missing!=x", " pages > 3 ", "author>Aaa",
    ],
)  # fmt: skip
def test_what_holds(word: str) -> None:
    assert holds(word)


@pytest.mark.parametrize(
    "word",
    [
        "path=other/**", "path=*.txt", "path=/2026/*", "ext=m", "language=zh", "format=pdf", "title=plan",
        "date=2025", "date>2026-05", "date<2026-05-20", "modified>=2026-05-18", "author=ada", "draft=true",
        "pages=1", "pages>12", "price>10", "author!=Ada Lovelace", "missing=x", "missing>1", "record=7",
    ],
)  # fmt: skip
def test_what_does_not_hold(word: str) -> None:
    assert not holds(word)


def test_a_record_of_a_collection_has_its_number_and_the_files_path() -> None:
    assert holds("record=7", "ext=jsonl", "tag=x", "path=/data/*.jsonl", "path=c.jsonl", facts=RECORD)
    assert holds("date=2025-01-01", facts=RECORD), "without a date of its own, when it was changed"


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ("modified>2026-05-17T09:30+02:00", True),  # 07:30 in UTC
        ("modified>2026-05-17T07:30-02:00", False),  # 09:30 in UTC
        ("modified<2026-05-17T09:30:00+02:00", False),
        ("modified=2026-05-17T10:00+02:00", True),
        ("modified=2026-05-17 08:00", True),
        ("modified=2026-05-17T08", True),
        ("modified>=2026-05-17T08:00:00Z", True),
        ("modified>2026-05-17T08:00:00.000", False),
        ("date=2026-05-17", True),  # the day as it was written
        ("date>=2026-05-16T22:30:00Z", True),
        ("date<=2026-05-16T22:30:00Z", True),
        ("date>0001-01-01T00:00+05:00", True),
    ],
)
def test_a_time_is_compared_wherever_it_was_told(condition: str, met: bool) -> None:
    written = replace(FACTS, metadata={"date": "2026-05-17T00:30:00+02:00"})
    assert holds(condition, facts=written) == met


def dated(date: str) -> Facts:
    return replace(FACTS, metadata={"date": date})


@pytest.mark.parametrize(
    "written",
    [
        "2026-05-17", "2026-05-17T08:00Z", "2026-05-17t08:00:00z", "2026/5/17", "2026.05.17", "20260517T080000Z",
        "2026年5月17日", "2026 年 5 月 17 日", "17.05.2026", "17. 5. 2026", "May 17, 2026", "17 May 2026",
        "17th May 2026", "Sun, 17 May 2026 08:00:00 +0200", "Sunday, May 17th, 2026",
        "17-May-2026", "2026-05-17 08:00:00.123456", "2026-05-17T00:30:00+02:00",
    ],
)  # fmt: skip
def test_a_day_is_the_same_however_it_is_written(written: str) -> None:
    facts = dated(written)
    for met in (
        "date=2026-05-17",
        "date=2026-05",
        "date>=2026-05-17",
        "date<=2026",
        "date>2026-05-16",
        "date<2026-05-18",
    ):
        assert holds(met, facts=facts), met
    for unmet in (
        "date=2026-05-18",
        "date=2025",
        "date>2026-05-17",
        "date<2026-05-17",
        "date>=2026-06",
        "date<=2026-04",
    ):
        assert not holds(unmet, facts=facts), unmet


@pytest.mark.parametrize("written", ["20260517", 20260517, 2026])
def test_a_date_of_digits_alone_is_no_number(written: str | int) -> None:
    facts = replace(FACTS, metadata={"date": written})
    assert all(holds(f"date{each}", facts=facts) for each in ("=2026", "<=2026", ">=2026", ">2025", "<2027"))
    assert not any(
        holds(f"date{each}", facts=facts) for each in ("=2025", "<2026", ">2026", ">=2027", "<=2025")
    )


@pytest.mark.parametrize(
    "written", ["soon", "May", "31.31.2026", "2026-02-30", "99 May 2026", "20261", "2026-W21", ""]
)
def test_what_is_no_date_lies_nowhere(written: str) -> None:
    for operator in ("<", "<=", ">", ">=", "="):
        assert not holds(f"date{operator}2026-05", facts=dated(written))
        assert not holds(f"date{operator}2026-05-17T08:00Z", facts=dated(written))


@pytest.mark.parametrize(("found", "wanted"), [
    ("2026-05-17", "2026-05-17T00:00"), ("2026-05-17T08:00Z", "2026-05-17T08:00:00Z"),
    ("2026-05-17T08:00:00Z", "2026-05-17T08:00:00.0"), ("2026-05-17T10:00+02:00", "2026-05-17T08"),
])  # fmt: skip
def test_a_date_told_less_exactly_is_the_moment_it_begins(found: str, wanted: str) -> None:
    facts = dated(found)
    assert [holds(f"date{operator}{wanted}", facts=facts) for operator in ("<", "<=", "=", ">=", ">")] == [
        False, True, True, True, False,
    ]  # fmt: skip


@given(
    st.text("0123456789-/.:TZ年月日+ MayJunof,", max_size=30),
    st.sampled_from(["2026", "2026-05", "2026-05-17T08Z"]),
)
def test_any_text_lies_before_within_or_after_a_date_or_nowhere(found: str, wanted: str) -> None:
    facts = dated(found)
    before, within, after = (holds(f"date{operator}{wanted}", facts=facts) for operator in "<=>")
    assert before + within + after <= 1
    assert holds(f"date<={wanted}", facts=facts) == (before or within)
    assert holds(f"date>={wanted}", facts=facts) == (within or after)


@given(st.datetimes(), st.datetimes(), st.timezones(), st.timezones())
def test_times_are_in_the_order_in_which_they_were(
    one: datetime, other: datetime, here: tzinfo, there: tzinfo
) -> None:
    first, second = one.replace(microsecond=0, tzinfo=here), other.replace(microsecond=0, tzinfo=there)
    try:
        later = first.astimezone(UTC).replace(tzinfo=None) > second.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        return
    facts = replace(FACTS, modified=first.astimezone(UTC).isoformat())
    offset = second.isoformat()
    assume(len(offset) == len("2026-05-17T08:00:00+00:00"))  # no seconds in the distance
    assert holds(f"modified>{offset}", facts=facts) == later


def test_all_of_several_hold() -> None:
    assert holds("ext=md", "pages>3")
    assert not holds("ext=md", "pages>30")


@pytest.mark.parametrize("word", ["", "path", "=x", "path=", "path==", "a b=c", ">3"])
def test_what_is_no_filter(word: str) -> None:
    with pytest.raises(UsageError, match="KEY=VALUE"):
        choose(parse_filters([word]), [FACTS]) if word != "path==" else parse_filters(["path"])


def test_a_field_that_no_document_has_is_told_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"colour: no document has this field; there are path.*author.*tag"):
        choose(parse_filters(["colour=red"]), [FACTS, RECORD])
    assert choose(parse_filters(["tag=x"]), [FACTS, RECORD]) == {"c.jsonl#7"}
    assert choose(parse_filters(["tag!=x"]), [FACTS, RECORD]) == {"notes/2026/May plan.md"}


@given(st.text(max_size=30), st.sampled_from(["=", "!=", ">", ">=", "<", "<="]), st.text(max_size=30))
def test_any_text_is_a_filter_or_told_to_be_none(key: str, operator: str, value: str) -> None:
    try:
        filters = parse_filters([f"{key}{operator}{value}"])
    except UsageError:
        return
    for facts in (FACTS, RECORD):
        assert filters[0].holds(facts) in (True, False)
