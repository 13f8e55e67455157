"""What passes between a file and the reader of its format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ragcli.types import Block, PlaceMap, Scalar


@dataclass(slots=True)
class Allowance:
    """How many bytes may still be unpacked of a file on the disk, with all that lies within it.

    ``whole`` is what it was at first. Members are counted where they are taken; what a reader
    unpacks besides, it counts itself.
    """

    whole: int = 1_000_000_000
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.whole

    def spend(self, count: int) -> None:
        """Raises CannotRead, ``too-large``, where it was the last of it."""
        self.left -= count
        if self.left < 0:
            told = f"more than {self.whole // 1_000_000} MB lie within the file; so much was read"
            raise CannotRead("too-large", told)

    def give_back(self, count: int) -> None:
        """What was spent on this is counted elsewhere."""
        self.left += count


@dataclass(frozen=True, slots=True)
class Means:
    """What a reader may use beyond the content itself.

    ``passwords`` are to be tried in order where content is encrypted. ``ocr`` are the languages, as
    tesseract names them (``eng+chi_sim``), in which text is to be recognised in pictures; empty: not at all.
    ``loaders`` maps a suffix to what reads such files: ``module:function``, a Reader, or
    ``$ COMMAND {path}``, whose output is the text.
    """

    passwords: tuple[str, ...] = ()
    ocr: str = ""
    loaders: Mapping[str, str] = field(default_factory=dict)

    @property
    def needs_programs(self) -> bool:
        """Whether a reader starts other programs."""
        return bool(self.ocr) or any(loader.startswith("$") for loader in self.loaders.values())


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a file, its name (the last part, without folders) and what helps to read it."""

    data: bytes
    name: str = ""
    passwords: tuple[str, ...] = ()
    ocr: str = ""
    allowance: Allowance = field(default_factory=Allowance)


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
