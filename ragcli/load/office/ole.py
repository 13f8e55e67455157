"""Files that office programs wrapped into OLE objects."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from ragcli.load.office.compound import write_compound
from ragcli.load.parsed import CannotRead, Item, Member

if TYPE_CHECKING:
    import olefile

_LONGEST = 1024
_MOST_BYTES = 200_000_000
MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# The stream that makes a storage a document of its own → the suffix it gets.
_DOCUMENTS = {
    "WordDocument": ".doc",
    "Workbook": ".xls",
    "Book": ".xls",
    "PowerPoint Document": ".ppt",
    "VisioDocument": ".vsd",
    "__properties_version1.0": ".msg",
}
_CLASSES = {
    "word.document.12": ".docx",
    "excel.sheet.12": ".xlsx",
    "powerpoint.show.12": ".pptx",
    "powerpoint.slide.12": ".pptx",
    "word.document": ".doc",
    "excel.sheet": ".xls",
    "powerpoint": ".ppt",
    "acroexch": ".pdf",
}


def native_file(data: bytes) -> Member | None:
    """The file in an ``\\x01Ole10Native`` stream ([MS-OLEDS] 2.3.6, as the Object Packager fills it)."""
    at = 6 if data[4:6] == b"\x02\x00" else 4
    label, at = _string(data, at)
    path, at = _string(data, at)
    if at <= 0 or at + 8 > len(data):
        return None
    at += 4  # a mark and the length's upper half
    length = int.from_bytes(data[at : at + 4], "little")
    at += 4 + length  # where the file lay for a while
    size = int.from_bytes(data[at : at + 4], "little")
    found = data[at + 4 : at + 4 + size]
    if not found or len(found) < size:
        return None
    # Newer packagers say it all once more in UTF-16: the place, the label, the path.
    _, at = _wide_string(data, at + 4 + size)
    wide, at = _wide_string(data, at)
    name = (wide or label or path).replace("\\", "/").rpartition("/")[2] or "unnamed"
    return Member(name, found)


def _wide_string(data: bytes, at: int) -> tuple[str, int]:
    length = int.from_bytes(data[at : at + 4], "little")
    if at < 0 or at + 4 + 2 * length > len(data) or length > _LONGEST:
        return "", -1
    end = at + 4 + 2 * length
    return data[at + 4 : end].decode("utf-16-le", "replace").rstrip("\0"), end


def object_of_ole1(data: bytes, name: str) -> Item | None:
    """The file in an object of OLE 1.0 ([MS-OLEDS] 2.2.5), as RTF holds them; None for links and pictures.

    ``name`` is what it is called if it does not say so itself.
    """
    if int.from_bytes(data[4:8], "little") != 2:
        return None
    at = 8
    texts: list[str] = []
    for _ in range(3):  # class, topic, item
        length = int.from_bytes(data[at : at + 4], "little")
        texts.append(data[at + 4 : at + 4 + length].rstrip(b"\0").decode("cp1252", "replace"))
        at += 4 + length
    size = int.from_bytes(data[at : at + 4], "little")
    native = data[at + 4 : at + 4 + size]
    if len(native) < size:
        return CannotRead("damaged", "an embedded object is cut off", name)
    if texts[0].lower() == "package":
        return native_file(b"\0\0\0\0" + native)
    return embedded(native, name, texts[0])


def embedded(data: bytes, name: str, class_name: str = "") -> Item | None:
    """The file that an object holds, in whatever wrapping; None where it holds no file."""
    import olefile

    if not data.startswith(MAGIC):
        return Member(name + _suffix(class_name), data) if _is_file(data) else None
    try:
        with olefile.OleFileIO(BytesIO(data)) as ole:
            return of_storage(ole, [], name, class_name)
    except CannotRead as error:
        return CannotRead(error.error, error.message, name)
    except (OSError, ValueError, IndexError):
        return CannotRead("damaged", "an embedded object is damaged", name)


def of_storage(ole: olefile.OleFileIO, storage: list[str], name: str, class_name: str = "") -> Item | None:
    """The same of a storage within a compound file."""
    streams = [path for path in ole.listdir(streams=True, storages=False) if path[: len(storage)] == storage]
    own = {path[-1]: path for path in streams if len(path) == len(storage) + 1}
    for stream, suffix in _DOCUMENTS.items():
        if stream in own:
            return Member(name + suffix, _as_file(ole, storage, streams))
    if "\x01Ole10Native" in own:
        return native_file(_read(ole, own["\x01Ole10Native"]))
    for stream in ("Package", "CONTENTS", "EmbeddedOdf", "package_stream"):
        if stream in own:
            data = _read(ole, own[stream])
            if _is_file(data):
                return Member(name + _suffix(class_name, data), data)
    return None


def _as_file(ole: olefile.OleFileIO, storage: list[str], streams: list[list[str]]) -> bytes:
    found = {tuple(path[len(storage) :]): _read(ole, path) for path in streams}
    return write_compound(found)


def _read(ole: olefile.OleFileIO, path: list[str]) -> bytes:
    if ole.get_size(path) > _MOST_BYTES:
        raise CannotRead("too-large", "an embedded object is too large")
    return bytes(ole.openstream(path).read())


def _is_file(data: bytes) -> bool:
    return data.startswith((b"PK\x03\x04", b"%PDF-", MAGIC, b"{\\rtf", b"<?xml"))


def _suffix(class_name: str, data: bytes = b"") -> str:
    lower = class_name.lower()
    found = next((suffix for name, suffix in _CLASSES.items() if lower.startswith(name)), "")
    return found or (".pdf" if data.startswith(b"%PDF-") else "")


def _string(data: bytes, at: int) -> tuple[str, int]:
    end = data.find(b"\0", at, at + _LONGEST) if at >= 0 else -1
    return (data[at:end].decode("cp1252", "replace"), end + 1) if end >= 0 else ("", -1)
