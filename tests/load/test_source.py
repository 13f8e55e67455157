from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.load import language_of
from ragcli.load.source import clean, inline

from .support import check_places


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a\r\nb\nc", "a\nb\nc"),
        ("old\rMac", "old\nMac"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x07link\x1b]8;;\x1b\\ end", "link end"),
        ("\x9b31mred", "red"),
        ("a\0b\x07c\x7fd", "abcd"),
        ("user\u202etxt.exe\u2066\u2069", "usertxt.exe"),
        ("\ufeffstart", "start"),
        ("soft\xadhyphen", "softhyphen"),
        ("e\u0301", "é"),
        ("\ud800x", "\ufffdx"),
        ("tab\tkept", "tab\tkept"),
        ("page\x0cbreak", "page\nbreak"),
        ("zero\u200djoiner", "zero\u200djoiner"),
    ],
)
def test_clean(raw: str, text: str) -> None:
    assert clean(raw).text == text


def test_lines_are_those_that_grep_counts() -> None:
    source = clean("one\r\ntwo\x0cstill two\nprogress 1%\rprogress 2%\nfour")
    assert source.text.split("\n") == ["one", "two", "still two", "progress 1%", "progress 2%", "four"]
    assert list(source.numbers) == [1, 2, 2, 3, 3, 4]
    places = source.places(1)
    rest = source.text.split("\n", 1)[1]
    assert [places.at(rest.index(word)) for word in ("two", "still", "progress 2", "four")] == [2, 2, 3, 4]


@given(st.text(st.characters()))
def test_clean_is_safe_and_idempotent(raw: str) -> None:
    source = clean(raw)
    assert not [c for c in source.text if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]
    assert unicodedata.is_normalized("NFC", source.text)
    assert clean(source.text).text == source.text
    assert len(source.numbers) == source.text.count("\n") + 1
    check_places(source.places())


def test_inline_is_one_line() -> None:
    assert inline(" a\n\tb\x1b[0m ") == "a b"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The index remembers how it was made and says so when asked.", "en"),
        ("索引记得它是如何建立的。", "zh"),
        ("索引 index 记得", "zh"),
        ("これは日本語の文章です。", "ja"),
        ("她在日本以艺名「あおい」出道，后来在台湾举办了多场演唱会，并且出版了三张专辑。", "zh"),
        ("이것은 한국어 문장입니다.", "ko"),
        ("Der Schlüssel liegt unter der Matte vor unserem Haus", "und"),
        ("Привет, мир", "und"),
        ("12345 !?", "und"),
        ("", "und"),
        ("The word 你好 is a greeting that is used in China and it is common.", "en"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language
