"""Compound files (OLE) written, by [MS-CFB]: a storage within one becomes a file of its own."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

_SECTOR = 512
_SMALL = 4096  # streams below this would go into a stream of their own, so they are filled up
_FREE, _END, _FAT, _DIFAT, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC, 0xFFFFFFFF
_PER_SECTOR = _SECTOR // 4
_IN_HEADER = 109


@dataclass(slots=True)
class _Entry:
    name: str
    kind: int  # 1 storage, 2 stream, 5 root
    children: dict[str, _Entry] = field(default_factory=dict)
    data: bytes = b""
    number: int = 0
    first: int = _END
    right: int = _NONE
    child: int = _NONE


def write_compound(streams: Mapping[tuple[str, ...], bytes]) -> bytes:
    """A compound file of these streams, by their paths; those below 4,096 bytes end in zeros."""
    root = _Entry("Root Entry", 5)
    for path, data in streams.items():
        at = root
        for name in path[:-1]:
            at = at.children.setdefault(name, _Entry(name, 1))
        at.children[path[-1]] = _Entry(path[-1], 2, data=data.ljust(_SMALL, b"\0"))
    entries = _numbered(root)
    chains: list[int] = []
    body = bytearray()
    for entry in entries:
        if entry.kind == 2:
            entry.first = _append(entry.data, body, chains)
    directory = _append(b"".join(map(_record, entries)), body, chains)
    return _with_tables(body, chains, directory)


def _numbered(root: _Entry) -> list[_Entry]:
    """All entries, each linked to the next of its storage: a tree that leans to one side."""
    entries = [root]
    for entry in entries:
        children = sorted(entry.children.values(), key=lambda child: (len(child.name), child.name.upper()))
        for child in children:
            child.number = len(entries)
            entries.append(child)
        for child, following in itertools.pairwise(children):
            child.right = following.number
        entry.child = children[0].number if children else _NONE
    return entries


def _record(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le")[:62] + b"\0\0"
    head = struct.pack("<64sHBBIII", name, len(name), entry.kind, 1, _NONE, entry.right, entry.child)
    return (
        head
        + bytes(36)
        + struct.pack("<IQ", entry.first if entry.kind == 2 else _end_of(entry), len(entry.data))
    )


def _end_of(entry: _Entry) -> int:
    return _END if entry.kind == 5 else 0


def _append(data: bytes, body: bytearray, chains: list[int]) -> int:
    """Sectors for the data, chained; the number of the first."""
    first = len(chains)
    count = max(1, -(-len(data) // _SECTOR))
    body += data.ljust(count * _SECTOR, b"\0")
    chains += [*range(first + 1, first + count), _END]
    return first


def _with_tables(body: bytearray, chains: list[int], directory: int) -> bytes:
    fats, difats = 0, 0
    while True:  # the tables count themselves, too
        need = -(-(len(chains) + fats + difats) // _PER_SECTOR)
        more = max(0, -(-(need - _IN_HEADER) // (_PER_SECTOR - 1)))
        if (need, more) == (fats, difats):
            break
        fats, difats = need, more
    first = len(chains)
    places = list(range(first, first + fats))
    table = [*chains, *[_FAT] * fats, *[_DIFAT] * difats]
    table += [_FREE] * (fats * _PER_SECTOR - len(table))
    difat = b""
    rest = places[_IN_HEADER:]
    for number in range(difats):
        part = rest[number * (_PER_SECTOR - 1) : (number + 1) * (_PER_SECTOR - 1)]
        part += [_FREE] * (_PER_SECTOR - 1 - len(part))
        following = first + fats + number + 1 if number + 1 < difats else _END
        difat += struct.pack(f"<{_PER_SECTOR}I", *part, following)
    listed = (places[:_IN_HEADER] + [_FREE] * _IN_HEADER)[:_IN_HEADER]
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        bytes(16),
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        bytes(6),
        0,
        fats,
        directory,
        0,
        _SMALL,
        _END,
        0,
        first + fats if difats else _END,
        difats,
    )
    return (
        header
        + struct.pack(f"<{_IN_HEADER}I", *listed)
        + body
        + struct.pack(f"<{len(table)}I", *table)
        + difat
    )
