"""Excel workbooks before 2007, in an OLE container or bare: each sheet a page under its name.

Kept: what each cell shows, comments and the addresses of links after their row, text boxes, headers
and footers once, embedded files. Left out: formulas, the data of charts, macros, pictures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ragcli.load.office.biff import Sheet, read_book
from ragcli.load.office.decrypt import EncryptedError, decrypted
from ragcli.load.office.ole import MAGIC, open_document, read_stream
from ragcli.load.office.oleobjects import storage_files
from ragcli.load.office.sheet import Row, printed, with_notes, write_rows
from ragcli.load.office.summary import summary
from ragcli.load.parsed import CannotRead, Content, Item
from ragcli.load.source import inline
from ragcli.load.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from olefile import OleFileIO

    from ragcli.types import Scalar

_STREAMS = ("workbook", "book")


def read_xls(content: Content) -> Iterator[Item]:
    """The workbook, then the files embedded in it."""
    data = content.data
    if not data.startswith(MAGIC):
        yield from _book(data, "", {})
        return
    with open_document(data) as ole:
        stream = _stream_of(ole)
        try:
            sheets = read_book(read_stream(ole, *stream))
        except EncryptedError:
            sheets = None
        if sheets is None:
            yield from _unlocked(content)
            return
        title, metadata = summary(ole)
        found = False
        for item in _parsed(sheets, title, metadata):
            found = True
            yield item
        for item in storage_files(ole):
            found = True
            yield item
        if not found:
            raise CannotRead("no-text", "no text in it; there may be pictures or drawings")


def _unlocked(content: Content) -> Iterator[Item]:
    data = decrypted(content)
    with open_document(data) as ole:
        title, metadata = summary(ole)
        yield from _book(read_stream(ole, *_stream_of(ole)), title, metadata)
        yield from storage_files(ole)


def _book(data: bytes, title: str, metadata: dict[str, Scalar]) -> Iterator[Item]:
    try:
        yield from _parsed(read_book(data), title, metadata)
    except EncryptedError as error:
        raise CannotRead("encrypted", "it is encrypted in a way that is not known here") from error


def _stream_of(ole: OleFileIO) -> list[str]:
    for path in ole.listdir():
        if len(path) == 1 and path[0].lower() in _STREAMS:
            return list(path)
    raise CannotRead("damaged", "no workbook in it")


def _parsed(sheets: list[Sheet], title: str, metadata: dict[str, Scalar]) -> Iterator[Item]:
    writer = Writer()
    said: set[str] = set()
    for number, sheet in enumerate(sheets, 1):
        writer.page(number, sheet.name)
        writer.section(sheet.name, 1)
        write_rows(with_notes(_rows(sheet), _notes(sheet)), writer)
        for text in sheet.texts:
            writer.paragraph(text)
        for text in map(printed, sheet.margins):
            if text not in said:
                said.add(text)
                writer.paragraph(text)
    if not writer.is_empty:
        yield replace(writer.parsed(title, metadata), title=inline(title))
    if any(sheet.broken for sheet in sheets):
        yield CannotRead("damaged", "some of its records are broken; the others were read")


def _rows(sheet: Sheet) -> Iterator[Row]:
    for number in sorted(sheet.cells):
        cells = [(column, inline(text)) for column, text in sorted(sheet.cells[number].items())]
        kept = [(column, text) for column, text in cells if text]
        if kept:
            yield Row(number + 1, kept)


def _notes(sheet: Sheet) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for row, urls in sheet.links.items():
        plain = [f"({url.removeprefix('mailto:')})" for url in urls]
        found.setdefault(row + 1, []).extend(dict.fromkeys(plain))
    for row, notes in sheet.notes.items():
        for author, text in notes:
            words = inline(text).removeprefix(f"{inline(author)}:").strip()
            found.setdefault(row + 1, []).append(
                f"[Comment{f' by {inline(author)}' if author.strip() else ''}: {words}]"
            )
    return found
