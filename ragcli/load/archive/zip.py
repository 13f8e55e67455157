"""Zip archives: the members that their directory names, or those found without one."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from ragcli.load.archive.names import decoded, is_wanted
from ragcli.load.archive.pieces import (
    BROKEN,
    MOST_OF_A_MEMBER,
    PIECE,
    cut_short,
    gather,
    member,
    metered,
)
from ragcli.load.archive.zipentries import (
    ENCRYPTED,
    UTF8,
    Entry,
    entry_of,
    local_entries,
    pieces_of,
    unsupported,
)
from ragcli.load.parsed import CannotRead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragcli.load.parsed import Content, Item

_MOST_ENTRIES = 200_000
_UNICODE_PATH = 0x7075


def read_zip(content: Content) -> Iterator[Item]:
    """The files of a zip archive; folders, links and hidden files are left out.

    Without a directory (the archive is cut short) the members are found by their own headers. Of
    members that overlap, as those of a bomb do, only the first is read.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content.data))
    except (zipfile.BadZipFile, *BROKEN, struct.error, OverflowError, NotImplementedError):
        yield from _salvage(content)
        return
    with archive:
        infos = [info for info in archive.infolist() if _is_file(info)]
        if len(infos) > _MOST_ENTRIES:
            raise CannotRead("too-large", f"the archive names more than {_MOST_ENTRIES} files")
        end, overlapping = 0, 0
        spans = any(info.volume for info in infos)
        names = _names(infos)
        for info, name in sorted(zip(infos, names, strict=True), key=lambda pair: pair[0].header_offset):
            if not is_wanted(name):
                continue
            entry = entry_of(content.data, info, name)
            if entry is None:
                told = (
                    "it lies in another volume of the archive" if spans else "nothing stands where it should"
                )
                yield CannotRead("damaged", told, name)
            elif info.header_offset < end:
                overlapping += 1
            else:
                end = entry.end
                yield from _read(content, entry, archive)
        if overlapping:
            told = f"{overlapping} members overlap others, as in a bomb, and were left out"
            yield CannotRead("damaged", told)


def _is_file(info: zipfile.ZipInfo) -> bool:
    mode = info.external_attr >> 16
    return not info.is_dir() and stat.S_IFMT(mode) in (0, stat.S_IFREG)


def _names(infos: list[zipfile.ZipInfo]) -> list[str]:
    """The names; those not marked as UTF-8 are in the code page of whoever packed them."""
    unmarked = [info for info in infos if not info.flag_bits & UTF8]
    raw = [info.orig_filename.encode("cp437", "replace") for info in unmarked]
    told = {id(info): name for info, name in zip(unmarked, decoded(raw, "cp437"), strict=True)}
    return [_unicode_path(info) or told.get(id(info), info.filename) for info in infos]


def _unicode_path(info: zipfile.ZipInfo) -> str:
    """The name in Info-ZIP's field for names in UTF-8 (APPNOTE.TXT 4.6.9), where there is one."""
    extra, at = info.extra, 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        if kind == _UNICODE_PATH and size > 5:
            return extra[at + 9 : at + 4 + size].decode("utf-8", "replace")
        at += 4 + size
    return ""


def _read(content: Content, entry: Entry, archive: zipfile.ZipFile | None = None) -> Iterator[Item]:
    """The member, whole or as far as it goes, or why there is nothing of it."""
    if entry.size is not None and entry.size > MOST_OF_A_MEMBER:
        told = f"it has {entry.size // 1_000_000} MB unpacked; nothing of it was read"
        yield CannotRead("too-large", told, entry.name)
        return
    packed = entry.end - entry.start
    try:
        if archive is not None and entry.info is not None and entry.info.flag_bits & ENCRYPTED:
            data, trouble = _decrypted(content, entry.info, archive, entry.name)
        else:
            pieces = pieces_of(content.data, entry)
            data, trouble = gather(metered(pieces, content.allowance), packed, entry.name)
    except CannotRead as error:
        if not error.name:  # all that may be unpacked was
            raise
        yield error
        return
    if trouble is None and entry.crc is not None and zlib.crc32(data) != entry.crc:
        trouble = ValueError("checksum")
    if data or trouble is None:
        yield member(entry.name, data, content.allowance, entry.modified)
    if trouble is not None:
        yield cut_short(entry.name, len(data), trouble)


def _decrypted(
    content: Content, info: zipfile.ZipInfo, archive: zipfile.ZipFile, name: str
) -> tuple[bytes, Exception | None]:
    """What the first fitting password opens; a wrong one shows in the checksum at the latest."""
    for password in content.passwords:
        try:
            with archive.open(info, pwd=password.encode()) as opened:
                pieces = iter(lambda opened=opened: opened.read(PIECE), b"")  # type: ignore[misc]
                data, trouble = gather(metered(pieces, content.allowance), info.compress_size, name)
        except NotImplementedError:
            raise unsupported(info.compress_type, name) from None
        except (RuntimeError, zipfile.BadZipFile):
            continue
        if trouble is None:
            return data, None
        content.allowance.give_back(len(data))
    wrong = "none of the passwords given opens it" if content.passwords else "it needs a password"
    raise CannotRead("encrypted", f"{wrong}; give it with --password", name)


def _salvage(content: Content) -> Iterator[Item]:
    """The members that can be found by the headers before them, where there is no directory."""
    found = 0
    for entry in local_entries(content.data):
        found += 1
        if is_wanted(entry.name) and not entry.name.endswith("/"):
            yield from _read(content, entry)
    if not found:
        raise CannotRead("damaged", "it is no zip archive, or damaged; nothing could be read of it")
    told = "the archive's directory is missing or damaged; it may be cut short"
    yield CannotRead("damaged", f"{told}, and only what stands before was read")
