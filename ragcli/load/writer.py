"""Text and blocks put together in reading order: for formats whose structure is not in their lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ragcli.load.parsed import Parsed
from ragcli.load.source import clean, inline
from ragcli.types import Block, BlockKind, PlaceMap, Scalar

_CELLS = " | "


@dataclass(slots=True)
class _Places:
    starts: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def add(self, start: int, place: int, label: str = "") -> None:
        if self.starts and self.starts[-1] == start:
            del self.starts[-1], self.places[-1], self.labels[-1]
        elif self.places and self.places[-1] == place and self.labels[-1] == label:
            return
        self.starts.append(start)
        self.places.append(place)
        self.labels.append(label)

    def map(self) -> PlaceMap | None:
        if not self.starts:
            return None
        return PlaceMap(
            (0, *self.starts[1:]), tuple(self.places), tuple(self.labels) if any(self.labels) else ()
        )


class Writer:
    """Collects blocks, cleans their text, and keeps where each came from.

    Blocks are parted by a blank line. A text without any visible character makes no block. Every
    method takes the text as the source has it; ``line`` is the 1-based line (or row) it began on.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._length = 0
        self._pages = _Places()
        self._lines = _Places()
        self._page: tuple[int, str] | None = None
        self._anew = False
        self._waiting: tuple[str, int] | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing was written yet."""
        return not self._blocks

    def page(self, number: int, label: str = "") -> None:
        """What follows stands on this page, slide or sheet; ``label`` is what the source calls it."""
        # Rows begin anew on each sheet.
        self._anew = bool(self._lines.places) and (self._page is None or self._page[0] != number)
        self._page = (number, inline(label))

    def heading(self, text: str, level: int, line: int | None = None) -> None:
        """A heading of a level, 1 being the top."""
        words = inline(text)
        self._add("heading", words, line, level=max(1, level), label=words)

    def section(self, text: str, level: int) -> None:
        """A heading that is written when something follows it, and not where nothing does."""
        self._waiting = (text, level)

    def paragraph(self, text: str, line: int | None = None) -> None:
        """Running text; its line breaks are kept."""
        self._add("paragraph", _lines_of(text), line)

    def caption(self, text: str, line: int | None = None) -> None:
        """What stands over or under a table or figure, and names it."""
        self._add("caption", inline(text), line)

    def items(self, items: Sequence[tuple[int, str]], line: int | None = None) -> None:
        """A list: (depth from 0, words with their mark), an item each."""
        self._add("list", "\n".join(_item(depth, words) for depth, words in items if words.strip()), line)

    def table(
        self,
        rows: Sequence[Sequence[str]],
        headers: int = 1,
        lines: Sequence[int] = (),
        pages: Sequence[int] = (),
    ) -> None:
        """Rows of cells; the first ``headers`` of them name the columns.

        ``lines`` and ``pages`` are the rows' own, where a table runs over several.
        """
        written = [(number, _row(row)) for number, row in enumerate(rows)]
        kept = [(number, row) for number, row in written if row.replace("|", "").strip()]
        head = sum(len(row) + 1 for number, row in kept if number < headers)
        body = any(number >= headers for number, _ in kept)
        self.rows(
            [row for _, row in kept],
            [lines[n] for n, _ in kept] if lines else (),
            head if body else 0,
            [pages[n] for n, _ in kept] if pages else (),
        )

    def rows(
        self, rows: Sequence[str], lines: Sequence[int] = (), head: int = 0, pages: Sequence[int] = ()
    ) -> None:
        """Rows of a table as they shall stand, one text line each; ``head`` characters are its header."""
        if not self._add("table", "\n".join(rows), lines[0] if lines else None, head=head):
            return
        before = self._blocks[-1].start
        for number, row in enumerate(rows):
            if lines:
                self._at_line(before, lines[number])
            if pages:
                self._pages.add(before, pages[number])
            before += len(row) + 1

    def code(self, text: str, line: int | None = None, head: int = 0) -> None:
        """Text in which white space counts; ``head`` characters of it are its signature."""
        self._add("code", clean(text).text.strip("\n").rstrip(), line, head=head)

    def blocks(self, other: Parsed, line: int | None = None, level: int = 0) -> None:
        """The blocks of a document within this one, its top headings below ``level``; its places are forgotten."""
        for block in other.blocks:
            text, head = other.text[block.start : block.end], max(0, block.head - block.start)
            deeper = block.level + level if block.level else 0
            self._add(block.kind, text, line, level=deeper, label=block.label, head=head)

    def parsed(self, title: str = "", metadata: Mapping[str, Scalar] | None = None, name: str = "") -> Parsed:
        """The document as it was written; without a title of its own the first top heading is one."""
        named = inline(title) or next((block.label for block in self._blocks if block.level == 1), "")
        return Parsed(
            title=named,
            text="".join(self._parts),
            blocks=tuple(self._blocks),
            lines=self._lines.map(),
            pages=self._pages.map(),
            metadata=metadata or {},
            name=name,
        )

    def _add(
        self, kind: BlockKind, text: str, line: int | None, *, level: int = 0, label: str = "", head: int = 0
    ) -> bool:
        if not text.strip():
            return False
        if self._waiting:
            words, at = self._waiting
            self._waiting = None
            self.heading(words, at)
        if self._parts:
            self._parts.append("\n\n")
            self._length += 2
        start = self._length
        if self._page:
            self._pages.add(start, *self._page)
        if line is None and self._anew:
            line = 1
        if line is not None:
            self._anew = False
            self._at_line(start, line)
        self._parts.append(text)
        self._length += len(text)
        end = start + head if 0 < head < len(text) else 0
        self._blocks.append(Block(kind, start, self._length, level, label, end))
        return True

    def _at_line(self, start: int, line: int) -> None:
        """Lines ascend, whatever broken content says; rows begin anew on each sheet."""
        passed = self._lines.places[-1] if self._lines.places and self._page is None else 1
        self._lines.add(start, max(line, passed))


def _lines_of(text: str) -> str:
    return "\n".join(line.strip() for line in clean(text).text.strip().split("\n"))


def _item(depth: int, words: str) -> str:
    first, *rest = [" ".join(line.split()) for line in clean(words).text.strip().split("\n")]
    indent = "  " * depth
    return "\n".join([f"{indent}{first}", *(f"{indent}  {line}" for line in rest if line)])


def _row(cells: Sequence[str]) -> str:
    return _CELLS.join(inline(cell) for cell in cells).rstrip(" |")
