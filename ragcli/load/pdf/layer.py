"""PDF: pages to running text, by pdfium and an analysis of their layout; pypdf where pdfium declines.

Kept: all text within what is seen of a page, hidden or not, in reading order; what form fields hold, at
their place; comments, at the end of their page; attachments, as files of their own. Left out: what
stands outside the crop box, links' addresses, page numbers, running heads and feet after their first
time (in documents of three pages and more), push buttons, scripts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ragcli.load.parsed import CannotRead, Content, Item, Member
from ragcli.load.pdf.bombs import refuse_bombs
from ragcli.load.pdf.fallback import read_with_pypdf
from ragcli.load.pdf.furniture import Furniture
from ragcli.load.pdf.geometry import Page, Row
from ragcli.load.pdf.hyphens import Hyphens
from ragcli.load.pdf.layout import Column, columns_of
from ragcli.load.pdf.ocr import HINT, PageOcr
from ragcli.load.pdf.pdfium import Opened, read_with_pdfium
from ragcli.load.pdf.structure import Piece, mark_headings, pieces_of, with_lists
from ragcli.load.source import inline
from ragcli.load.writer import Writer
from ragcli.types import Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_NO_TITLE = re.compile(
    r"^(?:[\W\d_]*|\(?(?:untitled|anonymous|unspecified)\)?|microsoft word\b.*"
    r"|.*\.(?:docx?|indd|tex|dvi|pptx?|xlsx?|qxd|pdf))$",
    re.IGNORECASE,
)
_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?")


@dataclass(slots=True)
class _Laid:
    """A page with its columns, one list for each direction of writing."""

    page: Page
    directions: list[list[Column]]


def read_pdf(content: Content) -> Iterator[Item]:
    """The text with a page map, then what could not be read of it, then the files it carries.

    Blocks never span pages. Raises CannotRead: ``encrypted`` (needs a password), ``damaged``,
    ``no-text`` (no text layer); the last is also yielded for single pages that are but pictures.
    """
    ocr = PageOcr(content.ocr) if content.ocr else None
    refuse_bombs(content.data)
    opened = read_with_pdfium(content.data, content.passwords, ocr)
    if opened is None:
        opened = read_with_pypdf(content.data, content.passwords)
    writer = Writer()
    unread = [page.number for page in opened.pages if page.unread]
    broken = [page.number for page in opened.pages if page.broken]
    write_pages(writer, opened.pages, opened.outline)
    for name, value in opened.fields:
        writer.paragraph(f"{name}: {value}")
    why = next(iter(ocr.failed.values()), "") if ocr else HINT
    if not writer.is_empty:
        yield writer.parsed(_title(opened), _metadata(opened))
        if unread:
            yield CannotRead("no-text", f"{_named(unread)} no text layer, only pictures; {why}")
    elif not opened.attachments:
        raise CannotRead("no-text", _no_text(opened, why))
    if broken:
        yield CannotRead("damaged", f"{_named(broken)} damaged content and cannot be read")
    for name, data in opened.attachments:
        called = name or "attachment"
        yield CannotRead("too-large", "it is too large", called) if data is None else Member(called, data)


def _no_text(opened: Opened, why: str) -> str:
    count = len(opened.pages)
    if any(page.pictured for page in opened.pages):
        return f"no text layer in {_counted(count)}; it may be a scan: {why or 'OCR found no words in it'}"
    return f"no text layer in {_counted(count)}, which are blank or drawn"


def write_pages(writer: Writer, pages: Sequence[Page], outline: Mapping[int, Mapping[str, int]]) -> None:
    """The text of pages, laid out; ``outline[page][title]`` → level names their headings."""
    laid = [_Laid(page, columns_of(page)) for page in pages]
    _drop_furniture(laid)
    written = [
        [
            piece
            for columns in one.directions
            for piece in pieces_of(columns, outline.get(one.page.number, {}))
        ]
        for one in laid
    ]
    if not any(outline.values()):
        mark_headings(written)
    hyphens = Hyphens(line for pieces in written for piece in pieces for line in piece.lines)
    for one, pieces in zip(laid, written, strict=True):
        writer.page(one.page.number, one.page.label)
        for piece in with_lists(pieces):
            _write_piece(writer, piece, hyphens)
        for note in one.page.notes:
            writer.paragraph(note)


def _drop_furniture(laid: Sequence[_Laid]) -> None:
    """Running heads and feet taken out of the main direction of each page."""
    main = [one for one in laid if one.page.frames and one.directions]
    rows = [[row for column in one.directions[0] for row in column if isinstance(row, Row)] for one in main]
    ends = [(one.page.frames[0].top, one.page.frames[0].bottom) for one in main]
    furniture = Furniture([(lines, *edge) for lines, edge in zip(rows, ends, strict=True)])
    for number, (one, lines, edge) in enumerate(zip(main, rows, ends, strict=True), 1):
        dropped = furniture.without(number, lines, *edge)
        if dropped:
            one.directions[0] = [
                [part for part in column if id(part) not in dropped] for column in one.directions[0]
            ]


def _write_piece(writer: Writer, piece: Piece, hyphens: Hyphens) -> None:
    if piece.table is not None:
        writer.table(piece.table.rows, piece.table.headers)
    elif piece.kind == "list":
        items = ["\n".join(hyphens.joined(item.split("\n"))) for item in piece.lines]
        writer.items([(0, item) for item in items])
    elif piece.kind == "heading":
        writer.heading(" ".join(hyphens.joined(piece.lines)), piece.level)
    elif piece.kind == "caption":
        writer.caption(" ".join(hyphens.joined(piece.lines)))
    else:
        writer.paragraph("\n".join(hyphens.joined(piece.lines)))


def _named(numbers: Sequence[int]) -> str:
    """``page 3 has``, ``pages 3-5, 8 have``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] + 1 == number:
            runs[-1].append(number)
        else:
            runs.append([number])
    told = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
    return f"pages {told} have" if len(numbers) > 1 else f"page {told} has"


def _title(opened: Opened) -> str:
    title = inline(opened.info.get("Title", ""))
    return "" if _NO_TITLE.match(title) else title


def _metadata(opened: Opened) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {"pages": len(opened.pages)}
    for name in ("Author", "Subject", "Keywords"):
        value = inline(opened.info.get(name, ""))
        if value and not _NO_TITLE.match(value):
            found[name.lower()] = value
    for name, called in (("CreationDate", "created"), ("ModDate", "modified")):
        value = _date(opened.info.get(name, ""))
        if value:
            found[called] = value
    return found


def _date(raw: str) -> str:
    """A date of the info entries (ISO 32000-1, 7.9.4) as YYYY-MM-DD; empty where it is none."""
    found = _DATE.match(raw.strip())
    if not found:
        return ""
    year, month, day = found[1], found[2] or "01", found[3] or "01"
    try:
        return datetime(int(year), int(month), int(day)).date().isoformat()
    except ValueError:
        return ""


def _counted(count: int) -> str:
    return "1 page" if count == 1 else f"{count} pages"
