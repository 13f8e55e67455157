"""What passes between a file and the reader of its format."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragcli.types import Block, PlaceMap, Scalar


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a file, its name (the last part, without folders) and what opens it.

    ``passwords`` are to be tried in order where the content is encrypted. ``ocr`` are the languages in
    which text is looked for in pictures, as tesseract names them (``eng+deu``); empty: not at all.
    """

    data: bytes
    name: str = ""
    passwords: tuple[str, ...] = ()
    ocr: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """One document of a file: what of ``Document`` depends on the format.

    ``title`` is empty where the content has none. ``text`` and ``blocks`` keep the promises of
    ``Document`` and ``Block``. ``name`` tells the documents of one file apart, as the name of a
    file within a folder; it is empty for the file's own document.
    """

    title: str
    text: str
    blocks: tuple[Block, ...]
    lines: PlaceMap | None
    pages: PlaceMap | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A file within a file: an archive's member, a letter's attachment, an embedded document.

    ``name`` is a relative path with ``/``; ``modified`` is in seconds since 1970, None where unknown.
    """

    name: str
    data: bytes
    modified: float | None = None


class CannotRead(ValueError):
    """Content that cannot be taken; ``error`` and ``message`` are those of the ``Failure``.

    As an item of what a reader yields it stands for a part, ``name``, and the rest goes on.
    """

    def __init__(self, error: str, message: str, name: str = "") -> None:
        super().__init__(message)
        self.error = error
        self.message = message
        self.name = name


Item = Parsed | Member | CannotRead
Reader = Callable[[Content], Parsed | Iterable[Item]]
"""Reads one format. May raise CannotRead, and anything else where content is at odds with itself."""
