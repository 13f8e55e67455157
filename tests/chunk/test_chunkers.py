"""All chunkers: what each promises of every document, and what tells them apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragcli.chunk import CHUNKERS, chunk_document
from ragcli.types import Document, PlaceMap

from .documents import (
    DOCUMENTS,
    caption,
    check,
    code,
    cut,
    heading,
    items,
    make_document,
    minilm,
    paragraph,
    table,
)

SOME = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
TOPICS = ["Alpha apes ate all apples again.", "Bold bears bite big bitter beans."]


@pytest.mark.parametrize("chunker", CHUNKERS)
@SOME
@given(DOCUMENTS, st.integers(8, 60), st.integers(0, 20))
def test_chunks_keep_their_promises(chunker: str, document: Document, size: int, overlap: int) -> None:
    overlap = min(overlap, size - 1)
    chunks = cut(document, size, overlap, chunker)
    check(document, chunks, size, overlap)
    assert chunks == cut(replace(document), size, overlap, chunker), "the same document gives the same chunks"


@pytest.mark.parametrize("chunker", CHUNKERS)
def test_a_table_keeps_its_head_whoever_cuts(chunker: str) -> None:
    rows = "\n".join(f"| station {n} | {n * 10} |" for n in range(60))
    document = make_document(
        heading("Stations"),
        caption("Table 1: Stations"),
        table(f"| Name | Metres |\n{rows}", 1),
        items("- one\n- two"),
        code("run()"),
        title="Atlas",
    )
    for chunk in cut(document, 90, chunker=chunker):
        if "station" in chunk.text:
            assert "Name" in chunk.embedded_text
            assert "Table 1" in chunk.embedded_text
        assert "Atlas" in chunk.context


@pytest.mark.parametrize("chunker", CHUNKERS)
def test_an_empty_document_has_no_chunks(chunker: str) -> None:
    assert cut(make_document(), 60, chunker=chunker) == []


def test_sentences_are_packed_until_a_chunk_is_full() -> None:
    parts = [heading("One"), paragraph("It is so. " * 4), heading("Two"), paragraph("It is not. " * 4)]
    first, *_ = cut(make_document(*parts), 40, chunker="sentence")
    assert first.text.startswith("# One")
    assert "# Two" in first.text
    assert first.heading == ()
    assert first.tokens > 34


def test_recursive_cuts_at_blank_lines_before_lines_before_sentences() -> None:
    long = "\n".join(f"Line {n} has five words. And five words more here." for n in range(4))
    texts = [
        chunk.text
        for chunk in cut(make_document(paragraph("Short."), paragraph(long)), 28, chunker="recursive")
    ]
    assert texts == ["Short.", *(line for line in long.split("\n"))][: len(texts)] or texts == [
        "Short.",
        "\n".join(long.split("\n")[:2]),
        "\n".join(long.split("\n")[2:]),
    ]


def test_one_chunk_a_page_and_more_where_it_is_long() -> None:
    pages = ["One short page.", "A longer page. " * 12, "The last page."]
    document = make_document(*map(paragraph, pages))
    starts = tuple(document.text.index(page[:10]) for page in pages)
    document = replace(document, pages=PlaceMap(starts, (1, 2, 3), ("i", "ii", "iii")))
    chunks = cut(document, 40, chunker="page")
    numbers = [chunk.page for chunk in chunks]
    assert numbers == sorted(numbers, key=lambda number: number or 0)
    assert [chunk.text for chunk in chunks if chunk.page != 2] == [pages[0], pages[2]]
    assert numbers.count(2) > 1
    assert {chunk.page_label for chunk in chunks} == {"i", "ii", "iii"}


def test_a_sentence_that_goes_over_to_the_next_page_is_cut_between_words() -> None:
    document = make_document(paragraph("It began on the first page and ended on the second page."))
    inside = document.text.index("first") + 2
    document = replace(document, pages=PlaceMap((0, inside), (1, 2)))
    texts = [chunk.text for chunk in cut(document, 60, chunker="page")]
    assert texts == ["It began on the first", "page and ended on the second page."]


def test_semantic_cuts_where_the_topic_changes() -> None:
    one, other = (paragraph(" ".join([topic] * 6)) for topic in TOPICS)
    texts = [chunk.text for chunk in cut(make_document(one, one, other, one), 200, chunker="semantic")]
    assert [("apes" in text, "bears" in text) for text in texts] == [
        (True, False),
        (False, True),
        (True, False),
    ]


def test_semantic_needs_a_model() -> None:
    with pytest.raises(ValueError, match="model"):
        chunk_document(make_document(paragraph("One.")), minilm(), size=60, chunker="semantic")


@pytest.mark.parametrize("chunker", CHUNKERS)
def test_a_word_that_goes_on_another_is_counted_as_it_is_read_behind_it(chunker: str) -> None:
    """By itself "internationalization" has two tokens, behind a kana five: both fitted, and together did not."""
    document = make_document(("paragraph", f"a a a{'かな' * 20}internationalization。", 0, 0))
    check(document, cut(document, 8, 0, chunker), 8, 0)
