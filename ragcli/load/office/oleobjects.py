"""Embedded objects: the files in them, in whatever wrapping.

Formats: [MS-OLEDS] (objects of OLE 1.0; Ole10Native, the OLE packager's stream); a storage of a
compound file, or a compound file of its own, that is a document or holds one in a stream.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ragcli.load.office.compound import write_compound
from ragcli.load.office.ole import MAGIC, kind_of, ole_kind, open_ole, read_stream
from ragcli.load.parsed import Allowance, CannotRead, Member
from ragcli.load.sniff import zip_kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from olefile import OleFileIO

# Streams in which a program keeps the file itself.
_WHOLE = ("package", "contents", "embeddedodf", "package_stream")
_NATIVE = "\x01ole10native"
_VISIO = "visiodocument"
_BEGINNINGS = (
    (b"%PDF-", ".pdf"),
    (b"{\\rtf", ".rtf"),
    (b"<?xml", ".xml"),
)
_MOST_STREAMS = 10_000
_MOST_BYTES = 600_000_000  # of the streams of one object


def ole1_file(data: bytes, name: str) -> Member | CannotRead | None:
    """The file in an object of OLE 1.0 ([MS-OLEDS] 2.2.5), as RTF holds them; None for links and pictures.

    ``name`` is what it is called if it does not say so itself; without a suffix, here and below.
    """
    if int.from_bytes(data[4:8], "little") != 2:
        return None
    at = 8
    texts: list[bytes] = []
    for _ in range(3):  # class, topic, item
        length = int.from_bytes(data[at : at + 4], "little")
        texts.append(data[at + 4 : at + 4 + length].rstrip(b"\0"))
        at += 4 + length
    size = int.from_bytes(data[at : at + 4], "little")
    native = data[at + 4 : at + 4 + size]
    if len(native) < size:
        return CannotRead("damaged", "an embedded object is cut off", name)
    return native_file(native) if texts[0].lower() == b"package" else object_file(native, name)


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


def object_file(data: bytes, name: str) -> Member | CannotRead | None:
    """The file in an embedded object: the bytes themselves, or what the compound file that they are holds.

    A document of an office program is the whole; other programs keep their file in a stream. None
    where the object holds no file (an equation, a control).
    """
    if not data.startswith(MAGIC):
        suffix = _suffix_of(data)
        return None if suffix is None else Member(f"{name}{suffix}", data)
    try:
        with open_ole(data) as ole:
            return _found_in(ole, (), name, data)
    except CannotRead as error:
        return CannotRead(error.error, error.message, name)


def storage_file(ole: OleFileIO, path: tuple[str, ...], name: str) -> Member | CannotRead | None:
    """The same of a storage within a compound file."""
    try:
        return _found_in(ole, path, name)
    except CannotRead as error:
        return CannotRead(error.error, error.message, name)


def storage_files(ole: OleFileIO) -> Iterator[Member | CannotRead]:
    """The files in the storages of a compound file (``MBD0003271D``), in the order of their names."""
    seen: list[tuple[str, ...]] = []
    for path in sorted(tuple(path) for path in ole.listdir(streams=False, storages=True)):
        if not any(path[: len(outer)] == outer for outer in seen):
            found = storage_file(ole, path, path[-1].strip("_"))
            if found is not None:
                seen.append(path)
                yield found


def _found_in(ole: OleFileIO, path: tuple[str, ...], name: str, whole: bytes = b"") -> Member | None:
    """``whole`` are the bytes of the compound file where ``path`` is its root."""
    streams = _streams_below(ole, path)
    here = {names[0].lower(): names[0] for names in streams if len(names) == 1}
    kind = kind_of(names[0] for names in streams) or ("vsd" if _VISIO in here else None)
    if kind:
        suffix = "docx" if kind == "ooxml" else kind
        return Member(f"{name}.{suffix}", whole or _as_file(ole, path, streams))
    if _NATIVE in here:
        return native_file(read_stream(ole, *path, here[_NATIVE]))
    for stream in _WHOLE:
        data = read_stream(ole, *path, here[stream]) if stream in here else b""
        fitting = _suffix_of(data)
        if fitting is not None:
            return Member(f"{name}{fitting}", data)
    return None


def _streams_below(ole: OleFileIO, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    below = (tuple(found) for found in ole.listdir())
    return [found[len(path) :] for found in below if found[: len(path)] == path and len(found) > len(path)]


def _as_file(ole: OleFileIO, path: tuple[str, ...], streams: list[tuple[str, ...]]) -> bytes:
    # Streams may share their sectors, so that a small file claims any number of bytes.
    allowance = Allowance(_MOST_BYTES)
    found: dict[tuple[str, ...], bytes] = {}
    for names in streams[:_MOST_STREAMS]:
        found[names] = read_stream(ole, *path, *names)
        allowance.spend(len(found[names]))
    return write_compound(found)


def _suffix_of(data: bytes) -> str | None:
    """The suffix that fits a file; empty where only that it is one can be told, None where it is none."""
    if data.startswith(MAGIC):
        kind = ole_kind(data)
        return f".{kind}" if kind else ""
    if data.startswith(b"PK\x03\x04"):
        return f".{zip_kind(data)}"
    for begins, suffix in _BEGINNINGS:
        if data.startswith(begins):
            return suffix
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
