"""Whether a source says what a sentence cites it for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragcli.answer import check_citations, is_refusal
from ragcli.answer.evidence import Evidence, fold
from ragcli.chunk import sentence_spans
from ragcli.prompt import NO_ANSWER, NO_ANSWER_ZH

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
    printed, citations, invented = check_citations(
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
    assert check_citations("Nothing.", PROMPT) == ("Nothing.", (), ())
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
