"""Files spoilt as disks, networks and ill-meaning people spoil them: seeded, so that each can be made again."""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Sequence

_INSIDE = 0.7  # of the zip files are spoilt within a member, so that more than the unpacking is tried
_TOKENS = [
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r",
    b"\x1b[31m",
    b"-1",
    b"0",
    b"99999999999999999999",
    b"2147483648",
    b"1e999",
    b"NaN",
    b'"',
    b"'",
    b"<",
    b"]]>",
    b"&#0;",
    b"&#xD800;",
    b"{{{{{{{{",
    b"((((((((",
    b"[[[[[[[[",
    b"<a><a><a>",
    b"%s%n",
    b"../../",
    "\u202e\u2028é".encode(),
    "e\u0301".encode("utf-16"),
]
_NUMBER = re.compile(rb"\d+")


def mutate(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """``data`` with one to six of its parts changed, lost, doubled, moved or taken from ``others``."""
    if data.startswith(b"PK") and chance.random() < _INSIDE:
        spoilt = _within_a_member(data, chance, others)
        if spoilt is not None:
            return spoilt
    for _ in range(chance.randint(1, 6)):
        data = chance.choice(_WAYS)(data, chance, others)
    return data


def _within_a_member(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError):
        return None
    if not members:
        return None
    name = chance.choice(sorted(members))
    if chance.random() < 0.1:
        del members[name]
    else:
        members[name] = mutate(members[name], chance, others)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def _span(data: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + int(2 ** (chance.random() * 10)))


def _change(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(min(len(data), chance.randint(1, 16))):
        changed[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(changed)


def _cut(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + data[end:]


def _end_early(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _double(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    start, end = _span(data, chance)
    return data[:end] + data[start:end] * int(2 ** (chance.random() * 8)) + data[end:]


def _splice(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    other = chance.choice(others)
    start, end = _span(other, chance)
    at, until = _span(data, chance)
    return data[:at] + other[start:end] + data[chance.choice((at, until)) :]


def _insert(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_TOKENS) * chance.choice((1, 1, 1, 3, 500)) + data[at:]


def _renumber(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    numbers = list(_NUMBER.finditer(data))
    if not numbers:
        return data
    number = chance.choice(numbers)
    wrong = chance.choice((b"0", b"-1", b"4294967295", b"65536", b"99999999999", number[0] + b"0"))
    return data[: number.start()] + wrong + data[number.end() :]


_WAYS = (_change, _cut, _end_early, _double, _splice, _insert, _renumber)
