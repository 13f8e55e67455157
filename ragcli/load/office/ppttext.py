"""Text of a binary PowerPoint file: paragraphs with their depth, by [MS-PPT] 2.9."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ragcli.load.office.pptfile import Record

HEADER, CHARS, BYTES, STYLE = 0x0F9F, 0x0FA0, 0x0FA8, 0x0FA1
# Characters that stand for the slide's number, a date, the header or the footer.
_STAND_INS = frozenset([0x0FD8, 0x0FF7, 0x0FF8, 0x0FF9, 0x0FFA, 0x1015])
TITLES = frozenset([0, 6])
BULLETED = frozenset([1, 7, 8])
_C1 = {code: bytes([code]).decode("cp1252", "replace") for code in range(0x80, 0xA0)}
# The fields of a paragraph's exception in order: the bits of the mask that bring one, and its size.
_FIELDS = (
    (0x0F, 2),
    (1 << 7, 2),
    (1 << 4, 2),
    (1 << 6, 2),
    (1 << 5, 4),
    (1 << 11, 2),
    (1 << 12, 2),
    (1 << 13, 2),
    (1 << 14, 2),
    (1 << 8, 2),
    (1 << 10, 2),
    (1 << 15, 2),
    (1 << 20, -1),
    (1 << 16, 2),
    (0b111 << 17, 2),
    (1 << 21, 2),
)


@dataclass(slots=True)
class Text:
    """One text as its records give it. ``kind`` is that of its TextHeaderAtom."""

    kind: int = 4
    words: str = ""
    runs: list[tuple[int, int, bool | None]] = field(default_factory=list)  # length, depth, has a bullet
    stand_ins: list[int] = field(default_factory=list)

    def paragraphs(self) -> Iterator[tuple[int, bool, str]]:
        """Depth, whether it is an item of a list, words."""
        chars = list(self.words)
        for at in self.stand_ins:
            if 0 <= at < len(chars):
                chars[at] = ""
        at = 0
        for line in self.words.split("\r"):
            words = "".join(chars[at : at + len(line)]).replace("\x0b", "\n").strip()
            depth, bullet = self._look(at)
            if words:
                yield depth, self.kind in BULLETED if bullet is None else bullet, words
            at += len(line) + 1

    def _look(self, at: int) -> tuple[int, bool | None]:
        for length, depth, bullet in self.runs:
            if at < length:
                return depth, bullet
            at -= length
        return 0, None


def texts(records: Sequence[Record]) -> list[Text]:
    """The texts in a row of records, each beginning with a TextHeaderAtom."""
    found: list[Text] = []
    for record in records:
        if record.kind == HEADER:
            found.append(Text(int.from_bytes(record.content[:4], "little")))
        elif not found:
            continue
        elif record.kind == CHARS:
            found[-1].words = record.content.decode("utf-16-le", "replace")
        elif record.kind == BYTES:
            found[-1].words = record.content.decode("latin-1").translate(_C1)
        elif record.kind == STYLE:
            found[-1].runs = _runs(record.content, len(found[-1].words))
        elif record.kind in _STAND_INS and record.end - record.start >= 4:
            found[-1].stand_ins.append(int.from_bytes(record.content[:4], "little", signed=True))
    return found


def _runs(style: bytes, length: int) -> list[tuple[int, int, bool | None]]:
    found: list[tuple[int, int, bool | None]] = []
    at, done = 0, 0
    while done <= length and at + 10 <= len(style):
        count, depth, mask = struct.unpack_from("<IHI", style, at)
        at += 10
        bullet: bool | None = None
        for bits, size in _FIELDS:
            if not mask & bits:
                continue
            if bits == 0x0F and mask & 1:
                bullet = bool(style[at] & 1) if at < len(style) else None
            if size < 0:
                size = 2 + 4 * int.from_bytes(style[at : at + 2], "little")
            at += size
        found.append((count, min(depth, 8), bullet))
        done += count
        if count == 0:
            break
    return found
