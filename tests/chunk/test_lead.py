"""What a passage is told of what stands before it: header rows, captions, announcements, signatures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ragcli.types import Document, PlaceMap, place

from .documents import caption, check, code, cut, heading, items, make_document, minilm, paragraph, table

ROWS = "\n".join(f"| station {n} | {n * 10} | {n * 100} |" for n in range(40))
TABLE = f"| Name | Height |  |\n| | metres | feet |\n{ROWS}"
ITEMS = "\n".join(f"- take tool number {n} and oil it well" for n in range(30))


def test_every_piece_of_a_table_has_its_header_rows() -> None:
    first, *later = cut(make_document(heading("Stations"), table(TABLE, 2), title="Atlas"), size=100)
    assert first.lead == ""
    assert first.text.startswith("# Stations\n\n| Name | Height")
    assert len(later) > 3
    assert {chunk.lead for chunk in later} == {"| Name | Height |  |\n| | metres | feet |"}
    assert later[0].context == "Atlas\nStations\n| Name | Height |  |\n| | metres | feet |"
    assert all(chunk.text.startswith("| station") for chunk in later)


def test_the_beginning_of_a_header_leaves_room_for_the_text() -> None:
    # The whole of the word is one token to the model, its first half is many.
    words = table(f"| {'かな' * 60} | 1 |\n| a | 1 |", 1)
    chunks = cut(make_document(heading("a"), words, page=90, gap="\n"), 14, chunker="page")
    assert len(chunks) > 5
    check(make_document(heading("a"), words, page=90, gap="\n"), chunks, 14, 0)
    assert all(chunk.lead for chunk in chunks[1:])


@pytest.mark.parametrize("under", [False, True])
def test_every_piece_of_a_table_has_its_caption(under: bool) -> None:
    parts = [caption("Table 7: Heights of stations"), table(TABLE, 2)]
    chunks = cut(make_document(*(parts[::-1] if under else parts)), size=100)
    assert len(chunks) > 3
    for chunk in chunks:
        assert "Table 7" in chunk.text + chunk.lead
        assert "metres" in chunk.text + chunk.lead
        assert chunk.embedded_text.count("Table 7") == 1
    assert "Table 7" in chunks[-1 if under else 0].text


@pytest.mark.parametrize("size", range(30, 130, 7))
def test_no_caption_is_cut_from_its_table_where_both_fit(size: int) -> None:
    small = "\n".join(TABLE.split("\n")[:3])
    fill = paragraph("The survey was made in the autumn of that year by two men.")
    for parts in (
        [caption("Table 7: Heights"), table(small, 2)],
        [table(small, 2), caption("Table 7: Heights")],
    ):
        chunks = cut(make_document(fill, fill, *parts, fill), size)
        whole = [chunk for chunk in chunks if "Table 7" in chunk.text]
        assert len(whole) == 1 or size < 60
        assert small in whole[0].text or minilm().counts([small])[0] > size - 20


def test_a_list_keeps_what_announces_it() -> None:
    opening = paragraph("Winter is hard on tools. Before the frost do this:")
    chunks = cut(make_document(opening, items(ITEMS)), size=80)
    assert chunks[0].lead == ""
    assert {chunk.lead for chunk in chunks[1:]} == {"Before the frost do this:"}


def test_a_list_in_several_blocks_keeps_it_too() -> None:
    parts = [items(line) for line in ITEMS.split("\n")]
    chunks = cut(make_document(paragraph("Do this:"), *parts), size=60)
    assert {chunk.lead for chunk in chunks[1:]} == {"Do this:"}


def test_a_paragraph_without_a_colon_announces_nothing() -> None:
    chunks = cut(make_document(paragraph("Winter is hard on tools."), items(ITEMS)), size=80)
    assert {chunk.lead for chunk in chunks} == {""}


def test_every_piece_of_a_function_has_its_signature() -> None:
    body = "\n".join(f"    total += weight[{n}] * value[{n}]" for n in range(40))
    first, *later = cut(make_document(code(f"def weigh(weight, value):\n{body}", 1)), size=100)
    assert first.lead == ""
    assert {chunk.lead for chunk in later} == {"def weigh(weight, value):"}


@pytest.mark.parametrize("size", [24, 60, 254])
def test_a_long_header_leaves_half_of_a_chunk_to_the_rows(size: int) -> None:
    head = "| " + " | ".join(f"column number {n}" for n in range(200)) + " |"
    _, *later = cut(make_document(table(f"{head}\n{ROWS}", 1), title="A title of some words"), size)
    chunk = later[-1]
    assert chunk.text.startswith("| station")
    assert head.startswith(chunk.lead)
    assert chunk.lead.split()[-1] in head.split(), "cut between words"
    assert size * 0.3 < minilm().counts([chunk.context])[0] <= size * 0.5


def test_the_lead_is_kept_and_not_embedded_where_context_leaves_it_out() -> None:
    from ragcli.chunk import chunk_document

    document = make_document(heading("Stations"), table(TABLE, 2), title="Atlas")
    chunks = chunk_document(document, minilm(), size=100, context=("headings",))
    assert chunks[1].lead
    assert chunks[1].context == "Stations"
    assert max(chunk.tokens for chunk in chunks) <= 100


def sheets(document: Document) -> Document:
    """The document as two sheets, the rows of each counted from 1."""
    half = document.text.index("| station 20")
    rows = document.text.count("\n", 0, half)
    assert document.lines is not None
    again = (*range(1, rows + 1), *range(1, len(document.lines.starts) - rows + 1))
    pages = PlaceMap((0, half), (1, 2), ("North", "South"))
    return replace(document, pages=pages, lines=PlaceMap(document.lines.starts, again))


def test_rows_of_a_passage_over_two_sheets_are_those_of_the_first() -> None:
    for chunk in cut(sheets(make_document(table(TABLE, 2))), size=250):
        assert chunk.lines is not None
        assert chunk.lines[0] <= chunk.lines[1] <= 22
        assert chunk.page_label == ("North" if chunk.page == 1 else "South")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (place("a.md", None, None), "a.md"),
        (place("a.md", None, (4, 4)), "a.md:4"),
        (place("a.csv", None, (4, 9)), "a.csv:4-9"),
        (place("a.pdf", 12, None), "a.pdf, page 12"),
        (place("a.pdf", 12, None, "iv"), "a.pdf, page 12 (iv)"),
        (place("a.pdf", 12, None, "12"), "a.pdf, page 12"),
        (place("a.pdf", 12, (3, 3)), "a.pdf, page 12, line 3"),
        (place("a.zip/b.PPTX", 3, None), "a.zip/b.PPTX, slide 3"),
        (place("b.xlsx", 2, (5, 9), "Sales"), "b.xlsx, sheet 2 (Sales), rows 5-9"),
        (place("b.ods", 2, (5, 5)), "b.ods, sheet 2, row 5"),
    ],
)
def test_places_are_called_what_they_are(written: str, told: str) -> None:
    assert written == told
