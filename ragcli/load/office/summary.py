"""Title, author and dates of an OLE file ([MS-OLEPS] 2.21, the summary information streams).

Read here and not with olefile, which believes whatever count a broken property claims to have.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ragcli.load import codepages
from ragcli.load.office.ole import read_stream
from ragcli.load.parsed import CannotRead
from ragcli.load.source import inline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from olefile import OleFileIO

    from ragcli.types import Scalar

_SUMMARY = {
    2: "title",
    3: "subject",
    4: "author",
    5: "keywords",
    6: "description",
    8: "modified_by",
    12: "created",
    13: "modified",
}
_DOCUMENT = {2: "category", 14: "manager", 15: "company"}
_STREAMS = (("\x05SummaryInformation", _SUMMARY), ("\x05DocumentSummaryInformation", _DOCUMENT))
_CODE_PAGE = 1
_TEXT, _WIDE_TEXT, _MOMENT = 30, 31, 64
_SECONDS_TO_1970 = 11_644_473_600
_MOST = 1_000  # properties
_LONGEST = 20_000  # bytes of one


def summary(ole: OleFileIO) -> tuple[str, dict[str, Scalar]]:
    """The title (empty where there is none) and what else is said of the document; broken ones are left out."""
    found: dict[str, Scalar] = {}
    for stream, names in _STREAMS:
        if not ole.exists(stream):
            continue
        raw: dict[int, tuple[int, bytes]] = {}
        try:
            for number, value in _properties(read_stream(ole, stream)):
                raw.setdefault(number, value)
        except (CannotRead, struct.error):  # the document is read without them
            continue
        _, page = raw.get(_CODE_PAGE, (0, b""))
        number = int.from_bytes(page[:2], "little")
        codec = "utf-16-le" if number == codepages.UTF_16 else codepages.of_number(number)
        for key, name in names.items():
            words = _words(*raw.get(key, (0, b"")), codec)
            if words:
                found[name] = words
    return str(found.pop("title", "")), found


def _properties(data: bytes) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """Number, type and what follows of each property in the first section."""
    if len(data) < 48:
        return
    (start,) = struct.unpack_from("<I", data, 44)
    _, count = struct.unpack_from("<II", data, start)
    room = max(0, len(data) - start - 8) // 8
    for number in range(min(count, room, _MOST)):
        name, at = struct.unpack_from("<II", data, start + 8 + 8 * number)
        if start + at + 4 <= len(data):
            (kind,) = struct.unpack_from("<I", data, start + at)
            yield name, (kind & 0xFFFF, data[start + at + 4 : start + at + 4 + _LONGEST])


def _words(kind: int, value: bytes, codec: str) -> str:
    length = int.from_bytes(value[:4], "little")
    if kind == _TEXT:
        return inline(value[4 : 4 + length].decode(codec, "replace").partition("\0")[0])
    if kind == _WIDE_TEXT:
        return inline(value[4 : 4 + 2 * length].decode("utf-16-le", "replace").partition("\0")[0])
    if kind == _MOMENT:
        seconds = int.from_bytes(value[:8], "little") / 10_000_000 - _SECONDS_TO_1970
        if 315_532_800 < seconds < 32_503_680_000:  # from 1980 to 2999: others were never set
            return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return ""
