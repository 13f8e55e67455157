"""Excel 2 to 2003 ([MS-XLS], and the OpenOffice.org description of BIFF2 to BIFF5): the records of a workbook.

All versions are one stream of records; they differ in the width of fields and the encoding of text.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragcli.load import codepages
from ragcli.load.office.biffstrings import shared_strings, string_at
from ragcli.load.office.cellvalues import error, rk_number, truth
from ragcli.load.office.decrypt import EncryptedError
from ragcli.load.office.numberformat import code_of, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CONTINUE = 0x3C
_PASSWORD = 0x2F
_WORKSHEET, _MACROS, _CHART = 0x10, 0x40, 0x20
_BEGIN = frozenset([0x09, 0x209, 0x409, 0x809])
_END = 0x0A


@dataclass(slots=True)
class Sheet:
    """``cells`` are (column, words) by row, from 0; ``links`` and ``notes`` (author, words) by row;
    ``broken`` counts records that could not be read."""

    name: str = ""
    cells: dict[int, dict[int, str]] = field(default_factory=dict)
    links: dict[int, list[str]] = field(default_factory=dict)
    notes: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    margins: list[str] = field(default_factory=list)
    broken: int = 0


def read_book(data: bytes) -> list[Sheet]:
    """The sheets of a workbook stream in the order of its tabs; raises EncryptedError."""
    return _Book(data).sheets()


Record = tuple[int, int, list[bytes]]


def _records(data: bytes, at: int = 0) -> Iterator[Record]:
    """Place, type and pieces (its own and those of the CONTINUE records after it) of each record."""
    waiting: Record | None = None
    while at + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, at)
        piece = data[at + 4 : at + 4 + size]
        if kind == _CONTINUE and waiting:
            waiting[2].append(piece)
        else:
            if waiting:
                yield waiting
            waiting = (at, kind, [piece])
        at += 4 + size
        if kind == 0 and size == 0:  # padding
            break
    if waiting:
        yield waiting


class _Book:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._version = 8
        self._encoding = "cp1252"
        self._strings: list[str] = []
        self._formats: dict[int, str] = {}
        self._styles: list[int] = []
        self._since_1904 = False
        self._sheets: dict[int, Sheet] = {}
        self._order: list[Sheet] = []

    def sheets(self) -> list[Sheet]:
        self._find_globals()
        readings: list[_Reading | None] = []
        for at, kind, pieces in _records(self._data):
            if kind in _BEGIN:
                self._begin(kind, pieces[0])
                readings.append(self._reading(at, pieces[0], readings))
            elif kind == _END and readings:
                readings.pop()
            elif readings and readings[-1]:
                try:
                    readings[-1].take(kind, pieces)
                except (struct.error, IndexError, ValueError):  # one record cut short, the next may be whole
                    readings[-1].sheet.broken += 1
        return self._order

    def _reading(self, at: int, bof: bytes, outer: Sequence[_Reading | None]) -> _Reading | None:
        """What takes the records of the stream that begins here; those of a chart within a sheet keep
        the numbers of the sheet a second time."""
        if outer:
            return _Reading(self, outer[-1].sheet, is_chart=True) if outer[-1] else None
        sheet = self._sheets.get(at)
        if sheet is None and not self._sheets and self._is_sheet(bof):
            sheet = Sheet()
            self._order.append(sheet)
        is_chart = len(bof) >= 4 and int.from_bytes(bof[2:4], "little") == _CHART
        return _Reading(self, sheet, is_chart=is_chart) if sheet is not None else None

    def _is_sheet(self, bof: bytes) -> bool:
        return len(bof) >= 4 and int.from_bytes(bof[2:4], "little") in {_WORKSHEET, _MACROS}

    def _begin(self, kind: int, bof: bytes) -> None:
        if kind == 0x809:
            self._version = 8 if bof[1:2] == b"\x06" else 5
        else:
            self._version = {0x09: 2, 0x209: 3, 0x409: 4}[kind]

    def _find_globals(self) -> None:
        """What holds for the whole book: it may stand after what it is needed for."""
        depth = 0
        for _at, kind, pieces in _records(self._data):
            if kind in _BEGIN:
                depth += 1
                if depth == 1:
                    self._begin(kind, pieces[0])
            elif kind == _END:
                depth -= 1
                if depth <= 0 and self._version >= 5:
                    return
            elif depth <= 1:
                with suppress(struct.error, IndexError):  # what follows may be whole
                    self._take_global(kind, pieces)

    def _take_global(self, kind: int, pieces: list[bytes]) -> None:
        data = pieces[0]
        if kind == _PASSWORD and len(data) > 2:
            raise EncryptedError
        if kind == 0x42 and len(data) >= 2:
            page = int.from_bytes(data[:2], "little")
            self._encoding = "utf-16-le" if page == codepages.UTF_16 else codepages.of_number(page)
        elif kind == 0x22 and data:
            self._since_1904 = bool(data[0])
        elif kind == 0x85 and len(data) > 6:
            sheet = Sheet(self.short_text(data, 6))
            self._sheets[int.from_bytes(data[:4], "little")] = sheet
            self._order.append(sheet)
        elif kind == 0xFC:
            self._strings = list(shared_strings(pieces))
        elif kind in {0x1E, 0x41E}:
            self._take_format(kind, data)
        elif kind in {0x43, 0x243, 0x443, 0xE0}:
            self._take_style(kind, data)

    def _take_format(self, kind: int, data: bytes) -> None:
        if self._version >= 5:
            id_ = int.from_bytes(data[:2], "little")
            self._formats[id_] = self.text(data, 2) if self._version == 8 else self.short_text(data, 2)
        else:
            # Before BIFF5 a format is known by its place in the list.
            skip = 2 if kind == 0x41E else 0
            self._formats[len(self._formats)] = self.short_text(data, skip)

    def _take_style(self, kind: int, data: bytes) -> None:
        if kind == 0xE0:
            self._styles.append(int.from_bytes(data[2:4], "little"))
        elif kind == 0x43:
            self._styles.append(data[2] & 0x3F if len(data) > 2 else 0)
        else:
            self._styles.append(data[1] if len(data) > 1 else 0)

    def number(self, value: float, style: int) -> str:
        """The number as the cell style shows it."""
        id_ = self._styles[style] if style < len(self._styles) else 0
        code = self._formats.get(id_, "") if self._version < 5 else code_of(id_, self._formats)
        try:
            return shown(value, code, since_1904=self._since_1904)
        except (OverflowError, ValueError):
            return repr(value)

    def shared(self, at: int) -> str:
        """A string of the table that all sheets share."""
        return self._strings[at] if at < len(self._strings) else ""

    def short_text(self, data: bytes, at: int) -> str:
        """Text with a length of one byte."""
        if at >= len(data):
            return ""
        if self._version == 8:
            return string_at(data, at + 1, data[at])
        return self.bytes_text(data[at + 1 : at + 1 + data[at]])

    def text(self, data: bytes, at: int) -> str:
        """Text with a length of two bytes (BIFF2: one)."""
        if self._version == 2:
            return self.short_text(data, at)
        if at + 2 > len(data):
            return ""
        length = int.from_bytes(data[at : at + 2], "little")
        if self._version == 8:
            return string_at(data, at + 2, length)
        return self.bytes_text(data[at + 2 : at + 2 + length])

    def bytes_text(self, raw: bytes) -> str:
        """Text in the code page of the book."""
        return raw.decode(self._encoding, "replace")

    @property
    def version(self) -> int:
        """The version of BIFF: 2, 3, 4, 5 (Excel 5 and 95) or 8."""
        return self._version


class _Reading:
    """One stream of records (a sheet, or a chart upon it) as they come in."""

    def __init__(self, book: _Book, sheet: Sheet, *, is_chart: bool) -> None:
        self.sheet = sheet
        self._book = book
        # Of a chart only the words are taken: its numbers are cells of some sheet.
        self._cells: dict[int, dict[int, str]] = {} if is_chart else sheet.cells
        self._is_chart = is_chart
        self._waiting: tuple[int, int] | None = None  # the formula whose text comes next
        self._object: int | None = None
        self._boxes: dict[int, str] = {}

    def take(self, kind: int, pieces: list[bytes]) -> None:
        """Takes a record; those of BIFF2, which Microsoft Graph still writes, have fields of their own."""
        data = pieces[0]
        book = self._book
        if kind == 0xFD and len(data) >= 10:
            self._put(data, book.shared(int.from_bytes(data[6:10], "little")))
        elif kind in {0x204, 0xD6}:
            self._put(data, book.text(data, 6))
        elif kind == 0x04:
            self._put(data, book.short_text(data, 7))
        elif kind in {0x03, 0x203}:
            self._put_number(data, 7 if kind == 0x03 else 6)
        elif kind == 0x02 and len(data) >= 9:
            self._put(data, book.number(int.from_bytes(data[7:9], "little"), _style2(data)))
        elif kind == 0x27E and len(data) >= 10:
            packed = int.from_bytes(data[6:10], "little")
            self._put(data, book.number(rk_number(packed), int.from_bytes(data[4:6], "little")))
        elif kind == 0xBD:
            self._many(data)
        elif kind in {0x05, 0x205}:
            at = 7 if kind == 0x05 else 6
            if len(data) >= at + 2:
                self._put(data, _boolean(data[at], data[at + 1]))
        elif kind in {0x06, 0x206, 0x406}:
            self._formula(data)
        elif kind in {0x07, 0x207}:
            self._formula_text(data)
        elif kind == 0x100D and self._is_chart:
            self._say(book.short_text(data, 2))
        elif kind in {0x14, 0x15} and data and not self._is_chart:
            self.sheet.margins.append(book.text(data, 0) if book.version == 8 else book.short_text(data, 0))
        elif kind == 0x1B8:
            self._link(data)
        elif kind == 0x1C:
            self._note(data)
        elif kind == 0x5D:
            self._object = _object_id(data)
        elif kind == 0x1B6:
            self._box(pieces)

    def _put(self, data: bytes, text: str) -> None:
        if len(data) >= 4 and text:
            row, column = struct.unpack_from("<HH", data)
            self._cells.setdefault(row, {})[column] = text

    def _put_number(self, data: bytes, at: int) -> None:
        if len(data) >= at + 8:
            (value,) = struct.unpack_from("<d", data, at)
            style = _style2(data) if at == 7 else int.from_bytes(data[4:6], "little")
            self._put(data, self._book.number(value, style))

    def _many(self, data: bytes) -> None:
        row, first = struct.unpack_from("<HH", data)
        for number, at in enumerate(range(4, len(data) - 7, 6)):
            style, packed = struct.unpack_from("<HI", data, at)
            self._cells.setdefault(row, {})[first + number] = self._book.number(rk_number(packed), style)

    def _formula(self, data: bytes) -> None:
        at = 7 if self._book.version == 2 else 6
        result = data[at : at + 8]
        if len(result) < 8:
            return
        if result[6:8] != b"\xff\xff":
            self._put_number(data, at)
        elif result[0] == 0:
            row, column = struct.unpack_from("<HH", data)
            self._waiting = (row, column)
        elif result[0] in {1, 2}:
            self._put(data, _boolean(result[2], result[0] - 1))

    def _formula_text(self, data: bytes) -> None:
        if self._waiting:
            row, column = self._waiting
            text = self._book.text(data, 0)
            if text:
                self._cells.setdefault(row, {})[column] = text
        self._waiting = None

    def _link(self, data: bytes) -> None:
        """[MS-XLS] 2.4.140, [MS-OSHARED] 2.3.7.1: only the address of a URL moniker is taken."""
        row = int.from_bytes(data[:2], "little")
        begin = data.find(b"\xe0\xc9\xea\x79\xf9\xba\xce\x11\x8c\x82\x00\xaa\x00\x4b\xa9\x0b")
        if begin < 0:
            return
        size = int.from_bytes(data[begin + 16 : begin + 20], "little")
        url = data[begin + 20 : begin + 20 + size].decode("utf-16-le", "replace").split("\0")[0]
        if url:
            self.sheet.links.setdefault(row, []).append(url)

    def _note(self, data: bytes) -> None:
        if len(data) < 8:
            return
        if self._book.version == 8:
            row, _, _, id_ = struct.unpack_from("<HHHH", data)
            author = self._book.text(data, 8)
            text = self._boxes.pop(id_, "")
            if text:
                self.sheet.notes.setdefault(row, []).append((author, text))
                if text in self.sheet.texts:
                    self.sheet.texts.remove(text)
        else:
            row, _, length = struct.unpack_from("<HHH", data)
            text = self._book.bytes_text(data[6 : 6 + length])
            if row == 0xFFFF and self.sheet.notes:
                last = list(self.sheet.notes)[-1]
                author, begun = self.sheet.notes[last].pop()
                self.sheet.notes[last].append((author, begun + text))
            elif text:
                self.sheet.notes.setdefault(row, []).append(("", text))

    def _say(self, text: str) -> None:
        # The titles of a chart, which it keeps for each of its parts.
        if text.strip() and not (self._is_chart and text in self.sheet.texts):
            self.sheet.texts.append(text)

    def _box(self, pieces: list[bytes]) -> None:
        """Text of a drawn object: its length is in the record, its words in those that continue it."""
        if len(pieces) < 2 or len(pieces[0]) < 12:
            return
        length = int.from_bytes(pieces[0][10:12], "little")
        text = ""
        for piece in pieces[1:]:
            if len(text) >= length or not piece:
                break
            wide = piece[0] & 1
            raw = piece[1 : 1 + (length - len(text)) * (1 + wide)]
            text += raw.decode("utf-16-le" if wide else "latin-1", "replace")
        if text.strip():
            self._say(text)
            if self._object is not None:
                self._boxes[self._object] = text


def _style2(data: bytes) -> int:
    return data[4] & 0x3F if len(data) > 4 else 0


def _boolean(value: int, is_error: int) -> str:
    return error(value) if is_error else truth(value)


def _object_id(data: bytes) -> int | None:
    return int.from_bytes(data[6:8], "little") if len(data) >= 8 and data[:2] == b"\x15\x00" else None
