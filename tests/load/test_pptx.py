"""Presentations: slide by slide, in reading order."""

from __future__ import annotations

import io
from copy import deepcopy
from pathlib import Path

import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.presentation import Presentation
from pptx.slide import Slide
from pptx.util import Inches

from .known import SEEDS, Known, Piece, check_known, known
from .support import document, texts


def saved(show: Presentation) -> bytes:
    """The bytes of the file."""
    out = io.BytesIO()
    show.save(out)
    return out.getvalue()


def _written(content: Known) -> bytes:
    show = pptx.Presentation()
    show.core_properties.title = content.title
    for page in content.pages:
        slide = show.slides.add_slide(show.slide_layouts[5])
        for number, piece in enumerate(page):
            _write(slide, piece, number)
        # The order of the file is not the order on the slide.
        tree = slide.shapes._spTree
        for shape in reversed(list(tree)[2:]):
            tree.remove(shape)
            tree.append(shape)
    return saved(show)


def _write(slide: Slide, piece: Piece, number: int) -> None:
    place = (Inches(0.5), Inches(1.6 + number), Inches(9), Inches(0.9))
    if piece.kind == "heading":
        assert slide.shapes.title is not None
        slide.shapes.title.text = piece.text
    elif piece.kind == "table":
        table = slide.shapes.add_table(len(piece.rows), len(piece.rows[0]), *place).table
        for row, cells in zip(table.rows, piece.rows, strict=True):
            for cell, text in zip(row.cells, cells, strict=True):
                cell.text = text
            row.height = Inches(0.1)
    elif piece.kind == "list":
        frame = slide.shapes.add_textbox(*place).text_frame
        for at, row in enumerate(piece.rows):
            line = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
            line.text = row[0]
            shape = line._p.get_or_add_pPr()
            mark = shape.makeelement(
                "{http://schemas.openxmlformats.org/drawingml/2006/main}buChar", {"char": "•"}
            )
            shape.append(mark)
    else:
        slide.shapes.add_textbox(*place).text_frame.text = piece.text


def _one_title(content: Known) -> Known:
    """A slide has one title: what else is a heading becomes text."""
    pages = tuple(
        tuple(
            Piece("paragraph", piece.text) if piece.kind == "heading" and at else piece
            for at, piece in enumerate(page)
        )
        for page in content.pages
    )
    return Known(content.title, pages)


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
def test_everything_comes_back(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = _one_title(known(seed, pages=1 + seed % 3, levels=1))
        check_known(tmp_path, "a.pptx", _written(content), content, title=True, paged=True)


def test_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[6])
    for left, top, text in [
        (5, 3, "right below"),
        (0, 1, "left"),
        (5, 1, "right"),
        (0, 2.4, "left below"),
        (0, 0, "top"),
    ]:
        width = 10 if text == "top" else 4
        # The columns' boxes are not in line, so that no cut goes across both.
        height = 0.9 if text == "top" else 1.3 if "left" in text else 1.9
        slide.shapes.add_textbox(
            Inches(left), Inches(top), Inches(width), Inches(height)
        ).text_frame.text = text
    item = document(tmp_path, "a.pptx", saved(show))
    assert [text for _, text in texts(item)] == ["top", "left", "left below", "right", "right below"]


def test_notes_charts_groups_and_alt_texts(tmp_path: Path) -> None:
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[5])
    slide.shapes.title.text = "Sales"
    data = CategoryChartData()
    data.categories = ["East", "West"]
    data.add_series("2024", (1.5, 2))
    frame = slide.shapes.add_chart(XL_CHART_TYPE.PIE, Inches(1), Inches(2), Inches(3), Inches(2), data)
    frame.chart.has_title = True
    frame.chart.chart_title.text_frame.text = "By region"
    frame._element.nvGraphicFramePr.cNvPr.set("descr", "A pie of two")
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(Inches(1), Inches(5), Inches(2), Inches(1)).text_frame.text = "grouped"
    slide.notes_slide.notes_text_frame.text = "Say hello"
    item = document(tmp_path, "a.pptx", saved(show))
    assert texts(item) == [
        ("heading", "Sales"),
        ("paragraph", "[A pie of two]"),
        ("caption", "By region"),
        ("table", " | 2024\nEast | 1.5\nWest | 2"),
        ("paragraph", "grouped"),
        ("heading", "Notes"),
        ("paragraph", "Say hello"),
    ]


def test_numbered_and_nested_points(tmp_path: Path) -> None:
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[1])
    frame = slide.placeholders[1].text_frame
    frame.text = "first"
    for text, level in [("deeper", 1), ("second", 0)]:
        line = frame.add_paragraph()
        line.text, line.level = text, level
    [(kind, text)] = texts(document(tmp_path, "a.pptx", saved(show)))
    assert (kind, text) == ("list", "- first\n  - deeper\n- second")


def test_what_every_slide_shows_is_said_once(tmp_path: Path) -> None:
    show = pptx.Presentation()
    layout = show.slide_layouts[6]
    for number in range(2):
        slide = show.slides.add_slide(layout)
        slide.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.text = f"slide {number}"
    tree = show.slide_master.shapes._spTree
    box = slide.shapes[0]._element
    tree.append(deepcopy(box))
    tree[-1].txBody.p_lst[0].r_lst[0].text = "ACME Corporation"
    item = document(tmp_path, "a.pptx", saved(show))
    assert item.text.count("ACME Corporation") == 1
    assert "Click to edit" not in item.text
