"""Whether a source says what a sentence cites it for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcli.answer import check_citations, is_refusal
from ragcli.answer.evidence import Evidence, fold
from ragcli.prompt import NO_ANSWER, NO_ANSWER_ZH
from ragcli.sentences import sentence_spans

from .samples import CHINESE, CLIMATE, TOWER, make_hit, make_prompt

if TYPE_CHECKING:
    from ragcli.types import Citation

PROMPT = make_prompt()


def cited(text: str) -> tuple[Citation, ...]:
    return check_citations(text, PROMPT)[1]


def one(text: str) -> Citation:
    (citation,) = cited(text)
    return citation


@pytest.mark.parametrize(
    ("text", "quote", "lines"),
    [
        ("The Eiffel Tower was completed in 1889 [1].", "The Eiffel Tower was completed in 1889", (10, 10)),
        (
            "the eiffel   tower was *completed* in 1889. [1]",
            "The Eiffel Tower was completed in 1889",
            (10, 10),
        ),
        (
            "It is 330 metres tall and stands in Paris [1].",
            "It is 330 metres tall and\nstands in **Paris",
            (11, 12),
        ),
        ("- `It costs 15 euros` [1]", "It costs 15 euros", (14, 14)),
        ("1. It costs 15 euros.\n[1]", "It costs 15 euros", (14, 14)),
        ("The mean is -2.5 degrees[2].", "The mean is -2.5 degrees", (13, 13)),
        ("埃菲尔铁塔建成于1889年。[3]", "埃菲尔铁塔建成于1889年", (10, 10)),
        ("它高 330 米，\n位于巴黎【3】。", "它高330米，位于巴黎", (11, 11)),
        ('The guide says it "stands in Paris" proudly [1].', "stands in **Paris", (12, 12)),
        ("书上说「它高330米，位于巴黎」[3]。", "它高330米，位于巴黎", (11, 11)),
    ],
)
def test_word_for_word(text: str, quote: str, lines: tuple[int, int]) -> None:
    citation = one(text)
    assert (citation.quote, citation.lines, citation.verified) == (quote, lines, True)


@pytest.mark.parametrize(
    "text",
    [
        "The Eiffel Tower was completed in 1890 [1].",
        "The Eiffel Tower was not completed in 1889 [1].",
        "It costs 5 euros [1].",
        "5 euros [1].",
        "It costs 1 [1].",
        "2.5 degrees [2].",
        "It rains on 11 days a year [2].",
        "11 days a year [2].",
        "The mean is -2 [2].",
        "Paris [1].",
        "埃菲尔铁塔建成于1899年。[3]",
        "允许携带宠物[3]。",
        "30米，位于巴黎[3]。",
        "The Eiffel Tower was completed in 1889 [2].",
        'It says "the tower stands in London" of it [1].',
        'In 1999 it "stands in Paris" [1].',
        'It "stands in **Paris**" and "stands in the rain" [1].',
    ],
)
def test_what_is_altered_is_not_verified(text: str) -> None:
    assert not any(citation.verified for citation in cited(text))


def test_a_paraphrase_gets_the_nearest_sentence() -> None:
    citation = one("Paris has rain on some 111 days [2].")
    assert citation.quote == "It rains on 111 days a year."
    assert citation.lines == (12, 12)
    citation = one("铁塔在1889年建成[3]。")
    assert citation.quote == "埃菲尔铁塔建成于1889年。"


def test_nothing_shared_is_an_empty_quote() -> None:
    citation = one("Bananas grow upward [3].")
    assert (citation.quote, citation.verified, citation.lines) == ("", False, (10, 12))


def test_each_sentence_has_its_own_citations() -> None:
    printed, citations, invented, _ = check_citations(
        "The Eiffel Tower was completed in 1889 [1][9]. It rains on 111 days a year [2, 1]. Who knows?",
        PROMPT,
    )
    assert (
        printed
        == "The Eiffel Tower was completed in 1889 [1]. It rains on 111 days a year [2][1]. Who knows?"
    )
    assert [(c.n, c.verified) for c in citations] == [(1, True), (2, True), (1, False)]
    assert invented == (9,)


def test_two_quotations_from_two_sources() -> None:
    text = 'It "stands in Paris" where "it rains on 111 days" [1][2].'
    assert [(c.n, c.verified, c.quote) for c in cited(text)] == [
        (1, True, "stands in **Paris"),
        (2, True, "It rains on 111 days"),
    ]


def test_a_number_named_twice_in_a_sentence_is_one_citation() -> None:
    assert len(cited("The tower [1] stands in Paris [1].")) == 1


def test_pages_and_odd_lines_keep_the_lines_of_the_hit() -> None:
    evidence = Evidence.of(make_hit(TOWER, page=3, lines=None))
    assert evidence.lines(50, 60) is None
    evidence = Evidence.of(make_hit(TOWER, lines=(7, 7)))
    assert evidence.lines(50, 60) == (7, 7)


def test_no_citation_at_all() -> None:
    assert check_citations("Nothing.", PROMPT)[:3] == ("Nothing.", (), ())
    assert check_citations(" [1] ", PROMPT)[0] == "[1]"


def test_folding_keeps_the_way_back() -> None:
    folded = fold("A **b**\n c“d”\u3000塔 高 ẞ")
    assert folded.text == 'a b c"d"塔高ss'
    assert [("A **b**\n c“d”\u3000塔 高 ẞ")[i] for i in folded.at] == list(
        "A b\nc“d”塔高ẞẞ".replace("b\n", "b\n")
    )


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith met e.g. Mr. Jones. He left.", ["Dr. Smith met e.g. Mr. Jones.", "He left."]),
        ("It is 3.14 or so. Yes", ["It is 3.14 or so.", "Yes"]),
        ("A wrapped\nline. Next", ["A wrapped\nline.", "Next"]),
        ("# Head\nText here.\n\n- a b\n- c d", ["# Head", "Text here.", "- a b", "- c d"]),
        ("| a | b |\n| c | d |", ["| a | b |", "| c | d |"]),
        ("一句。二句！“三句？”四", ["一句。", "二句！", "“三句？”", "四"]),
        ("1. First one. Second.", ["1. First one.", "Second."]),
        ("Said. [1][2] Next [3].", ["Said. [1][2]", "Next [3]."]),
        ("说了。[1]再说", ["说了。[1]", "再说"]),
        ('He said "no." Then left', ['He said "no."', "Then left"]),
        ("  \n ", []),
        ("", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert [text[a:b] for a, b in sentence_spans(text)] == sentences


@pytest.mark.parametrize(
    "text",
    [
        NO_ANSWER,
        NO_ANSWER_ZH,
        NO_ANSWER.upper(),
        f"**{NO_ANSWER}**",
        f"{NO_ANSWER} [1]",
        "The provided sources do not contain information about this.",
        "The documents don’t mention it.",
        "The context does not explicitly say who won.",
        "I cannot answer this from the given context.",
        "I don't know.",
        "There is no relevant information on that.",
        "That is not mentioned in the provided documents.",
        "No information about this was found in the sources.",
        "资料中没有提到这个问题。",
        "根据所提供的资料，无法回答该问题。",
        "我不知道。",
        "來源中沒有相關資訊。",
        "文档未提及。",
    ],
)
def test_refusals(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It is 330 metres tall.",
        "The sources do not say why [2], but it rains on 111 days [2].",
        "The tower does not move.",
        "资料显示塔高330米。",
        "文档没有提到高度[1]。",
        TOWER,
        CLIMATE,
        CHINESE,
    ],
)
def test_no_refusals(text: str) -> None:
    assert not is_refusal(text)


NORMANS = """\
The Normans came from Denmark, Iceland and Norway in the 10th century. Their leader was Rollo.
Rollo agreed to swear fealty to King Charles III of West Francia in 911. The treaty was not written down.
About 1,200 people, five percent of them women, lived within 12 km of Rouen."""
ENGLISH_PROMPT = make_prompt(NORMANS, CLIMATE)


@pytest.mark.parametrize(
    "text",
    [
        "In 911, Rollo agreed to swear fealty to Charles III of West Francia [1].",
        "From Denmark, Iceland and Norway the Normans came in the tenth century [1].",
        "Rollo was the leader of the Normans [1].",
        "The treaty was never written down [1].",
        "1200 people lived within 12 kilometres of Rouen [1].",
        "5 % of the people were women [1].",
        "Five per cent of the 1 200 people were women [1].",
        "About １２００ people lived near Rouen [1].",
        "Rollo led from Norway the Normans, who knew rain on 111 days a year [1][2].",
    ],
)
def test_a_paraphrase_that_holds(text: str) -> None:
    citations = check_citations(text, ENGLISH_PROMPT).citations
    assert all(
        citation.verified and 0 < citation.support <= 1 and not citation.reason for citation in citations
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("In 912, Rollo agreed to swear fealty to Charles III of West Francia [1].", "number"),
        ("Rollo agreed to swear fealty to King Louis III of West Francia in 911 [1].", "name"),
        ("Rollo agreed to swear fealty to King Charles III of East Francia in 911 [1].", "name"),
        ("Rollo agreed to swear fealty to King Rollo of West Francia in 911 [1].", "name"),
        ("Rollo never agreed to swear fealty to King Charles III [1].", "negation"),
        ("The treaty was written down [1].", "negation"),
        ("About 1,200 people lived within 12 miles of Rouen [1].", "number"),
        ("About 12 people lived within 1,200 km of Rouen [1].", "number"),
        ("Five of the people were women [1].", "number"),
        ("The Normans grew apples, brewed cider and built stone bridges [1].", "words"),
        ('The treaty says "Rollo agreed to swear fealty to Charles" [1].', "quote"),
        ("‘Their leader was Ralph.’ [1]", "quote"),
    ],
)
def test_an_altered_paraphrase_and_why(text: str, reason: str) -> None:
    (citation,) = check_citations(text, ENGLISH_PROMPT).citations
    assert (citation.verified, citation.reason) == (False, reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("铁塔于一八八九年建成[3]。", ""),
        ("位于巴黎的铁塔高三百三十米[3]。", ""),
        ("游客允许携带宠物[3]。", "negation"),
        ("它高330米，位于伦敦[3]。", "name"),
        ("它高320米，位于巴黎[3]。", "number"),
    ],
)
def test_chinese_paraphrases(text: str, reason: str) -> None:
    citation = one(text)
    assert (citation.verified, citation.reason) == (not reason, reason)


def test_every_sentence_is_told_of() -> None:
    text = (
        "# Tower\n\nThe tower was completed in 1889 [1]. It is made of cheese. It is 999 metres tall [1].\n"
    )
    text += "\n```\nIt costs 15 euros\n```\n"
    sentences = check_citations(text, PROMPT).sentences
    assert [(s.text[:10], s.citations, s.verified, s.reason) for s in sentences] == [
        ("The tower ", (1,), True, ""),
        ("It is made", (), False, "uncited"),
        ("It is 999 ", (1,), False, "number"),
        ("```\nIt cos", (), True, ""),
    ]


VERIFIED = [
    "The Eiffel Tower was completed in 1889 [1].",
    "In 1889 the Eiffel Tower was completed [1].",
    "It is 330 metres tall and stands in Paris [1].",
    "It rains on 111 days a year [2].",
    "埃菲尔铁塔建成于1889年[3]。",
    "位于巴黎的它高330米[3]。",
]


@settings(deadline=None)
@given(st.sampled_from(VERIFIED), st.integers(0, 99), st.integers(1, 9))
def test_no_digit_of_a_verified_sentence_can_be_altered(text: str, place: int, step: int) -> None:
    assert one(text).verified
    body, _, cited = text.partition("[")
    digits = [at for at, char in enumerate(body) if char.isdigit()]
    at = digits[place % len(digits)]
    altered = body[:at] + str((int(body[at]) + step) % 10) + body[at + 1 :]
    assert not one(f"{altered}[{cited}").verified


PUMP = make_prompt(
    "Maria Lopez sold the company to Otto Brandt in 2004. The valve opens at 6.2 bar and closes at 4.8 bar. "
    "Patients under 12 years must take 5 mg daily; adults must take 20 mg daily. "
    "It must be returned at most 5 days later. The warranty lasts 24 months and covers the rotor. "
    "The warranty does not cover the seals. Run `kestrel start --dry-run`, then `kestrel stop --force`. "
    "阀门在6.2巴时打开，4.8巴时关闭。大人每天服用20毫克，儿童每天服用5毫克。保修期至少24个月。"
)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Otto Brandt sold the company to Maria Lopez in 2004 [1].", "name"),
        ("Maria Lopez bought the company from Otto Brandt in 2004 [1].", "negation"),
        ("The valve opens at 4.8 bar and closes at 6.2 bar [1].", "number"),
        ("Patients under 12 years must take 20 mg daily [1].", "number"),
        ("Patients over 12 years must take 5 mg daily [1].", "negation"),
        ("Adults must take 5 mg daily [1].", "number"),
        ("It must be returned at least 5 days later [1].", "negation"),
        ("The warranty lasts less than 24 months [1].", "number"),
        ("The warranty covers the rotor and the seals [1].", "negation"),
        ("It is false that the warranty lasts 24 months [1].", "negation"),
        ("Run `kestrel start --force` first [1].", "quote"),
        ("阀门在4.8巴时打开，6.2巴时关闭 [1]。", "number"),
        ("大人每天服用5毫克 [1]。", "number"),
        ("保修期至多24个月 [1]。", "negation"),
    ],
)
def test_what_is_turned_round_does_not_hold(said: str, reason: str) -> None:
    [sentence] = check_citations(said, PUMP).sentences
    assert (sentence.verified, sentence.reason) == (False, reason)


@pytest.mark.parametrize(
    "said",
    [
        "In 2004, Maria Lopez sold the company to Otto Brandt [1].",
        "The company was sold to Otto Brandt by Maria Lopez in 2004 [1].",
        "Adults must take 20 mg every day [1].",
        "Daily, patients under 12 years must take 5 mg [1].",
        "First run `kestrel start --dry-run` [1].",
        "儿童每天服用5毫克 [1]。",
    ],
)
def test_what_is_put_in_another_order_holds(said: str) -> None:
    [sentence] = check_citations(said, PUMP).sentences
    assert sentence.verified, sentence.reason


@pytest.mark.parametrize(
    "numbers", ["[1-99999]", "[1, 99999999999]", f"[{', '.join(map(str, range(1, 41)))}]"]
)
def test_numbers_never_sent_do_not_reach_the_answer(numbers: str) -> None:
    found = check_citations(f"The warranty lasts 24 months and covers the rotor {numbers}.", PUMP)
    assert found.text == "The warranty lasts 24 months and covers the rotor [1]."
    assert found.sentences[0].verified
    assert found.invented
