"""OLE compound files: what kind they are, and the files that lie within them.

Formats: [MS-CFB] (compound files) and [MS-OLEDS] (Ole10Native, the OLE packager's stream).
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

from ragcli.load.office.compound import write_compound
from ragcli.load.parsed import CannotRead, Member
from ragcli.load.sniff import zip_kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
# Streams in which a program keeps the file itself.
_WHOLE = ("package", "contents", "embeddedodf")
_BEGINNINGS = (
    (b"%PDF-", ".pdf"),
    (b"{\\rtf", ".rtf"),
    (b"PK\x03\x04", ".zip"),
)
_LARGEST = 200_000_000  # bytes of one stream
_SECTOR_SHIFT = 30  # where the header tells the size of a sector
_MOST_STREAMS = 10_000


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


def ole_kind(data: bytes) -> str | None:
    """The format of a compound file by the streams at its root; None where they tell nothing.

    ``ooxml`` is an encrypted Office Open XML file.
    """
    try:
        with open_ole(data) as ole:
            return _kind({path[0].lower() for path in ole.listdir()})
    except CannotRead:
        return None


def native_file(data: bytes) -> Member | None:
    """The file in an ``\\x01Ole10Native`` stream, with or without its leading size.

    Packages keep a label, the path of the file and its bytes. None where it is something else.
    """
    for start in (4, 0):
        member = _package(data, start)
        if member:
            return member
    rest = data[4:]
    suffix = _suffix_of(rest)
    return Member(f"embedded{suffix}", rest) if suffix else None


def object_file(data: bytes, name: str) -> Member | None:
    """The file in an embedded object that is a compound file of its own (``oleObject1.bin``).

    A document of an office program is the whole; other programs keep their file in a stream. None
    where the object holds no file (an equation, a control). ``name`` is its name without a suffix.
    """
    with open_ole(data) as ole:
        return _object(ole, (), name, data)


def storage_files(ole: OleFileIO) -> Iterator[Member | CannotRead]:
    """The files in the storages of a compound file (``MBD0003271D``, ``ObjectPool/_123``), by name."""
    seen: list[tuple[str, ...]] = []
    for path in sorted(tuple(path) for path in ole.listdir(streams=False, storages=True)):
        if any(path[: len(outer)] == outer for outer in seen):
            continue
        try:
            member = _object(ole, path, path[-1].strip("_"))
        except CannotRead as error:
            yield CannotRead(error.error, error.message, path[-1].strip("_"))
            seen.append(path)
            continue
        if member:
            seen.append(path)
            yield member


def read_stream(ole: OleFileIO, path: Sequence[str]) -> bytes:
    """The bytes of a stream; raises CannotRead: ``damaged``, ``too-large``."""
    try:
        if ole.get_size(list(path)) > _LARGEST:
            raise CannotRead("too-large", "a stream of the OLE container is too large")
        data: bytes = ole.openstream(list(path)).read()
    except CannotRead:
        raise
    except Exception as error:
        raise CannotRead("damaged", "a stream of the OLE container is broken") from error
    return data


def _kind(names: set[str]) -> str | None:
    if any(name.startswith(_MESSAGE) for name in names):
        return "msg"
    return next((kind for stream, kind in _KINDS if stream in names), None)


def _object(ole: OleFileIO, path: tuple[str, ...], name: str, whole: bytes | None = None) -> Member | None:
    streams = _streams_below(ole, path)
    here = {names[0].lower(): names for names in streams if len(names) == 1}
    kind = _kind({names[0].lower() for names in streams})
    if kind:
        data = whole or write_compound(
            {names: read_stream(ole, (*path, *names)) for names in streams[:_MOST_STREAMS]}
        )
        return Member(f"{name}.{'docx' if kind == 'ooxml' else kind}", data)
    if "\x01ole10native" in here:
        return native_file(read_stream(ole, (*path, *here["\x01ole10native"])))
    for stream in _WHOLE:
        if stream in here:
            data = read_stream(ole, (*path, *here[stream]))
            suffix = _suffix_of(data)
            if suffix:
                return Member(f"{name}{suffix}", data)
    return None


def _streams_below(ole: OleFileIO, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    below = (tuple(found) for found in ole.listdir())
    return [found[len(path) :] for found in below if found[: len(path)] == path and len(found) > len(path)]


def _suffix_of(data: bytes) -> str | None:
    if data.startswith(MAGIC):
        kind = ole_kind(data)
        return f".{kind}" if kind else None
    for begins, suffix in _BEGINNINGS:
        if data.startswith(begins):
            return f".{zip_kind(data)}" if suffix == ".zip" else suffix
    # Acrobat writes some bytes of its own before the file.
    return ".pdf" if b"%PDF-" in data[:1024] else None


def _package(data: bytes, start: int) -> Member | None:
    """OLE packager: 2, label\\0, path\\0, two words, length, temporary path, length, bytes."""
    if data[start : start + 2] != b"\x02\x00":
        return None
    try:
        label, at = _string(data, start + 2)
        file, at = _string(data, at)
        at += 4
        (length,) = struct.unpack_from("<I", data, at)
        at += 4 + length
        (size,) = struct.unpack_from("<I", data, at)
    except (struct.error, ValueError):
        return None
    content = data[at + 4 : at + 4 + size]
    if length > len(data) or not content:
        return None
    wide = _wide_label(data, at + 4 + size)
    name = (wide or label or file).replace("\\", "/").rsplit("/", 1)[-1]
    return Member(name or "embedded", content)


def _string(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    raw = data[at:end]
    try:
        return raw.decode("utf-8"), end + 1
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace"), end + 1


def _wide_label(data: bytes, at: int) -> str:
    """The label in UTF-16, which newer packagers write after the bytes: temporary path, label, path."""
    try:
        (skipped,) = struct.unpack_from("<I", data, at)
        at += 4 + 2 * skipped
        (length,) = struct.unpack_from("<I", data, at)
    except struct.error:
        return ""
    raw = data[at + 4 : at + 4 + 2 * length]
    return raw.decode("utf-16-le", "replace").strip("\0") if len(raw) == 2 * length else ""
