"""What is streamed: the same however it is cut, plain, and without invented citations."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcli.answer import answer_with, check_citations
from ragcli.answer.marks import Citing, cited_numbers
from ragcli.answer.screen import Plain, Thoughts, one_line
from ragcli.prompt import NO_ANSWER, NO_ANSWER_ZH

from .samples import make_prompt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ragcli.types import Prompt

PROMPT = make_prompt()


@dataclass
class Scripted:
    """Says what it is told to."""

    pieces: tuple[str, ...]
    name: str = "scripted"
    truncated: bool = False
    usage: Mapping[str, int] = field(default_factory=lambda: {"total_tokens": 3})

    def stream(self, prompt: Prompt) -> Iterator[str]:
        assert prompt is PROMPT
        yield from self.pieces


ODD = st.text(
    st.sampled_from(list("[]【】［］0123456789,;-–、 \t\n`abT.。!\x1b\x07\x9b\x9d\\m;?é塔<>/^&\u200b\ud800"))
    | st.characters(),
    max_size=60,
)
SNIPPETS = st.sampled_from(
    [
        "[1]",
        "[9]",
        " [2, 7]",
        "[1-3]",
        "【8】",
        "<think>",
        "</think>",
        "\x1b[31m",
        "\x1b]0;t\x07",
        "``",
        "```",
        "[[9]7]",
        "[Source 9]",
    ]
)
ANSWERS = st.lists(ODD | SNIPPETS, max_size=8).map("".join)
ANY_CITATION = re.compile(r"[\[【［]\s*\^?\s*(?:source)?\s*\d{1,3}\s*[\]】］]", re.IGNORECASE)


def cut(text: str, places: list[int]) -> tuple[str, ...]:
    borders = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return tuple(text[a:b] for a, b in pairwise(borders))


def streamed(*pieces: str) -> tuple[str, str]:
    out: list[str] = []
    answer = answer_with(Scripted(pieces), PROMPT, [], out.append)
    return "".join(out), answer.text


@settings(deadline=None)
@given(ANSWERS, st.lists(st.integers(0, 10_000), max_size=30))
def test_the_same_text_however_it_is_cut(text: str, places: list[int]) -> None:
    whole = streamed(text)
    assert streamed(*cut(text, places)) == whole
    assert streamed(*text) == whole
    assert whole[0].strip() == whole[1]


@settings(deadline=None)
@given(ANSWERS)
def test_nothing_a_terminal_obeys_gets_through(text: str) -> None:
    printed, _ = streamed(text)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", printed)


@settings(deadline=None)
@given(ANSWERS.map(lambda text: text.replace("`", "")))
def test_no_invented_citation_gets_through(text: str) -> None:
    printed, _ = streamed(text)
    for found in ANY_CITATION.findall(printed):
        assert int("".join(filter(str.isdigit, found))) in (1, 2, 3)


@settings(deadline=None)
@given(ANSWERS)
def test_only_sent_numbers_are_cited(text: str) -> None:
    printed, citations, invented, _ = check_citations(text, PROMPT)
    assert {citation.n for citation in citations} <= {1, 2, 3}
    assert not {1, 2, 3} & set(invented)
    for citation in citations:
        assert citation.quote in citation.hit.text
        assert citation.quote or not citation.verified
    assert printed == printed.strip()


@settings(deadline=None)
@given(st.text(max_size=80))
def test_plain_text_is_left_alone(text: str) -> None:
    clean = Plain().feed(text)
    assert Plain().feed(clean) == clean


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("a\x1b[31;1mred\x1b[0m", "ared"),
        ("a\x1b]8;;http://x\x07link\x1b]8;;\x1b\\b", "alinkb"),
        ("a\x1bP1$q\x1b\\b", "ab"),
        ("a\x9b2Jb\x9d0;t\x9cc", "abc"),
        ("a\x1b(Bb\x1bcd", "abd"),
        ("a\x1b]0;never ended\nb", "a\nb"),
        ("a\x1b[3\x1b[4mb", "ab"),
        ("a\r\nb\x00\x08\x7f\tc", "a\nb\tc"),
        ("a\u202eb\u2066c\ufeff\U000e0041d", "abcd"),
        ("塔é👩\u200d🔬", "塔é👩\u200d🔬"),
        ("a\x1b[31塔", "a塔"),
    ],
)
def test_sequences(raw: str, plain: str) -> None:
    assert Plain().feed(raw) == plain
    one = Plain()
    assert "".join(map(one.feed, raw)) == plain


@pytest.mark.parametrize(
    ("raw", "rest"),
    [
        ("  <think>hm [1]</think>\n\nYes", "Yes"),
        ("<think></think>Yes", "Yes"),
        ("<think>hm", ""),
        ("<thin", "<thin"),
        ("<thing> x", "<thing> x"),
        ("Yes <think>no</think>", "Yes <think>no</think>"),
    ],
)
def test_thoughts(raw: str, rest: str) -> None:
    for pieces in ((raw,), tuple(raw)):
        thoughts = Thoughts()
        assert "".join(map(thoughts.feed, pieces)) + thoughts.close() == rest


@pytest.mark.parametrize(
    ("raw", "printed", "invented"),
    [
        ("A [1].", "A [1].", []),
        ("A [9].", "A.", [9]),
        ("A [1, 9].", "A [1].", [9]),
        ("A [1][2] B", "A [1][2] B", []),
        ("A [1-3].", "A [1][2][3].", []),
        ("A [2–4].", "A [2][3].", [4]),
        ("塔【1】。", "塔[1]。", []),
        ("塔【1、3】。", "塔[1][3]。", []),
        ("塔［１］。", "塔[1]。", []),
        ("A [1; 2 and 3].", "A [1][2][3].", []),
        ("A [^2] [Source 3] [来源 1]", "A [2] [3] [1]", []),
        ("A [1 2]", "A [1][2]", []),
        ("In [2024] and [a] and [1, b]", "In [2024] and [a] and [1, b]", []),
        ("`row[7]` and ```\nx[8]\n``` [7]", "`row[7]` and ```\nx[8]\n```", [7]),
        ("an ` alone\nA [9]", "an ` alone\nA", [9]),
        ("[[9]7]", "[…7]", [9]),
        ("[1\n]", "[1\n]", []),
        ("A [1", "A [1", []),
        ("A [0] [9] [8] [9]", "A", [0, 9, 8]),
        ("[link](http://x) [x]: y", "[link](http://x) [x]: y", []),
        ("[" + "1, " * 12 + "9]", "[1]", [9]),
    ],
)
def test_citations_are_written_one_way(raw: str, printed: str, invented: list[int]) -> None:
    for pieces in ((raw,), tuple(raw)):
        citing = Citing({1, 2, 3})
        assert "".join(map(citing.feed, pieces)) + citing.close() == printed
        assert citing.invented == invented
        assert [printed[m.start : m.end] for m in citing.marks] == [
            "".join(f"[{n}]" for n in m.numbers) for m in citing.marks
        ]


def test_text_is_held_back_no_longer_than_needed() -> None:
    citing = Citing({1})
    assert citing.feed("The [") == "The"
    assert citing.feed("note") == ""
    assert citing.feed("]") == " [note]"
    assert citing.feed(" [" + "x" * 41) == " [" + "x" * 41
    assert citing.feed(" [9") == ""
    assert citing.feed("]!") == "!"
    assert citing.close() == ""


def test_ranges() -> None:
    assert cited_numbers("1-3, 2, 7") == (1, 2, 3, 7)
    assert cited_numbers("3-1") == (3, 1)


@pytest.mark.parametrize(
    "text", ["", "   \n", NO_ANSWER, NO_ANSWER_ZH, "It is 330 metres tall.", "It is tall [9]."]
)
def test_what_is_not_supported_is_not_answered(text: str) -> None:
    notes: list[str] = []
    answer = answer_with(Scripted((text,)), PROMPT, [], lambda _: None, note=notes.append)
    assert not answer.answered
    assert answer.citations == ()
    assert answer.llm == "scripted"
    assert answer.usage == {"total_tokens": 3}
    assert answer.question == PROMPT.question
    if text.startswith("It is"):
        assert answer.text.startswith("It is")
        assert "cites none" in notes[-1]
    if "[9]" in text:
        assert answer.text == "It is tall."
        assert notes[0] == "left out citations of sources never sent: 9"


def test_notes_say_what_a_reader_should_know() -> None:
    notes: list[str] = []
    text = "It is 330 metres tall [1]." + "".join(f"[{n}]" for n in range(10, 20))
    answer = answer_with(Scripted((text,), truncated=True), PROMPT, [], lambda _: None, note=notes.append)
    assert answer.answered
    assert notes == [
        "left out citations of sources never sent: 10, 11, 12, 13, 14 …",
        "the answer ends at the model's limit of tokens",
    ]


@pytest.mark.parametrize("part", [" ", "[", ".", "` ", "[1] ", "a. ", "A. ", "[9]", "1,", "\x1b]"])
def test_a_long_answer_that_is_no_prose_comes_to_its_end(part: str) -> None:
    shown, kept = streamed("[" + part * (20_000 // len(part)) + "x")
    assert shown.strip() == kept
    assert shown.startswith("[")
    assert "\x1b" not in shown


def test_the_room_opens_without_its_furniture() -> None:
    code = (
        "import sys, ragcli.answer, ragcli.prompt, ragcli.budget;"
        "sys.exit(sorted({'openai', 'httpx', 'httpx2', 'tiktoken'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_line() -> None:
    assert one_line("a\x1b[31m\n b\tc") == "a b c"
    assert len(one_line("x" * 999)) == 200


STRICT = """\
# Rain

It rains on 111 days a year [2][1]. It never snows [2].
It is made of cheese. The mean is -2.5 degrees [2]."""


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_strict_drops_what_is_not_confirmed(size: int) -> None:
    told: list[str] = []
    notes: list[str] = []
    pieces = tuple(STRICT[at : at + size] for at in range(0, len(STRICT), size))
    answer = answer_with(Scripted(pieces), PROMPT, [], told.append, note=notes.append, strict=True)
    assert answer.text == "# Rain\n\nIt rains on 111 days a year [2].\nThe mean is -2.5 degrees [2]."
    assert "".join(told) == answer.text
    assert len(told) == 2
    assert answer.answered
    assert [(citation.n, citation.verified) for citation in answer.citations] == [(2, True), (2, True)]
    assert notes == ["2 sentences were left out: the sources do not confirm them"]


def test_strict_with_nothing_left() -> None:
    told: list[str] = []
    answer = answer_with(Scripted(("It never snows [2].",)), PROMPT, [], told.append, strict=True)
    assert (answer.text, answer.answered, answer.citations, told) == ("", False, (), [])
    answer = answer_with(Scripted((NO_ANSWER,)), PROMPT, [], told.append, strict=True)
    assert (answer.text, answer.answered, told) == (NO_ANSWER, False, [NO_ANSWER])


def test_each_sentence_is_judged_right_behind_its_last_piece() -> None:
    shown: list[str] = []
    answer_with(
        Scripted(tuple("It rains on 111 days. It is 330 metres tall [1]. Who knows?")), PROMPT, [], shown.append,
        on_sentence=lambda sentence: shown.append("(+)" if sentence.verified else "(-)"),
    )  # fmt: skip
    assert "".join(shown) == "It rains on 111 days.(-) It is 330 metres tall [1].(+) Who knows?(-)"
