"""What a reader of one format hands to ``load_file``, and how it declines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragcli.types import Block, PlaceMap, Scalar


@dataclass(frozen=True, slots=True)
class Parsed:
    """The content of a file: what of ``Document`` depends on the format.

    ``title`` is empty where the content has none. ``text`` and ``blocks`` keep the promises of
    ``Document`` and ``Block``.
    """

    title: str
    text: str
    blocks: tuple[Block, ...]
    lines: PlaceMap | None
    pages: PlaceMap | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)


class CannotRead(ValueError):
    """Content that cannot be taken; ``error`` and ``message`` are those of the ``Failure``."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error
        self.message = message
