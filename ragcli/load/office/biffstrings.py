"""Strings of BIFF8 ([MS-XLS] 2.5.293 and 2.5.294), which may run over several records."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def string_at(data: bytes, at: int, length: int) -> str:
    """[MS-XLS] 2.5.294: a flag byte, then one or two bytes a character."""
    if at >= len(data):
        return ""
    if data[at] & 1:
        return data[at + 1 : at + 1 + 2 * length].decode("utf-16-le", "replace")
    return data[at + 1 : at + 1 + length].decode("latin-1")


def shared_strings(pieces: Sequence[bytes]) -> Iterator[str]:
    """The strings of an SST record ([MS-XLS] 2.4.265); where one runs over into the next piece, that
    begins with a flag byte of its own."""
    reader = _Pieces(pieces)
    reader.skip(8)
    while not reader.is_done:
        length = reader.word()
        flags = reader.byte()
        runs = reader.word() if flags & 8 else 0
        extra = reader.word() | reader.word() << 16 if flags & 4 else 0
        yield reader.characters(length, flags & 1)
        reader.skip(4 * runs + extra)


class _Pieces:
    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = [piece for piece in pieces if piece]
        self._piece, self._at = 0, 0

    @property
    def is_done(self) -> bool:
        return self._piece >= len(self._pieces)

    def _left(self) -> int:
        return len(self._pieces[self._piece]) - self._at

    def _moved(self, count: int) -> None:
        self._at += count
        if self._left() <= 0:
            self._piece, self._at = self._piece + 1, 0

    def byte(self) -> int:
        if self.is_done:
            return 0
        value = self._pieces[self._piece][self._at]
        self._moved(1)
        return value

    def word(self) -> int:
        return self.byte() | self.byte() << 8

    def skip(self, count: int) -> None:
        while count > 0 and not self.is_done:
            step = min(count, self._left())
            self._moved(step)
            count -= step

    def characters(self, length: int, wide: int) -> str:
        out: list[str] = []
        first = True
        while length > 0 and not self.is_done:
            if not first and self._at == 0:
                wide = self.byte() & 1
                if self.is_done:
                    break
            first = False
            width = 2 if wide else 1
            count = min(length, max(1, self._left() // width))
            raw = self._pieces[self._piece][self._at : self._at + count * width]
            out.append(raw.decode("utf-16-le" if wide else "latin-1", "replace"))
            self._moved(count * width)
            length -= count
        return "".join(out)
