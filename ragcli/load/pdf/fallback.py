"""pypdf, for files that pdfium cannot open: the text of each page, without its layout."""

from __future__ import annotations

import logging
import re
import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ragcli.load.parsed import CannotRead
from ragcli.load.pdf.geometry import Page, Row, Segment, Word
from ragcli.load.pdf.pdfium import LOCKED, REFUSED, Opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pypdf

_DAMAGED = "not a PDF that can be read; it may be cut off or damaged"
_LINE = 12.0  # points from line to line, for want of better knowledge
_MOST_LINES = 20_000  # of a page


def read_with_pypdf(data: bytes, passwords: Sequence[str] = ()) -> Opened:
    """The layer as pypdf reads it; raises CannotRead: ``encrypted`` or ``damaged``."""
    log = logging.getLogger("pypdf")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)  # its children log, and inherit the level
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _opened(data, passwords)
    except CannotRead:
        raise
    except (
        Exception
    ):  # a parser at odds with a broken file raises whatever it meets: KeyError, RecursionError …
        raise CannotRead("damaged", _DAMAGED) from None
    finally:
        log.setLevel(level)


def _opened(data: bytes, passwords: Sequence[str]) -> Opened:
    import pypdf

    reader = pypdf.PdfReader(BytesIO(data), strict=False)
    if reader.is_encrypted and not any(reader.decrypt(password) for password in ("", *passwords)):
        raise CannotRead("encrypted", REFUSED if passwords else LOCKED)
    pages = [_page(page, number) for number, page in enumerate(reader.pages, 1)]
    if not pages:
        raise CannotRead("damaged", "the PDF has no pages")
    info = {str(key).lstrip("/"): str(value) for key, value in (reader.metadata or {}).items()}
    outline: dict[int, dict[str, int]] = {}
    for page, title, level in _outline(reader, reader.outline, 1):
        outline.setdefault(page, {}).setdefault(title, level)
    return Opened(pages, outline, info)


def _page(page: pypdf.PageObject, number: int) -> Page:
    try:
        text = page.extract_text()
    except Exception:  # as above: one broken page; the others may well be whole
        return Page(number, broken=True)
    rows: list[Row | None] = []
    for at, line in enumerate(text.split("\n")[:_MOST_LINES]):
        words = re.sub(r"\s+", " ", line).strip()
        if words:
            width = 5.0 * len(words)
            word = Word(words, 0.0, width, at * _LINE, 10.0, order=at)
            rows.append(Row([Segment([word], 0.0, width, at * _LINE, 10.0)]))
    return Page(number, rows=[row for row in rows if row])


def _outline(reader: pypdf.PdfReader, entries: Any, level: int) -> Iterator[tuple[int, str, int]]:
    for entry in entries:
        if isinstance(entry, list):
            yield from _outline(reader, entry, level + 1)
            continue
        number = reader.get_destination_page_number(entry)
        if number is not None and number >= 0:
            yield number + 1, str(entry.title), level
