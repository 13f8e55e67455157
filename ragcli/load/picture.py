"""What picture files say about themselves: text chunks of PNG, comments, Exif and XMP of JPEG and TIFF.

After the PNG specification (W3C, 11.3.3), the Exif standard (CIPA DC-008, 4.6) and Adobe's XMP. The
pictures themselves are not decoded.
"""

from __future__ import annotations

import re
import struct
import zlib
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_TIFF = (b"II*\x00", b"MM\x00*")
_MOST = 100_000  # bytes of one text
_MOST_ENTRIES = 500
_NAMES = {"title": "title", "description": "description", "comment": "comment", "author": "author"}
# Exif tags; those of Windows are UTF-16.
_TAGS = {0x010E: "description", 0x9286: "comment", 0x013B: "author"}
_WINDOWS = {0x9C9B: "title", 0x9C9C: "comment", 0x9C9F: "subject", 0x9C9E: "keywords", 0x9C9D: "author"}
_EXIF_POINTER = 0x8769
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}
_XMP = {
    name: re.compile(rf"<dc:{tag}\b[^>]*>(.*?)</dc:{tag}>".encode(), re.DOTALL)
    for name, tag in (("title", "title"), ("description", "description"), ("author", "creator"))
}
_LI = re.compile(rb"<rdf:li\b[^>]*>(.*?)</rdf:li>", re.DOTALL)


def described(data: bytes) -> dict[str, str]:
    """``title``, ``author``, ``description``, ``comment`` …, as far as the file has them; no text twice."""
    out: dict[str, str] = {}
    for name, text in _told(data):
        words = text.replace("\x00", " ").strip()
        if words and words not in out.values():
            out[name] = f"{out[name]}\n{words}" if name in out else words
    return out


def pixels(data: bytes) -> int:
    """Width times height of a PNG or JPEG; 0 where it is not known."""
    if data.startswith(_PNG) and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return int(width * height)
    for mark, body in _segments(data) if data.startswith(_JPEG) else ():
        if 0xC0 <= mark <= 0xCF and mark not in (0xC4, 0xC8, 0xCC) and len(body) >= 5:
            height, width = struct.unpack(">HH", body[1:5])
            return int(width * height)
    return 0


def _told(data: bytes) -> Iterator[tuple[str, str]]:
    try:
        if data.startswith(_PNG):
            yield from _png(data)
        elif data.startswith(_JPEG):
            yield from _jpeg(data)
        elif data[:4] in _TIFF:
            yield from _exif(data)
    except (struct.error, zlib.error, IndexError):
        return  # a broken file tells what it told up to there


def _png(data: bytes) -> Iterator[tuple[str, str]]:
    at = 8
    while at + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        at += 12 + length
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            key, _, rest = body.partition(b"\x00")
            name = _NAMES.get(key.decode("latin-1").lower())
            if key == b"XML:com.adobe.xmp":
                yield from _xmp(rest)
            elif name:
                yield name, _chunk(kind, rest)
        elif kind == b"eXIf":
            yield from _exif(body)


def _chunk(kind: bytes, rest: bytes) -> str:
    if kind == b"tEXt":
        return rest[:_MOST].decode("latin-1")
    if kind == b"zTXt":
        return zlib.decompressobj().decompress(rest[1:], _MOST).decode("latin-1")
    packed, rest = rest[:1] == b"\x01", rest[2:]
    text = rest.split(b"\x00", 2)[-1]
    raw = zlib.decompressobj().decompress(text, _MOST) if packed else text[:_MOST]
    return raw.decode("utf-8", "replace")


def _jpeg(data: bytes) -> Iterator[tuple[str, str]]:
    for mark, body in _segments(data):
        if mark == 0xFE:
            yield "comment", _decoded(body)
        elif mark == 0xE1 and body.startswith(b"Exif\x00\x00"):
            yield from _exif(body[6:])
        elif mark == 0xE1 and body.startswith(b"http://ns.adobe.com/xap/1.0/\x00"):
            yield from _xmp(body)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The marker segments of a JPEG up to the picture itself."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        mark, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if mark == 0xDA or length < 2:
            return
        yield mark, data[at + 4 : at + 2 + length]
        at += 2 + length


def _exif(data: bytes) -> Iterator[tuple[str, str]]:
    order = "<" if data[:2] == b"II" else ">"
    waiting = [struct.unpack(f"{order}I", data[4:8])[0]]
    seen: set[int] = set()
    while waiting:
        at = waiting.pop()
        if at in seen or len(seen) > _MOST_ENTRIES:
            continue
        seen.add(at)
        [count] = struct.unpack(f"{order}H", data[at : at + 2])
        for entry in range(min(count, _MOST_ENTRIES)):
            raw = data[at + 2 + 12 * entry : at + 14 + 12 * entry]
            tag, kind, number, value = struct.unpack(f"{order}HHII", raw)
            if tag == _EXIF_POINTER:
                waiting.append(value)
            elif (tag in _TAGS or tag in _WINDOWS) and kind in _SIZES:
                size = min(number * _SIZES[kind], _MOST)
                body = raw[8 : 8 + size] if size <= 4 else data[value : value + size]
                yield _exif_text(tag, body)


def _exif_text(tag: int, body: bytes) -> tuple[str, str]:
    if tag in _WINDOWS:
        return _WINDOWS[tag], body.decode("utf-16-le", "replace")
    if tag == 0x9286:
        code, body = body[:8], body[8:]
        if code.startswith(b"UNICODE"):
            return "comment", body.decode("utf-16", "replace")
    return _TAGS[tag], _decoded(body)


def _xmp(packet: bytes) -> Iterator[tuple[str, str]]:
    """Dublin Core's title, description and creator. Looked for by pattern: no entity is ever resolved."""
    for name, pattern in _XMP.items():
        found = pattern.search(packet[:1_000_000])
        for item in _LI.findall(found[1]) if found else ():
            yield name, unescape(item[:_MOST].decode("utf-8", "replace"))


def _decoded(raw: bytes) -> str:
    try:
        return raw[:_MOST].decode("utf-8")
    except UnicodeDecodeError:
        return raw[:_MOST].decode("latin-1")
