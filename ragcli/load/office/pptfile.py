"""The records of a binary PowerPoint file.

[MS-PPT]: PowerPoint (.ppt) Binary File Format, sections 2.3 (records and the persist directory).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ragcli.load.parsed import CannotRead

DOCUMENT, SLIDE, SLIDE_ATOM, NOTES, NOTES_ATOM, MASTER = 0x3E8, 0x3EE, 0x3EF, 0x3F0, 0x3F1, 0x3F8
_USER_EDIT, _DIRECTORY = 0x0FF5, 0x1772
_ENCRYPTED_MARK = 0xF3D1C4DF
_MOST_EDITS = 10_000
# Containers whose version does not say so.
_BINARY_TAG_DATA = 0x138B


@dataclass(frozen=True, slots=True)
class Record:
    """One record: ``data[start:end]`` is what follows its header."""

    data: bytes
    kind: int
    instance: int
    is_container: bool
    start: int
    end: int

    @property
    def content(self) -> bytes:
        return self.data[self.start : self.end]

    def children(self) -> Iterator[Record]:
        """The records within, up to the first that is broken."""
        at = self.start
        while at + 8 <= self.end:
            found = record_at(self.data, at, self.end)
            if found is None:
                return
            yield found
            at = found.end

    def child(self, kind: int) -> Record | None:
        """The first of a kind."""
        return next((record for record in self.children() if record.kind == kind), None)

    def descendants(self, kind: int, depth: int = 0) -> Iterator[Record]:
        """All of a kind, however deep."""
        for record in self.children():
            if record.kind == kind:
                yield record
            elif record.is_container and depth < 30:
                yield from record.descendants(kind, depth + 1)


def record_at(data: bytes, at: int, end: int) -> Record | None:
    """The record that begins at an offset; None where none does. One too long is cut at ``end``."""
    if at < 0 or at + 8 > end:
        return None
    first, kind, length = struct.unpack_from("<HHI", data, at)
    is_container = first & 0xF == 0xF or kind == _BINARY_TAG_DATA
    return Record(data, kind, first >> 4, is_container, at + 8, min(at + 8 + length, end))


class SlideFile:
    """The stream, and where in it the persistent objects lie."""

    def __init__(self, data: bytes, current_user: bytes) -> None:
        self._data = data
        self._offsets: dict[int, int] = {}
        self._document = 0
        self.is_encrypted = int.from_bytes(current_user[12:16], "little") == _ENCRYPTED_MARK
        at = int.from_bytes(current_user[16:20], "little")
        seen: set[int] = set()
        while at and at not in seen and len(seen) < _MOST_EDITS:
            seen.add(at)
            at = self._edit(at)

    def object(self, number: int, kind: int | None = None) -> Record | None:
        """The persistent object of a number, if it is of the kind."""
        at = self._offsets.get(number)
        found = record_at(self._data, at, len(self._data)) if at is not None else None
        return found if found is not None and kind in (None, found.kind) else None

    def document(self) -> Record:
        """The container of the document; raises CannotRead("damaged")."""
        found = self.object(self._document, DOCUMENT)
        if found is None:  # the directory is broken: the last document of the stream is the newest
            whole = [record for record in self.all() if record.kind == DOCUMENT]
            found = whole[-1] if whole else None
        if found is None:
            raise CannotRead("damaged", "the list of its slides is missing")
        return found

    def all(self) -> Iterator[Record]:
        """The outermost records of the stream."""
        return Record(self._data, 0, 0, True, 0, len(self._data)).children()

    def _edit(self, at: int) -> int:
        """Learn what one edit saved, which newer ones overrule; the offset of the edit before."""
        record = record_at(self._data, at, len(self._data))
        if record is None or record.kind != _USER_EDIT or record.end - record.start < 20:
            return 0
        before, directory, document = struct.unpack_from("<III", self._data, record.start + 8)
        self._document = self._document or document
        if record.end - record.start >= 32:
            self.is_encrypted = True
        found = record_at(self._data, directory, len(self._data))
        if found is not None and found.kind == _DIRECTORY:
            self._learn(found.content)
        return int(before)

    def _learn(self, directory: bytes) -> None:
        at = 0
        while at + 4 <= len(directory):
            (head,) = struct.unpack_from("<I", directory, at)
            at += 4
            for number in range(head >> 20):
                if at + 4 > len(directory):
                    return
                (offset,) = struct.unpack_from("<I", directory, at)
                self._offsets.setdefault((head & 0xFFFFF) + number, offset)
                at += 4
