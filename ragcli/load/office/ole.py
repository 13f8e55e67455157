"""OLE compound files ([MS-CFB]), through olefile: opened, told apart, their streams read within limits."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ragcli.load.parsed import CannotRead

if TYPE_CHECKING:
    from collections.abc import Iterable

    from olefile import OleFileIO

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_KINDS = (
    ("encryptedpackage", "ooxml"),
    ("worddocument", "doc"),
    ("workbook", "xls"),
    ("book", "xls"),
    ("powerpoint document", "ppt"),
    ("pp97_dualstorage", "ppt"),
)
_MESSAGE = "__substg1.0_"
_PROTECTED = ("\x09DRMContent", "\x06DataSpaces")
_OLDER = (b"\xdb\xa5", b"\x31\xbe\x00\x00", b"\xfe7\x00#", b"\x9b\xa5")
_UNSUPPORTED = "of {}, which is not read; save it as .docx or .odt"
_LARGEST = 200_000_000  # bytes of one stream
_SECTOR_SHIFT = 30  # where the header tells the size of a sector


def open_ole(data: bytes) -> OleFileIO:
    """The compound file in these bytes, its last sector made whole; raises CannotRead("damaged").

    Never hand bytes to olefile as they are: fewer than 1,536 it takes for the name of a file.
    """
    import olefile

    sector = 4096 if data[_SECTOR_SHIFT : _SECTOR_SHIFT + 1] == b"\x0c" else 512
    try:
        return olefile.OleFileIO(io.BytesIO(data + bytes(-len(data) % sector)))
    except Exception as error:
        raise CannotRead("damaged", "the OLE container is broken or cut short") from error


def open_document(data: bytes) -> OleFileIO:
    """The same of a document of Office 97 to 2003.

    Raises CannotRead: ``unsupported`` for what other programs wrote under such a name, ``encrypted``
    where rights management protects it, ``damaged``.
    """
    if data.startswith(b"\xffWPC"):
        raise CannotRead("unsupported", f"it is {_UNSUPPORTED.format('WordPerfect')}")
    if data.startswith(_OLDER):
        raise CannotRead("unsupported", f"it is {_UNSUPPORTED.format('Word 2 or older')}")
    if not data.startswith(MAGIC):
        raise CannotRead("unsupported", "it is no file of Office 97 to 2003, though its name says so")
    ole = open_ole(data)
    if any(ole.exists(name) for name in _PROTECTED):
        raise CannotRead("encrypted", "it is protected by rights management, which no password opens")
    return ole


def ole_kind(data: bytes) -> str | None:
    """The format of a compound file by the streams at its root; None where they tell nothing.

    ``ooxml`` is an encrypted Office Open XML file.
    """
    try:
        with open_ole(data) as ole:
            return kind_of(path[0] for path in ole.listdir())
    except CannotRead:
        return None


def kind_of(names: Iterable[str]) -> str | None:
    """The same by the names of those streams."""
    lower = {name.lower() for name in names}
    if any(name.startswith(_MESSAGE) for name in lower):
        return "msg"
    return next((kind for stream, kind in _KINDS if stream in lower), None)


def read_stream(ole: OleFileIO, *path: str) -> bytes:
    """The bytes of a stream, by the storages that lead to it and its name.

    Raises CannotRead: ``damaged``, also where there is none, and ``too-large``.
    """
    name = path[-1]
    try:
        if ole.get_size(list(path)) > _LARGEST:
            raise CannotRead("too-large", f"its stream {name} has more than {_LARGEST // 1_000_000} MB")
        with ole.openstream(list(path)) as stream:
            data: bytes = stream.read()
    except CannotRead:
        raise
    except Exception as error:
        raise CannotRead("damaged", f"its stream {name} is missing or broken") from error
    return data
