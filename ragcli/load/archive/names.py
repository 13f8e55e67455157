"""The names of an archive's members: in which encoding they are, and which are of any worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragcli.load.encoding import decode
from ragcli.load.parsed import CannotRead

if TYPE_CHECKING:
    from collections.abc import Sequence

_NEVER = frozenset({"__macosx", "__pycache__", "thumbs.db", "desktop.ini"})


def is_wanted(name: str) -> bool:
    """No file that would be passed over in a folder: hidden, or made by a system for itself."""
    parts = [part for part in name.replace("\\", "/").split("/") if part.strip(". ")]
    return not any(part.startswith(".") or part.lower() in _NEVER for part in parts)


def decoded(names: Sequence[bytes], otherwise: str) -> list[str]:
    """Names whose encoding is not told, all in the same: UTF-8, or what they look like together."""
    together = b"\n".join(names)
    try:
        together.decode("utf-8")
        encoding = "utf-8"
    except UnicodeDecodeError:
        try:
            encoding = decode(together)[1]
        except CannotRead:
            encoding = otherwise
        encoding = otherwise if encoding == "utf-8" else encoding
    return [name.decode(encoding, "replace") for name in names]
