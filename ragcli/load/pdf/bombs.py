"""Streams of a PDF that unpack to more than any page needs: PDFium would end the process over them."""

from __future__ import annotations

import re
import zlib

from ragcli.load.parsed import CannotRead

# What stands before the data of a stream; the dictionary begins at the ``obj`` before it.
_STREAM = re.compile(rb"stream\r?\n")
_LENGTH = re.compile(rb"/Length\s+(\d{1,10})\b(?!\s+\d+\s+R)")
_FLATE = re.compile(rb"/(?:Fl|FlateDecode)\b")
_LONGEST_DICTIONARY = 4_000
_LARGEST = 150_000_000  # bytes unpacked
_LARGEST_PICTURE = 400_000_000  # decoded only where it is looked at
_PIECE = 1 << 20
_FED = 1 << 16
_FOLD = 1_032  # what deflate can reach
_DEEPEST = 4  # filters one upon the other


def refuse_bombs(data: bytes) -> None:
    """Raises CannotRead("too-large") where a stream packed with deflate is a bomb.

    Those of encrypted files are not seen through. Streams too short to become so large cost nothing.
    """
    at = 0
    while found := _STREAM.search(data, at):
        at = found.end()
        start = data.rfind(b"obj", max(0, found.start() - _LONGEST_DICTIONARY), found.start())
        dictionary = data[max(start, found.start() - _LONGEST_DICTIONARY, 0) : found.start()]
        filters = min(_DEEPEST, len(_FLATE.findall(dictionary)))
        most = _LARGEST_PICTURE if b"/Image" in dictionary else _LARGEST
        end = _end(data, at, dictionary) if filters else at
        if (end - at) * _FOLD**filters > most and _unpacks_to_more(memoryview(data)[at:end], filters, most):
            raise CannotRead("too-large", f"a part of it has more than {most // 1_000_000} MB unpacked")
        at = max(at, end)


def _end(data: bytes, at: int, dictionary: bytes) -> int:
    """Where the data of a stream ends: by its word or by its length, whichever is later."""
    length = _LENGTH.search(dictionary)
    end = data.find(b"endstream", at)
    return min(len(data), max(end if end >= 0 else len(data), at + int(length[1]) if length else 0))


def _unpacks_to_more(packed: memoryview, filters: int, most: int) -> bool:
    """Whether these bytes, unpacked so many times, are more than ``most`` after one of them."""
    steps = [zlib.decompressobj() for _ in range(filters)]
    sizes = [0] * filters

    def feed(level: int, piece: bytes) -> bool:
        while piece:
            try:
                got = steps[level].decompress(piece, _PIECE)
            except zlib.error:
                return False
            sizes[level] += len(got)
            if sizes[level] > most or (got and level + 1 < filters and feed(level + 1, got)):
                return True
            piece = steps[level].unconsumed_tail
        return False

    return any(feed(0, bytes(packed[at : at + _FED])) for at in range(0, len(packed), _FED))
