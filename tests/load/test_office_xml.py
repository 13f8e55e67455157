"""Word and Excel 2003 in one XML."""

from __future__ import annotations

from pathlib import Path

import pytest

from .known import SEEDS, Known, Piece, check_known, known
from .support import document, texts

_BATCHES = [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)]
_WORD = '<?xml version="1.0"?><w:wordDocument xmlns:w="w" xmlns:wx="x" xmlns:aml="a" xmlns:v="v" xmlns:o="o">'
_STYLES = "".join(
    f'<w:style w:styleId="H{level}"><w:name w:val="heading {level}"/></w:style>' for level in (1, 2, 3)
)
EXCEL = (
    '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
    'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" xmlns:x="urn:schemas-microsoft-com:office:excel">'
)


def word_document(body: str, title: str = "") -> str:
    properties = f"<o:DocumentProperties><o:Title>{title}</o:Title></o:DocumentProperties>"
    styles = f"<w:styles>{_STYLES}</w:styles>"
    return f"{_WORD}{properties}{styles}<w:body>{body}</w:body></w:wordDocument>"


def word_paragraph(words: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{words}</w:t></w:r></w:p>"


def _piece(piece: Piece) -> str:
    if piece.kind == "heading":
        return word_paragraph(piece.text, f'<w:pStyle w:val="H{piece.level}"/>')
    if piece.kind == "list":
        mark = '<w:listPr><w:ilvl w:val="0"/><wx:t wx:val="·"/></w:listPr>'
        return "".join(word_paragraph(row[0], mark) for row in piece.rows)
    if piece.kind == "table":
        rows = ("".join(f"<w:tc>{word_paragraph(cell)}</w:tc>" for cell in row) for row in piece.rows)
        return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"
    return word_paragraph(piece.text)


@pytest.mark.parametrize("seeds", _BATCHES)
def test_word(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = known(seed, pages=2)
        pages = ["".join(map(_piece, page)) for page in content.pages]
        body = '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'.join(pages)
        check_known(
            tmp_path, "a.xml", word_document(body, content.title).encode(), content, title=True, paged=True
        )


def test_notes_deletions_and_fields(tmp_path: Path) -> None:
    body = (
        "<w:p><w:r><w:t>Text</w:t></w:r><w:r><w:footnote>"
        + word_paragraph("The note.")
        + "</w:footnote></w:r>"
        '<aml:annotation w:type="Word.Deletion"><w:r><w:delText>gone</w:delText></w:r></aml:annotation>'
        '<aml:annotation w:type="Word.Comment" aml:author="Ann">'
        + word_paragraph("Why?")
        + "</aml:annotation>"
        "<w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:t> here</w:t></w:r></w:p>"
    )
    page = document(tmp_path, "a.doc", word_document(body))
    assert page.format == "wordml"
    assert [words for _, words in texts(page)] == ["Text[1] here", "[1] The note.", "Ann: Why?"]


def worksheet(name: str, rows: str) -> str:
    return f'<Worksheet ss:Name="{name}"><Table>{rows}</Table></Worksheet>'


def cell(words: str, attributes: str = "") -> str:
    return f'<Cell {attributes}><Data ss:Type="String">{words}</Data></Cell>'


@pytest.mark.parametrize("seeds", _BATCHES)
def test_excel(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = known(seed, ("table",), pages=2)
        sheets = [
            worksheet(f"S{n}", "".join(f"<Row>{''.join(map(cell, row))}</Row>" for row in page[0].rows))
            for n, page in enumerate(content.pages, 1)
        ]
        body = tuple((Piece("table", rows=page[0].rows[1:]),) for page in content.pages)
        data = f"{EXCEL}{''.join(sheets)}</Workbook>".encode()
        item = check_known(tmp_path, "a.xls", data, Known("", body), paged=True, once=False)
        for page in content.pages:
            header, *rows = page[0].rows
            for at, row in enumerate(rows):
                line = "; ".join(f"{name}: {cell}" for name, cell in zip(header, row, strict=True))
                assert item.lines is not None
                assert item.lines.at(item.text.index(line)) == at + 2


def test_rows_and_columns_that_are_passed_over(tmp_path: Path) -> None:
    third = cell("Bonn", 'ss:Index="3"')
    rows = (
        f'<Row>{cell("name")}{cell("year")}{cell("place")}</Row><Row ss:Index="7">{cell("Ann")}{third}</Row>'
    )
    page = document(tmp_path, "a.xml", f"{EXCEL}{worksheet('S', rows)}</Workbook>")
    assert texts(page) == [
        ("heading", "S"),
        ("table", "name; year; place"),
        ("table", "name: Ann; place: Bonn"),
    ]
    assert page.lines is not None
    assert page.lines.at(page.text.index("Ann")) == 7
