"""Counting and placing the tokens of the default model, and noticing what it cannot read."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcli.embed.models import find_model, open_tokenizer
from ragcli.settings import DEFAULT_MODEL
from ragcli.tokens import FastTokenizer


@cache
def minilm() -> FastTokenizer:
    tokenizer = open_tokenizer(find_model(DEFAULT_MODEL))
    assert tokenizer is not None
    return tokenizer


def test_counts_leave_special_tokens_out() -> None:
    assert minilm().counts(["hello world", "", "tokenization", "3.14"]) == [2, 0, 2, 3]
    assert minilm().special_tokens == 2


def test_counts_are_not_cut_at_the_models_limit_nor_padded() -> None:
    assert minilm().counts(["word " * 5000, "word"]) == [5000, 1]


def test_spans_say_where_each_token_stands() -> None:
    text = "Tokenization, naïve 杭州 😀!"
    assert [text[a:b] for a, b in minilm().spans(text)] == [
        "Token",
        "ization",
        ",",
        "naïve",
        "杭",
        "州",
        "😀",
        "!",
    ]


@settings(max_examples=100)
@given(st.text(max_size=60))
def test_spans_ascend_within_the_text(text: str) -> None:
    spans = minilm().spans(text)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert [start for start, _ in spans] == sorted(start for start, _ in spans)
    assert len(spans) <= minilm().counts([text])[0]


def test_english_is_covered_whole() -> None:
    assert minilm().coverage(["The quick brown fox of 1,234 antidisestablishmentarians."]) == [1.0]


def test_an_empty_text_counts_as_covered() -> None:
    assert minilm().coverage(["", " \n"]) == [1.0, 1.0]


def test_chinese_is_hardly_covered() -> None:
    (share,) = minilm().coverage(["游客不允许携带宠物进入景区"])
    assert share < 0.5


def test_coverage_is_the_share_of_words_that_are_known() -> None:
    assert minilm().coverage(["two of 饕餮"]) == [pytest.approx(0.5)]


def test_long_and_short_texts_in_a_batch_do_not_influence_each_other() -> None:
    texts = ["a b c", "饕餮", "", "x" * 300]
    assert minilm().coverage(texts) == [minilm().coverage([text])[0] for text in texts]
    assert minilm().counts(texts) == [minilm().counts([text])[0] for text in texts]


def test_words_that_the_model_cannot_read_are_left_out_of_what_it_is_given() -> None:
    assert minilm().known(["two of 饕餮 here"])[0].split() == ["two", "of", "here"]


def test_readable_texts_and_texts_of_nothing_known_stay_as_they_are() -> None:
    texts = ["Plain  English,\tkept.", "饕餮", "", " "]
    assert minilm().known(texts) == texts


@settings(deadline=None, max_examples=150)
@given(st.lists(st.text(max_size=60) | st.just("温度 ☃☃ naïve word " * 30), max_size=6), st.integers(4, 40))
def test_ids_of_known_words_are_those_of_the_texts_without_the_others(texts: list[str], limit: int) -> None:
    tokenizer = minilm()
    assert tokenizer.encoded_known(texts, limit) == tokenizer.encoded(tokenizer.known(texts), limit)
