"""Chunks: what holds for every document, and what a reader expects of some."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragcli.types import Chunk, Document, PlaceMap

from .documents import DOCUMENTS, check, code, cut, heading, items, make_document, minilm, paragraph, table

SOME = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
SIZES = st.integers(8, 60)

# Ten sentences of 9 tokens each, every one of them recognisable.
NAMES = "Alpha Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliet"
SENTENCES = [f"{name} went to the market at noon today." for name in NAMES.split()]
PROSE = " ".join(SENTENCES)


def sentences_in(text: str) -> list[str]:
    return [sentence for sentence in SENTENCES if sentence in text]


# -- of every document ---------------------------------------------------------------------------------


@SOME
@given(DOCUMENTS, SIZES)
def test_no_word_is_cut_that_fits_into_a_chunk(document: Document, size: int) -> None:
    text = document.text
    for chunk in cut(document, size):
        end = chunk.end
        if end == len(text) or text[end - 1].isspace() or text[end].isspace():
            continue
        if max(text[end - 1], text[end]) >= "\u2e80" or text[end - 1] == "…":
            continue  # Han and kana need no spaces, nor do the marks that end their sentences.
        first = end - len(text[:end].split()[-1])
        word = text[first:].split(maxsplit=1)[0]
        if len(word) <= 100:
            assert minilm().counts([word])[0] > size - size // 2, f"{word!r} is cut before {text[end:]!r}"


@SOME
@given(DOCUMENTS, SIZES)
def test_equal_ids_mean_equal_chunks_whatever_else_changed(document: Document, size: int) -> None:
    one = {chunk.id: replace(chunk, ordinal=0) for chunk in cut(document, size)}
    for chunk in cut(document, size + 7, 3):
        if chunk.id in one:
            assert replace(chunk, ordinal=0) == one[chunk.id]


def test_a_word_without_end_is_cut() -> None:
    document = make_document(paragraph("Begin " + "x" * 100_000 + " end."))
    chunks = cut(document, 254)
    assert max(len(chunk.text) for chunk in chunks) <= 254 * 16 + 256
    assert "".join(chunk.text for chunk in chunks).count("x") == 100_000


# -- headings ------------------------------------------------------------------------------------------


def test_the_heading_path_names_the_sections_around_a_passage() -> None:
    chunks = cut(
        make_document(
            heading("Guide"),
            paragraph(PROSE),
            heading("Install", 2),
            paragraph(PROSE),
            heading("On Linux", 3),
            paragraph(PROSE),
            heading("Use", 2),
            paragraph(PROSE),
            title="Handbook",
        ),
        size=130,
    )
    assert [chunk.heading for chunk in chunks] == [
        ("Guide",),
        ("Guide", "Install"),
        ("Guide", "Install", "On Linux"),
        ("Guide", "Use"),
    ]
    assert chunks[2].context == "Handbook\nGuide\nInstall", "its own heading stands in the text"
    assert chunks[2].embedded_text.startswith("Handbook\nGuide\nInstall\n### On Linux\n\nAlpha")


def test_a_later_chunk_of_a_section_is_told_its_heading() -> None:
    first, *later = cut(make_document(heading("Market"), paragraph(PROSE), title="Report"), size=60)
    assert first.context == "Report"
    assert later
    assert {chunk.context for chunk in later} == {"Report\nMarket"}


def test_a_title_that_is_also_the_heading_is_said_once() -> None:
    chunks = cut(make_document(heading("Market"), paragraph(PROSE), title="Market"), size=60)
    assert [chunk.embedded_text.count("Market") for chunk in chunks] == [1] * len(chunks)


def test_a_heading_with_nothing_under_it_joins_the_section_that_follows() -> None:
    chunks = cut(make_document(heading("Guide"), heading("Install", 2), paragraph(PROSE)), size=120)
    assert len(chunks) == 1
    assert chunks[0].heading == ("Guide", "Install")


def test_a_bare_heading_joins_what_follows_and_not_the_small_section_before() -> None:
    document = make_document(
        heading("Before", 2),
        paragraph("Short."),
        heading("Guide", 2),
        heading("Install", 3),
        paragraph(PROSE),
    )
    before, after = cut(document, size=125)
    assert before.text == "## Before\n\nShort."
    assert after.text.startswith("## Guide\n\n### Install\n\nAlpha")


@pytest.mark.parametrize("size", [24, 40, 60, 130])
def test_no_chunk_ends_with_a_heading(size: int) -> None:
    parts = [
        part for n in range(6) for part in (heading(f"Part {n}", 2), paragraph(" ".join(SENTENCES[: n + 2])))
    ]
    for chunk in cut(make_document(heading("All"), *parts), size=size):
        assert not chunk.text.splitlines()[-1].startswith("#"), chunk.text


def test_tiny_sections_are_put_together() -> None:
    parts = [part for n in range(6) for part in (heading(f"Q{n}", 2), paragraph(f"Answer {n}."))]
    (chunk,) = cut(make_document(heading("Questions"), *parts), size=254)
    assert chunk.heading == ("Questions",)
    assert "## Q0" in chunk.text
    assert "Answer 5." in chunk.text


def test_sections_of_some_length_stay_apart() -> None:
    parts = [part for n in range(3) for part in (heading(f"Q{n}", 2), paragraph(PROSE))]
    assert [chunk.heading for chunk in cut(make_document(*parts), size=254)] == [("Q0",), ("Q1",), ("Q2",)]


def test_a_long_title_and_path_leave_room_for_the_text() -> None:
    document = make_document(
        heading(PROSE), paragraph(PROSE), heading(PROSE + " Zulu", 2), paragraph(PROSE), title=PROSE * 3
    )
    for chunk in cut(document, size=64):
        assert chunk.tokens <= 64
        assert minilm().counts([chunk.context])[0] <= 16
        assert minilm().counts([chunk.text])[0] > 8 or chunk.text.endswith("today.")


@pytest.mark.parametrize(
    "title", ["한국어 소개", "北京大学生前来应聘的故事", "x" * 400, "a-b" * 40, "Ünïcödé " * 9, "😀" * 9]
)
@pytest.mark.parametrize("size", [8, 12, 40])
def test_titles_of_any_script_fit(title: str, size: int) -> None:
    document = make_document(heading(title), paragraph(PROSE), title=f"{title} {title}")
    check(document, cut(document, size), size, 0)


def test_a_long_title_keeps_whole_words() -> None:
    document = make_document(
        paragraph("Text."), title="Annual report of the international commission on whaling"
    )
    (chunk,) = cut(document, size=16)
    assert chunk.context == "Annual report of the"


# -- where cuts fall -------------------------------------------------------------------------------------


def test_cuts_fall_between_paragraphs_where_they_can() -> None:
    document = make_document(
        paragraph(" ".join(SENTENCES[:4])),
        paragraph(" ".join(SENTENCES[4:7])),
        paragraph(" ".join(SENTENCES[7:])),
    )
    chunks = cut(document, size=60)
    assert [sentences_in(chunk.text) for chunk in chunks] == [SENTENCES[:4], SENTENCES[4:]], "not even ones"


def test_cuts_within_a_paragraph_fall_between_sentences_and_evenly() -> None:
    chunks = cut(make_document(paragraph(PROSE)), size=60)
    assert list(chain.from_iterable(sentences_in(chunk.text) for chunk in chunks)) == SENTENCES
    assert [len(sentences_in(chunk.text)) for chunk in chunks] == [5, 5], "no full chunk followed by a scrap"


def test_a_table_is_cut_between_rows_alone() -> None:
    rows = [f"| row {n} | the value of row {n} is {n * 1.5} |" for n in range(30)]
    chunks = cut(make_document(table("\n".join(rows))), size=64)
    assert len(chunks) > 3
    assert list(chain.from_iterable(chunk.text.split("\n") for chunk in chunks)) == rows


@pytest.mark.parametrize("size", [40, 60, 90])
def test_a_term_of_a_list_stays_with_what_is_said_of_it(size: int) -> None:
    lines = [f"Term {n}\n  {' '.join(SENTENCES[: 1 + n % 3])}" for n in range(20)]
    chunks = cut(make_document(items("\n".join(lines))), size=size)
    assert len(chunks) > 3
    for chunk in chunks:
        assert chunk.text.startswith("Term "), "what is said of a term is cut off from it"
        assert not chunk.text.split("\n")[-1].startswith("Term "), "a term is left alone"


def test_an_item_with_too_much_under_it_is_cut_between_items_and_nothing_is_lost() -> None:
    lines = ["- all of them", *(f"  - {sentence}" for sentence in SENTENCES)]
    chunks = cut(make_document(items("\n".join(lines))), size=40)
    assert len(chunks) > 2
    assert list(chain.from_iterable(chunk.text.split("\n") for chunk in chunks)) == lines


def test_code_is_cut_between_lines_alone_and_keeps_its_indentation() -> None:
    lines = [f"{'    ' * (n % 3)}total_{n} = compute(total, factor={n}); check. Now" for n in range(30)]
    document = make_document(code("\n".join(lines)))
    chunks = cut(document, size=64)
    assert len(chunks) > 3
    assert list(chain.from_iterable(chunk.text.split("\n") for chunk in chunks)) == lines


def test_numbers_and_identifiers_are_not_cut() -> None:
    words = [f"max_seq_length_{n} 12,345.{n} 2024-05-{n + 10}" for n in range(30)]
    chunks = cut(make_document(paragraph(" ".join(words))), size=40)
    assert " ".join(chunk.text for chunk in chunks).split() == " ".join(words).split()


def test_a_word_after_much_text_is_not_cut_for_being_long() -> None:
    long = "-".join(["part"] * 10)  # 19 tokens of 30
    (first, second) = cut(
        make_document(
            paragraph(f"one two three four five six seven eight nine ten eleven twelve thirteen {long}")
        ),
        size=30,
    )
    assert first.text.endswith("thirteen")
    assert second.text == long


def test_chinese_is_cut_at_sentences() -> None:
    sentences = [f"第{n}个学生从北京来到杭州，他说：“这里很好。”" for n in range(12)]
    chunks = cut(make_document(paragraph("".join(sentences))), size=60)
    assert len(chunks) > 3
    assert all(chunk.text.startswith("第") and chunk.text.endswith("”") for chunk in chunks)


@pytest.mark.parametrize("size", range(16, 24))
def test_a_chunk_begins_with_no_closing_mark_and_ends_with_no_opening_one(size: int) -> None:
    endless = "，".join(["北京", "“杭州”大学"] * 40)
    for chunk in cut(make_document(paragraph(endless)), size=size):
        assert chunk.text[0] not in "，”"
        assert chunk.text[-1] != "“"


def test_a_word_longer_than_a_chunk_is_cut_and_nothing_of_it_lost() -> None:
    word = "-".join(f"{n:03}" for n in range(200))
    chunks = cut(make_document(paragraph(f"before {word} after")), size=32)
    assert "".join("".join(chunk.text.split()) for chunk in chunks) == f"before{word}after"


# -- overlap -----------------------------------------------------------------------------------------------


def overlaps(chunks: list[Chunk], text: str) -> list[str]:
    return [text[after.start : before.end] for before, after in pairwise(chunks)]


def test_overlap_repeats_whole_sentences() -> None:
    document = make_document(paragraph(PROSE))
    chunks = cut(document, size=45, overlap=20)
    assert len(chunks) > 2
    for repeated in overlaps(chunks, document.text):
        assert repeated in PROSE
        assert repeated.strip() == " ".join(sentences_in(repeated)), "whole sentences"
    assert any(overlaps(chunks, document.text))
    check(document, chunks, 45, 20)


def test_an_overlap_too_short_for_a_sentence_repeats_nothing() -> None:
    document = make_document(paragraph(PROSE))
    assert cut(document, size=45, overlap=5) == cut(document, size=45)


def test_overlap_does_not_reach_into_another_section() -> None:
    document = make_document(heading("One"), paragraph(PROSE), heading("Two"), paragraph(PROSE))
    chunks = cut(document, size=120, overlap=60)
    assert [chunk.text.split("\n")[0] for chunk in chunks] == ["# One", "# Two"]


# -- the rest ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "overlap"), [(7, 0), (0, 0), (-5, 0), (64, 64), (64, 65), (64, -1)])
def test_impossible_sizes_are_refused(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match=str(size)):
        cut(make_document(paragraph("Text.")), size, overlap)


def test_an_empty_document_has_no_chunks() -> None:
    assert cut(make_document(), size=64) == []


def test_chunks_know_their_lines_and_pages() -> None:
    document = make_document(heading("One"), paragraph(PROSE), heading("Two"), paragraph("Alpha\nbeta."))
    paged = replace(document, lines=None, pages=PlaceMap((0, document.text.index("# Two")), (3, 4)))
    assert [(chunk.lines, chunk.page) for chunk in cut(document, 120)] == [((1, 3), None), ((5, 8), None)]
    assert [(chunk.lines, chunk.page) for chunk in cut(paged, 120)] == [(None, 3), (None, 4)]


def test_ids_tell_documents_titles_and_places_apart() -> None:
    one = make_document(paragraph("Text."), name="a.md")
    shifted = make_document(paragraph("Text."), name="a.md", title="Other")
    elsewhere = make_document(paragraph("Text."), name="b.md")
    moved = replace(one, lines=PlaceMap((0,), (9,)))
    ids = [cut(document, 64)[0].id for document in (one, shifted, elsewhere, moved)]
    assert len(set(ids)) == 4
    assert all(len(name) == 16 and int(name, 16) >= 0 for name in ids)


def test_a_change_at_the_end_leaves_the_ids_before_it() -> None:
    before = cut(make_document(heading("One"), paragraph(PROSE), heading("Two"), paragraph(PROSE)), 120)
    after = cut(
        make_document(heading("One"), paragraph(PROSE), heading("Two"), paragraph(PROSE + " More.")), 120
    )
    assert before[0].id == after[0].id
    assert before[1].id != after[1].id


def test_a_long_sentence_is_cut_after_a_clause() -> None:
    clauses = [f"then station {name} was told of it by wire" for name in NAMES.split()]
    texts = [chunk.text for chunk in cut(make_document(paragraph(f"First {', '.join(clauses)}.")), size=40)]
    assert len(texts) > 2
    assert all(text.endswith((",", ".")) for text in texts), texts


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("カタログとテーブルとデータベースを" * 20, ["カタログ", "テーブル", "データベース"]),
        ("共有三千四百五十六人与二千三百四十五人" * 20, ["三千四百五十六", "二千三百四十五"]),
        ("北京有2300万人和1500万人以及3.14的" * 20, ["2300万", "1500万", "3.14"]),
        ("see https://example.org/a/b?c=d and 1,234,567.89 or max_seq_length of it " * 12,
         ["https://example.org/a/b?c=d", "1,234,567.89", "max_seq_length"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [40, 47, 54])
def test_words_and_numbers_stay_whole_in_a_sentence_that_does_not(
    text: str, whole: list[str], size: int
) -> None:
    chunks = cut(make_document(paragraph(text)), size)
    for word in whole:
        assert sum(chunk.text.count(word) for chunk in chunks) == text.count(word)


def test_sheets_and_slides_share_no_passage() -> None:
    from dataclasses import replace

    document = make_document(paragraph("One."), paragraph("Two."), paragraph("Three."))
    starts = tuple(block.start for block in document.blocks)
    pages = PlaceMap(starts, (1, 2, 3), ("a", "b", "c"))
    slides = replace(document, pages=pages, format="pptx")
    assert [chunk.page for chunk in cut(slides, 100)] == [1, 2, 3]
    assert [chunk.page for chunk in cut(replace(document, pages=pages, format="pdf"), 100)] == [1]
