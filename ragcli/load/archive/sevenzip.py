"""7z archives, through py7zr (LGPL), in memory."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any

from ragcli.load.archive.names import is_wanted
from ragcli.load.archive.pieces import MOST_OF_A_MEMBER, member
from ragcli.load.parsed import CannotRead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from py7zr import SevenZipFile
    from py7zr.py7zr import ArchiveFile

    from ragcli.load.parsed import Allowance, Content, Item

_BATCH = 64_000_000  # bytes unpacked at a time; a solid block is unpacked from its start for each
_MOST_OF_A_BLOCK = 500_000_000
_MOST_ENTRIES = 200_000
_MOST_MEMORY = 256 << 20  # that the unpacking of a block may ask for
_LZMA, _LZMA2, _PPMD = b"\x03\x01\x01", b"\x21", b"\x03\x04\x01"


def read_7z(content: Content) -> Iterator[Item]:
    """The files of a 7z archive; links, folders and hidden files are left out.

    Its directory stands at its end: of an archive that is cut short nothing can be had.
    """
    import py7zr

    locked = False
    for password in (None, *content.passwords):
        some = False
        try:
            with py7zr.SevenZipFile(io.BytesIO(content.data), password=password) as archive:
                for item in _items(archive, content.allowance):
                    some = True
                    yield item
            return
        except CannotRead:
            raise
        except py7zr.PasswordRequired:
            locked = True
        except py7zr.UnsupportedCompressionMethodError:
            raise CannotRead("unsupported", "it is packed with a method that is not read") from None
        except Exception as error:  # a wrong password makes nonsense, which may fail in any way
            if some or not locked:
                told = f"the archive is damaged or cut short ({type(error).__name__})"
                raise CannotRead("damaged", told) from error
    wrong = "none of the passwords given opens it" if content.passwords else "it needs a password"
    raise CannotRead("encrypted", f"{wrong}; give it with --password")


def _items(archive: SevenZipFile, allowance: Allowance) -> Iterator[Item]:
    _check_memory(archive)
    if len(archive.files) > _MOST_ENTRIES:
        raise CannotRead("too-large", f"the archive names more than {_MOST_ENTRIES} files")
    batch: list[ArchiveFile] = []
    size = 0
    for file, before in _wanted(archive):
        if max(file.uncompressed, before - _MOST_OF_A_BLOCK + MOST_OF_A_MEMBER) > MOST_OF_A_MEMBER:
            told = (
                f"it has {file.uncompressed // 1_000_000} MB, after {before // 1_000_000} others; it was left"
            )
            yield CannotRead("too-large", told, file.filename)
            continue
        if batch and size + file.uncompressed > _BATCH:
            yield from _unpacked(archive, batch, allowance)
            batch, size = [], 0
        batch.append(file)
        size += file.uncompressed
    if batch:
        yield from _unpacked(archive, batch, allowance)


def _wanted(archive: SevenZipFile) -> Iterator[tuple[ArchiveFile, int]]:
    """The files to read, with the bytes that come before each in its block."""
    blocks: dict[int, int] = {}
    seen: set[str] = set()
    for file in archive.files:
        before = blocks.get(id(file.folder), 0)
        blocks[id(file.folder)] = before + file.uncompressed
        if file.is_file and is_wanted(file.filename) and file.filename not in seen:
            seen.add(file.filename)
            yield file, before


def _unpacked(archive: SevenZipFile, files: list[ArchiveFile], allowance: Allowance) -> Iterator[Item]:
    from py7zr.io import BytesIOFactory

    allowance.spend(sum(file.uncompressed for file in files))
    # py7zr refuses a whole batch for a name that leads out; such a file is not extracted anyway.
    named = {file.filename: file for file in files}
    factory = BytesIOFactory(MOST_OF_A_MEMBER)
    trouble: Exception | None = None
    try:
        archive.reset()
        archive.extract(targets=list(named), factory=factory)
    except Exception as error:  # what was unpacked before is good
        trouble = error
    products: dict[str, Any] = factory.products
    for name, file in named.items():
        product = products.get(name)
        data = product.read() if product is not None else b""
        if len(data) == file.uncompressed and (file.crc32 is None or zlib.crc32(data) == file.crc32):
            written = file.lastwritetime
            yield member(name, data, allowance, written.totimestamp() if written is not None else None)
        elif trouble is None:
            yield CannotRead("damaged", "it could not be unpacked", name)
    if trouble is not None:
        raise trouble


def _check_memory(archive: SevenZipFile) -> None:
    """Raises CannotRead where the archive asks for absurd memory to unpack it."""
    streams = getattr(archive.header, "main_streams", None)
    for folder in streams.unpackinfo.folders if streams is not None else []:
        for coder in folder.coders:
            asked = _memory_of(coder["method"], coder.get("properties") or b"")
            if asked > _MOST_MEMORY:
                raise CannotRead("too-large", f"to unpack it takes {asked >> 20} MB of memory")


def _memory_of(method: bytes, properties: bytes) -> int:
    """Bytes of a coder's dictionary (7zFormat.txt, Methods.txt)."""
    if method in (_LZMA, _PPMD):
        return int.from_bytes(properties[1:5], "little")
    if method == _LZMA2 and properties:
        bits = properties[0]
        return (2 | bits & 1) << (bits // 2 + 11)
    return 0
