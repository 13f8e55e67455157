"""The streams of a binary Word file, and its text piece by piece.

[MS-DOC]: Word (.doc) Binary File Format, sections 2.5 (the FIB) and 2.8-2.9 (pieces); Word 6 and 95
differ in where things lie, in text of one byte a character, and in smaller tables.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.load import codepages
from ragcli.load.office.decrypt import EncryptedError
from ragcli.load.office.ole import read_stream
from ragcli.load.parsed import CannotRead

if TYPE_CHECKING:
    import olefile

_WORD_8 = 0xA5EC
_WORD_6 = 0xA5DC
_PAIRS_8, _PAIRS_6 = 0x9A, 0x58
_COUNTS_8, _COUNTS_6 = 0x4C, 0x34
_CLX = 33
_MOST_PIECES = 1_000_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters ``[first, end)`` of the text, from ``at`` in the stream, ``width`` bytes each."""

    first: int
    end: int
    at: int
    width: int


class WordFile:
    """``counts`` are the lengths, in characters, of the main text, footnotes, headers, macros (none
    any more), comments, endnotes, text boxes and text boxes of headers, in the order they lie in ``text``.
    """

    def __init__(self, ole: olefile.OleFileIO) -> None:
        self.main = read_stream(ole, "WordDocument")
        if len(self.main) < 0x200:
            raise CannotRead("damaged", "its stream WordDocument is cut off")
        kind, version = struct.unpack_from("<HH", self.main)
        # Word 6 and 95 have the same mark as its successors in some files: the version decides.
        self.is_old = kind == _WORD_6 or version < 0x0069
        if kind not in (_WORD_8, _WORD_6):
            raise CannotRead("unsupported", "it is of a Word older than Word 6; save it anew to have it read")
        flags = self._word(0x0A)
        if flags & 0x0100:
            raise EncryptedError
        self._is_complex = bool(flags & 0x0004)
        self.table = self.main if self.is_old else _table(ole, "1Table" if flags & 0x0200 else "0Table")
        at = _COUNTS_6 if self.is_old else _COUNTS_8
        self.counts = [max(0, count) for count in struct.unpack_from("<8i", self.main, at)]
        mac = self._word(0x14) == 0x100
        self.codec = "mac_roman" if mac else codepages.of_language(self._word(6))
        self.pieces = self._pieces()
        self._firsts = [piece.first for piece in self.pieces]
        self.text = self._text()

    def part(self, number: int) -> bytes:
        """The structure that a pair of the FIB's table (``fc``, ``lcb``) points to; empty if none."""
        at, length = self.place(number)
        return self.table[at : at + length] if length > 0 else b""

    def place(self, number: int) -> tuple[int, int]:
        """Offset in the table stream, and length, of that structure."""
        place = (_PAIRS_6 if self.is_old else _PAIRS_8) + 8 * number
        if place + 8 > len(self.main):
            return 0, 0
        at, length = struct.unpack_from("<Ii", self.main, place)
        return at, max(0, length)

    def offset(self, character: int) -> int:
        """Where in the stream a character of the text lies."""
        piece = self.piece_at(character)
        return piece.at + (character - piece.first) * piece.width

    def piece_at(self, character: int) -> Piece:
        """The piece that holds a character; the nearest before where none does."""
        return self.pieces[max(0, bisect_right(self._firsts, character) - 1)]

    def positions(self, number: int, size: int) -> tuple[list[int], list[bytes]]:
        """A PLC: its character positions, one more than its elements of ``size`` bytes."""
        data = self.part(number)
        count = (len(data) - 4) // (4 + size)
        if count < 0:
            return [], []
        places = list(struct.unpack_from(f"<{count + 1}i", data))
        first = 4 * (count + 1)
        return places, [data[first + size * i : first + size * (i + 1)] for i in range(count)]

    def _word(self, at: int) -> int:
        return int.from_bytes(self.main[at : at + 2], "little")

    def _pieces(self) -> list[Piece]:
        clx = self.part(_CLX)
        at = 0
        while at + 3 <= len(clx) and clx[at] == 1:  # property modifications come first
            at += 3 + int.from_bytes(clx[at + 1 : at + 3], "little")
        if at + 5 <= len(clx) and clx[at] == 2:
            length = int.from_bytes(clx[at + 1 : at + 5], "little")
            found = self._piece_table(clx[at + 5 : at + 5 + length])
            if found:
                return found
        if not self.is_old or self._is_complex:
            raise CannotRead("damaged", "the table of its text's pieces is missing or broken")
        first, end = struct.unpack_from("<II", self.main, 0x18)
        return [Piece(0, min(sum(self.counts), max(0, end - first)), first, 1)]

    def _piece_table(self, data: bytes) -> list[Piece]:
        count = (len(data) - 4) // 12
        if not 0 < count <= _MOST_PIECES:
            return []
        places = struct.unpack_from(f"<{count + 1}i", data)
        found: list[Piece] = []
        for number in range(count):
            (at,) = struct.unpack_from("<I", data, 4 * (count + 1) + 8 * number + 2)
            first, end = places[number], places[number + 1]
            if end < first or first < (found[-1].end if found else 0):
                break
            if self.is_old:
                found.append(Piece(first, end, at, 1))
            elif at & 0x40000000:
                found.append(Piece(first, end, (at & 0x3FFFFFFF) // 2, 1))
            else:
                found.append(Piece(first, end, at & 0x3FFFFFFF, 2))
        return found

    def _text(self) -> str:
        """All text, a character for each position (one outside the BMP takes two)."""
        total = min(sum(self.counts) + 1, len(self.main))  # a character takes a byte at least
        parts: list[str] = []
        for piece in self.pieces:
            length = max(0, min(piece.end, total) - piece.first)
            raw = self.main[piece.at : piece.at + length * piece.width]
            if piece.width == 2:
                text = raw.decode("utf-16-le", "surrogatepass")
                # A position is a code unit: surrogates stay apart until a paragraph is complete.
                text = "".join(_units(text)) if any(char > "\uffff" for char in text) else text
            else:
                text = self._single(raw)
            parts.append(text.ljust(length, "\0"))
        return "".join(parts)

    def _single(self, raw: bytes) -> str:
        if not self.is_old:
            return raw.decode("cp1252", "replace")
        if self.codec in ("cp932", "gb18030", "cp949", "cp950"):
            return _aligned(raw, self.codec)
        return raw.decode(self.codec, "replace")


def _units(text: str) -> list[str]:
    found: list[str] = []
    for char in text:
        if char > "\uffff":
            code = ord(char) - 0x10000
            found += [chr(0xD800 + (code >> 10)), chr(0xDC00 + (code & 0x3FF))]
        else:
            found.append(char)
    return found


def _aligned(raw: bytes, codec: str) -> str:
    """Multi-byte text with a NUL after each character of two bytes, so that positions stay bytes."""
    text = raw.decode(codec, "replace")
    found = "".join(char + "\0" * (len(char.encode(codec, "replace")) - 1) for char in text)
    return found if len(found) == len(raw) else raw.decode("cp1252", "replace")


def _table(ole: olefile.OleFileIO, name: str) -> bytes:
    other = "0Table" if name == "1Table" else "1Table"
    return read_stream(ole, name if ole.exists(name) or not ole.exists(other) else other)
