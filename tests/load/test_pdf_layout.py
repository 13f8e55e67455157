"""What a reader of a PDF sees, and where: columns, running heads, hyphens, tables, forms, pictures."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Text
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ragcli.load import load_file
from ragcli.load.parsed import CannotRead, Content, Means, Parsed
from ragcli.load.pdf.geometry import Word
from ragcli.load.pdf.layer import read_pdf
from ragcli.load.pdf.order import segments_of
from ragcli.types import Document, Failure

from .support import SHARED, check, document, load, texts

WIDTH, HEIGHT = 595, 842


def drawn(*pages: Callable[[Canvas], None], **options: object) -> bytes:
    """A PDF whose pages these functions draw."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(WIDTH, HEIGHT), **options)
    for page in pages:
        canvas.setFont("Times-Roman", 10)
        page(canvas)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def lines(canvas: Canvas, x: float, top: float, words: list[str], leading: float = 12) -> None:
    """Lines from y = ``top`` (points from the upper edge) downward."""
    for number, line in enumerate(words):
        canvas.drawString(x, HEIGHT - top - number * leading, line)


def prose(name: str, count: int = 12) -> list[str]:
    """Lines of running text that fill a narrow column, each word once."""
    return [" ".join(f"{name}{number}word{at}" for at in range(5)) for number in range(count)]


def assert_in_order(text: str, words: list[str]) -> None:
    places = [text.index(word) for word in words]
    assert places == sorted(places)


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_columns_under_a_title_and_over_a_note(tmp_path: Path, columns: int) -> None:
    step = (WIDTH - 80) / columns

    def page(canvas: Canvas) -> None:
        canvas.setFont("Times-Bold", 18)
        canvas.drawString(40, HEIGHT - 60, "A title that stands over all of the columns together")
        canvas.setFont("Times-Roman", 5 if columns > 1 else 10)
        # Line by line over the columns, as some programs write: the place counts, not the order.
        for number in range(12):
            for column in range(columns):
                y = HEIGHT - 100 - 12 * number - 3 * column
                canvas.drawString(40 + column * step, y, prose("abc"[column])[number])
        canvas.setFont("Times-Roman", 10)
        note = "A note at the foot that runs over the whole width of the page " * 2
        canvas.drawString(40, HEIGHT - 300, note[:110])

    item = document(tmp_path, "a.pdf", drawn(page))
    order = [line for column in range(columns) for line in prose("abc"[column])]
    assert_in_order(item.text, ["A title", *order, "A note"])
    assert texts(item)[0][0] == "heading"
    assert not [kind for kind, _ in texts(item) if kind == "table"]


def test_running_heads_come_once_and_page_numbers_never(tmp_path: Path) -> None:
    def page(number: int) -> Callable[[Canvas], None]:
        def draw(canvas: Canvas) -> None:
            canvas.drawString(40, HEIGHT - 30, "Annual report 2024")
            lines(
                canvas, 40, 180, [f"Page {number} tells of part{number}.", "Annual report 2024 is its name."]
            )
            canvas.drawString(290, 30, f"– {number} –")

        return draw

    item = document(tmp_path, "a.pdf", drawn(*(page(number) for number in range(1, 5))))
    assert item.text.count("Annual report 2024\n\n") == 1
    assert item.text.count("Annual report 2024 is its name.") == 4
    assert "–" not in item.text
    assert all(f"Page {number} tells of part{number}." in item.text for number in range(1, 5))
    short = document(tmp_path, "b.pdf", drawn(page(1), page(2)))
    assert short.text.count("Annual report 2024\n\n") == 2


def test_what_line_ends_split_is_joined_and_real_hyphens_stay(tmp_path: Path) -> None:
    def page(canvas: Canvas) -> None:
        words = [
            "We saw the electro-",
            "static field of the well-",
            "known device, a well-known one, in",
            "the end.",
        ]
        lines(canvas, 40, 80, words)

    item = document(tmp_path, "a.pdf", drawn(page))
    assert (
        item.text
        == "We saw the electrostatic\nfield of the well-known\ndevice, a well-known one, in\nthe end."
    )


def test_table_without_lines_keeps_its_cells_and_header(tmp_path: Path) -> None:
    rows = [("Region", "2022", "2023"), ("North", "1,250", "1,310"), ("South coast", "980", "1,020")]
    rows += [("East", "75", "(12)"), ("Total", "2,305", "2,318")]

    def page(canvas: Canvas) -> None:
        lines(canvas, 40, 60, ["Table 3: Sales by region"])
        for number, (name, *values) in enumerate(rows):
            y = HEIGHT - 90 - 14 * number
            canvas.drawString(40, y, name)
            for at, value in enumerate(values):
                canvas.drawRightString(240 + 80 * at, y, value)

    item = document(tmp_path, "a.pdf", drawn(page))
    assert texts(item) == [
        ("caption", "Table 3: Sales by region"),
        ("table", "\n".join(" | ".join(row) for row in rows)),
    ]
    assert item.text[item.blocks[1].start : item.blocks[1].head].strip() == "Region | 2022 | 2023"


def test_lines_drawn_many_times_count_once_in_a_grid(tmp_path: Path) -> None:
    rows = [("Item", "of 2022", "of 2023"), ("Shares of firms", "few", "more")]
    rows += [("Bonds of states", "some here", "many"), ("Gold in bars", "none", "some there")]

    def page(canvas: Canvas) -> None:
        for at, x in enumerate((40, 140, 240, 340)):
            for _ in range(12 if at == 1 else 1):
                canvas.line(x, HEIGHT - 100, x, HEIGHT - 220)
        for number in range(5):
            canvas.line(40, HEIGHT - 100 - 30 * number, 340, HEIGHT - 100 - 30 * number)
        for number, row in enumerate(rows):
            for at, cell in enumerate(row):
                lines(canvas, 45 + 100 * at, 112 + 30 * number, cell.split(" ", 1))

    assert texts(document(tmp_path, "a.pdf", drawn(page))) == [("table", "\n".join(map(" | ".join, rows)))]


def test_a_formula_in_several_storeys_is_no_table(tmp_path: Path) -> None:
    storeys = [("", "2t", "if 0 < t < 1"), ("f(t) =", "t - 1", "if 1 < t < 3"), ("", "4 - t", "if 3 < t < 4")]

    def page(canvas: Canvas) -> None:
        lines(canvas, 40, 60, ["Let f be the function that is told by"])
        for number, storey in enumerate(storeys):
            for at, words in enumerate(storey):
                canvas.drawString(60 + 50 * at, HEIGHT - 90 - 14 * number, words)

    item = document(tmp_path, "a.pdf", drawn(page))
    assert {kind for kind, _ in texts(item)} == {"paragraph"}
    assert_in_order(item.text, ["2t if 0", "f(t) = t - 1 if 1", "4 - t if 3"])


def test_exponents_stand_with_letters_and_marks_of_notes_apart_from_words() -> None:
    words, x = [], 40.0
    for part in (
        "x",
        "^2",
        " and",
        " a",
        "_1",
        " in",
        " km",
        "^2",
        " of",
        " 8,935",
        "^4",
        " on",
        " the",
        " 1",
        "^st",
    ):
        rise = {"^": 4, "_": -2}.get(part[0], 0)
        text, size = part.strip("^_ "), 7 if rise else 10
        x += 2.5 * part.startswith(" ")
        words.append(Word(text, x, x + 0.5 * size * len(text), 80 - rise, size, order=len(words)))
        x = words[-1].x1
    [segment] = segments_of(words)
    assert segment.text == "x2 and a1 in km2 of 8,935 4 on the 1st"


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_turned_pages_read_like_upright_ones(tmp_path: Path, turn: int) -> None:
    words = ["The first line of the page is this.", "The second line of it follows here."]
    upright = drawn(lambda canvas: lines(canvas, 40, 80, words))
    writer = PdfWriter(clone_from=io.BytesIO(upright))
    writer.pages[0].rotate(turn)
    out = io.BytesIO()
    writer.write(out)
    assert document(tmp_path, "a.pdf", out.getvalue()).text == "\n".join(words)


@pytest.mark.parametrize("turn", [30, 90, 180, 270])
def test_turned_text_comes_after_the_page_and_in_order(tmp_path: Path, turn: int) -> None:
    def page(canvas: Canvas) -> None:
        lines(canvas, 100, 80, ["Upright words fill most of this page,", "as they do on others."])
        canvas.translate(300, 400)
        canvas.rotate(turn)
        canvas.drawString(0, 0, "margin note one")
        canvas.drawString(0, -12, "margin note two")

    item = document(tmp_path, "a.pdf", drawn(page))
    assert item.text.split("\n\n")[-1] == "margin note one\nmargin note two"


def test_page_labels(tmp_path: Path) -> None:
    writer = PdfWriter(
        clone_from=io.BytesIO(drawn(*[lambda canvas: lines(canvas, 40, 80, ["Some words here."])] * 4))
    )
    writer.set_page_label(0, 1, style="/r")
    writer.set_page_label(2, 3, style="/D", prefix="A-")
    out = io.BytesIO()
    writer.write(out)
    item = document(tmp_path, "a.pdf", out.getvalue())
    assert item.pages is not None
    assert item.pages.labels == ("i", "ii", "A-1", "A-2")


def test_password(tmp_path: Path) -> None:
    locked = drawn(
        lambda canvas: lines(canvas, 40, 80, ["A secret."]), encrypt=StandardEncryption("key", "own")
    )
    [item] = load(tmp_path, "a.pdf", locked)
    assert isinstance(item, Failure)
    assert item.error == "encrypted"
    assert "--password" in item.message
    for passwords in (("key",), ("wrong", "own")):
        [item] = load_file(tmp_path / "a.pdf", path="a.pdf", means=Means(passwords))
        assert isinstance(item, Document)
        assert item.text == "A secret."
    [item] = load_file(tmp_path / "a.pdf", path="a.pdf", means=Means(("wrong",)))
    assert isinstance(item, Failure)
    assert item.error == "encrypted"


def picture(words: str = "") -> ImageReader:
    """A white picture with words on it."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", (1200, 400), 255)
    ImageDraw.Draw(image).text((60, 120), words, fill=0, font=ImageFont.load_default(90))
    return ImageReader(image)


def scanned(words: str) -> Callable[[Canvas], None]:
    def page(canvas: Canvas) -> None:
        canvas.drawImage(picture(words), 40, 400, 500, 170)

    return page


def test_pages_that_are_pictures_are_told_and_blank_ones_are_not(tmp_path: Path) -> None:
    data = drawn(
        lambda canvas: lines(canvas, 40, 80, ["Some words here."]),
        lambda _canvas: None,
        *[scanned("hidden")] * 3,
    )
    item, failure = load(tmp_path, "a.pdf", data)
    assert isinstance(item, Document)
    assert isinstance(failure, Failure)
    assert failure.error == "no-text"
    assert "pages 3-5 " in failure.message
    [failure] = load(tmp_path, "b.pdf", drawn(scanned("hidden")))
    assert isinstance(failure, Failure)
    assert failure.error == "no-text"
    assert "--ocr" in failure.message


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_ocr_reads_the_pages_that_are_pictures() -> None:
    data = drawn(lambda canvas: lines(canvas, 40, 80, ["Some words here."]), scanned("Hidden treasure"))
    [item] = read_pdf(Content(data, "a.pdf", ocr="eng"))
    assert isinstance(item, Parsed)
    assert item.text == "Some words here.\n\nHidden treasure"
    assert item.pages is not None
    assert item.pages.places == (1, 2)


def test_ocr_in_a_language_that_is_none_is_told() -> None:
    with pytest.raises(CannotRead, match="OCR"):
        list(read_pdf(Content(drawn(scanned("words")), "a.pdf", ocr="--oops")))


def test_form_fields_stand_where_they_are_filled_in(tmp_path: Path) -> None:
    def page(canvas: Canvas) -> None:
        for number, (label, value) in enumerate([("Name", "Ada Lovelace"), ("Town", "London")]):
            y = HEIGHT - 100 - 30 * number
            canvas.drawString(40, y, f"{label}:")
            canvas.acroForm.textfield(name=label, value=value, x=90, y=y - 6, width=200, height=20)
        canvas.drawString(40, HEIGHT - 160, "Member")
        canvas.acroForm.checkbox(name="member", checked=True, x=90, y=HEIGHT - 164, size=14)

    item = document(tmp_path, "a.pdf", drawn(page))
    words = item.text.replace("|", "").split()
    assert words == ["Name:", "Ada", "Lovelace", "Town:", "London", "Member", "[x]"]


def test_a_choice_reads_as_it_is_shown(tmp_path: Path) -> None:
    def page(canvas: Canvas) -> None:
        canvas.drawString(40, HEIGHT - 100, "Land:")
        options = [("Austria", "at"), ("Czechia", "cz")]
        canvas.acroForm.choice(
            name="land", value="cz", options=options, x=90, y=HEIGHT - 106, width=200, height=20
        )

    words = document(tmp_path, "a.pdf", drawn(page)).text.replace("|", "").split()
    assert words == ["Land:", "Czechia"]


def test_comments_and_attachments(tmp_path: Path) -> None:
    writer = PdfWriter(
        clone_from=io.BytesIO(drawn(lambda canvas: lines(canvas, 40, 80, ["Some words here."])))
    )
    writer.add_annotation(0, Text(text="Is this so?", rect=(50, 550, 70, 570)))
    writer.add_attachment("notes/list.txt", b"milk and bread")
    out = io.BytesIO()
    writer.write(out)
    item, attached = load(tmp_path, "a.pdf", out.getvalue())
    assert isinstance(item, Document)
    assert isinstance(attached, Document)
    assert item.text == "Some words here.\n\nIs this so?"
    assert (attached.path, attached.text) == ("a.pdf/notes/list.txt", "milk and bread")


def test_bold_by_striking_twice_is_read_once(tmp_path: Path) -> None:
    def page(canvas: Canvas) -> None:
        for shift in (0, 0.4):
            lines(canvas, 40 + shift, 80, ["Struck twice to look bold."])

    assert document(tmp_path, "a.pdf", drawn(page)).text == "Struck twice to look bold."


def test_what_lies_off_the_page_is_left_out(tmp_path: Path) -> None:
    def page(canvas: Canvas) -> None:
        lines(canvas, 40, 80, ["Some words here."])
        canvas.drawString(WIDTH + 50, 400, "printer's mark")

    assert document(tmp_path, "a.pdf", drawn(page)).text == "Some words here."


def test_headings_by_their_fonts(tmp_path: Path) -> None:
    def page(canvas: Canvas) -> None:
        for top, words, font, size in (
            (60, "Whales and their songs", "Helvetica-Bold", 18),
            (100, "How they were found", "Helvetica-Bold", 13),
        ):
            canvas.setFont(font, size)
            canvas.drawString(40, HEIGHT - top, words)
        canvas.setFont("Helvetica", 10)
        lines(canvas, 40, 130, prose("whale", 8))

    item = document(tmp_path, "a.pdf", drawn(page))
    assert [(block.level, block.label) for block in item.blocks if block.kind == "heading"] == [
        (1, "Whales and their songs"),
        (2, "How they were found"),
    ]


@pytest.mark.skipif(not (SHARED / "files/pdf").is_dir(), reason="needs ../shared/files")
def test_real_files_give_what_pypdf_gives() -> None:
    """No word that pypdf and pdfium agree on is lost, but for page numbers and running heads."""
    import pypdfium2

    for name in ("pdflatex-outline.pdf", "testPDFVarious.pdf", "SPARSE-2024-INV-1234_borderless_table.pdf"):
        file = SHARED / "files/pdf" / name
        item = next(iter(load_file(file, path=name)))
        assert isinstance(item, Document)
        check(item)
        theirs = set(" ".join(page.extract_text() for page in PdfReader(file).pages).split())
        pages = pypdfium2.PdfDocument(file)
        theirs &= set(" ".join(page.get_textpage().get_text_bounded() for page in pages).split())
        lost = [word for word in theirs if word.isalpha() and word not in item.text]
        assert not lost
