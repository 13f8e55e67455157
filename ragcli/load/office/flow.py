"""Paragraphs, one after the other, as word processors store them: lists and tables are found in their marks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ragcli.load.writer import Writer


@dataclass(frozen=True, slots=True)
class Paragraph:
    """``level`` is a heading's; ``mark`` an item's bullet or number (None: no item), at ``depth``."""

    words: str
    level: int = 0
    mark: str | None = None
    depth: int = 0


class Flow:
    """Puts paragraphs into blocks: items into lists, cells into tables, notes after what they hang on."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._items: list[tuple[int, str]] = []
        self._cell: list[Paragraph] = []
        self._row: list[list[Paragraph]] = []
        self._rows: list[list[list[Paragraph]]] = []
        self._headers = 0
        self._notes: list[str] = []
        self._captions: list[str] = []
        self._page: int | None = None

    def paragraph(self, paragraph: Paragraph, *, in_cell: bool = False) -> None:
        """A paragraph ends; in a table it is part of the cell that is open."""
        if in_cell:
            self._cell.append(paragraph)
            return
        self._end_table()
        self._write(paragraph)

    def end_cell(self, paragraph: Paragraph) -> None:
        """The last paragraph of a cell."""
        self._cell.append(paragraph)
        self._row.append(self._cell)
        self._cell = []

    def end_row(self, *, is_header: bool = False) -> None:
        """The row is complete."""
        if self._cell:
            self.end_cell(Paragraph(""))
        if self._row:
            self._headers += is_header and self._headers == len(self._rows)
            self._rows.append(self._row)
            self._row = []

    def note(self, words: str) -> None:
        """What shall stand after the paragraph or the table that is going on."""
        if words.strip():
            self._notes.append(words)

    def caption(self, words: str) -> None:
        """What names a picture; it stands where notes do."""
        if words.strip():
            self._captions.append(words)

    def page(self, number: int) -> None:
        """What comes next stands on this page."""
        if self._rows or self._row or self._cell:
            self._page = number
            return
        self._end_list(notes=False)
        self._writer.page(number)

    def finish(self) -> None:
        """Nothing more comes."""
        if self._row or self._cell:
            self.end_row()
        self._end_table()
        self._end_list()

    def _write(self, paragraph: Paragraph) -> None:
        if paragraph.mark is not None and paragraph.words.strip() and not paragraph.level:
            self._items.append((paragraph.depth, _marked(paragraph)))
            if self._notes or self._captions:
                self._end_list()
        elif paragraph.words.strip():
            self._end_list(notes=False)
            if paragraph.level:
                self._writer.heading(_marked(paragraph), paragraph.level)
            else:
                self._writer.paragraph(paragraph.words)
            self._write_notes()
        elif self._notes or self._captions:
            self._end_list()

    def _end_list(self, *, notes: bool = True) -> None:
        if self._items:
            self._writer.items(self._items)
            self._items = []
        if notes:
            self._write_notes()

    def _write_notes(self) -> None:
        for caption in self._captions:
            self._writer.caption(caption)
        for note in self._notes:
            self._writer.paragraph(note)
        self._notes, self._captions = [], []

    def _end_table(self) -> None:
        if self._row or self._cell:
            self.end_row()
        rows, self._rows = self._rows, []
        if not rows:
            return
        self._end_list(notes=False)
        if len(rows) == 1 and len(rows[0]) == 1:
            for paragraph in rows[0][0]:
                self._write(paragraph)
            self._end_list()
        else:
            self._writer.table([[_cell_text(cell) for cell in row] for row in rows], max(1, self._headers))
            self._write_notes()
        self._headers = 0
        if self._page is not None:
            self._writer.page(self._page)
            self._page = None


def _marked(paragraph: Paragraph) -> str:
    return f"{paragraph.mark} {paragraph.words}" if paragraph.mark else paragraph.words


def _cell_text(cell: list[Paragraph]) -> str:
    return "\n".join(_marked(paragraph) for paragraph in cell if paragraph.words.strip())
