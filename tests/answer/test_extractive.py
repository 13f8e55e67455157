"""An answer without an LLM: what is quoted, in which order, and how it is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ragcli.analyze import ENGLISH
from ragcli.answer.extractive import extract
from ragcli.budget import Estimate
from ragcli.prompt import build_prompt
from ragcli.types import Answer, Hit

from .samples import make_hit


def quote(question: str, *hits: Hit) -> Answer:
    """The answer over hits, with every word of the question as rare as another, and no model."""
    hits = tuple(replace(hit, rank=n, id=f"h{n}", score=1.0) for n, hit in enumerate(hits, 1))
    prompt = build_prompt(question, hits, budget=100_000, count=Estimate())
    weights = {term: 1.0 for forms in ENGLISH.words(question) for term in forms}
    return extract(prompt, hits, weights, lambda texts: [0.0] * len(texts), trust=0.0)


def hit(text: str, path: str = "a.md", **more: object) -> Hit:
    return make_hit(text, path=path, lines=(1, 1 + text.count("\n")), **more)  # type: ignore[arg-type]


def test_quotes_are_slices_of_their_source() -> None:
    answer = quote("How tall is the tower?", hit("It rains.\n\nThe tower is 330 metres\ntall. It is old."))
    [citation, *_] = answer.citations
    assert citation.quote in citation.hit.text
    assert "“The tower is 330 metres tall." in answer.text
    assert citation.lines == (3, 4)


def test_reading_order() -> None:
    # The best source is the end of the document that the third is the beginning of.
    end = replace(hit("The pump is drained in October and never filled.", "a.md"), span=(500, 548))
    other = hit("Nobody drained or filled the pump of the other garden.", "b.md")
    begin = replace(hit("The pump is filled in May and drained when it snows.", "a.md"), span=(0, 52))
    text = quote("When is the pump filled and drained?", end, other, begin).text
    assert text.index("filled in May") < text.index("drained in October")
    assert "Nobody" not in text or text.index("Nobody") > text.index("drained in October")


def test_what_two_documents_say_is_quoted_once_and_cites_both() -> None:
    answer = quote(
        "How long are readings kept?",
        hit("Readings are kept for 730 days.", "a.md"),
        hit("Readings are kept for 30 days.", "c.md"),
        hit("The readings are kept for 730 days.", "b.md"),
    )
    assert "“Readings are kept for 730 days.” [1][3]" in answer.text
    assert [one.quote for one in answer.citations if one.n == 3] == ["The readings are kept for 730 days."]
    # Another number is another statement.
    assert "“Readings are kept for 30 days.” [2]" in answer.text


def test_a_negation_is_another_statement() -> None:
    answer = quote(
        "Are pets allowed?", hit("Pets are allowed.", "a.md"), hit("Pets are not allowed.", "b.md")
    )
    assert answer.text.splitlines() == ["“Pets are allowed.” [1]", "“Pets are not allowed.” [2]"]


def test_what_announces_a_list_is_quoted_with_it() -> None:
    text = "Bees fly.\n\nThe parts of the pump are these:\n\n- a valve\n- a rotor\n- two seals\n\nAll of them wear out."
    [citation] = quote("What are the parts of the pump?", hit(text)).citations
    assert citation.quote.startswith("The parts of the pump are these:")
    assert citation.quote.endswith("- two seals")


def test_overlapping_chunks_are_quoted_once() -> None:
    text = "Readings are kept for 730 days."
    assert quote("How long are readings kept?", hit(text), hit(text)).text.count("730") == 1


def test_a_sentence_that_refers_to_the_one_before_brings_it_along() -> None:
    text = "Ada Byrne founded the station. She was born in 1871 in Cork. Bees are insects."
    answer = quote("When was Ada Byrne born?", hit(text))
    assert "“Ada Byrne founded the station. She was born in 1871 in Cork.” [1]" in answer.text


LEASE = (
    "There is an important difference between a lease and a licence. Many ask for the difference between them. "
    "A lease gives the room to one person for a fixed term. Rent is due on the first of the month. "
    "A licence only lets somebody in, and ends at any time."
)


@pytest.mark.parametrize(
    ("question", "text", "told"),
    [
        ("What is the difference between a lease and a licence?", LEASE, ["for a fixed term", "lets somebody in"]),
        ("How does a lease differ from a licence?", LEASE, ["for a fixed term", "lets somebody in"]),
        ("租赁和许可有什么区别？", "租赁和许可有很大的区别。租赁使人独占房屋。租金每月支付。许可只允许人进入房屋。",
         ["租赁使人独占房屋。", "许可只允许人进入房屋。"]),
    ],
)  # fmt: skip
def test_of_two_things_it_is_quoted_what_each_is(question: str, text: str, told: list[str]) -> None:
    quotes = " ".join(citation.quote for citation in quote(question, hit(text)).citations)
    assert all(words in quotes for words in told)
    assert not any(words in quotes for words in ("Rent", "租金"))


def test_of_two_things_of_which_one_is_not_told_nothing_is_made() -> None:
    text = "A lease and a licence differ. A lease gives the room to one person for a fixed term. Rent is due."
    [citation] = quote("What is the difference between a lease and a licence?", hit(text)).citations
    assert citation.quote == "A lease and a licence differ."


def test_no_more_than_three_sentences() -> None:
    text = " ".join(f"The pump number {n} was filled in {1990 + n}." for n in range(9))
    answer = quote("When was the pump filled?", hit(text))
    assert 1 <= answer.text.count("was filled") <= 3


def test_a_row_of_a_table_has_its_head() -> None:
    table = "| Plan | Price |\n|---|---|\n| Basic | 5 euros |\n| Pro | 12 euros |"
    answer = quote("What is the price of the Pro plan?", hit(table))
    assert answer.text.startswith("Plan | Price: “Pro | 12 euros” [1]")
    lead = replace(hit("| Pro | 12 euros |"), lead="| Plan | Price |\n|---|---|")
    assert "Plan | Price: “Pro | 12 euros” [1]" in quote("What is the price of the Pro plan?", lead).text


def test_a_column_without_a_name_keeps_its_place() -> None:
    table = "| | Seedling | Trellis |\n|---|---|---|\n| Price a year | free | 480 euros |\n| | none | ten |"
    assert (
        "– | Seedling | Trellis: “Price a year | free | 480 euros” [1]"
        in quote("What is the price of Trellis a year?", hit(table)).text
    )


def test_program_text_tells_nobody_who_or_when() -> None:
    text = "# Glass\n\n```sh\nwget glass/ceo.tar\n```\n\nThe CEO of Glass is Ines Moreau.\n"
    answer = quote("Who is the CEO of Glass?", hit(text))
    assert "Ines Moreau" in answer.text
    assert "wget" not in answer.text


def test_list_items_have_what_announces_them() -> None:
    steps = "".join(f"- Wait for {n} hours\n" for n in range(2, 8))
    text = f"To drain it:\n\n{steps}- Open the lower valve of the pump\n"
    answer = quote("Which valve of the pump is opened?", hit(text))
    assert "To drain it: “Open the lower valve of the pump” [1]" in answer.text


BRANCHES = """- Main branch
  - open on Monday from nine to six
  - closed on Sunday
- Harbour branch
  - open on Monday from one to eight
  - open on Sunday from ten to two"""


@pytest.mark.parametrize("before", ["Our libraries are open as follows.", "Libraries:"])
def test_an_item_of_an_item_is_told_with_it(before: str) -> None:
    text = quote("Is the main branch open on Sunday?", hit(f"{before}\n\n{BRANCHES}")).text
    lines = text.splitlines()
    [at] = [n for n, line in enumerate(lines) if "closed on Sunday" in line]
    labels = [line.partition("“")[0] for line in lines[: at + 1]]
    assert [label for label in labels if label][-1].endswith("Main branch: ")
    for line in lines:
        assert "Main branch”" not in line
        assert "Harbour branch”" not in line
        assert not ("ten to two" in line and "Main" in line)


def test_equal_items_of_two_others_are_told_apart() -> None:
    text = "- 白面包\n  - 烤箱 220 度，烤 35 分钟\n- 黑麦面包\n\t- 烤箱 240 度，烤 40 分钟"
    answer = quote("黑麦面包烤多少分钟？", hit(text)).text
    assert "黑麦面包: “烤箱 240 度，烤 40 分钟”" in answer
    assert "“黑麦面包”" not in answer


def test_a_heading_ends_what_items_stand_under() -> None:
    text = "- Main branch\n  - closed on Sunday\n\n# Harbour\n\n  - open on Sunday from ten to two"
    answer = quote("When is it open on Sunday?", hit(text)).text
    assert "ten to two" in answer
    assert "Main branch: “open" not in answer
    assert "Main branch: “closed" in answer or "closed" not in answer


def test_an_item_that_says_something_is_quoted_though_others_stand_under_it() -> None:
    text = "- The harbour branch has moved to Mill Lane.\n  - the bus stops there"
    assert (
        "“The harbour branch has moved to Mill Lane.”"
        in quote("Where is the harbour branch?", hit(text)).text
    )


def test_a_few_words_above_a_paragraph_are_its_heading() -> None:
    page = "Tax\n\nLevy\n\nA charge raised for one purpose only.\n\nRebate\n\nMoney paid back."
    assert quote("What is a levy?", hit(page)).text == "Levy: “A charge raised for one purpose only.” [1]"
    board = "Opening hours\n\nMonday 9-18\n\nSunday closed"
    assert "“Monday 9-18”" in quote("When is it open on Monday?", hit(board)).text


def test_terms_of_a_list_are_told_apart() -> None:
    terms = (
        "frobnicator\n  A machine that turns nuts left.\ngrommet\n  A ring that protects a cable.\n"
        "Never glue it.\nspindle\n  The axis on which it turns"
    )
    assert quote("What is a grommet?", hit(terms)).text == "“grommet A ring that protects a cable.” [1]"
    assert quote("What is a spindle?", hit(terms)).text == "“spindle The axis on which it turns” [1]"


def test_a_line_that_is_wrapped_is_not_cut() -> None:
    text = "  The tower in the park\nis 330 metres tall and\nwas built in a year."
    assert (
        "tower in the park is 330 metres tall and was built"
        in quote("How tall is the tower?", hit(text)).text
    )


def test_code_is_left_as_it_is() -> None:
    code = '```sh\nfor f in *.db; do\n    restore "$f"\ndone\n```'
    assert code in quote("How do I restore the db?", hit(f"# Restore\n\nBees fly.\n\n{code}\n")).text


def test_the_heading_is_shown_where_the_sentence_leaves_it_out() -> None:
    answer = quote("How deep is the Amber Lake?", hit("## Amber Lake\n\nIt is 40 metres deep.\n\nBees fly."))
    assert "Amber Lake: “It is 40 metres deep.” [1]" in answer.text


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("水塔是什么时候建成的？", "水塔于1931年完工"),
        ("水塔由谁设计？", "设计者是李明"),
        ("水塔在哪里？", "水塔位于城北"),
        ("水塔有多少层？", "水塔共有七层"),
        ("水塔为什么停用？", "因为漏水，水塔停用了"),
    ],
)
def test_chinese_questions_of_each_kind(question: str, answer: str) -> None:
    text = (
        "水塔很有名。水塔于1931年完工。水塔的设计者是李明。水塔位于城北。水塔共有七层。因为漏水，水塔停用了。"
    )
    assert answer in quote(question, hit(text)).text


def test_nothing_to_quote() -> None:
    answer = quote("What?", hit("# Only a heading"))
    assert (answer.answered, answer.text, answer.citations) == (False, "", ())
