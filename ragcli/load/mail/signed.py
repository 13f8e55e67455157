"""The content of a message that S/MIME signed without leaving it readable (RFC 8551, RFC 5652)."""

from __future__ import annotations

_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")
_OCTETS, _PARTS_OF_OCTETS, _EXPLICIT = 0x04, 0x24, 0xA0
_UNTIL_TOLD = -1
_HEAD = 64


def content_of(data: bytes) -> bytes | None:
    """What was signed; None where the data is something else (encrypted, for one). Not verified."""
    if _SIGNED_DATA not in data[:_HEAD]:
        return None
    at = data.find(_DATA)
    if at < 0:
        return None
    tag, _, at = _header(data, at + len(_DATA))
    if tag != _EXPLICIT:
        return None
    tag, length, at = _header(data, at)
    if tag == _OCTETS:
        return data[at : at + length]
    return b"".join(_parts(data, at, length)) if tag == _PARTS_OF_OCTETS else None


def _parts(data: bytes, at: int, length: int) -> list[bytes]:
    parts: list[bytes] = []
    end = len(data) if length == _UNTIL_TOLD else at + length
    while at < end:
        tag, size, at = _header(data, at)
        if tag != _OCTETS:  # the mark of the end
            break
        parts.append(data[at : at + size])
        at += size
    return parts


def _header(data: bytes, at: int) -> tuple[int, int, int]:
    """Tag, length (-1: until an end mark) and where the content begins (X.690, 8.1)."""
    if at + 2 > len(data):
        return 0, 0, len(data)
    tag, length = data[at], data[at + 1]
    if length < 0x80:
        return tag, length, at + 2
    if length == 0x80:
        return tag, _UNTIL_TOLD, at + 2
    count = length & 0x7F
    return tag, int.from_bytes(data[at + 2 : at + 2 + count], "big"), at + 2 + count
