"""Decompression a piece at a time, so that a bomb is noticed before its memory is spent."""

from __future__ import annotations

import bz2
import lzma
import zlib
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from ragcli.load.parsed import CannotRead, Member

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType

    from ragcli.load.parsed import Allowance

PIECE = 1 << 18
MOST_OF_A_MEMBER = 100_000_000  # bytes; a file in a folder is not read at half of that
_LZMA_MEMORY = 256 << 20
_BOMB_RATIO = 500  # text rarely reaches a tenth of it; deflate cannot reach more than 1032
_BOMB_FROM = 20_000_000  # bytes; less does no harm, however little it was packed into
BROKEN = (EOFError, zlib.error, lzma.LZMAError, OSError, ValueError)
"""What damaged content makes the decompressors raise."""


class Decompressor(Protocol):
    """The interface that the decompressors of the standard library share."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most ``max_length`` bytes; what of ``data`` is not used yet is kept."""

    @property
    def eof(self) -> bool:
        """The stream is complete."""

    @property
    def needs_input(self) -> bool:
        """Nothing more comes out before more goes in."""

    @property
    def unused_data(self) -> bytes:
        """What follows the stream."""


class _Zlib:
    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)
        self._full = False

    def decompress(self, data: bytes, max_length: int) -> bytes:
        got = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self._full = len(got) == max_length
        return got

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail and not self._full

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


class _Zstandard:
    """Says of what is damaged the same as the others."""

    def __init__(self, module: ModuleType) -> None:
        self._inner: Decompressor = module.ZstdDecompressor()
        self._error: type[Exception] = module.ZstdError

    def decompress(self, data: bytes, max_length: int) -> bytes:
        try:
            return self._inner.decompress(data, max_length)
        except self._error as error:
            raise ValueError(str(error)) from error

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return self._inner.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


def gzip_stream() -> Decompressor:
    """A member of a gzip file (RFC 1952)."""
    return _Zlib(31)


def deflate_stream() -> Decompressor:
    """Bare deflate (RFC 1951), as in zip archives."""
    return _Zlib(-15)


def bzip2_stream() -> Decompressor:
    """A bzip2 stream."""
    return bz2.BZ2Decompressor()


def xz_stream() -> Decompressor:
    """An xz or lzma stream; one that wants more than 256 MB of memory is damaged."""
    return lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)


def zstd_stream() -> Decompressor:
    """A Zstandard frame; raises CannotRead where neither Python nor its backport has it."""
    for module in ("compression.zstd", "backports.zstd"):
        try:
            return _Zstandard(import_module(module))
        except ImportError:
            continue
    raise CannotRead("unsupported", "it is packed with Zstandard, which this Python cannot unpack")


STREAMS: dict[str, tuple[bytes, Callable[[], Decompressor]]] = {
    "gz": (b"\x1f\x8b", gzip_stream),
    "bz2": (b"BZh", bzip2_stream),
    "xz": (b"\xfd7zXZ\0", xz_stream),
    "zst": (b"\x28\xb5\x2f\xfd", zstd_stream),
}
"""Format → what its streams begin with, and what unpacks one."""


def unpacked(data: memoryview, new: Callable[[], Decompressor], magic: bytes = b"") -> Iterator[bytes]:
    """The content of a stream, in pieces; with ``magic``, of all streams that follow one another.

    What follows the last stream counts for nothing. Raises one of BROKEN where the stream is damaged
    (EOFError: cut short), after all that could be had.
    """
    at = 0
    while True:
        stream, step = new(), 1024
        while not stream.eof:
            fed = b""
            if stream.needs_input:
                fed, step = bytes(data[at : at + step]), min(2 * step, PIECE)
                at += len(fed)
                if not fed:
                    raise EOFError("the stream is cut short")
            yield stream.decompress(fed, PIECE)
        at -= len(stream.unused_data)
        if not magic or bytes(data[at : at + len(magic)]) != magic:
            return


def slices(data: memoryview) -> Iterator[bytes]:
    """What is not packed at all, in pieces."""
    return (bytes(data[at : at + PIECE]) for at in range(0, len(data), PIECE))


def metered(pieces: Iterable[bytes], allowance: Allowance) -> Iterator[bytes]:
    """The pieces, counted; they raise CannotRead where the allowance is spent."""
    for piece in pieces:
        allowance.spend(len(piece))
        yield piece


def member(name: str, data: bytes, allowance: Allowance, modified: float | None = None) -> Member:
    """A member whose pieces were metered: it is counted again where it is taken, so not here."""
    allowance.give_back(len(data))
    return Member(name, data, modified)


def gather(pieces: Iterable[bytes], packed: int, name: str = "") -> tuple[bytes, Exception | None]:
    """All of a member of ``packed`` bytes, and what ended it too early, if anything did.

    Raises CannotRead ``too-large``, with the name, before it takes more memory than a member may.
    """
    parts: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            parts.append(piece)
            if size > MOST_OF_A_MEMBER or size > max(_BOMB_FROM, _BOMB_RATIO * packed):
                raise CannotRead(
                    "too-large", f"{size // 1_000_000} MB of it were unpacked, and there was more", name
                )
    except CannotRead:
        raise
    except BROKEN as error:
        return b"".join(parts), error
    return b"".join(parts), None


def cut_short(name: str, size: int, error: Exception) -> CannotRead:
    """What to tell of a member of which only ``size`` bytes could be had."""
    how = "is cut short" if isinstance(error, EOFError) else "is damaged"
    kept = f"the {size} bytes before that were read" if size else "nothing of it could be read"
    return CannotRead("damaged", f"{name} {how}; {kept}")
