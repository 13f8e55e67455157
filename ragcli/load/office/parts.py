"""The parts of a zipped office file, read within limits."""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO

from ragcli.load.parsed import CannotRead

_MOST_OF_A_PART = 200_000_000  # bytes, unpacked
_MOST_OF_ALL = 600_000_000
_MOST_PARTS = 20_000
_PIECE = 1 << 20
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError)


class Parts:
    """A zip archive by the names of its members; what is read of it in all has a limit, too."""

    def __init__(self, data: bytes) -> None:
        try:
            self._archive = zipfile.ZipFile(BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise CannotRead("damaged", "it is no zip archive, or a broken one") from error
        self._infos = {info.filename.lstrip("/"): info for info in self._archive.infolist()[:_MOST_PARTS]}
        self._left = _MOST_OF_ALL
        self._replaced: dict[str, bytes] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._infos

    @property
    def names(self) -> list[str]:
        """The names of all parts, in the order of the archive."""
        return list(self._infos)

    def replace(self, name: str, data: bytes) -> None:
        """Have a part read as these bytes from now on."""
        self._replaced[name] = data

    def read(self, name: str) -> bytes:
        """The bytes of a part; raises CannotRead ``damaged``, ``encrypted`` or ``too-large``."""
        if name in self._replaced:
            return self._replaced[name]
        info = self._infos.get(name)
        if info is None:
            raise CannotRead("damaged", f"its part {name} is missing")
        if info.flag_bits & 1:
            raise CannotRead("encrypted", "the archive is encrypted, which no office program does")
        most = min(_MOST_OF_A_PART, self._left)
        if info.file_size > most:
            raise CannotRead("too-large", f"its part {name} is too large when unpacked")
        found = bytearray()
        try:
            with self._archive.open(info) as opened:
                while len(found) <= most and (piece := opened.read(_PIECE)):
                    found += piece
        except _BROKEN as error:
            raise CannotRead("damaged", f"its part {name} cannot be unpacked") from error
        if len(found) > most:
            raise CannotRead("too-large", f"its part {name} is too large when unpacked")
        self._left -= len(found)
        return bytes(found)
