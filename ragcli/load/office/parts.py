"""The parts of an office file, by name, read within limits: of a zip, or of what is left of one."""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO
from typing import TYPE_CHECKING

from ragcli.load.archive.pieces import PIECE, gather, metered
from ragcli.load.archive.zipentries import ENCRYPTED, local_entries, pieces_of
from ragcli.load.parsed import Allowance, CannotRead

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_OF_A_PART = 200_000_000  # bytes, unpacked
_MOST_OF_ALL = 600_000_000
_MOST_PARTS = 50_000
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError, RuntimeError)


class Parts:
    """The members of a zip archive, and those whose bytes are known already."""

    def __init__(self, archive: zipfile.ZipFile | None, known: Mapping[str, bytes]) -> None:
        infos = archive.infolist() if archive else []
        if len(infos) > _MOST_PARTS:
            raise CannotRead("too-large", f"more than {_MOST_PARTS} parts lie within it")
        self._archive = archive
        self._infos = {info.filename.lstrip("/"): info for info in infos}
        self._known = dict(known)
        self._allowance = Allowance(_MOST_OF_ALL)

    def __contains__(self, name: object) -> bool:
        return name in self._infos or name in self._known

    @property
    def names(self) -> list[str]:
        """The names of all parts, in the order of the archive."""
        return list(dict.fromkeys([*self._infos, *self._known]))

    def replace(self, name: str, data: bytes) -> None:
        """Have a part read as these bytes from now on."""
        self._known[name] = data

    def read(self, name: str) -> bytes:
        """The bytes of a part; raises CannotRead ``damaged``, ``encrypted`` or ``too-large``."""
        data, trouble = self.had(name)
        if trouble is not None:
            raise trouble
        return data

    def had(self, name: str) -> tuple[bytes, CannotRead | None]:
        """What can be had of a part, and what is wrong where that is not all; raises CannotRead ``too-large``."""
        if name in self._known:
            return self._known[name], None
        info = self._infos.get(name)
        if info is None or self._archive is None:
            return b"", CannotRead("damaged", f"its part {name} is missing")
        if info.flag_bits & ENCRYPTED:
            return b"", CannotRead("encrypted", "the archive is encrypted, which no office program does")
        found = bytearray()
        try:
            _bound(name, info.file_size)
            with self._archive.open(info) as opened:
                while piece := opened.read(PIECE):
                    self._allowance.spend(len(piece))
                    found += piece
                    _bound(name, len(found))
        except CannotRead:
            raise
        except _BROKEN:
            return bytes(found), CannotRead("damaged", f"its part {name} cannot be unpacked")
        return bytes(found), None


def open_parts(data: bytes) -> Parts:
    """The parts of a zip archive; raises CannotRead ``damaged``."""
    try:
        return Parts(zipfile.ZipFile(BytesIO(data)), {})
    except CannotRead:
        raise
    except _BROKEN as error:
        raise CannotRead("damaged", "it is no zip archive, or a broken one") from error


def salvaged_parts(data: bytes) -> Parts:
    """Those of an archive whose directory is lost, each as far as it goes; raises CannotRead ``damaged``."""
    allowance = Allowance(_MOST_OF_ALL)
    found: dict[str, bytes] = {}
    for entry in local_entries(data):
        pieces = metered(pieces_of(data, entry), allowance)
        try:
            content, _ = gather(pieces, entry.end - entry.start, entry.name)
        except CannotRead as error:
            if not error.name:  # all that may be unpacked was
                raise
            continue
        if content:
            found.setdefault(entry.name.lstrip("/"), content)
    if not found:
        raise CannotRead("damaged", "the file is cut short or broken; nothing can be read of it")
    return Parts(None, found)


def _bound(name: str, size: int) -> None:
    if size > _MOST_OF_A_PART:
        raise CannotRead("too-large", f"its part {name} has more than {_MOST_OF_A_PART // 1_000_000} MB")
