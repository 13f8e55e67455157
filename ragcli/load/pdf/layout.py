"""A page's words to the pieces of its text: tables, columns and rows found, each in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragcli.load.pdf.geometry import Row, Table
from ragcli.load.pdf.order import Part, rows_in_order, segments_of
from ragcli.load.pdf.tables import ruled_tables, with_heads, with_tables

if TYPE_CHECKING:
    from ragcli.load.pdf.geometry import Frame, Page

Column = list[Row | Table]


def columns_of(page: Page) -> list[list[Column]]:
    """For each direction of writing on the page, its columns in reading order."""
    found = [_columns(frame) for frame in page.frames]
    return [*found, [list(page.rows)]] if page.rows else found


def _columns(frame: Frame) -> list[Column]:
    tables, words = ruled_tables(frame.words, frame.rules)
    parts: list[Part] = [*segments_of(words), *tables]
    return [with_heads(with_tables(column)) for column in rows_in_order(parts)]
