"""The two PDF libraries behind one small record."""

from __future__ import annotations

import logging
import threading
import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ragcli.load.parsed import CannotRead

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pypdf

_PDFIUM = threading.Lock()  # PDFium is not thread-safe
_WRONG_PASSWORD = 4  # FPDF_ERR_PASSWORD
_UNKNOWN_SECURITY = 5  # FPDF_ERR_SECURITY
_LOCKED = "the PDF needs a password to be opened"
_DAMAGED = "not a PDF that can be read; it may be cut off or damaged"


@dataclass(frozen=True, slots=True)
class RawPage:
    """A page's text and, for each of its lines, how far below the line before it stands.

    ``gaps`` are in units of the line's own height, and empty where they are unknown; a negative
    one leads up, to another column.
    """

    text: str
    gaps: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """What a PDF says: its pages, ``outline[page][title]`` → level (both 1-based), its info entries."""

    pages: Sequence[RawPage]
    outline: Mapping[int, Mapping[str, int]]
    info: Mapping[str, str]


def open_with_pdfium(data: bytes) -> Layer | None:
    """The layer as pdfium reads it, None where it cannot open the file; a locked one raises CannotRead."""
    import pypdfium2

    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if getattr(error, "err_code", 0) in (_WRONG_PASSWORD, _UNKNOWN_SECURITY):
                raise CannotRead("encrypted", _LOCKED) from None
            return None
        try:
            pages = [_pdfium_page(document, number) for number in range(len(document))]
            if not pages:
                return None
            return Layer(pages, _pdfium_outline(document), document.get_metadata_dict())
        finally:
            document.close()


def _pdfium_page(document: Any, number: int) -> RawPage:
    import pypdfium2

    try:
        page = document[number]
        textpage = page.get_textpage()
        text = textpage.get_text_range().replace("\r\n", "\n")
        gaps = _gaps(textpage, text)
        textpage.close()
        page.close()
    except pypdfium2.PdfiumError:
        return RawPage("")  # one broken page; the others may well be whole
    return RawPage(text, gaps)


def _gaps(textpage: Any, text: str) -> list[float]:
    import pypdfium2

    gaps: list[float] = []
    at, above = 0, 0.0
    count = textpage.count_chars()
    for line in text.strip("\n").split("\n"):
        gap = 0.0
        if line.strip() and at < count:
            try:
                _, bottom, _, top = textpage.get_charbox(at, loose=True)
            except pypdfium2.PdfiumError:
                bottom, top = above, above
            gap = (above - bottom) / max(top - bottom, 1.0) if gaps else 0.0
            above = bottom
        gaps.append(gap)
        at += len(line.encode("utf-16-le")) // 2 + 2  # pdfium counts UTF-16 units and CR LF
    return gaps


def _pdfium_outline(document: Any) -> dict[int, dict[str, int]]:
    import pypdfium2

    outline: dict[int, dict[str, int]] = {}
    try:
        for entry in document.get_toc():
            target = entry.get_dest()
            index = target.get_index() if target else None
            if index is not None:
                outline.setdefault(index + 1, {}).setdefault(entry.get_title() or "", entry.level + 1)
    except (pypdfium2.PdfiumError, ValueError):
        return outline
    return outline


def open_with_pypdf(data: bytes) -> Layer:
    """The layer as pypdf reads it; raises CannotRead: ``encrypted`` or ``damaged``."""
    log = logging.getLogger("pypdf")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)  # its children log, and inherit the level
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _pypdf_layer(data)
    except CannotRead:
        raise
    except (
        Exception
    ):  # a parser at odds with a broken file raises whatever it meets: KeyError, RecursionError …
        raise CannotRead("damaged", _DAMAGED) from None
    finally:
        log.setLevel(level)


def _pypdf_layer(data: bytes) -> Layer:
    import pypdf

    reader = pypdf.PdfReader(BytesIO(data), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise CannotRead("encrypted", _LOCKED)
    pages = [RawPage(page.extract_text()) for page in reader.pages]
    if not pages:
        raise CannotRead("damaged", "the PDF has no pages")
    info = {str(key).lstrip("/"): str(value) for key, value in (reader.metadata or {}).items()}
    outline: dict[int, dict[str, int]] = {}
    for page, title, level in _pypdf_outline(reader, reader.outline, 1):
        outline.setdefault(page, {}).setdefault(title, level)
    return Layer(pages, outline, info)


def _pypdf_outline(reader: pypdf.PdfReader, entries: Any, level: int) -> Iterator[tuple[int, str, int]]:
    for entry in entries:
        if isinstance(entry, list):
            yield from _pypdf_outline(reader, entry, level + 1)
            continue
        number = reader.get_destination_page_number(entry)
        if number is not None and number >= 0:
            yield number + 1, str(entry.title), level
