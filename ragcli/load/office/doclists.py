"""The numbers and bullets of lists in a binary Word file, which its text does not hold.

[MS-DOC] 2.9.131 (LFO), 2.9.147 (LSTF), 2.9.150 (LVLF).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragcli.load.office.numerals import numeral

if TYPE_CHECKING:
    from ragcli.load.office.wordfile import WordFile

_LISTS, _OVERRIDES = 73, 74
_BULLET, _NONE = 23, 255
_MOST = 20_000
# The values of MSONFC ([MS-OSHARED] 2.2.1.3) by the names of ST_NumberFormat.
_KINDS = {
    1: "upperRoman",
    2: "lowerRoman",
    3: "upperLetter",
    4: "lowerLetter",
    11: "japaneseCounting",
    22: "decimalZero",
    33: "taiwaneseCounting",
    35: "taiwaneseCountingThousand",
    37: "chineseCounting",
    39: "chineseCountingThousand",
}


@dataclass(frozen=True, slots=True)
class _Level:
    start: int
    kind: int
    template: str  # in which the characters U+0000 to U+0008 stand for the numbers of the levels


@dataclass(slots=True)
class _Override:
    list_: int
    levels: dict[int, _Level] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)


class Numbering:
    """Counts the items of all lists as they come."""

    def __init__(self, file: WordFile) -> None:
        self._lists: dict[int, list[_Level]] = {}
        self._overrides: list[_Override] = []
        self._counters: dict[int, list[int | None]] = {}
        self._used: set[tuple[int, int]] = set()
        if file.is_old:
            return
        try:
            self._read(file)
        except (struct.error, IndexError):
            self._overrides = []  # broken: items are items all the same, with a hyphen

    def mark(self, override: int, level: int) -> str:
        """The mark of the next item of a list (1-based number of its LFO): a number, or a hyphen."""
        if not 0 < override <= len(self._overrides):
            return "-"
        found = self._overrides[override - 1]
        levels = self._lists.get(found.list_, [])
        known = found.levels.get(level) or (levels[level] if level < len(levels) else None)
        if known is None or known.kind == _BULLET:
            return "-"
        self._count(override, found, level, known)
        if known.kind == _NONE:
            return ""
        numbers = self._counters[found.list_]
        out = []
        for char in known.template:
            if ord(char) > 8:
                out.append(char)
                continue
            at = ord(char)
            shown = found.levels.get(at) or (levels[at] if at < len(levels) else known)
            out.append(numeral(numbers[at] or shown.start, _KINDS.get(shown.kind, "decimal")))
        return "".join(out).strip() or "-"

    def _count(self, number: int, override: _Override, level: int, known: _Level) -> None:
        numbers = self._counters.setdefault(override.list_, [None] * 9)
        before = numbers[level]
        first = override.starts.get(level, known.start)
        if before is None or (level in override.starts and (number, level) not in self._used):
            numbers[level] = first
        else:
            numbers[level] = before + 1
        self._used.add((number, level))
        for deeper in range(level + 1, 9):
            numbers[deeper] = None

    def _read(self, file: WordFile) -> None:
        at, length = file.place(_LISTS)
        if length < 2:
            return
        table = file.table
        (count,) = struct.unpack_from("<H", table, at)
        level_at = at + length
        if 2 + 28 * count > length:
            level_at = at + 2 + 28 * count
        for number in range(min(count, _MOST)):
            (list_,) = struct.unpack_from("<i", table, at + 2 + 28 * number)
            is_simple = table[at + 2 + 28 * number + 26] & 1
            levels = []
            for _ in range(1 if is_simple else 9):
                level, level_at = _level(table, level_at)
                levels.append(level)
            self._lists[list_] = levels
        self._read_overrides(file)

    def _read_overrides(self, file: WordFile) -> None:
        at, length = file.place(_OVERRIDES)
        table = file.table
        if length < 4:
            return
        (count,) = struct.unpack_from("<I", table, at)
        count = min(count, length // 16, _MOST)
        changed = []
        for number in range(count):
            (list_,) = struct.unpack_from("<i", table, at + 4 + 16 * number)
            self._overrides.append(_Override(list_))
            changed.append(table[at + 4 + 16 * number + 12])
        place = at + 4 + 16 * count
        for override, levels in zip(self._overrides, changed, strict=True):
            place += 4
            for _ in range(levels):
                start, flags = struct.unpack_from("<iI", table, place)
                place += 8
                if flags & 0x10:
                    override.starts[flags & 0xF] = start
                if flags & 0x20:
                    override.levels[flags & 0xF], place = _level(table, place)
                    if flags & 0x10:
                        override.starts[flags & 0xF] = override.levels[flags & 0xF].start


def _level(table: bytes, at: int) -> tuple[_Level, int]:
    start, kind = struct.unpack_from("<iB", table, at)
    place = at + 28 + table[at + 24] + table[at + 25]
    (length,) = struct.unpack_from("<H", table, place)
    template = table[place + 2 : place + 2 + 2 * length].decode("utf-16-le", "replace")
    return _Level(start, kind, template), place + 2 + 2 * length
