"""Compound files written: a storage within one becomes a file of its own ([MS-CFB], version 3)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ragcli.load.office.ole import MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SECTOR = 512
_SMALL = 64  # bytes of a sector of the mini stream
_CUTOFF = 4096  # bytes; shorter streams lie in the mini stream
_FREE, _END, _FAT, _DIFAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC
_NONE = 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5


class _Entry:
    def __init__(self, name: str, kind: int) -> None:
        self.name, self.kind = name, kind
        self.children: dict[str, _Entry] = {}
        self.data = b""
        self.start, self.size = _END, 0
        self.child = self.right = _NONE


def write_compound(streams: Mapping[tuple[str, ...], bytes]) -> bytes:
    """A compound file with these streams, path to content.

    Siblings are chained to the right in order, a valid search tree if not a balanced one.
    """
    root = _Entry("Root Entry", _ROOT)
    for path, content in streams.items():
        entry = root
        for part in path[:-1]:
            entry = entry.children.setdefault(part, _Entry(part, _STORAGE))
        leaf = entry.children.setdefault(path[-1], _Entry(path[-1], _STREAM))
        leaf.data = content
    entries = _flat(root)
    sectors, fat = _lay_out(root, entries)
    return _file(entries, sectors, fat)


def _flat(root: _Entry) -> list[_Entry]:
    entries = [root]
    for entry in entries:
        children = sorted(entry.children.values(), key=lambda child: (len(child.name), child.name.upper()))
        first = len(entries)
        entries.extend(children)
        entry.child = first if children else _NONE
        for number, child in enumerate(children[:-1], first + 1):
            child.right = number
    return entries


def _lay_out(root: _Entry, entries: Iterable[_Entry]) -> tuple[list[bytes], list[int]]:
    """Contents of the sectors, and the chain of each; the mini FAT's place is in ``root.right``."""
    mini = bytearray()
    mini_fat: list[int] = []
    sectors: list[bytes] = []
    fat: list[int] = []
    for entry in entries:
        entry.size = len(entry.data)
        if 0 < entry.size < _CUTOFF:
            entry.start = len(mini_fat)
            mini += _padded(entry.data, _SMALL)
            mini_fat += _chain(entry.start, len(mini) // _SMALL - len(mini_fat))
        elif entry.size:
            entry.start = _append(sectors, fat, entry.data)
    root.size = len(mini)
    root.start = _append(sectors, fat, bytes(mini))
    root.data = struct.pack(f"<{len(mini_fat)}I", *mini_fat)
    return sectors, fat


def _file(entries: list[_Entry], sectors: list[bytes], fat: list[int]) -> bytes:
    mini_fat = entries[0].data
    mini_at = _append(sectors, fat, mini_fat, fill=b"\xff")
    directory_at = _append(sectors, fat, b"".join(map(_record, entries)))
    per = _SECTOR // 4
    tables = 1
    while True:  # the FAT covers itself and the sectors that list it
        lists = -(-max(0, tables - 109) // (per - 1))
        if tables * per >= len(fat) + tables + lists:
            break
        tables += 1
    first_table, first_list = len(fat), len(fat) + tables
    fat += [_FAT] * tables + [_DIFAT] * lists
    fat += [_FREE] * (tables * per - len(fat))
    places = list(range(first_table, first_table + tables))
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIIII",
        MAGIC,
        b"\0" * 16,
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        0,
        tables,
        directory_at,
        0,
        _CUTOFF,
        mini_at,
        -(-len(mini_fat) // _SECTOR),
        first_list if lists else _END,
        lists,
        *places[:1],
    )[:76]
    head = header + struct.pack("<109I", *(places + [_FREE] * 109)[:109])
    out = [head, *sectors]
    out += [struct.pack(f"<{per}I", *fat[at : at + per]) for at in range(0, len(fat), per)]
    for number in range(lists):
        listed = (places[109 + number * (per - 1) :] + [_FREE] * per)[: per - 1]
        follows = first_list + number + 1 if number + 1 < lists else _END
        out.append(struct.pack(f"<{per}I", *listed, follows))
    return b"".join(out)


def _append(sectors: list[bytes], fat: list[int], data: bytes, fill: bytes = b"\0") -> int:
    if not data:
        return _END
    start = len(fat)
    whole = _padded(data, _SECTOR, fill)
    sectors.append(whole)
    fat += _chain(start, len(whole) // _SECTOR)
    return start


def _chain(start: int, count: int) -> list[int]:
    return [*range(start + 1, start + count), _END]


def _padded(data: bytes, unit: int, fill: bytes = b"\0") -> bytes:
    return data + fill * (-len(data) % unit)


def _record(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le")[:62]
    return struct.pack(
        "<64sHBBIII16xI16xIQ",
        name,
        len(name) + 2,
        entry.kind,
        1,
        _NONE,
        entry.right,
        entry.child,
        0,
        entry.start,
        entry.size,
    )
