"""What stands where on a page: the records that the layout analysis hands on.

All coordinates are in points in the frame of the text itself: x grows in the direction of writing,
y from line to line, whichever way the page or the text on it is turned.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ASCENT = 0.75  # of the font size over the baseline, and below it: a box that no odd font metric distorts
DESCENT = 0.25


@dataclass(slots=True)
class Word:
    """Characters without a gap. ``base`` is the baseline, ``order`` the place in the content stream."""

    text: str
    x0: float
    x1: float
    base: float
    size: float
    bold: bool = False
    order: int = 0

    @property
    def y0(self) -> float:
        """The upper edge."""
        return self.base - ASCENT * self.size

    @property
    def y1(self) -> float:
        """The lower edge."""
        return self.base + DESCENT * self.size


@dataclass(slots=True)
class Segment:
    """Words beside each other with no more than a word's space between them: a line, or a cell's."""

    words: list[Word]
    x0: float
    x1: float
    base: float
    size: float

    @property
    def y0(self) -> float:
        """The upper edge."""
        return self.base - ASCENT * self.size

    @property
    def y1(self) -> float:
        """The lower edge."""
        return self.base + DESCENT * self.size

    @property
    def middle(self) -> float:
        """Half-way between upper and lower edge."""
        return (self.y0 + self.y1) / 2

    @property
    def text(self) -> str:
        """The words, in the order of reading."""
        return " ".join(word.text for word in self.words)

    @property
    def bold(self) -> bool:
        """Most of it is bold."""
        letters = sum(len(word.text) for word in self.words)
        return 2 * sum(len(word.text) for word in self.words if word.bold) > letters


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line, or an edge of a box, drawn on the page; it lies or stands."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def lies(self) -> bool:
        """It runs in the direction of writing."""
        return self.x1 - self.x0 >= self.y1 - self.y0


@dataclass(slots=True)
class Table:
    """A table: its rows of cells, how many of them are its header, its box, and its columns' ends."""

    rows: list[list[str]]
    headers: int
    x0: float
    x1: float
    y0: float
    y1: float
    columns: list[tuple[float, float]] = field(default_factory=list)

    @property
    def middle(self) -> float:
        """Half-way between upper and lower edge."""
        return (self.y0 + self.y1) / 2

    @property
    def base(self) -> float:
        """Where it is thought to stand, as a line has a baseline."""
        return self.y1


@dataclass(slots=True)
class Row:
    """Segments of one column that stand on one line, from the first to the last to be read."""

    segments: list[Segment]

    @property
    def x0(self) -> float:
        """The left edge."""
        return min(segment.x0 for segment in self.segments)

    @property
    def x1(self) -> float:
        """The right edge."""
        return max(segment.x1 for segment in self.segments)

    @property
    def y0(self) -> float:
        """The upper edge."""
        return min(segment.y0 for segment in self.segments)

    @property
    def y1(self) -> float:
        """The lower edge."""
        return max(segment.y1 for segment in self.segments)

    @property
    def base(self) -> float:
        """The baseline of the longest segment."""
        return max(self.segments, key=lambda segment: segment.x1 - segment.x0).base

    @property
    def size(self) -> float:
        """The font size of the longest segment."""
        return max(self.segments, key=lambda segment: segment.x1 - segment.x0).size

    @property
    def bold(self) -> bool:
        """All of it is bold."""
        return all(segment.bold for segment in self.segments)

    @property
    def text(self) -> str:
        """Its words."""
        return " ".join(segment.text for segment in self.segments)


@dataclass(slots=True)
class Frame:
    """The words of a page that are written in one direction, and the rules as they lie to it."""

    words: list[Word]
    rules: Sequence[Rule] = ()
    top: float = 0.0
    bottom: float = 0.0
    angle: int = 0


@dataclass(slots=True)
class Page:
    """One page as it was taken from the file, before any analysis.

    ``frames`` are by weight, the main direction first. ``pictured``: a picture covers a good part of
    it. ``notes`` are the words of its annotations. ``rows`` are lines whose place is not known.
    ``read``: words were looked for on its picture.
    """

    number: int
    label: str = ""
    frames: list[Frame] = field(default_factory=list)
    pictured: bool = False
    notes: list[str] = field(default_factory=list)
    broken: bool = False
    rows: list[Row] = field(default_factory=list)
    read: bool = False

    @property
    def unread(self) -> bool:
        """There is a picture and no text, and nobody has looked for words on it."""
        return self.pictured and not self.read and not self.frames and not self.rows
