"""Where sentences end, and where they only seem to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcli.chunk import sentence_spans


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["It rains.", "It pours!", "Does it stop?", "No."],
        ["He said “Go.”", "They went."],
        ['She asked "Why?"', "Nobody knew."],
        ["It works (see below.)", "Then it stops."],
        ["It grew by 3.5 percent.", "In 2.4.1 it shrank."],
        ["Read the docs.[1][2]", "Then act. [3]", "Good."],
        ["**It is bold.**", "It is not."],
        ["Really?!", "Yes."],
    ],
)
def test_english_sentences(sentences: list[str]) -> None:
    assert split(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Smith met Mrs. Jones.",
        "Use a format, e.g. JSON, or another, i.e. YAML.",
        "J. R. R. Tolkien wrote it.",
        "See Fig. 3 and Eq. 4 in Vol. 2.",
        "It costs 3.50 euros at 10.30 a.m. every day.",
        "Edit config.toml or www.example.org/a.html now.",
        "Wait... there is more.",
        "Smith et al. found it.",
        "Smith et al. (2020) found it vs. Jones Inc. in court.",
        "Version v2.4.1 fixes E1043.",
    ],
)
def test_stops_that_end_no_sentence(sentence: str) -> None:
    assert split(sentence) == [sentence]
    assert split(f"{sentence} Then more.") == [sentence, "Then more."]


@pytest.mark.parametrize(
    "sentences",
    [
        ["今天下雨。", "明天呢？", "不知道！"],
        ["他说：“走吧。”", "他们走了。"],
        ["（见下文。）", "其他。"],
        ["第一点；", "第二点。"],
        ["増えた。", "減った。"],
        ["气温为3.5度。", "GPU很快。"],
        ["来源。[1]", "结束。"],
    ],
)
def test_chinese_and_japanese_sentences_need_no_space(sentences: list[str]) -> None:
    assert split("".join(sentences)) == sentences


def test_wrapped_lines_are_one_sentence() -> None:
    assert split("It is 330 metres\ntall and stands\nin Paris. It is old.") == [
        "It is 330 metres\ntall and stands\nin Paris.",
        "It is old.",
    ]


def test_blank_lines_end_a_sentence_without_a_stop() -> None:
    assert split("no stop here\n\nnor here\n \nend") == ["no stop here", "nor here", "end"]


def test_markdown_lines_stand_by_themselves() -> None:
    text = (
        "# Title\nFirst text\nwrapped.\n- one item\n- another\n  wrapped item\n1. numbered\n"
        "| a | b |\n| 1 | 2 |\n> quoted"
    )
    assert split(text) == [
        "# Title",
        "First text\nwrapped.",
        "- one item",
        "- another\n  wrapped item",
        "1. numbered",
        "| a | b |",
        "| 1 | 2 |",
        "> quoted",
    ]


def test_a_part_of_a_text_is_split_with_spans_of_the_whole() -> None:
    text = "Before. One here. Two here. After."
    start, end = text.index("One"), text.index(" After")
    spans = list(sentence_spans(text, start, end))
    assert [text[a:b] for a, b in spans] == ["One here.", "Two here."]
    assert spans[0][0] == start


@pytest.mark.parametrize("text", ["", " ", "\n\n \t"])
def test_nothing_but_white_space_has_no_sentence(text: str) -> None:
    assert split(text) == []


_FRAGMENTS = (
    '. ¦! ¦? ¦.¦。¦；¦… ¦...¦\n¦\n\n¦ ¦Dr. ¦e.g. ¦a¦A¦3.5¦[1]¦[12] ¦”¦"¦)¦'
    "# ¦- ¦1. ¦| x |\n¦| ¦```¦> ¦中文¦\t¦\u2028"
)
_BITS = st.sampled_from(_FRAGMENTS.split("¦"))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(_BITS, st.text(max_size=3)), max_size=25).map("".join))
def test_sentences_are_trimmed_in_order_and_leave_out_nothing_but_white_space(text: str) -> None:
    spans = list(sentence_spans(text))
    at = 0
    for start, end in spans:
        assert at <= start < end
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip()
        at = end
    assert not text[at:].strip()
