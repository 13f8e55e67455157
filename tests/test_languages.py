"""Words of other languages than English: their stems, what is elided, their scripts, and mixtures."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcli.analyze import ENGLISH, MAX_TERM_LENGTH, Analyzer
from ragcli.errors import UsageError

MANY = settings(max_examples=150)
_CODES = (
    "ar ca cs da de el en eo es et eu fa fi fr ga hi hu hy id it lt ne nl no pl pt ro ru sr st sv ta tr yi"
)
_BITS = (
    "l'école d’accord dell'arte Häuser STRASSE Straße книги हिन्दी الكِتاب İstanbul'da dog’s max_seq v2.4.1 "
    "fooBar C++ 北京大学 한국 e\u0301 \u0301 a\u0323b ' _'x qu'"
)
TEXTS = st.lists(st.one_of(st.sampled_from(_BITS.split()), st.text(max_size=5)), max_size=8).map(" ".join)


@pytest.mark.parametrize("names", [None, "", "en", "english", "EN, zh", "zh,ja,ko"])
def test_english_is_what_there_is_without_a_choice(names: str | None) -> None:
    assert Analyzer.of(names) is ENGLISH
    assert "en" not in ENGLISH.form, "an index does not tell apart a choice that changes nothing"


def test_the_terms_of_english_texts_are_those_that_the_quality_figures_were_measured_with() -> None:
    text = (
        "The hub's relational queries (HTTPServer, E1043) aren't cached; naïve École straße, v2.4.1 of "
        "max_seq_length: книги l'école d'accord 北京大学 カタカナ."
    )
    assert ENGLISH(text) == [
        "hub", "relat", "queri", "httpserver", "http", "server", "e1043", "1043", "arent", "cach", "naiv",
        "ecol", "strass", "v2.4.1", "2.4.1", "max_seq_length", "max", "seq", "length", "книги", "lecol",
        "daccord", "北京", "大学", "北京大学", "京大", "カタ", "タカ", "カナ",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("de", "Häuser", "Haus"),
        ("de", "STRASSEN", "Straße"),
        ("fr", "nationales", "national"),
        ("fr", "l'école", "écoles"),
        ("fr", "D’ACCORD", "accord"),
        ("fr", "qu'aujourd'hui", "aujourd’hui"),
        ("it", "dell'arte", "arte"),
        ("ca", "l'escola", "escoles"),
        ("es", "canciones", "canción"),
        ("pt", "livros", "livro"),
        ("ru", "книгами", "КНИГА"),
        ("ru", "ёлки", "ЕЛКА"),
        ("el", "δρόμος", "ΔΡΟΜΟΥ"),
        ("ar", "الكِتاب", "كتاب"),
        ("hi", "किताबें", "किताब"),
        ("tr", "KİTAPLARI", "kitap"),
        ("tr", "Ankara'nın", "ankara"),
        ("sr", "књиге", "knjiga"),
        ("nb", "husene", "hus"),
        ("german", "Häusern", "haus"),
    ],
)
def test_inflections_share_their_stem(language: str, one: str, other: str) -> None:
    analyze = Analyzer.of(language)
    assert analyze(one) == analyze(other)
    assert len(analyze(one)) == 1


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "der die das und für in"),
        ("fr", "le la du à"),
        ("es", "el y con para"),
        ("it", "nella e per"),
        ("nl", "het van een"),
        ("pt", "às ou na"),
        ("ru", "и в на чтобы"),
    ],
)
def test_words_that_say_nothing_are_left_out(language: str, text: str) -> None:
    assert Analyzer.of(language)(text) == []


def test_accents_tell_endings_apart_and_are_away_afterwards() -> None:
    assert Analyzer.of("fr")("mangé") == Analyzer.of("fr")("mangées") == ["mang"]
    assert Analyzer.of("de")("schön") == ["schon"]


def test_several_languages_give_the_distinct_stems_of_each_in_its_own_script() -> None:
    both = Analyzer.of("de,en")
    assert both == Analyzer.of("en, de") == Analyzer.of("German,english,de")
    assert set(both("Häuser")) == {"haus", "hauser"}
    assert both("hotel") == ["hotel"]
    assert both("The houses and die Häuser") == [*both("houses"), *both("Häuser")]
    assert Analyzer.of("en,ru")("книги books") == ["книг", "book"]
    assert Analyzer.of("ru")("books") == ENGLISH("books")


@pytest.mark.parametrize("names", ["de,en", "fr,ru,zh", "tr"])
def test_identifiers_and_chinese_are_as_they_are_in_english(names: str) -> None:
    text = "HTTP E1043 v2.4.1 max_seq C++ 北京大学 カタカナ"
    assert set(ENGLISH(text)) <= set(Analyzer.of(names)(text))
    assert Analyzer.of(names)("dog's") == Analyzer.of(names)("dog")


def test_a_word_of_a_question_is_one_word_however_many_stems_it_has() -> None:
    assert Analyzer.of("de,en").words("die Häuser, foo_bar") == [
        ("haus", "hauser"), ("foo_bar",), ("foo",), ("bar",),
    ]  # fmt: skip
    assert len(Analyzer.of("en,fr").words("l'école d'aujourd'hui")) == 2


def test_an_unknown_language_is_told_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"'klingon'.*de german.*ru russian"):
        Analyzer.of("en,klingon")
    with pytest.raises(UsageError, match="porter"):
        Analyzer.of("porter")


def test_other_languages_have_another_form() -> None:
    assert len({Analyzer.of(names).form for names in ("en", "de", "de,en", "fr")}) == 4


@MANY
@given(st.sampled_from(_CODES.split()), TEXTS)
def test_terms_are_what_a_white_space_tokenizer_gives_back(code: str, text: str) -> None:
    terms = Analyzer.of(code)(text)
    assert " ".join(terms).split() == terms
    assert all(0 < len(term) <= MAX_TERM_LENGTH for term in terms)


@MANY
@given(st.sampled_from(["de", "en,fr", "ar,hi,it", "tr"]), TEXTS, TEXTS)
def test_a_document_holds_every_term_of_a_query_that_stands_in_it(
    names: str, before: str, query: str
) -> None:
    analyze = Analyzer.of(names)
    assert set(analyze(query)) <= set(analyze(f"{before} {query}"))
    assert {stem for stems in analyze.words(query) for stem in stems} <= set(analyze(query))
