"""Tar archives, packed or not, and single packed files: read forward, once, a member at a time."""

from __future__ import annotations

import tarfile
from os.path import splitext
from typing import TYPE_CHECKING

from ragcli.load.archive.names import decoded, is_wanted
from ragcli.load.archive.pieces import (
    BROKEN,
    MOST_OF_A_MEMBER,
    STREAMS,
    cut_short,
    gather,
    member,
    metered,
    slices,
    unpacked,
)
from ragcli.load.parsed import CannotRead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragcli.load.parsed import Allowance, Content, Item

_BLOCK = 512
_MOST_AT_ONCE = 1 << 20  # of a header: names longer than that are none
_MOST_ENTRIES = 200_000  # folders and what is passed over included
_SUFFIXES = {".tgz": ".tar", ".taz": ".tar", ".tbz2": ".tar", ".tbz": ".tar", ".txz": ".tar", ".tzst": ".tar"}


def is_tar(head: bytes) -> bool:
    """Begins with the header of a member, whose checksum is right."""
    if len(head) < _BLOCK or not head[0]:
        return False
    try:
        tarfile.TarInfo.frombuf(head[:_BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def read_tar(content: Content) -> Iterator[Item]:
    """The files of a tar archive; links, devices and hidden files are left out."""
    stream = _Forward(metered(slices(memoryview(content.data)), content.allowance))
    yield from _members(stream, len(content.data), content.allowance)


def read_packed(content: Content) -> Iterator[Item]:
    """What a gz, bz2, xz or zst file holds: the members of a tar archive, or one file without the suffix."""
    data = memoryview(content.data)
    magic, new = next((way for way in STREAMS.values() if content.data.startswith(way[0])), (b"", None))
    if new is None:
        raise CannotRead("damaged", "it does not begin as its name says; it may be damaged")
    stream = _Forward(metered(unpacked(data, new, magic), content.allowance))
    name = _inner_name(content.name)
    if is_tar(stream.peek(_BLOCK)):
        yield from _members(stream, len(data), content.allowance)
        return
    got, _ = gather(stream.pieces(), len(data))
    if got:
        yield member(name, got, content.allowance)
    if stream.trouble is not None:
        yield cut_short(name, len(got), stream.trouble)
    elif not got:
        raise CannotRead("empty", "nothing is packed in it")


def _inner_name(name: str) -> str:
    stem, suffix = splitext(name)
    return stem + _SUFFIXES.get(suffix.lower(), "") if suffix else f"{name or 'content'} unpacked"


def _members(stream: _Forward, packed: int, allowance: Allowance) -> Iterator[Item]:
    count = 0
    try:
        archive = tarfile.TarFile(fileobj=stream, encoding="utf-8")  # type: ignore[arg-type]
        while (info := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # it would keep them all
            count += 1
            if count > _MOST_ENTRIES:
                raise CannotRead("too-large", f"the archive names more than {_MOST_ENTRIES} files")
            if not info.isreg() or not is_wanted(info.name):
                continue
            name = _name(info.name)
            if info.issparse():
                yield CannotRead("unsupported", "it is stored with holes in it, which is not read", name)
                continue
            yield from _file(stream, info, name, packed, allowance)
    except CannotRead:
        raise
    except (tarfile.TarError, *BROKEN):
        yield CannotRead("damaged", f"the archive is damaged after {count} members; those were read")
        return
    if stream.trouble is not None or stream.last.strip(b"\0"):
        yield CannotRead("damaged", f"the archive is cut short after {count} members; those were read")


def _file(
    stream: _Forward, info: tarfile.TarInfo, name: str, packed: int, allowance: Allowance
) -> Iterator[Item]:
    if info.size > MOST_OF_A_MEMBER:
        yield CannotRead("too-large", f"it has {info.size // 1_000_000} MB; nothing of it was read", name)
        return
    stream.seek(info.offset_data)
    try:
        got, _ = gather(stream.pieces(info.size), packed, name)
    except CannotRead as error:
        if not error.name:  # all that may be unpacked was
            raise
        yield error
        return
    yield member(name, got, allowance, info.mtime)
    if len(got) < info.size:
        yield cut_short(name, len(got), EOFError())


def _name(name: str) -> str:
    # Names that are not UTF-8 come with each strange byte as a lone surrogate.
    return decoded([name.encode("utf-8", "surrogateescape")], "cp1252")[0]


class _Forward:
    """As much of a file object as ``tarfile`` needs to read on and on, over pieces that come but once.

    ``trouble`` is what ended the pieces too early; ``last`` what was read last.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""
        self._start = 0  # where what is held begins
        self._at = 0
        self.trouble: Exception | None = None
        self.last = b""

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, to: int) -> None:
        """Go on to a place; back by one byte at most."""
        if to < self._start:
            raise OSError("a place that was passed")
        while to > self._end:
            self._at = self._end
            if not self._more():
                break
        self._at = to

    def read(self, count: int) -> bytes:
        """That many bytes, or all that are left."""
        if not 0 <= count <= _MOST_AT_ONCE:
            raise OSError("a header of absurd length")
        while self._at + count > self._end and self._more():
            pass
        self.last = self._held[max(0, self._at - self._start) :][:count]
        self._at += len(self.last)
        return self.last

    def peek(self, count: int) -> bytes:
        """What ``read`` would give, before anything was read."""
        got = self.read(count)
        self._at = 0
        return got

    def pieces(self, count: int | None = None) -> Iterator[bytes]:
        """The next ``count`` bytes, or all that come."""
        left = count
        while left is None or left > 0:
            if self._at >= self._end and not self._more():
                return
            piece = self._held[self._at - self._start :][:left]
            self._at += len(piece)
            left = None if left is None else left - len(piece)
            yield piece

    @property
    def _end(self) -> int:
        return self._start + len(self._held)

    def _more(self) -> bool:
        try:
            piece = next(self._pieces, None)
        except CannotRead:
            raise
        except BROKEN as error:
            self.trouble, piece = error, None
        if piece is None:
            return False
        # ``tarfile`` steps back to the last byte of a member, to see that it is there.
        kept = self._held[max(0, min(self._at - self._start, len(self._held)) - 1) :]
        self._start = self._end - len(kept)
        self._held = kept + piece
        return True
