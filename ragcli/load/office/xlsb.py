"""Binary workbooks ([MS-XLSB]): the sheets' records; what else there is stands in XML as in other workbooks."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ragcli.load.office.cellvalues import error, rk_number, truth
from ragcli.load.office.numberformat import code_of, shown
from ragcli.load.office.sheet import Row, write_rows
from ragcli.load.office.xlsx import write_drawings
from ragcli.load.source import inline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragcli.load.office.package import Package
    from ragcli.load.writer import Writer

_ROW, _BLANK, _RK, _ERROR, _BOOL, _REAL, _TEXT, _SHARED = 0, 1, 2, 3, 4, 5, 6, 7
_FORMULA_TEXT, _FORMULA_REAL, _FORMULA_BOOL, _FORMULA_ERROR = 8, 9, 10, 11
_ROWS, _COLUMNS = 1_048_576, 16_384
_STRING, _FORMAT, _STYLE = 19, 44, 47
_STYLES_BEGIN, _STYLES_END = 617, 618
_SHEET, _PROPERTIES = 156, 153


def write_book(package: Package, main: str, writer: Writer) -> None:
    """Writes the sheets of the workbook whose main part is ``main``."""
    sheets: list[tuple[str, str]] = []
    since_1904 = False
    for kind, data in _records(package.read(main)):
        if kind == _PROPERTIES and data:
            since_1904 = bool(data[0] & 1)
        elif kind == _SHEET:
            for begin in (8, 12):  # the first Excel 2007 wrote a word more
                id_, at = _wide(data, begin)
                relation = package.relations(main).get(id_)
                if relation:
                    sheets.append((inline(_wide(data, at)[0]), relation.target))
                    break
    strings = _strings(package, main)
    codes = _codes(package, main)
    for number, (name, part) in enumerate(sheets, 1):
        writer.page(number, name)
        writer.section(name, 1)
        write_rows(_rows(package.read(part), strings, codes, since_1904), writer)
        write_drawings(package, part, writer)


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content of each record ([MS-XLSB] 2.1.4); ends where the stream is cut."""
    at = 0
    while at < len(data):
        kind, at = _number(data, at, 2)
        size, at = _number(data, at, 4)
        if at + size > len(data):
            return
        yield kind, data[at : at + size]
        at += size


def _number(data: bytes, at: int, longest: int) -> tuple[int, int]:
    """A number in base 128, low digits first."""
    number = 0
    for place in range(longest):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            break
    return number, at


def _wide(data: bytes, at: int) -> tuple[str, int]:
    if at + 4 > len(data):
        return "", at
    (length,) = struct.unpack_from("<I", data, at)
    if length == 0xFFFFFFFF:
        return "", at + 4
    end = at + 4 + 2 * length
    return data[at + 4 : end].decode("utf-16-le", "replace"), end


def _strings(package: Package, main: str) -> list[str]:
    name = next(iter(package.related(main, "sharedStrings")), "xl/sharedStrings.bin")
    return [_wide(data, 1)[0] for kind, data in _records(package.read(name)) if kind == _STRING]


def _codes(package: Package, main: str) -> list[str]:
    name = next(iter(package.related(main, "styles")), "xl/styles.bin")
    custom: dict[int, str] = {}
    ids: list[int] = []
    within = False
    for kind, data in _records(package.read(name)):
        if kind == _FORMAT and len(data) > 2:
            custom[int.from_bytes(data[:2], "little")] = _wide(data, 2)[0]
        elif kind in {_STYLES_BEGIN, _STYLES_END}:
            within = kind == _STYLES_BEGIN
        elif kind == _STYLE and within and len(data) >= 4:
            ids.append(int.from_bytes(data[2:4], "little"))
    return [code_of(id_, custom) for id_ in ids]


def _rows(data: bytes, strings: list[str], codes: list[str], since_1904: bool) -> Iterator[Row]:
    row = Row(0, [])
    for kind, record in _records(data):
        if kind == _ROW and len(record) >= 4:
            if row.cells:
                yield row
            # Numbers that go back, or out of the sheet, would be the file's mistake.
            number = min(int.from_bytes(record[:4], "little"), _ROWS) + 1
            row = Row(max(row.number + 1, number), [])
        elif _RK <= kind <= _FORMULA_ERROR and len(record) > 8:
            column, style = struct.unpack_from("<II", record)
            if column >= _COLUMNS:
                continue
            text = inline(_cell(kind, record[8:], strings, codes, style & 0xFFFFFF, since_1904))
            if text and (not row.cells or column > row.cells[-1][0]):
                row.cells.append((column, text))
    if row.cells:
        yield row


def _cell(kind: int, value: bytes, strings: list[str], codes: list[str], style: int, since_1904: bool) -> str:
    if kind in {_TEXT, _FORMULA_TEXT}:
        return _wide(value, 0)[0]
    if kind == _SHARED:
        at = int.from_bytes(value[:4], "little")
        return strings[at] if at < len(strings) else ""
    if kind in {_BOOL, _FORMULA_BOOL}:
        return truth(value[0])
    if kind in {_ERROR, _FORMULA_ERROR}:
        return error(value[0])
    if kind == _RK:
        amount = rk_number(int.from_bytes(value[:4], "little"))
    elif len(value) >= 8:
        (amount,) = struct.unpack_from("<d", value)
    else:
        return ""
    return shown(amount, codes[style] if style < len(codes) else "", since_1904=since_1904)
