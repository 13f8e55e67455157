"""What can be had of a zip whose directory is lost: its members one after another, as they begin.

Format: APPNOTE.TXT 6.3.10, 4.3.7 (local file header).
"""

from __future__ import annotations

import struct
import zlib

_LOCAL = b"PK\x03\x04"
_HEADER = struct.Struct("<4sHHHHHIIIHH")
_STORED, _DEFLATED = 0, 8


def salvaged(data: bytes, largest: int, most: int) -> dict[str, bytes]:
    """Name to content, as far as it goes; at most ``largest`` bytes each and ``most`` together."""
    found: dict[str, bytes] = {}
    total = 0
    at = data.find(_LOCAL)
    while at >= 0 and at + _HEADER.size <= len(data) and total < most:
        _, _, flags, method, _, _, _, packed, _, named, extra = _HEADER.unpack_from(data, at)
        begin = at + _HEADER.size + named + extra
        name = data[at + _HEADER.size : at + _HEADER.size + named].decode(
            "utf-8" if flags & 0x800 else "cp437", "replace"
        )
        content, end = b"", begin
        if method == _DEFLATED:
            content, end = _inflated(data, begin, min(largest, most - total))
        elif method == _STORED:
            end = min(len(data), begin + packed)
            content = data[begin:end][:largest]
        if content and not flags & 1:
            found.setdefault(name, content)
            total += len(content)
        at = data.find(_LOCAL, max(end, at + 4))
    return found


def _inflated(data: bytes, begin: int, most: int) -> tuple[bytes, int]:
    inflate = zlib.decompressobj(-15)
    out: list[bytes] = []
    size = 0
    at = begin
    try:
        while at < len(data) and not inflate.eof and size < most:
            part = data[at : at + 65_536]
            piece = inflate.decompress(inflate.unconsumed_tail + part, most - size)
            at += len(part)
            out.append(piece)
            size += len(piece)
    except zlib.error:
        return b"".join(out), begin
    return b"".join(out), at - len(inflate.unused_data)
