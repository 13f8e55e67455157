"""The members of a zip archive: where their bytes stand, and how they are unpacked (APPNOTE.TXT 6.3.10)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ragcli.load.archive.names import decoded
from ragcli.load.archive.pieces import bzip2_stream, deflate_stream, slices, unpacked, zstd_stream
from ragcli.load.parsed import CannotRead

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator

ENCRYPTED, _STREAMED, UTF8 = 0x1, 0x8, 0x800
"""Flags of a member."""
_LOCAL = b"PK\x03\x04"
_HEADER = struct.Struct("<4s5H3L2H")  # 4.3.7
_METHODS = {0: None, 8: deflate_stream, 12: bzip2_stream, 93: zstd_stream}
_METHOD_NAMES = {1: "Shrink", 6: "Implode", 9: "Deflate64", 14: "LZMA", 97: "WavPack", 98: "PPMd", 99: "AES"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A member: where its packed bytes stand, how they are packed and what comes out.

    ``crc`` and ``size`` are None where nothing tells them. ``info`` is its entry of the directory.
    """

    name: str
    start: int
    end: int
    method: int
    size: int | None = None
    crc: int | None = None
    modified: float | None = None
    info: zipfile.ZipInfo | None = None


def entry_of(data: bytes, info: zipfile.ZipInfo, name: str) -> Entry | None:
    """The member that the directory names; None where it does not stand where it should."""
    at = info.header_offset
    if at < 0 or data[at : at + 4] != _LOCAL or at + _HEADER.size > len(data):
        return None
    *_, names, extras = _HEADER.unpack_from(data, at)
    start = at + _HEADER.size + names + extras
    end = start + info.compress_size
    return Entry(
        name, start, end, info.compress_type, info.file_size, info.CRC, _modified(info.date_time), info
    )


def _modified(moment: tuple[int, int, int, int, int, int]) -> float | None:
    try:
        return datetime(*moment, tzinfo=UTC).timestamp()
    except ValueError:
        return None


def pieces_of(data: bytes, entry: Entry) -> Iterator[bytes]:
    """What a member that is not encrypted holds.

    Raises CannotRead ``unsupported``, with its name, and one of BROKEN, after all that could be had.
    """
    if entry.method not in _METHODS:
        raise unsupported(entry.method, entry.name)
    view = memoryview(data)[entry.start : entry.end]
    new = _METHODS[entry.method]
    yield from slices(view) if new is None else unpacked(view, new)
    if new is None and entry.size is not None and len(view) < entry.size:
        raise EOFError("the member is cut short")


def unsupported(method: int, name: str) -> CannotRead:
    """What to tell of a member that is packed this way."""
    told = f"it is packed with {_METHOD_NAMES.get(method, f'method {method}')}, which is not read"
    return CannotRead("unsupported", told, name)


def local_entries(data: bytes) -> Iterator[Entry]:
    """The members found by the headers before them, without a directory; encrypted ones are left out."""
    at = data.find(_LOCAL)
    while 0 <= at <= len(data) - _HEADER.size:
        _, _, flags, method, _, _, crc, packed, size, names, extras = _HEADER.unpack_from(data, at)
        first = at + _HEADER.size
        start = first + names + extras
        known = not flags & _STREAMED and 0xFFFFFFFF not in (packed, size)
        # What was streamed has its size behind it; deflate tells its end by itself.
        after = data.find(b"PK", start)
        end = start + packed if known else (after if method == 0 and after >= 0 else len(data))
        name = decoded([data[first : first + names]], "cp437")[0]
        if not flags & ENCRYPTED:
            yield Entry(name, start, end, method, size if known else None, crc if known else None)
        at = data.find(_LOCAL, max(end if known else start, at + 4))
