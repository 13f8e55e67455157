"""Which terms a text is found by, and that no text breaks the analyser."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcli.analyze import ENGLISH, MAX_TERM_LENGTH

analyze = ENGLISH

MANY = settings(max_examples=150, deadline=None)

# Fragments that meet in real texts; from single random letters their joints hardly ever arise.
_FRAGMENTS = (
    "word Word WORD École ÉTÉ ﬁ ß İ don't dog’s max_seq __init__ E1043 HTTPServer v2.4.1 1,234,567 C++ C# "
    "a.b@c.org --flag // ___ 2023年 杭州 北京大学生 的 ひら カナ 한국 ２０２３ Ｆｕｌｌ １，２３４ ™ ½ ﷺ "
    "𠮷 㐀㐀 😀 e\u0301 \u0301 \u200b \u00ad \u3000 \u2028 \x85 \xa0 \ud800 \x1c \t \n"
)
_BITS = st.sampled_from(_FRAGMENTS.split(" "))
TEXTS = st.lists(st.one_of(_BITS, st.text(max_size=5)), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("max_seq_length", ["max_seq_length", "max", "seq", "length"]),
        ("E1043", ["e1043", "1043"]),
        ("HTTPServer", ["httpserver", "http", "server"]),
        ("fooBarBaz", ["foobarbaz", "foo", "bar", "baz"]),
        ("snake_CASE", ["snake_case", "snake", "case"]),
        ("v2.4.1", ["v2.4.1", "2.4.1"]),
        ("bob.smith@example.org", ["bob.smith@example.org", "bob", "smith", "exampl", "org"]),
        ("src/models/user.py", ["src/models/user.py", "src", "model", "user", "py"]),
        ("__init__", ["__init__", "init"]),
        ("C++", ["c++", "c"]),
        ("C#", ["c#", "c"]),
        ("GPT-4", ["gpt-4", "gpt"]),
        ("1,234,567", ["1234567"]),
    ],
)
def test_identifiers_are_found_whole_and_by_their_parts(text: str, terms: list[str]) -> None:
    assert analyze(text) == terms


@pytest.mark.parametrize(
    "text", ["max_seq_length.", "(max_seq_length)", "the `max_seq_length`,", "**max_seq_length**"]
)
def test_punctuation_around_an_identifier_makes_no_difference(text: str) -> None:
    assert analyze(text) == analyze("max_seq_length")


def test_the_languages_c_cpp_and_csharp_are_told_apart() -> None:
    assert analyze("C++")[0] not in analyze("C# and C")
    assert analyze("C#")[0] not in analyze("C++ and C")


@pytest.mark.parametrize(
    ("one", "other"),
    [("indexing", "indexes"), ("Running", "run"), ("QUERIES", "query"), ("relational", "relation")],
)
def test_inflections_share_their_stem(one: str, other: str) -> None:
    assert analyze(one) == analyze(other) != []


@pytest.mark.parametrize(
    ("one", "other"), [("don't", "dont"), ("dog's", "dog"), ("dog’s", "dogs"), ("O’Brien", "O'Brien")]
)
def test_apostrophes(one: str, other: str) -> None:
    assert analyze(one) == analyze(other) != []


def test_stop_words_are_left_out_and_repeats_kept() -> None:
    assert analyze("The cat and the Cat of it") == ["cat", "cat"]
    assert analyze("what is the") == []
    assert analyze("是 的 了") == []


def test_words_that_carry_meaning_are_no_stop_words() -> None:
    assert analyze("vitamin C") == ["vitamin", "c"]
    assert analyze("up if off") == ["up", "if", "off"]


@pytest.mark.parametrize("word", ["École", "ÉCOLE", "école", "ecole", "Ecole", "e\u0301cole", "E\u0301COLE"])
def test_case_and_accents_make_no_difference(word: str) -> None:
    assert analyze(word) == analyze("ecole") == ["ecol"]


@pytest.mark.parametrize(
    ("one", "other"), [("Straße", "STRASSE"), ("Москва", "МОСКВА"), ("Über", "uber"), ("Σίσυφος", "ΣΊΣΥΦΟΣ")]
)
def test_case_folding_beyond_ascii(one: str, other: str) -> None:
    assert analyze(one) == analyze(other)
    assert len(analyze(one)) == 1


def test_accents_within_a_camel_case_name_cut_no_word() -> None:
    assert analyze("GetÉtatCivil") == ["getetatcivil", "get", "etat", "civil"]


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("ＧＰＵ　Ｍｅｍｏｒｙ", "GPU Memory"),
        ("２０２３", "2023"),
        ("ｶﾀｶﾅ", "カタカナ"),
        ("ﬁle", "file"),
        ("１，２３４", "1,234"),
    ],
)
def test_full_width_and_other_compatibility_forms_are_folded(wide: str, narrow: str) -> None:
    assert analyze(wide) == analyze(narrow) != []


def test_chinese_gives_dictionary_words_and_bigrams() -> None:
    terms = analyze("北京大学生前来应聘")
    assert {"北京", "大学", "大学生", "应聘"} <= set(terms)
    assert {"京大", "生前", "来应"} <= set(terms), "bigrams that are no dictionary words"
    assert len(terms) == len(set(terms)), "a bigram that is a word counts once"


def test_without_the_net_chinese_gives_words_alone() -> None:
    assert analyze.words("北京大学生前来应聘") == [("北京",), ("大学生",), ("前来",), ("应聘",)]


@pytest.mark.parametrize("query", ["杭州", "2023", "2023年", "年"])
def test_digits_beside_han_stay_apart(query: str) -> None:
    document = set(analyze("计划于2023年杭州举办"))
    assert set(analyze(query)) <= document
    assert analyze(query) != []


def test_latin_words_beside_han_stay_apart() -> None:
    assert {"gpu", "显存"} <= set(analyze("使用GPU显存"))


def test_kana_and_hangul_become_bigrams() -> None:
    assert analyze("カタカナ") == ["カタ", "タカ", "カナ"]
    assert analyze("한국어") == ["한국", "국어"]
    assert analyze("ア") == ["ア"]
    assert analyze("東京タワー") == ["東京", "タワ", "ワー"]


def test_a_name_the_dictionary_does_not_know_is_still_found() -> None:
    assert set(analyze("煋燚")) & set(analyze("作者煋燚写道"))


def test_endless_words_are_cut_to_a_head_that_still_finds_them() -> None:
    for endless in ("x" * 1000, "㐀" * 1000, "a_" * 500 + "a"):
        terms = analyze(f"before {endless} after")
        assert max(map(len, terms)) <= MAX_TERM_LENGTH
        assert set(analyze(endless)) <= set(terms)


@pytest.mark.parametrize("text", ["", " \n\t", "...", "___", "😀", "\ud800", "-- // ++"])
def test_texts_without_words_have_no_terms(text: str) -> None:
    assert analyze(text) == []


@MANY
@given(TEXTS)
def test_terms_are_what_a_white_space_tokenizer_gives_back(text: str) -> None:
    terms = analyze(text)
    assert " ".join(terms).split() == terms
    assert all(0 < len(term) <= MAX_TERM_LENGTH for term in terms)


@MANY
@given(TEXTS, TEXTS, TEXTS)
def test_a_document_holds_every_term_of_a_query_that_stands_in_it(
    before: str, query: str, after: str
) -> None:
    assert set(analyze(query)) <= set(analyze(f"{before} {query} {after}"))
    assert analyze(f"{before} {query}") == analyze(before) + analyze(query)


@MANY
@given(st.text("aeirstéèüñçøžабвλμσ", min_size=2, max_size=8))
def test_upper_case_and_title_case_change_no_word(word: str) -> None:
    assert analyze(word.upper()) == analyze(word)
    assert analyze(word.title()) == analyze(word)
