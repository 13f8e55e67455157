"""Opening the compound files of Office 97 to 2003: their passwords, their properties, and impostors."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ragcli.load.office import codepages
from ragcli.load.office.ole import MAGIC, open_ole
from ragcli.load.parsed import CannotRead, Content
from ragcli.load.source import inline

if TYPE_CHECKING:
    from collections.abc import Iterator

    import olefile

    from ragcli.types import Scalar

_SUMMARY = "\x05SummaryInformation"
_CODE_PAGE = 1
_NAMES = {
    2: "title",
    3: "subject",
    4: "author",
    5: "keywords",
    6: "description",
    12: "created",
    13: "modified",
}
_TEXT, _WIDE_TEXT, _MOMENT = 30, 31, 64
_SECONDS_TO_1970 = 11_644_473_600
_MOST_PROPERTIES = 1_000
_LONGEST = 20_000  # bytes of a property
_OLDER = (b"\xdb\xa5", b"\x31\xbe\x00\x00", b"\xfe7\x00#", b"\x9b\xa5")
_UNSUPPORTED = "of {}, which is not read; save it as .docx or .odt"


def refuse_other(data: bytes) -> None:
    """Raises CannotRead where the content is of another program, whatever its name says."""
    if data.startswith(MAGIC):
        return
    if data.startswith(b"\xffWPC"):
        raise CannotRead("unsupported", f"it is {_UNSUPPORTED.format('WordPerfect')}")
    if data.startswith(_OLDER):
        raise CannotRead("unsupported", f"it is {_UNSUPPORTED.format('Word 2 or older')}")
    raise CannotRead("unsupported", "it is no file of Office 97 to 2003, though its name says so")


@contextmanager
def opened(content: Content) -> Iterator[olefile.OleFileIO]:
    """The compound file; raises CannotRead("damaged") where it is none."""
    with open_ole(content.data) as ole:
        if ole.exists("\x09DRMContent") or ole.exists("\x06DataSpaces"):
            raise CannotRead("encrypted", "it is protected by rights management, which no password opens")
        yield ole


def properties_of(ole: olefile.OleFileIO) -> tuple[str, dict[str, Scalar]]:
    """The title and the other properties of the document ([MS-OLEPS]); broken ones are left out."""
    try:
        data = ole.openstream(_SUMMARY).read() if ole.exists(_SUMMARY) else b""
        raw: dict[int, tuple[int, bytes]] = {}
        for number, value in _properties(data):
            raw.setdefault(number, value)
    except (OSError, struct.error, IndexError):
        return "", {}
    codec = codepages.of_number(int.from_bytes(raw.get(_CODE_PAGE, (2, b"\xe4\x04"))[1][:2], "little"))
    found: dict[str, Scalar] = {}
    for number, key in _NAMES.items():
        words = _words(*raw.get(number, (0, b"")), codec)
        if words:
            found[key] = words
    return str(found.pop("title", "")), found


def _properties(data: bytes) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """Number, type and what follows of each property in the first section."""
    if len(data) < 48:
        return
    (start,) = struct.unpack_from("<I", data, 44)
    _, count = struct.unpack_from("<II", data, start)
    room = max(0, len(data) - start - 8) // 8
    for number in range(min(count, room, _MOST_PROPERTIES)):
        name, at = struct.unpack_from("<II", data, start + 8 + 8 * number)
        if start + at + 4 <= len(data):
            (kind,) = struct.unpack_from("<I", data, start + at)
            yield name, (kind & 0xFFFF, data[start + at + 4 : start + at + 4 + _LONGEST])


def _words(kind: int, value: bytes, codec: str) -> str:
    length = int.from_bytes(value[:4], "little")
    if kind == _TEXT:
        return inline(value[4 : 4 + length].partition(b"\0")[0].decode(codec, "replace"))
    if kind == _WIDE_TEXT:
        return inline(value[4 : 4 + 2 * length].decode("utf-16-le", "replace").partition("\0")[0])
    if kind == _MOMENT:
        seconds = int.from_bytes(value[:8], "little") / 10_000_000 - _SECONDS_TO_1970
        if 315_532_800 < seconds < 32_503_680_000:  # from 1980 to 2999: others were never set
            return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return ""
