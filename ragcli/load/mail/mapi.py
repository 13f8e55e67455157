"""The properties of an Outlook item (MS-OXMSG): streams and storages of a compound file."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ragcli.load import codepages
from ragcli.load.encoding import decode
from ragcli.load.office.ole import read_stream
from ragcli.load.parsed import CannotRead

if TYPE_CHECKING:
    from collections.abc import Iterator

    import olefile

Value = str | int | float | bool | bytes | datetime
Key = int | tuple[str, int]
"""A property: its number, or for those that a program named (the set's GUID, its number in it)."""

_UNICODE, _ANSI, _BINARY, _OBJECT = 0x001F, 0x001E, 0x0102, 0x000D
_INTEGERS = {0x0002: "<h", 0x0003: "<i", 0x0014: "<q"}
_REALS = {0x0004: "<f", 0x0005: "<d"}
_BOOLEAN, _TIME = 0x000B, 0x0040
_PROPERTIES = "__properties_version1.0"
_NAMES = "__nameid_version1.0"
_CODEPAGE = 0x3FFD
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_HEADERS = (32, 24, 8)  # of the list of properties: of the file, of a message within, of anything else


@dataclass(slots=True)
class Storage:
    """One message, recipient or attachment: ``path`` are the names of the storages that lead to it."""

    ole: olefile.OleFileIO[bytes]
    path: tuple[str, ...] = ()
    names: dict[int, Key] = field(default_factory=dict)
    codepage: str = ""
    values: dict[Key, Value] = field(default_factory=dict)

    def text(self, key: Key) -> str:
        """A property that is text; empty without it."""
        value = self.values.get(key)
        return value.replace("\0", "").strip() if isinstance(value, str) else ""

    def number(self, key: Key) -> float | None:
        """A property that is a number."""
        value = self.values.get(key)
        return value if isinstance(value, int | float) else None

    def time(self, key: Key) -> datetime | None:
        """A property that is a moment, in UTC."""
        value = self.values.get(key)
        return value if isinstance(value, datetime) else None

    def bytes(self, key: Key) -> bytes:
        """A property that is neither; empty without it."""
        value = self.values.get(key)
        return value if isinstance(value, bytes) else b""

    def within(self, start: str) -> Iterator[Storage]:
        """The storages in this one whose names begin so."""
        depth = len(self.path)
        found = {
            entry[depth]
            for entry in self.ole.listdir(streams=True, storages=True)
            if tuple(entry[:depth]) == self.path and len(entry) > depth and entry[depth].startswith(start)
        }
        for name in sorted(found):
            yield opened(self.ole, (*self.path, name), self.names, self.codepage)


def opened(
    ole: olefile.OleFileIO[bytes],
    path: tuple[str, ...] = (),
    names: dict[int, Key] | None = None,
    codepage: str = "",
) -> Storage:
    """A storage with all its properties read; a property at odds with itself is left out."""
    storage = Storage(ole, path, _named(ole) if names is None else names, codepage)
    depth = len(path)
    entries = [
        entry[depth] for entry in ole.listdir() if len(entry) == depth + 1 and tuple(entry[:-1]) == path
    ]
    _fixed(storage)
    page = storage.number(_CODEPAGE)
    storage.codepage = codec_of(page) or codepage
    for name in entries:
        if not name.startswith("__substg1.0_") or "-" in name:
            continue
        try:
            tag = int(name[-8:], 16)
            value = _variable(storage, name, tag & 0xFFFF)
        except ValueError:  # a stream that cannot be read, too
            continue
        if value is not None:
            storage.values[_key(storage, tag >> 16)] = value
    return storage


def codec_of(page: float | None) -> str:
    """The codec of a property that is a code page; empty where there is none, or an unknown one."""
    return codepages.of_number(int(page), "") if page and 0 < page < 100_000 else ""


def _key(storage: Storage, number: int) -> Key:
    return storage.names.get(number, number) if number >= 0x8000 else number


def _read(storage: Storage, name: str) -> bytes:
    return read_stream(storage.ole, *storage.path, name)


def _variable(storage: Storage, name: str, kind: int) -> Value | None:
    if kind == _UNICODE:
        return _read(storage, name).decode("utf-16-le", "replace")
    if kind == _ANSI:
        return _ansi(_read(storage, name), storage.codepage)
    return _read(storage, name) if kind == _BINARY else None


def _ansi(data: bytes, codepage: str) -> str:
    for name in (codepage, "utf-8"):
        try:
            return data.decode(name)
        except (UnicodeError, LookupError):
            continue
    try:
        return decode(data)[0]
    except CannotRead:
        return data.decode("cp1252", "replace")


def _fixed(storage: Storage) -> None:
    """The properties of fixed size, which stand in one stream together."""
    if not storage.ole.exists("/".join([*storage.path, _PROPERTIES])):
        return
    data = _read(storage, _PROPERTIES)
    is_message = not storage.path or not storage.path[-1].startswith(("__recip", "__attach"))
    header = _HEADERS[0 if not storage.path else 1 if is_message else 2]
    for at in range(header, len(data) - 15, 16):
        kind, number = struct.unpack_from("<HH", data, at)
        value = _value(kind, data[at + 8 : at + 16])
        if value is not None:
            storage.values[_key(storage, number)] = value


def _value(kind: int, raw: bytes) -> Value | None:
    if kind in _INTEGERS or kind in _REALS:
        number: int | float = struct.unpack_from({**_INTEGERS, **_REALS}[kind], raw)[0]
        return number
    if kind == _BOOLEAN:
        return raw[0] != 0
    if kind == _TIME:
        try:
            return _EPOCH + timedelta(microseconds=int.from_bytes(raw, "little") // 10)
        except OverflowError:
            return None
    return None


def _named(ole: olefile.OleFileIO[bytes]) -> dict[int, Key]:
    """Number in this file → set and number in it, of the properties that programs named (MS-OXMSG 2.2.3)."""
    storage = Storage(ole, (_NAMES,))
    try:
        guids = _read(storage, "__substg1.0_00020102")
        entries = _read(storage, "__substg1.0_00030102")
    except CannotRead:
        return {}
    names: dict[int, Key] = {}
    for number, kind, index in struct.iter_unpack("<IHH", entries[: len(entries) // 8 * 8]):
        first = ((kind >> 1) - 3) * 16
        if not kind & 1 and 0 <= first < len(guids):
            names[0x8000 + index] = (guids[first : first + 4][::-1].hex(), number)
    return names
