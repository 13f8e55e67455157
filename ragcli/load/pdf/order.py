"""Reading order: words to segments, and segments to columns and rows by recursive cuts.

The cuts follow the recursive X-Y cut (Nagy and Seth, "Hierarchical representation of optically
scanned documents", ICPR 1984), with two changes. A column gap need not run through the whole
region: lines that bridge it (a title over two columns, a wide figure) part the region into bands, as
the mask step of Sutheebanjard and Premchaiswadi's "A modified recursive X-Y cut algorithm" (2010)
does. And a gap parts columns only where what stands on both sides is no table: a table is known by
short cells on common baselines, and by having been written row by row.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from ragcli.load.pdf.geometry import Row, Segment, Table, Word
from ragcli.load.pdf.words import is_rtl

if TYPE_CHECKING:
    from collections.abc import Sequence

_STREAM_GAP = 0.9  # font sizes between words that follow each other in the file: still one segment
_ROW_GAP = 0.55  # between words that do not
_TOUCH = 0.03  # font sizes: an exponent stands this near to its base
_KERN = 0.4  # font sizes that a word may begin before the end of the one before it
_SAME_BASE = 0.35  # font sizes between baselines of one line
_VALLEY = 0.7  # font sizes: a narrower gap parts no columns
_BINS = 240
_MOST_BRIDGES = 0.6  # of the segments of a region; with more of them there is no column gap
_FEW = 4  # segments; fewer on one side need a wide gap
_WIDE = 2.5  # times the gap that otherwise is wide enough
_SIDE = 2  # segments that either side of a column gap has at the least
_SHORT = 4  # words in a table's cell, usually
_DEEPEST = 40
_MARK = re.compile(r"[•◦▪▫‣⁃∙●○■□➢➤✓❖–*·-]|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]")
_UNITS = {"km", "cm", "mm", "dm", "nm", "µm", "μm", "ft", "yd"}
_MARK_GAP = 3.0  # font sizes from the mark of a list's item to the item

Part = Segment | Table


def segments_of(words: Sequence[Word]) -> list[Segment]:
    """Words to runs without wide gaps, whose words are in the order of reading."""
    runs: list[list[Word]] = []
    for word in words:
        if runs and _follows(runs[-1][-1], word):
            runs[-1].append(word)
        else:
            runs.append([word])
    return _with_marks([_segment(run) for run in _merged(runs)])


def _with_marks(segments: list[Segment]) -> list[Segment]:
    """The mark of a list's item put to the item, however far off it stands."""
    marks = [segment for segment in segments if _MARK.fullmatch(segment.text)]
    gone: set[int] = set()
    for mark in marks:
        reach = (_MARK_GAP if mark.text[-1] in ".)" else 2 * _MARK_GAP) * mark.size
        after = [
            segment
            for segment in segments
            if abs(segment.base - mark.base) < _SAME_BASE * max(segment.size, mark.size)
            and -1 < segment.x0 - mark.x1 < reach
            and segment is not mark
        ]
        if after:
            item = min(after, key=lambda segment: segment.x0)
            item.words = [*mark.words, *item.words]
            item.x0 = mark.x0
            gone.add(id(mark))
    return [segment for segment in segments if id(segment) not in gone]


def _follows(last: Word, word: Word) -> bool:
    size = max(last.size, word.size)
    if abs(word.base - last.base) > _shift(last, word):
        return False
    gap = word.x0 - last.x1
    back = last.x0 - word.x1
    leftward = is_rtl(word.text) and -_KERN * size < back < _STREAM_GAP * size
    return leftward or -_KERN * size < gap < _STREAM_GAP * min(last.size, word.size)


def _shift(last: Word, word: Word) -> float:
    """How far the baselines may be apart: further where one of them is an exponent or an index."""
    small, large = sorted((last.size, word.size))
    return (0.55 if small < 0.85 * large else _SAME_BASE) * large


def _merged(runs: list[list[Word]]) -> list[list[Word]]:
    """Runs that stand beside each other on one line without a gap made one, whatever their order was."""
    rows: list[list[list[Word]]] = []
    for run in sorted(runs, key=lambda run: run[0].base):
        head = run[0]
        at = len(rows) - 1
        while at >= 0 and head.base - rows[at][0][0].base <= 0.55 * max(head.size, rows[at][0][0].size):
            if abs(head.base - rows[at][0][0].base) <= _shift(rows[at][0][0], head):
                rows[at].append(run)
                break
            at -= 1
        else:
            rows.append([run])
    return [run for row in rows for run in _joined(row)]


def _joined(row: list[list[Word]]) -> list[list[Word]]:
    row.sort(key=lambda run: min(word.x0 for word in run))
    out: list[list[Word]] = []
    right = 0.0
    for run in row:
        left = min(word.x0 for word in run)
        size = min(run[0].size, out[-1][0].size) if out else 0
        if out and -_KERN * size < left - right < _ROW_GAP * size:
            out[-1] += run
            right = max(right, *(word.x1 for word in run))
        else:
            out.append(run)
            right = max(word.x1 for word in run)
    return out


def _segment(run: list[Word]) -> Segment:
    largest = max(run, key=lambda word: (len(word.text) > 1, word.x1 - word.x0))
    size = largest.size
    # In the order in which they stand; words that overlap keep the order in which they were written.
    run = sorted(run, key=lambda word: word.x0)
    return Segment(
        _logical(_raised_joined(run)),
        min(word.x0 for word in run),
        max(word.x1 for word in run),
        largest.base,
        size,
    )


def _raised_joined(run: Sequence[Word]) -> list[Word]:
    """Exponents and indices put to the word at which they stand."""
    out: list[Word] = []
    for word in run:
        last = out[-1] if out else None
        if last is not None and _is_raised(last, word):
            out[-1] = replace(last, text=last.text + word.text, x1=max(last.x1, word.x1))
        else:
            out.append(word)
    return out


def _is_raised(last: Word, word: Word) -> bool:
    """An index of any word, or the exponent of a letter or unit; over other words stands the mark of a note."""
    gap = word.x0 - last.x1
    if not -_KERN * last.size < gap < _TOUCH * last.size or word.size >= 0.9 * last.size:
        return False
    lower = word.base - last.base
    if abs(lower) <= 0.05 * last.size:
        return False
    ordinal = last.text[-1].isdigit() and word.text[0].isalpha()
    return lower > 0 or len(last.text) < 2 or last.text in _UNITS or ordinal


def _logical(run: list[Word]) -> list[Word]:
    """Words in visual order put in logical order where they are of a script that runs leftward."""
    groups = [(flag, list(words)) for flag, words in groupby(run, lambda word: is_rtl(word.text))]
    rightmost_first = 2 * sum(len(words) for flag, words in groups if flag) >= len(run)
    ordered = reversed(groups) if rightmost_first else groups
    return [word for flag, words in ordered for word in (reversed(words) if flag else words)]


def rows_in_order(parts: Sequence[Part]) -> list[list[Row | Table]]:
    """Columns and bands in reading order, each as its rows from top to bottom."""
    out: list[list[Row | Table]] = []
    for column in _cut(list(parts), 0):
        if out and column and _runs_on(out[-1], column):
            out[-1] += column
        elif column:
            out.append(column)
    return out


def _runs_on(above: Sequence[Row | Table], below: Sequence[Row | Table]) -> bool:
    """The one stands straight under the other: a cut between them has parted no columns."""
    if min(part.y0 for part in below) < max(part.y1 for part in above) - 2:
        return False
    left = max(min(part.x0 for part in above), min(part.x0 for part in below))
    ends = max(part.x1 for part in above), max(part.x1 for part in below)
    widths = [ends[0] - min(part.x0 for part in above), ends[1] - min(part.x0 for part in below)]
    return min(ends) - left > 0.5 * min(widths)


def _cut(parts: list[Part], depth: int) -> list[list[Row | Table]]:
    if len(parts) < 2 * _SIDE or depth > _DEEPEST:
        return [_rows(parts)] if parts else []
    at = _valley(parts)
    if at is None:
        return [_rows(parts)]
    left = [part for part in parts if part.x1 <= at]
    right = [part for part in parts if part.x0 >= at]
    if not _beside(left, right):
        return _stacked(parts, depth)
    bridges = [part for part in parts if part.x0 < at < part.x1]
    if not bridges:
        if is_table(left, right):
            return [_rows(parts)]
        if _from_right(parts):
            left, right = right, left
        return _cut(left, depth + 1) + _cut(right, depth + 1)
    bands = _bands(parts, bridges)
    if len(bands) == 1:
        return [_rows(parts)]
    return [column for band in bands for column in _cut(band, depth + 1)]


def _beside(left: Sequence[Part], right: Sequence[Part]) -> bool:
    """Most of the shorter side has something of the other beside it, as columns have."""
    few, many = sorted((left, right), key=len)
    beside = sum(1 for part in few if any(part.y0 < other.y1 and other.y0 < part.y1 for other in many))
    return 2 * beside >= len(few)


def _stacked(parts: list[Part], depth: int) -> list[list[Row | Table]]:
    """What is not beside each other: parted at its widest level gap."""
    order = sorted(parts, key=lambda part: part.y0)
    widest, where = 0.0, 0
    bottom = order[0].y1
    for number, part in enumerate(order[1:], 1):
        if part.y0 - bottom > widest:
            widest, where = part.y0 - bottom, number
        bottom = max(bottom, part.y1)
    if not where:
        return [_rows(parts)]
    above, below = _cut(order[:where], depth + 1), _cut(order[where:], depth + 1)
    if len(above) == len(below) == 1:
        return [above[0] + below[0]]
    return above + below


def _from_right(parts: Sequence[Part]) -> bool:
    texts = [part.text for part in parts if isinstance(part, Segment)]
    return 2 * sum(map(is_rtl, texts)) > len(texts)


def _bands(parts: list[Part], bridges: list[Part]) -> list[list[Part]]:
    """From top to bottom: stretches of what bridges the gap, with what stands beside it, and the others."""
    bridging = {id(part) for part in bridges}
    spans = sorted((part.y0, part.y1) for part in bridges)
    bands: list[list[Part]] = []
    last: bool | None = None
    for part in sorted(parts, key=lambda part: part.middle):
        beside = id(part) in bridging or any(y0 < part.middle < y1 for y0, y1 in spans)
        if beside != last:
            bands.append([])
        bands[-1].append(part)
        last = beside
    return bands


def _valley(parts: Sequence[Part]) -> float | None:
    """Where the fewest parts stand between a left and a right column; None where there is no such gap."""
    import numpy as np

    x0, x1 = min(part.x0 for part in parts), max(part.x1 for part in parts)
    width = x1 - x0
    size = sorted(part.size for part in parts if isinstance(part, Segment))
    least = _VALLEY * (size[len(size) // 2] if size else 10.0)
    if width < 4 * least:
        return None
    step = width / _BINS
    lefts = np.array([part.x0 for part in parts])
    rights = np.array([part.x1 for part in parts])
    first = np.floor((lefts - x0) / step).astype(int)
    last = np.minimum(np.ceil((rights - x0) / step).astype(int), _BINS)
    change = np.zeros(_BINS + 1, int)
    np.add.at(change, first, 1)
    np.add.at(change, last, -1)
    cover = np.cumsum(change)[:_BINS]
    # What lies wholly to the left of a bin, and wholly to the right of it.
    before = np.cumsum(np.bincount(last, minlength=_BINS + 1))[:_BINS]
    after = len(parts) - np.cumsum(np.bincount(first, minlength=_BINS + 1))[:_BINS]
    need = max(1, round(least / step))
    best: tuple[int, int] | None = None
    place = None
    for start, end in _runs(cover):
        bridges = int(cover[start])
        if end - start < need or min(before[start], after[end - 1]) < _SIDE:
            continue
        few = min(before[start], after[end - 1]) < _FEW
        if few and (end - start) * step < _WIDE * least:
            continue
        if bridges > _MOST_BRIDGES * len(parts) or bridges > before[start] + after[end - 1]:
            continue
        if best is None or (bridges, start - end) < best:
            best, place = (bridges, start - end), x0 + (start + end) / 2 * step
    return place


def _runs(values: object) -> list[tuple[int, int]]:
    """Stretches of equal values."""
    import numpy as np

    array = np.asarray(values)
    edges = [0, *(np.nonzero(np.diff(array))[0] + 1).tolist(), len(array)]
    return list(pairwise(edges))


def is_table(left: Sequence[Part], right: Sequence[Part]) -> bool:
    """What stands on both sides of a gap is to be read row by row, and not as two columns.

    Columns are lines of running text on both sides, or what the file writes one side after the other,
    unless that is mostly numbers.
    """
    lefts = [part for part in left if isinstance(part, Segment)]
    rights = [part for part in right if isinstance(part, Segment)]
    few, many = sorted((lefts, rights), key=len)
    if not few:
        return False
    bases = [part.base for part in many]
    aligned = sum(1 for part in few if any(abs(base - part.base) < _SAME_BASE * part.size for base in bases))
    switches = _switches(lefts, rights)
    numbers = sum(map(_is_number, few))
    if aligned >= 0.7 * len(few):
        at_one_go = switches <= 2 and numbers < 0.5 * len(few)
        cells = all(sum(map(_is_cell, side)) >= 0.7 * len(side) for side in (lefts, rights))
        return not at_one_go and (cells or switches >= max(2, len(few)) or numbers >= 0.5 * len(few))
    prose = all(_is_prose(side) for side in (lefts, rights))
    return not prose and switches > max(2, len(few) // 2)


def _is_number(part: Segment) -> bool:
    letters = sum(map(str.isalpha, part.text))
    return sum(map(str.isdigit, part.text)) > letters


def _is_prose(parts: Sequence[Segment]) -> bool:
    """Mostly lines of several words."""
    return 2 * sum(1 for part in parts if len(part.text.split()) > _SHORT) >= len(parts)


def _is_cell(part: Segment) -> bool:
    words = part.text.split()
    return len(words) <= _SHORT and len(part.text) <= 30


def _switches(left: Sequence[Segment], right: Sequence[Segment]) -> int:
    """How often the file goes over from one side to the other."""
    sides = [(part.words[0].order, 0) for part in left] + [(part.words[0].order, 1) for part in right]
    sides.sort()
    return sum(1 for a, b in pairwise(sides) if a[1] != b[1])


def _rows(parts: Sequence[Part]) -> list[Row | Table]:
    """Parts of one column as rows, from top to bottom."""
    rows: list[Row | Table] = []
    for part in sorted(parts, key=lambda part: (part.base, part.x0)):
        last = rows[-1] if rows else None
        if isinstance(part, Table):
            rows.append(part)
        elif isinstance(last, Row) and part.base - last.base < _row_shift(last, part):
            last.segments.append(part)
        else:
            rows.append(Row([part]))
    for row in rows:
        if isinstance(row, Row):
            from_right = _from_right(row.segments)
            row.segments.sort(key=lambda segment: -segment.x1 if from_right else segment.x0)
    return rows


def _row_shift(row: Row, part: Segment) -> float:
    small, large = sorted((row.size, part.size))
    apart = all(part.x0 >= other.x1 - 1 or part.x1 <= other.x0 + 1 for other in row.segments)
    return (0.5 if apart else 0.2) * (large if small > 0.5 * large else small)
