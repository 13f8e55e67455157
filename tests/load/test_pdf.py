from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from ragcli.load.pdf.hyphens import Hyphens

from .support import document, failure, texts

if TYPE_CHECKING:
    from pathlib import Path


def make_pdf(
    pages: list[list[str]], *, title: str = "", outline: tuple[tuple[str, int], ...] = ()
) -> PdfWriter:
    """A PDF with one line of text below the other; an empty line leaves a gap."""
    writer = PdfWriter()
    for lines in pages:
        page = writer.add_blank_page(400, 400)
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
        fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        stream = DecodedStreamObject()
        shown = "".join(f"({line}) Tj 0 -14 Td " for line in lines)
        stream.set_data(f"BT /F1 12 Tf 40 350 Td {shown} ET".encode("latin-1"))
        page[NameObject("/Contents")] = writer._add_object(stream)
    if title:
        writer.add_metadata({"/Title": title, "/Author": "Ann"})
    for words, page_number in outline:
        writer.add_outline_item(title=words, page_number=page_number)
    return writer


def bytes_of(writer: PdfWriter) -> bytes:
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def test_pages_paragraphs_and_headings(tmp_path: Path) -> None:
    pages = [
        [
            "1 Introduction",
            "",
            "The first paragraph is here and it",
            "goes on over two lines.",
            "",
            "A second one.",
        ],
        [],
        ["Results", "All is well on the third page."],
    ]
    writer = make_pdf(pages, title="A study", outline=(("Introduction", 0), ("Results", 2)))
    page = document(tmp_path, "a.pdf", bytes_of(writer))
    assert (page.title, page.format, page.lines) == ("A study", "pdf", None)
    assert page.metadata == {"pages": 3, "author": "Ann"}
    assert page.pages is not None
    rows = [(b.kind, page.text[b.start : b.end], page.pages.over(b.start, b.end)) for b in page.blocks]
    assert rows == [
        ("heading", "1 Introduction", (1, 1)),
        ("paragraph", "The first paragraph is here and it\ngoes on over two lines.", (1, 1)),
        ("paragraph", "A second one.", (1, 1)),
        ("heading", "Results", (3, 3)),
        ("paragraph", "All is well on the third page.", (3, 3)),
    ]


def test_title_of_a_word_processor_is_none(tmp_path: Path) -> None:
    writer = make_pdf([["words"]], title="Microsoft Word - final2.doc")
    assert document(tmp_path, "plan.pdf", bytes_of(writer)).title == "plan"


def test_a_pdf_under_another_name_is_a_pdf(tmp_path: Path) -> None:
    page = document(tmp_path, "a.txt", bytes_of(make_pdf([["words"]])))
    assert (page.format, texts(page)) == ("pdf", [("paragraph", "words")])


def test_encrypted(tmp_path: Path) -> None:
    writer = make_pdf([["secret"]])
    writer.encrypt("user", "owner", algorithm="RC4-128")
    assert failure(tmp_path, "a.pdf", bytes_of(writer)).error == "encrypted"


def test_encrypted_with_an_empty_user_password_is_read(tmp_path: Path) -> None:
    writer = make_pdf([["open to all"]])
    writer.encrypt("", "owner", algorithm="RC4-128")
    assert document(tmp_path, "a.pdf", bytes_of(writer)).text == "open to all"


def test_scan(tmp_path: Path) -> None:
    item = failure(tmp_path, "a.pdf", bytes_of(make_pdf([[], []])))
    assert item.error == "no-text"
    assert "blank" in item.message


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_cut_off_is_damaged_or_rescued(tmp_path: Path, share: float) -> None:
    whole = bytes_of(make_pdf([["some words"]] * 3))
    file = tmp_path / "a.pdf"
    file.write_bytes(whole[: int(share * len(whole))])
    from ragcli.load import load_file
    from ragcli.types import Document

    [item] = load_file(file, path="a.pdf")
    if isinstance(item, Document):
        assert "some words" in item.text
    else:
        assert item.error in ("damaged", "no-text")


def test_pypdf_reads_what_pdfium_declines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ragcli.load.pdf import layer

    monkeypatch.setattr(layer, "read_with_pdfium", lambda *_arguments: None)
    writer = make_pdf([["Intro", "words"]], title="T", outline=(("Intro", 0),))
    page = document(tmp_path, "a.pdf", bytes_of(writer))
    assert texts(page) == [("heading", "Intro"), ("paragraph", "words")]
    writer.encrypt("user", "owner", algorithm="RC4-128")
    assert failure(tmp_path, "b.pdf", bytes_of(writer)).error == "encrypted"


def test_hyphens_at_line_ends() -> None:
    hyphens = Hyphens(["a stress-engineered beam", "some example"])
    assert hyphens.joined(["exam\xad", "ple and stress\xad", "engineered, Stress\xad", "Engineered"]) == [
        "example",
        "and stress-engineered,",
        "Stress-Engineered",
    ]
