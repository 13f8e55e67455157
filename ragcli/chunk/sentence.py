"""Cut a document into passages of as many whole sentences as fit, whatever its structure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ragcli.chunk.cuts import full_chunks, overlapping

if TYPE_CHECKING:
    from ragcli.chunk.frame import Frame, Passage


def passages(frame: Frame) -> Iterator[Passage]:
    """Passages that are full but for the last."""
    units = frame.all_units()
    for start, end in overlapping(frame, units, list(full_chunks(frame, units))):
        yield frame.passage(start, end)
