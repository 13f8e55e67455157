"""Title, author and dates of an OLE file ([MS-OLEPS] 2.21, the summary information streams).

Read here and not with olefile, which believes whatever count a broken property claims to have.
"""

from __future__ import annotations

import codecs
import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ragcli.load.office.ole import read_stream
from ragcli.load.parsed import CannotRead
from ragcli.load.source import inline

if TYPE_CHECKING:
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
_BYTES, _WIDE, _TIME = 30, 31, 64
_UNICODE = 1200
_MOST = 200  # properties
_LONGEST = 2000  # characters of one


def summary(ole: OleFileIO) -> tuple[str, dict[str, Scalar]]:
    """The title (empty where there is none) and what else is said of the document."""
    found: dict[str, Scalar] = {}
    for stream, names in _STREAMS:
        if not ole.exists(stream):
            continue
        try:
            found |= _properties(read_stream(ole, [stream]), names)
        except (CannotRead, struct.error):  # the document is read without them
            continue
    return str(found.pop("title", "")), found


def _properties(data: bytes, names: dict[int, str]) -> dict[str, Scalar]:
    (begin,) = struct.unpack_from("<I", data, 44)
    _, count = struct.unpack_from("<II", data, begin)
    places = dict(struct.unpack_from("<II", data, begin + 8 + 8 * at) for at in range(min(count, _MOST)))
    page = _UNICODE
    if _CODE_PAGE in places:
        (page,) = struct.unpack_from("<H", data, begin + places[_CODE_PAGE] + 4)
    found: dict[str, Scalar] = {}
    for id_, name in names.items():
        text = _value(data, begin + places[id_], page) if id_ in places else ""
        if text:
            found[name] = text
    return found


def _value(data: bytes, at: int, page: int) -> str:
    kind, size = struct.unpack_from("<II", data, at)
    if kind == _BYTES:
        raw = data[at + 8 : at + 8 + min(size, 2 * _LONGEST)]
        text = raw.decode(_encoding_of(page), "replace")
    elif kind == _WIDE:
        text = data[at + 8 : at + 8 + 2 * min(size, _LONGEST)].decode("utf-16-le", "replace")
    elif kind == _TIME:
        return _moment(data, at + 4)
    else:
        return ""
    return inline(text.split("\0")[0])


def _moment(data: bytes, at: int) -> str:
    (ticks,) = struct.unpack_from("<Q", data, at)
    try:
        moment = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment.year > 1601 else ""


def _encoding_of(page: int) -> str:
    name = {_UNICODE: "utf-16-le", 65_001: "utf-8", 10_000: "mac_roman"}.get(page, f"cp{page}")
    try:
        codecs.lookup(name)
    except LookupError:
        return "cp1252"
    return name
