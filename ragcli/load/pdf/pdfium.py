"""A PDF as pdfium opens it: its pages, their annotations and form fields, its outline and attachments."""

from __future__ import annotations

import ctypes
import logging
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ragcli.load.parsed import CannotRead
from ragcli.load.pdf.drawn import drawn_on
from ragcli.load.pdf.geometry import Frame, Page, Word
from ragcli.load.pdf.words import frames_of
from ragcli.load.source import inline
from ragcli.load.xml import local_name, parse_or_mend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


_PDFIUM = threading.Lock()  # PDFium is not thread-safe
_WRONG_PASSWORD = 4  # FPDF_ERR_PASSWORD
_UNKNOWN_SECURITY = 5  # FPDF_ERR_SECURITY
LOCKED = "the PDF needs a password to be opened; give it with --password"
REFUSED = "no password given opens the PDF; give its own with --password"
_MOST_ATTACHED = 200_000_000  # bytes of one attachment
_MOST_ANNOTATIONS = 5000  # on a page
_MOST_LETTERS = 100_000  # of one annotation
_LABELS = re.compile(rb"/PageLabels\s*(?:(\d+)\s+(\d+)\s+R|<<)")
_PICTURED = 0.05  # of a page's area, covered by one picture


@dataclass(slots=True)
class Opened:
    """What a PDF says: pages, ``outline[page][title]`` → level (both 1-based), info, and what it carries.

    ``attachments`` are (name, bytes), None for what is too large; ``fields`` (name, value) the data of an XFA form.
    """

    pages: Sequence[Page]
    outline: Mapping[int, Mapping[str, int]]
    info: Mapping[str, str]
    attachments: list[tuple[str, bytes | None]] = field(default_factory=list)
    fields: list[tuple[str, str]] = field(default_factory=list)


def read_with_pdfium(
    data: bytes, passwords: Sequence[str] = (), unread: Callable[[Any, Page], None] | None = None
) -> Opened | None:
    """The whole file, None where pdfium cannot open it; a locked one raises CannotRead.

    ``unread`` is called with pdfium's page for each that has a picture and no text; it may fill it.
    """
    # It logs on stderr what it thinks of a form.
    logging.getLogger("pypdfium2").setLevel(logging.CRITICAL + 1)
    with _PDFIUM, _document(data, passwords) as document:
        if document is None or not len(document):
            return None
        has_forms = _with_forms(document)
        labelled = _labels_end(data)
        fonts: dict[int, bool] = {}
        attached: list[tuple[str, bytes | None]] = []
        pages = [
            _page(
                document,
                number,
                _label(document, number) if labelled else "",
                fonts,
                attached,
                has_forms,
                unread,
            )
            for number in range(len(document))
        ]
        return Opened(
            pages,
            _outline(document),
            _info(document),
            [*_attachments(document), *attached],
            _xfa_fields(_xfa(document)),
        )


@contextmanager
def _document(data: bytes, passwords: Sequence[str]) -> Iterator[Any]:
    import pypdfium2

    document = None
    for password in (None, *passwords):
        try:
            document = pypdfium2.PdfDocument(data, password=password)
            break
        except pypdfium2.PdfiumError as error:
            if getattr(error, "err_code", 0) not in (_WRONG_PASSWORD, _UNKNOWN_SECURITY):
                break
    else:
        raise CannotRead("encrypted", REFUSED if passwords else LOCKED)
    try:
        yield document
    finally:
        if document is not None:
            document.close()


def _with_forms(document: Any) -> bool:
    import pypdfium2

    try:
        document.init_forms()
    except pypdfium2.PdfiumError:
        return False
    return document.formenv is not None


def _page(
    document: Any,
    index: int,
    label: str,
    fonts: dict[int, bool],
    attached: list[tuple[str, bytes | None]],
    has_forms: bool,
    unread: Callable[[Any, Page], None] | None,
) -> Page:
    import pypdfium2

    out = Page(index + 1, label)
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        out.broken = True  # one broken page; the others may well be whole
        return out
    try:
        box = _seen(page)
        rules, largest = drawn_on(page)
        out.pictured = largest > _PICTURED * max(1.0, (box[2] - box[0]) * (box[3] - box[1]))
        textpage = page.get_textpage()
        fonts.clear()  # a font's address may come again on another page
        out.frames = frames_of(textpage, rules, fonts, box)
        textpage.close()
        _add_annotations(document, page, out, box, attached, has_forms)
        if unread is not None and out.unread:
            unread(page, out)
    except pypdfium2.PdfiumError:
        out.broken = True
    finally:
        page.close()
    return out


def _seen(page: Any) -> tuple[float, float, float, float]:
    media, crop = page.get_mediabox(), page.get_cropbox()
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    return (left, bottom, right, top) if left < right and bottom < top else tuple(media)


def _labels_end(data: bytes) -> bool:
    """No part of the tree of page labels is known to lead to others: PDFium follows loops until it dies.

    Hardly a file has a tree that is more than its root. One within an object stream is not looked at.
    """
    found = _LABELS.search(data)
    if not found:
        return True
    start = found.end()
    if found[1]:
        place = re.search(rb"(?<!\d)%s\s+%s\s+obj\b" % (found[1], found[2]), data)
        start = place.end() if place else len(data)
    end = data.find(b"endobj", start)
    return b"/Kids" not in data[start : end if end >= 0 else len(data)]


def _label(document: Any, index: int) -> str:
    try:
        return inline(document.get_page_label(index))
    except (ValueError, UnicodeError):
        return ""


def _outline(document: Any) -> dict[int, dict[str, int]]:
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


def _info(document: Any) -> dict[str, str]:
    """The info entries; broken ones are left out."""
    found = {}
    for name in ("Title", "Author", "Subject", "Keywords", "CreationDate", "ModDate"):
        try:
            found[name] = document.get_metadata_value(name)
        except UnicodeError:
            continue
    return found


def _attachments(document: Any) -> Iterator[tuple[str, bytes | None]]:
    import pypdfium2

    for index in range(min(document.count_attachments(), 1000)):
        try:
            attachment = document.get_attachment(index)
            yield _name_of(attachment), _bytes_of(attachment)
        except pypdfium2.PdfiumError:
            continue


def _name_of(attachment: Any) -> str:
    try:
        return str(attachment.get_name())
    except UnicodeError:
        return ""


def _bytes_of(attachment: Any) -> bytes | None:
    """What is attached, None where that is too much."""
    import pypdfium2.raw as pdfium

    length = ctypes.c_ulong()
    if not pdfium.FPDFAttachment_GetFile(attachment, None, 0, length) or not length.value:
        return b""
    if length.value > _MOST_ATTACHED:
        return None
    return bytes(attachment.get_data())


def _xfa(document: Any) -> bytes:
    """The data of an XFA form, where there is one."""
    import pypdfium2.raw as pdfium

    for index in range(min(max(0, pdfium.FPDF_GetXFAPacketCount(document)), 100)):
        name = ctypes.create_string_buffer(64)
        pdfium.FPDF_GetXFAPacketName(document, index, name, 64)
        if name.value != b"datasets":
            continue
        length = ctypes.c_ulong()
        pdfium.FPDF_GetXFAPacketContent(document, index, None, 0, length)
        if 0 < length.value < _MOST_ATTACHED:
            content = ctypes.create_string_buffer(length.value)
            pdfium.FPDF_GetXFAPacketContent(document, index, content, length.value, length)
            return content.raw[: length.value]
    return b""


def _xfa_fields(data: bytes) -> list[tuple[str, str]]:
    """Names and values of an XFA form's data (XFA 3.3, "Data Packet"): the elements that hold no others."""
    if not data:
        return []
    root, _ = parse_or_mend(data)
    found = []
    for element in root.iter() if root is not None else ():
        value = inline(element.text or "")
        if value and local_name(element) and not len(element):
            found.append((local_name(element), value))
    return found[:_MOST_ANNOTATIONS]


def _add_annotations(
    document: Any,
    page: Any,
    out: Page,
    box: Sequence[float],
    attached: list[tuple[str, bytes | None]],
    has_forms: bool,
) -> None:
    import pypdfium2.raw as pdfium

    fields: list[Word] = []
    notes: dict[str, None] = {}
    for index in range(min(max(0, pdfium.FPDFPage_GetAnnotCount(page)), _MOST_ANNOTATIONS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        kind = pdfium.FPDFAnnot_GetSubtype(annotation)
        if kind == pdfium.FPDF_ANNOT_WIDGET:
            if has_forms:
                fields += _field(document.formenv, annotation)
        elif kind == pdfium.FPDF_ANNOT_FILEATTACHMENT:
            attached += _attached(document, annotation)
        if kind not in (pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_LINK):
            words = _string(pdfium.FPDFAnnot_GetStringValue, annotation, b"Contents").strip()
            if words:
                notes[words] = None
        pdfium.FPDFPage_CloseAnnot(annotation)
    out.notes = list(notes)
    if not fields:
        return
    upright = next((frame for frame in out.frames if frame.angle == 0), None)
    if upright is None:
        upright = Frame([], [], -box[3], -box[1])
        out.frames.insert(0, upright)
    upright.words += fields


def _field(form: Any, annotation: Any) -> list[Word]:
    """What a form field holds, as words that stand where it does."""
    import pypdfium2.raw as pdfium

    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    flags = pdfium.FPDFAnnot_GetFormFieldFlags(form, annotation)
    if kind in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON):
        value = "[x]" if pdfium.FPDFAnnot_IsChecked(form, annotation) else ""
    elif kind in (pdfium.FPDF_FORMFIELD_PUSHBUTTON, pdfium.FPDF_FORMFIELD_UNKNOWN) or flags & _PASSWORD:
        value = ""
    elif kind in (pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX):
        value = "\n".join(_chosen(form, annotation)) or _string(
            pdfium.FPDFAnnot_GetFormFieldValue, form, annotation
        )
    else:
        value = _string(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation)
    lines = [line for line in value.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    rect = pdfium.FS_RECTF()
    if not lines or not pdfium.FPDFAnnot_GetRect(annotation, rect):
        return []
    height = abs(rect.top - rect.bottom) / len(lines)
    size = min(max(0.7 * height, 4.0), 12.0)
    out = []
    for number, line in enumerate(lines):
        base = -max(rect.top, rect.bottom) + number * height + min(height, 1.6 * size) / 2 + 0.3 * size
        x = min(rect.left, rect.right)
        for word in line.split():
            right = x + 0.5 * size * len(word)
            out.append(Word(word, x, right, base, size, False, _LATE + number))
            x = right + 0.3 * size
    return out


def _chosen(form: Any, annotation: Any) -> list[str]:
    """The options that are chosen, as they are shown: the value of a field may be another than its label."""
    import pypdfium2.raw as pdfium

    count = min(max(0, pdfium.FPDFAnnot_GetOptionCount(form, annotation)), _MOST_ANNOTATIONS)
    return [
        _string(pdfium.FPDFAnnot_GetOptionLabel, form, annotation, number)
        for number in range(count)
        if pdfium.FPDFAnnot_IsOptionSelected(form, annotation, number)
    ]


_PASSWORD = 1 << 13
_LATE = 1 << 40  # comes after all words of the page's own content


def _attached(document: Any, annotation: Any) -> list[tuple[str, bytes | None]]:
    import pypdfium2
    import pypdfium2.raw as pdfium

    handle = pdfium.FPDFAnnot_GetFileAttachment(annotation)
    if not handle:
        return []
    attachment = pypdfium2.PdfAttachment(handle, document)
    return [(_name_of(attachment), _bytes_of(attachment))]


def _string(call: Callable[..., int], *arguments: Any) -> str:
    """A string that the library gives as UTF-16, asked first for its length in bytes."""
    import pypdfium2.raw as pdfium

    length = min(call(*arguments, None, 0), 2 * _MOST_LETTERS)
    if length <= 2:
        return ""
    buffer = ctypes.create_string_buffer(length)
    call(*arguments, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), length)
    return buffer.raw[: length - 2].decode("utf-16-le", "replace")
