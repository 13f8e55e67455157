"""PDFs of known content, written by reportlab: all of it comes back, in order, on its page."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from reportlab.lib import colors
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    ListFlowable,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from .known import SEEDS, Known, Piece, check_known, known

_BODY = ParagraphStyle("body", fontName="Times-Roman", fontSize=10, leading=12, alignment=TA_JUSTIFY)
_HEADINGS = {
    level: ParagraphStyle(
        f"h{level}", parent=_BODY, fontName="Times-Bold", fontSize=20 - 3 * level, leading=24
    )
    for level in (1, 2, 3)
}


def _latin(piece: Piece) -> Piece:
    """The piece in letters that the fonts which every PDF reader has can show."""
    rows = tuple(tuple(_shown(cell) for cell in row) for row in piece.rows)
    return Piece(piece.kind, _shown(piece.text), piece.level, rows)


def _shown(text: str) -> str:
    return "".join(char if ord(char) < 0x100 else "xyz"[ord(char) % 3] for char in text)


class _Outlined(BaseDocTemplate):
    """Puts headings into the outline."""

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 -- reportlab calls it
        level = getattr(flowable, "outline_level", 0)
        if level:
            key = f"h{id(flowable)}"
            self.canv.bookmarkPage(key)
            self.canv.addOutlineEntry(flowable.getPlainText(), key, level - 1)


def _flowables(piece: Piece) -> list[Flowable]:
    if piece.kind == "heading":
        heading = Paragraph(piece.text, _HEADINGS[piece.level])
        heading.outline_level = piece.level
        return [heading, Spacer(1, 6)]
    if piece.kind == "list":
        items = [Paragraph(row[0], _BODY) for row in piece.rows]
        return [ListFlowable(items, bulletType="bullet", start="•"), Spacer(1, 12)]
    if piece.kind == "table":
        grid = Table([list(row) for row in piece.rows], style=[("GRID", (0, 0), (-1, -1), 0.5, colors.black)])
        return [grid, Spacer(1, 12)]
    return [Paragraph(piece.text, _BODY), Spacer(1, 10)]


def _written(content: Known, columns: int) -> bytes:
    out = io.BytesIO()
    width, height = 21 * cm, 29.7 * cm
    each = (width - 4 * cm - (columns - 1) * cm) / columns
    frames = [
        Frame(2 * cm + number * (each + cm), 2 * cm, each, height - 4 * cm, id=str(number))
        for number in range(columns)
    ]
    document = _Outlined(out, pagesize=(width, height), title=content.title)
    document.addPageTemplates(PageTemplate(id="page", frames=frames))
    story: list[Flowable] = []
    for page in content.pages:
        story += [flowable for piece in page for flowable in _flowables(piece)]
        story.append(PageBreak())
    document.build(story)
    return out.getvalue()


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
def test_known(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        made = known(seed, pages=1 + seed % 3)
        content = Known(_shown(made.title), tuple(tuple(map(_latin, page)) for page in made.pages))
        check_known(tmp_path, "a.pdf", _written(content, 1), content, paged=True, title=True)
