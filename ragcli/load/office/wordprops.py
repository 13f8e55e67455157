"""What the properties of characters and paragraphs in a binary Word file say about structure.

[MS-DOC] 2.6 (sprms), 2.9.2 ff. (the formatted disk pages), 2.9.260 ff. (style sheet).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragcli.load.office.stylenames import style_level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragcli.load.office.wordfile import WordFile

_PAGE = 512
_STYLES, _CHARACTERS, _PARAGRAPHS = 1, 12, 13
_MOST_ANCESTORS = 12
_TITLE = 62
_OPERAND_SIZES = (1, 1, 2, 4, 2, 2, 0, 3)
# Word 6 and 95: operands that are not one byte long ("v": their first byte tells).
_OLD_SIZES: dict[int, int | str] = {
    0: 0,
    2: 2,
    3: "v",
    12: "v",
    15: "v",
    23: "v",
    20: 4,
    **dict.fromkeys(
        [16, 17, 18, 19, 21, 22, 26, 27, 28, *range(30, 37), *range(38, 44), 45, 46, 47, 48, 49], 2
    ),
}


@dataclass(frozen=True, slots=True)
class Format:
    """Of a paragraph; None is what its style decides. ``outline`` from 0, 9 is body text."""

    style: int = 0
    in_table: bool = False
    ends_row: bool = False
    depth: int = 0  # of nested tables, 1 is the outermost
    outline: int | None = None
    list_: int | None = None
    list_level: int = 0
    page_before: bool = False
    is_header: bool = False


@dataclass(frozen=True, slots=True)
class Style:
    """``level`` is that of a heading, 0 for none."""

    level: int = 0
    list_: int = 0
    list_level: int = 0


@dataclass(slots=True)
class _Draft:
    sti: int
    base: int
    name: str
    outline: int | None
    list_: int | None
    list_level: int | None


class Runs:
    """Spans of the stream and what holds in them."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._values: list[tuple[bytes, int]] = []

    def add(self, start: int, end: int, properties: bytes, style: int) -> None:
        if not self._starts or start >= self._starts[-1]:
            self._starts.append(start)
            self._ends.append(end)
            self._values.append((properties, style))

    def at(self, offset: int) -> tuple[bytes, int]:
        """The properties that hold at an offset, and the style."""
        index = bisect_right(self._starts, offset) - 1
        if index < 0 or offset >= self._ends[index]:
            return b"", 0
        return self._values[index]

    def within(self, start: int, end: int) -> Iterator[tuple[int, int, bytes]]:
        """The runs that touch a span."""
        index = max(0, bisect_right(self._starts, start) - 1)
        while index < len(self._starts) and self._starts[index] < end:
            if self._ends[index] > start:
                yield max(start, self._starts[index]), min(end, self._ends[index]), self._values[index][0]
            index += 1


def paragraph_runs(file: WordFile) -> Runs:
    """The paragraphs' properties (PAPX) by their place in the stream."""
    runs = Runs()
    box = 7 if file.is_old else 13
    for page in _pages(file, _PARAGRAPHS):
        count = page[-1]
        if 4 * (count + 1) + box * count >= _PAGE:
            continue
        starts = struct.unpack_from(f"<{count + 1}I", page)
        for number in range(count):
            at = 2 * page[4 * (count + 1) + box * number]
            length, at = (2 * page[at], at + 1) if at else (0, 0)
            if at and not length and not file.is_old:
                length, at = 2 * page[at], at + 1
            elif at and not file.is_old:
                length -= 1
            found = page[at : min(at + length, _PAGE - 1)]
            style = int.from_bytes(found[:2], "little")
            runs.add(starts[number], starts[number + 1], found[2:], style)
    return runs


def character_runs(file: WordFile) -> Runs:
    """The characters' properties (CHPX) by their place in the stream."""
    runs = Runs()
    for page in _pages(file, _CHARACTERS):
        count = page[-1]
        if 5 * count + 4 >= _PAGE:
            continue
        starts = struct.unpack_from(f"<{count + 1}I", page)
        for number in range(count):
            at = 2 * page[4 * (count + 1) + number]
            found = page[at + 1 : at + 1 + page[at]] if at else b""
            runs.add(starts[number], starts[number + 1], found, 0)
    return runs


def _pages(file: WordFile, number: int) -> Iterator[bytes]:
    _, entries = file.positions(number, 2 if file.is_old else 4)
    for entry in entries:
        at = _PAGE * (int.from_bytes(entry, "little") & 0x3FFFFF)
        page = file.main[at : at + _PAGE]
        if len(page) == _PAGE:
            yield page


def sprms(properties: bytes, *, is_old: bool) -> Iterator[tuple[int, bytes]]:
    """Each property's code and operand; those of Word 6 under the codes of Word 97."""
    at = 0
    while at + (1 if is_old else 2) <= len(properties):
        if is_old:
            code = properties[at]
            size = _OLD_SIZES.get(code, 1)
            at += 1
            if size == "v":
                size = 1 + (properties[at] if at < len(properties) else 0)
            yield {2: 0x4600, 9: 0x2407, 24: 0x2416, 25: 0x2417}.get(code, 0), properties[at : at + int(size)]
            at += int(size)
            continue
        code = int.from_bytes(properties[at : at + 2], "little")
        at += 2
        size = _OPERAND_SIZES[code >> 13]
        if size == 0:
            size = _variable(code, properties, at)
        yield code, properties[at : at + size]
        at += size


def _variable(code: int, properties: bytes, at: int) -> int:
    if code == 0xD608:  # a table's definition counts in two bytes, and one less than it takes
        return 1 + int.from_bytes(properties[at : at + 2], "little")
    first = properties[at] if at < len(properties) else 0
    if code == 0xC615 and first == 255:  # tabs: deleted ones of four bytes, added ones of three
        deleted = properties[at + 1] if at + 1 < len(properties) else 0
        place = at + 2 + 4 * deleted
        return 3 + 4 * deleted + 3 * (properties[place] if place < len(properties) else 0)
    return 1 + first


def format_of_paragraph(properties: bytes, style: int, *, is_old: bool) -> Format:
    """What the properties say."""
    found: dict[str, int | bool] = {"style": style}
    for code, operand in sprms(properties, is_old=is_old):
        value = int.from_bytes(operand[:4], "little")
        if code == 0x4600:
            found["style"] = value
        elif code == 0x2640:
            found["outline"] = value
        elif code == 0x460B:
            found["list_"] = value
        elif code == 0x260A:
            found["list_level"] = min(value, 8)
        elif code == 0x6649:
            found["depth"] = value
        elif code in _FLAGS:
            found[_FLAGS[code]] = bool(value)
    return Format(**found)  # type: ignore[arg-type]


_FLAGS = {
    0x2416: "in_table",
    0x2417: "ends_row",
    0x2407: "page_before",
    0x3404: "is_header",
}


@dataclass(slots=True)
class Styles:
    """The styles of paragraphs by number."""

    _drafts: dict[int, _Draft] = field(default_factory=dict)

    def style(self, number: int) -> Style:
        """What a style says about structure, with what it inherits."""
        level, list_, list_level = 0, None, None
        seen = 0
        while number in self._drafts and seen < _MOST_ANCESTORS:
            draft = self._drafts[number]
            level = level or _level(draft)
            list_ = draft.list_ if list_ is None else list_
            list_level = draft.list_level if list_level is None else list_level
            number, seen = draft.base, seen + 1
        return Style(level, list_ or 0, list_level or 0)


def _level(draft: _Draft) -> int:
    if 1 <= draft.sti <= 9:
        return draft.sti
    if draft.sti == _TITLE:
        return 1
    if draft.outline is not None and draft.outline < 9:
        return draft.outline + 1
    return style_level(draft.name)


def read_styles(file: WordFile) -> Styles:
    """The style sheet (STSH)."""
    data = file.part(_STYLES)
    styles = Styles()
    if len(data) < 8:
        return styles
    start = 2 + int.from_bytes(data[:2], "little")
    count, size = struct.unpack_from("<HH", data, 2)
    at = start
    for number in range(count):
        length = int.from_bytes(data[at : at + 2], "little")
        entry = data[at + 2 : at + 2 + length]
        if len(entry) >= 6:
            styles._drafts[number] = _draft(entry, size, is_old=file.is_old)
        at += 2 + length
        at += length % 2
    return styles


def _draft(entry: bytes, size: int, *, is_old: bool) -> _Draft:
    first, second, third = struct.unpack_from("<HHH", entry)
    at = size
    if is_old:
        length = entry[at] if at < len(entry) else 0
        name = entry[at + 1 : at + 1 + length].decode("cp1252", "replace")
        at += 2 + length
    else:
        length = int.from_bytes(entry[at : at + 2], "little")
        name = entry[at + 2 : at + 2 + 2 * length].decode("utf-16-le", "replace")
        at += 4 + 2 * length
    draft = _Draft(first & 0xFFF, second >> 4, name.partition(",")[0], None, None, None)
    if second & 0xF == 1 and third & 0xF >= 1 and not is_old:
        at += at % 2
        size = int.from_bytes(entry[at : at + 2], "little")
        for code, operand in sprms(entry[at + 4 : at + 2 + size], is_old=False):
            value = int.from_bytes(operand[:4], "little")
            if code == 0x2640:
                draft.outline = value
            elif code == 0x460B:
                draft.list_ = value
            elif code == 0x260A:
                draft.list_level = min(value, 8)
    return draft
