"""Embedded objects as office programs before 2007 keep them: the files in them, in whatever wrapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragcli.load.office.compound import write_compound
from ragcli.load.office.ole import MAGIC, native_file, open_ole, read_stream
from ragcli.load.parsed import CannotRead, Item, Member

if TYPE_CHECKING:
    import olefile

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
        return native_file(native)
    return embedded(native, name, texts[0])


def embedded(data: bytes, name: str, class_name: str = "") -> Item | None:
    """The file that an object holds, in whatever wrapping; None where it holds no file."""
    if not data.startswith(MAGIC):
        return Member(name + _suffix(class_name), data) if _is_file(data) else None
    try:
        with open_ole(data) as ole:
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
        return native_file(read_stream(ole, own["\x01Ole10Native"]))
    for stream in ("Package", "CONTENTS", "EmbeddedOdf", "package_stream"):
        if stream in own:
            data = read_stream(ole, own[stream])
            if _is_file(data):
                return Member(name + _suffix(class_name, data), data)
    return None


def _as_file(ole: olefile.OleFileIO, storage: list[str], streams: list[list[str]]) -> bytes:
    found = {tuple(path[len(storage) :]): read_stream(ole, path) for path in streams}
    return write_compound(found)


def _is_file(data: bytes) -> bool:
    return data.startswith((b"PK\x03\x04", b"%PDF-", MAGIC, b"{\\rtf", b"<?xml"))


def _suffix(class_name: str, data: bytes = b"") -> str:
    lower = class_name.lower()
    found = next((suffix for name, suffix in _CLASSES.items() if lower.startswith(name)), "")
    return found or (".pdf" if data.startswith(b"%PDF-") else "")
