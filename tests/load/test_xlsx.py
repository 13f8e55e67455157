"""Workbooks: sheets as pages, rows that explain themselves, values as they are shown."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
import xlwt
from openpyxl.comments import Comment

from ragcli.load.office.numberformat import shown
from ragcli.types import Document, Failure

from .known import SEEDS, Known, Piece, check_known, known
from .support import document, load, texts
from .test_docx import with_parts


def _saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheet(rows: list[list[object]]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    return book


def _written_xlsx(content: Known) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    book.properties.title = content.title
    for page in content.pages:
        sheet = book.create_sheet(page[0].text)
        row = 3
        for piece in page[1:]:
            for cells in piece.rows:
                for column, text in enumerate(cells, 1):
                    sheet.cell(row, column, text)
                row += 1
            row += 1
    return _saved(book)


def _written_xls(content: Known) -> bytes:
    book = xlwt.Workbook()
    for page in content.pages:
        sheet = book.add_sheet(page[0].text)
        row = 0
        for piece in page[1:]:
            for cells in piece.rows:
                for column, text in enumerate(cells):
                    sheet.write(row, column, text)
                row += 1
            row += 1
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheets(seed: int) -> Known:
    """A sheet is known by its name, which may have 31 characters, and holds tables."""
    content = known(seed, ("heading", "table"), pages=1 + seed % 3, levels=1)
    pages = []
    for page in content.pages:
        tables = [piece for piece in page[1:] if piece.kind == "table"]
        pages.append((Piece("heading", page[0].text[:31].strip(), 1), *tables))
    return Known(content.title, tuple(pages))


def _said(content: Known) -> Known:
    """What the rows say: each cell with the name of its column."""
    pages = tuple(
        tuple(
            replace(
                piece,
                rows=tuple(
                    tuple(f"{name}: {cell}" for name, cell in zip(piece.rows[0], row, strict=True))
                    for row in piece.rows[1:]
                ),
            )
            for piece in page
        )
        for page in content.pages
    )
    return Known(content.title, pages)


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
def test_everything_comes_back(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = _sheets(seed)
        for name, data in [("a.xlsx", _written_xlsx(content)), ("a.xls", _written_xls(content))]:
            item = check_known(
                tmp_path, name, data, _said(content), paged=True, once=False, title=name == "a.xlsx"
            )
            assert item.pages is not None
            assert item.pages.labels == tuple(page[0].text for page in content.pages)


def test_rows_are_said_with_their_header_and_number(tmp_path: Path) -> None:
    book = _sheet(
        [["Prices of 2024"], [], ["Fruit", "Price", "Note"], ["Apple", 3.0, None], ["Pear", 2.5, "new"]]
    )
    item = document(tmp_path, "a.xlsx", _saved(book))
    assert item.text.endswith("Fruit: Apple; Price: 3\nFruit: Pear; Price: 2.5; Note: new")
    assert item.lines is not None
    assert [item.lines.at(item.text.index(word)) for word in ("Prices", "Apple", "Pear")] == [1, 4, 5]
    assert item.pages is not None
    assert (item.pages.at(0), item.pages.label_at(0)) == (1, "Sheet")
    assert item.title == "a"


def test_rows_begin_anew_on_each_sheet(tmp_path: Path) -> None:
    book = _sheet([[f"line {n}"] for n in range(9)])
    more = book.create_sheet("Second")
    for row in (["Metrics"], [], ["Name", "Share"], ["Retention", "92%"]):
        more.append(row)
    item = document(tmp_path, "a.xlsx", _saved(book))
    assert item.lines is not None
    assert [
        item.lines.at(item.text.index(word)) for word in ("line 8", "Second", "Metrics", "Retention")
    ] == [9, 1, 1, 4]


def test_a_header_whose_column_is_empty_is_not_lost(tmp_path: Path) -> None:
    item = document(tmp_path, "a.xlsx", _saved(_sheet([["Name", "Remarks"], ["Ann", None], ["Bob", None]])))
    assert "Remarks" in item.text


def test_tables_side_by_side_keep_apart(tmp_path: Path) -> None:
    rows: list[list[object]] = [["a", "b", None, "c", "d"], [1, 2, None, 5, 6], [3, 4, None, 7, 8]]
    item = document(tmp_path, "a.xlsx", _saved(_sheet(rows)))
    assert [text for kind, text in texts(item) if kind == "table"] == [
        "a: 1; b: 2\na: 3; b: 4",
        "c: 5; d: 6\nc: 7; d: 8",
    ]


def test_a_table_goes_on_after_an_empty_row(tmp_path: Path) -> None:
    item = document(tmp_path, "a.xlsx", _saved(_sheet([["x", "y"], [1, 2], [3, 4], [], [5, 6], [7, 8]])))
    assert "x: 7; y: 8" in item.text


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (3.0, "", "3"),
        (0.1 + 0.2, "General", "0.3"),
        (0.256, "0%", "26%"),
        (0.256, "0.0%", "25.6%"),
        (1234.5, "#,##0.00", "1,234.50"),
        (-1234.5, "#,##0.00;(#,##0.00)", "(1,234.50)"),
        (1234.5, '"$"#,##0.00', "$1,234.50"),
        (12.5, "[$€-407] 0.00", "€ 12.50"),
        (1_500_000, '0.0,,"M"', "1.5M"),
        (7, "000", "007"),
        (2.5, "# ?/?", "2 1/2"),
        (1.005, "0.00", "1.01"),
        (198_000_000, "0.00E+00", "1.98E+08"),
        (45292, "yyyy-mm-dd", "2024-01-01"),
        (45292.5, "m/d/yy h:mm", "2024-01-01 12:00"),
        (0.75, "h:mm AM/PM", "18:00"),
        (1.5, "[h]:mm:ss", "36:00:00"),
        (45292, "[$-409]d-mmm-yy;@", "2024-01-01"),
        (0, '0;-0;"none"', "none"),
        (5, '0 "days"', "5 days"),
        (12, "[Red]0", "12"),
    ],
)
def test_numbers_as_they_are_shown(value: float, code: str, expected: str) -> None:
    assert shown(value, code) == expected


def test_dates_percents_comments_links_and_hidden_sheets(tmp_path: Path) -> None:
    book = _sheet([["When", "Share"], [date(2024, 5, 17), 0.5], [datetime(2024, 5, 17, 9, 30), 0.25]])
    sheet = book.active
    for cell in (sheet["B2"], sheet["B3"]):
        cell.number_format = "0%"
    sheet["A2"].comment = Comment("A Friday", "Ann")
    sheet["B3"].hyperlink = "https://example.org/share"
    sheet.oddHeader.center.text = "For &A only"
    hidden = book.create_sheet("Secret")
    hidden["A1"] = "hidden words"
    hidden.sheet_state = "veryHidden"
    item = document(tmp_path, "a.xlsx", _saved(book))
    assert "When: 2024-05-17; Share: 50% [Comment by Ann: A Friday]" in item.text
    assert "When: 2024-05-17 09:30:00; Share: 25% (https://example.org/share)" in item.text
    assert item.text.count("For only") == 1
    assert "hidden words" in item.text


def test_text_boxes_charts_and_formulas(tmp_path: Path) -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet("Data")
    sheet.write_row(0, 0, ["Month", "Sum"])
    sheet.write_row(1, 0, ["May", 4])
    sheet.write_formula(2, 1, "=B2*2", None, 8)
    sheet.write_string(2, 0, "June")
    sheet.write_rich_string(3, 0, "rich ", book.add_format({"bold": True}), "text")
    sheet.insert_textbox(5, 0, "boxed words")
    chart = book.add_chart({"type": "line"})
    chart.add_series({"name": "Growth", "values": "=Data!$B$2:$B$3"})
    chart.set_title({"name": "How it grew"})
    sheet.insert_chart(8, 0, chart)
    book.close()
    text = document(tmp_path, "a.xlsx", out.getvalue()).text
    for words in ("Month: June; Sum: 8", "rich text", "boxed words", "How it grew", "Growth"):
        assert text.count(words) == 1, (words, text)


def test_a_dimension_that_lies_costs_nothing(tmp_path: Path) -> None:
    data = _saved(_sheet([["a", "b"], ["far", "away"]]))
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        sheet = opened.read("xl/worksheets/sheet1.xml").decode()
    sheet = sheet.replace('ref="A1:B2"', 'ref="A1:XFD1048576"').replace('r="B2"', 'r="XFD1048576"')
    sheet = sheet.replace('<row r="2"', '<row r="1048576"').replace('r="A2"', 'r="A1048576"')
    item = document(tmp_path, "a.xlsx", with_parts(data, {"xl/worksheets/sheet1.xml": sheet}))
    assert "far" in item.text
    assert item.lines is not None
    assert item.lines.places[-1] == 1_048_576


def test_strict_files_are_read_like_the_others(tmp_path: Path) -> None:
    data = _saved(_sheet([["Name", "Age"], ["Ann", 30]]))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            for kind in (b"spreadsheetml", b"officeDocument"):
                content = content.replace(
                    b"http://schemas.openxmlformats.org/%s/2006/" % kind,
                    b"http://purl.oclc.org/ooxml/%s/" % kind,
                )
            new.writestr(name, content)
    assert "Name: Ann; Age: 30" in document(tmp_path, "a.xlsx", out.getvalue()).text


def test_old_workbooks_keep_formats_and_numbers(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Daten")
    for column, name in enumerate(["Tag", "Anteil", "Größe"]):
        sheet.write(0, column, name)
    sheet.write(1, 0, date(2024, 5, 17), xlwt.easyxf(num_format_str="DD.MM.YYYY"))
    sheet.write(1, 1, 0.5, xlwt.easyxf(num_format_str="0%"))
    sheet.write(1, 2, 3.0)
    out = io.BytesIO()
    book.save(out)
    item = document(tmp_path, "a.xls", out.getvalue())
    assert item.format == "xls"
    assert "Tag: 2024-05-17; Anteil: 50%; Größe: 3" in item.text


def test_excel_4_streams_have_no_container(tmp_path: Path) -> None:
    def record(kind: int, data: bytes) -> bytes:
        return kind.to_bytes(2, "little") + len(data).to_bytes(2, "little") + data

    label = b"\0\0\0\0\0\0" + len("Größe".encode("cp1252")).to_bytes(2, "little") + "Größe".encode("cp1252")
    number = b"\1\0\0\0\0\0" + bytes.fromhex("0000000000004540")
    data = (
        record(0x409, b"\0\0\x10\0\0\0")
        + record(0x42, b"\xe4\x04")
        + record(0x204, label)
        + record(0x203, number)
    )
    item = document(tmp_path, "old.xls", data + record(0x0A, b""))
    assert item.text == "Größe\n42"


def test_a_broken_sheet_does_not_take_the_others_along(tmp_path: Path) -> None:
    book = _sheet([["kept", "here"], [1, 2]])
    book.create_sheet("Second").append(["also", "kept"])
    data = _saved(book)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        sheet = opened.read("xl/worksheets/sheet1.xml").decode()
    cut = sheet[: sheet.index("</sheetData>") - 20]
    found = load(tmp_path, "a.xlsx", with_parts(data, {"xl/worksheets/sheet1.xml": cut}))
    [item] = [item for item in found if isinstance(item, Document)]
    assert "kept" in item.text
    assert "also" in item.text
    assert [item.error for item in found if isinstance(item, Failure)] == ["damaged"]
