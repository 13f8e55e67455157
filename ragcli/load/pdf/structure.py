"""Rows to blocks: paragraphs, headings, lists, captions and tables, page by page."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragcli.load.pdf.geometry import Row, Table
from ragcli.load.pdf.words import HYPHEN
from ragcli.load.source import inline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ragcli.types import BlockKind

_BULLET = re.compile(r"^([•◦▪▫‣⁃∙●○■□➢➤✓❖*–—-])\s+(?=\w)")
_COUNT = re.compile(r"^(\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{2,5})[.)])\s+(?=\S)")
_CAPTION = re.compile(
    r"^(?:table|figure|fig\.|tab\.|exhibit|chart|scheme|listing|abbildung|abb\.|tabelle|tableau|figura|tabla"
    r"|图|圖|表)\s*[A-Z]?\d+(?:[.\-]\d+)*[a-z]?(?P<mark>\s*[:.|–—：]|\s*$)?(?P<rest>.*)",
    re.IGNORECASE,
)
_SIGNS = re.compile(r"[\W_]+")
_SENTENCE_ENDS = tuple('.!?:;。！？：；”"')
_SHORT_LINE = 0.75  # of the column: a line this short that ends a sentence ends a paragraph
_GAP = 1.35  # of the usual distance between lines
_NEAR = 5  # lines above and below that tell how wide a column is
_SIZES = 0.1  # by which fonts of one paragraph may differ
_INDENT = 0.8  # font sizes
_LARGER = 1.15  # times the size of the running text: a heading, maybe
_LONGEST_HEADING = 120
_MOST_BOLD = 0.3  # of the letters; where more are bold, it is no mark of a heading


@dataclass(slots=True)
class Piece:
    """A block in the making: lines of text, or the rows of a table."""

    kind: BlockKind
    lines: list[str] = field(default_factory=list)
    level: int = 0
    size: float = 0.0
    bold: bool = False
    table: Table | None = None
    mark: str = ""
    x0: float = 0.0

    @property
    def text(self) -> str:
        """All of it on one line."""
        return inline(" ".join(self.lines))


def pieces_of(columns: Iterable[Sequence[Row | Table]], outline: Mapping[str, int]) -> list[Piece]:
    """The pieces of a page, in order. Lines that ``outline`` names are headings of its levels."""
    columns = list(columns)
    usual = _usual_distance(columns)
    titles = {bare(title): level for title, level in outline.items() if bare(title)}
    out: list[Piece] = []
    for column in columns:
        made = _column(column, usual, titles)
        if out and made and _goes_on(out[-1], made[0]):
            out[-1].lines += made.pop(0).lines
        out += made
    return out


def _usual_distance(columns: Sequence[Sequence[Row | Table]]) -> float:
    """From line to line, in font sizes; the lower quarter, as many lines may stand alone."""
    distances = sorted(
        (below.base - above.base) / max(below.size, 1.0)
        for column in columns
        for above, below in itertools.pairwise(column)
        if isinstance(above, Row) and isinstance(below, Row)
    )
    distances = [distance for distance in distances if 0.6 < distance < 4]
    return min(distances[len(distances) // 4], 2.0) if distances else 1.2


def _column(column: Sequence[Row | Table], usual: float, titles: Mapping[str, int]) -> list[Piece]:
    out: list[Piece] = []
    last: Row | None = None
    spans = [(part.x0, part.x1) if isinstance(part, Row) else None for part in column]
    at = 0
    while at < len(column):
        part = column[at]
        if isinstance(part, Table):
            out.append(Piece("table", table=part))
            last = None
            at += 1
            continue
        count, level = _titled(column, at, titles)
        if count:
            lines = [row.text for row in column[at : at + count] if isinstance(row, Row)]
            out.append(Piece("heading", lines, level, part.size, part.bold))
            last = None
            at += count
            continue
        if last is None or _parts(last, part, usual, *_edges(spans, at), out[-1]):
            out.append(_begun(part))
        else:
            out[-1].lines.append(part.text)
        last = part
        at += 1
    return out


def _edges(spans: Sequence[tuple[float, float] | None], at: int) -> tuple[float, float]:
    """Where the lines about this one begin and end."""
    near = [span for span in spans[max(0, at - _NEAR) : at + _NEAR] if span]
    return min(x0 for x0, _ in near), max(x1 for _, x1 in near)


def _begun(row: Row) -> Piece:
    text = row.text
    mark = "bullet" if _BULLET.match(text) else "count" if _COUNT.match(text) else ""
    kind: BlockKind = "caption" if _is_caption(text) else "paragraph"
    return Piece(kind, [text], 0, row.size, row.bold, mark=mark, x0=row.x0)


def _parts(last: Row, row: Row, usual: float, left: float, right: float, piece: Piece) -> bool:
    """A new paragraph begins at ``row``."""
    size = max(row.size, last.size)
    distance = row.base - last.base
    if distance > _GAP * usual * size or distance < -0.5 * size:
        return True
    if abs(row.size - last.size) > _SIZES * size and min(len(row.text), len(last.text)) > 3:
        return True
    text = row.text
    if last.text.endswith((HYPHEN, "-")):
        return False
    if row.bold != last.bold and min(len(row.text), len(last.text)) > 3:
        return True
    if _BULLET.match(text) or (_COUNT.match(text) and (piece.mark or last.text.endswith(_SENTENCE_ENDS))):
        return True
    if _CAPTION.match(text) and _is_caption(text):
        return True
    width = right - left
    ended = last.text.endswith(_SENTENCE_ENDS)
    if ended and last.x1 - left < _SHORT_LINE * width:
        return True
    indented = row.x0 - last.x0 > _INDENT * size and last.x0 - left < 0.5 * size
    return indented and ended and not piece.mark and last.x1 > right - 3 * size


def _goes_on(last: Piece, first: Piece) -> bool:
    """A paragraph runs on from one column to the next."""
    if last.kind != "paragraph" or first.kind != "paragraph" or first.mark or not last.lines:
        return False
    same = abs(last.size - first.size) <= 0.05 * max(last.size, first.size) and last.bold == first.bold
    text = last.lines[-1]
    open_ = len(text) > 20 and not text.endswith(_SENTENCE_ENDS)
    return same and open_ and first.lines[0][:1].islower()


def _is_caption(text: str) -> bool:
    found = _CAPTION.match(text)
    if not found:
        return False
    rest = found["rest"].strip()
    return found["mark"] is not None or rest[:1].isupper()


def _titled(column: Sequence[Row | Table], at: int, titles: Mapping[str, int]) -> tuple[int, int]:
    """How many rows from here are a title of the outline, and its level."""
    if not titles:
        return 0, 0
    text = ""
    for count in range(1, 4):
        part = column[at + count - 1] if at + count <= len(column) else None
        if not isinstance(part, Row):
            break
        text = f"{text} {part.text}".strip()
        level = titles.get(bare(text)) or titles.get(key(text))
        if level:
            return count, level
    return 0, 0


def key(line: str) -> str:
    """Letters and digits alone, folded."""
    return _SIGNS.sub("", line.casefold())


def bare(line: str) -> str:
    """A title without its number, which outlines have as often as not."""
    return key(re.sub(r"^[\dIVXA-H]{1,4}(?:\.\d+)*\.?\s+", "", line.strip())) or key(line)


def mark_headings(pages: Sequence[Sequence[Piece]]) -> None:
    """Headings told by their fonts, for a document without an outline. Conservative: short lines alone.

    Larger than the running text, or as large and bold where little else is; levels by size.
    """
    letters: Counter[tuple[float, bool]] = Counter()
    for piece in (piece for page in pages for piece in page if piece.kind == "paragraph"):
        letters[round(piece.size, 1), piece.bold] += sum(map(len, piece.lines))
    total = sum(letters.values())
    if not total:
        return
    sizes: Counter[float] = Counter()
    for (size, _), count in letters.items():
        sizes[size] += count
    body = sizes.most_common(1)[0][0]
    bold_marks = sum(count for (_, bold), count in letters.items() if bold) < _MOST_BOLD * total
    found: list[tuple[Piece, float]] = []
    for page in pages:
        for at, piece in enumerate(page):
            follows = page[at + 1] if at + 1 < len(page) else None
            goes_on = follows is not None and follows.lines and follows.lines[0][:1].islower()
            if goes_on and piece.size <= _LARGER * body:
                continue
            if _looks_like_heading(piece, body, bold_marks) and (
                follows is not None or piece.size > _LARGER * body
            ):
                found.append((piece, round(piece.size * 2) / 2 if piece.size > _LARGER * body else 0.0))
    ranks = {size: rank for rank, size in enumerate(sorted({size for _, size in found}, reverse=True), 1)}
    if sum(len(piece.text) for piece, _ in found) > 0.4 * total:
        return
    for piece, size in found:
        piece.kind, piece.level = "heading", min(ranks[size], 6)


def _looks_like_heading(piece: Piece, body: float, bold_marks: bool) -> bool:
    if piece.kind != "paragraph" or piece.mark == "bullet" or len(piece.lines) > 3:
        return False
    text = piece.text
    if (
        not 2 < len(text) <= _LONGEST_HEADING
        or text.endswith((".", ",", ";", "-"))
        or not any(map(str.isalpha, text))
    ):
        return False
    if sum(map(str.isalpha, text)) < 0.5 * len(text.replace(" ", "")):
        return False
    larger = piece.size > _LARGER * body
    return larger or (bold_marks and piece.bold and piece.size > 0.97 * body and len(piece.lines) == 1)


def with_lists(pieces: Sequence[Piece]) -> list[Piece]:
    """Neighbouring items put together as lists; a counted item alone is a paragraph."""
    out: list[Piece] = []
    for piece in pieces:
        item = piece.kind == "paragraph" and piece.mark
        if item and out and out[-1].kind == "list" and out[-1].mark == piece.mark:
            out[-1].lines.append("\n".join(piece.lines))
        elif item:
            out.append(Piece("list", ["\n".join(piece.lines)], size=piece.size, mark=piece.mark))
        else:
            out.append(piece)
    for piece in out:
        if piece.kind == "list" and piece.mark == "count" and len(piece.lines) < 2:
            piece.kind, piece.lines = "paragraph", piece.lines[0].split("\n")
    return out
