"""Tables: those whose lines are drawn, and those that are seen only by how their cells stand.

Drawn ones follow the usual way (Nurminen, "Algorithmic extraction of data in tables in PDF documents",
2013): lines that touch make a grid, and a word belongs to the cell in which its middle lies. The others
are runs of rows whose cells leave the same gaps free.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

from ragcli.load.pdf.geometry import Row, Segment, Table
from ragcli.load.pdf.order import segments_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ragcli.load.pdf.geometry import Rule, Word

_TOUCH = 3.0  # points between lines that touch
_MOST_RULES = 4000  # a page with more is a drawing
_SHARE = 0.2  # of the longest line of a grid
_LEAST_CELL = 4.0  # points from line to line
_GAP = 0.5  # font sizes between columns that no line parts
_LEAST_ROWS = 3
_LINE = 2.6  # font sizes from one row of a table without lines to the next
_MOST_LINES = 5  # of a cell, as a rule
_CROSSED = 0.15  # of the lines: where more run over the lines of a grid, it is none of a table
_SPACE = 0.45  # font sizes: the gap between words of one cell
_MOST_HEADS = 3  # rows over a table that are taken for its header
_MOST_BRIDGES = 2
_LONG = 60  # characters of a cell, as a rule
_FIRST, _LAST = (
    ("=", "⇒", "⇔"),
    ("=", "≤", "≥", "<", ">", "∈", "→", "⇒", "⇔", "+", "·", "∗", "∼", "⊆", "⊂", "×"),
)
_RELATED = 6  # rows of a formula to one cell that such a sign opens, or leaves open
_FEW_COLUMNS = 4
_SPARSE = 0.3  # of the cells have something in them: a drawing's labels
_WORDS = 0.2  # of the cells have more than one letter or digit


def ruled_tables(words: Sequence[Word], rules: Sequence[Rule]) -> tuple[list[Table], list[Word]]:
    """Tables whose lines are drawn, and the words that stand in none of them."""
    left = list(words)
    tables = []
    if len(rules) <= _MOST_RULES and left:
        for grid in _grids(rules):
            within = [word for word in left if _inside(word, grid)]
            table = _filled(grid, within)
            if table:
                tables.append(table)
                taken = set(map(id, within))
                left = [word for word in left if id(word) not in taken]
    return tables, left


class _Grid:
    """Where the lines of a grid stand, ascending, with its drawn lines."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        uprights = [(rule.x0, rule.y0, rule.y1) for rule in rules if not rule.lies]
        levels = [(rule.y0, rule.x0, rule.x1) for rule in rules if rule.lies]
        self._uprights = sorted(uprights)
        self.columns = _positions(uprights)
        self.rows = _positions(levels)

    def stands_between(self, left: float, right: float, y: float) -> bool:
        """A line stands at this height between two places."""
        first = bisect_right(self._uprights, (left, 0.0, 0.0))
        last = bisect_right(self._uprights, (right, 0.0, 0.0))
        return any(start <= y <= end for _, start, end in self._uprights[first:last])


def _grids(rules: Sequence[Rule]) -> list[_Grid]:
    grids = [_Grid(group) for group in _touching(rules)]
    found = [grid for grid in grids if len(grid.columns) >= 3 and len(grid.rows) >= 3]
    return sorted(found, key=lambda grid: -(grid.columns[-1] - grid.columns[0]))


def _positions(lines: Sequence[tuple[float, float, float]]) -> list[float]:
    """Where lines (place, start, end) stand; those that are short for the grid, as underlines are, left out."""
    places: list[tuple[float, float]] = []
    for place, start, end in sorted(lines):
        if places and place - places[-1][0] <= _LEAST_CELL:
            places[-1] = places[-1][0], places[-1][1] + end - start
        else:
            places.append((place, end - start))
    longest = max((length for _, length in places), default=0.0)
    return [place for place, length in places if length > _SHARE * longest]


def _touching(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Lines grouped by whether they touch, directly or by way of others; those drawn twice come once."""
    order = sorted(dict.fromkeys(rules), key=lambda rule: rule.y0)
    group = list(range(len(order)))

    def top(at: int) -> int:
        while group[at] != at:
            group[at] = group[group[at]]
            at = group[at]
        return at

    open_: list[int] = []
    for at, rule in enumerate(order):
        open_ = [other for other in open_ if order[other].y1 + _TOUCH >= rule.y0]
        for other in open_:
            if order[other].x0 - _TOUCH <= rule.x1 and rule.x0 - _TOUCH <= order[other].x1:
                group[top(other)] = top(at)
        open_.append(at)
    groups: dict[int, list[Rule]] = {}
    for at, rule in enumerate(order):
        groups.setdefault(top(at), []).append(rule)
    return list(groups.values())


def _inside(word: Word, grid: _Grid) -> bool:
    x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    return grid.columns[0] < x < grid.columns[-1] and grid.rows[0] < y < grid.rows[-1]


def _filled(grid: _Grid, words: Sequence[Word]) -> Table | None:
    """The grid with its words; None where it is no table: a frame, a chart, a page's border."""
    cells: dict[tuple[int, int], list[Segment]] = {}
    whole = segments_of(words)
    segments, crossed = _cut_at(grid, whole)
    if crossed > _CROSSED * len(whole):
        return None
    grid.columns = _refined(grid, segments)
    for segment in segments:
        row = bisect_right(grid.rows, segment.middle) - 1
        column = bisect_right(grid.columns, segment.x0 + min(2.0, (segment.x1 - segment.x0) / 2)) - 1
        place = (max(0, row), min(max(0, column), len(grid.columns) - 2))
        cells.setdefault(place, []).append(segment)
    columns = sorted({column for _, column in cells})
    full = [sum(1 for _, column in cells if column == wanted) for wanted in columns]
    if len(columns) < 2 or len({row for row, _ in cells}) < 2 or sorted(full)[-2] < 2:
        return None
    if _is_frame(cells.values()):
        return None
    rows = [row for number in sorted({row for row, _ in cells}) for row in _lines(number, columns, cells)]
    x0, x1, y0, y1 = grid.columns[0], grid.columns[-1], grid.rows[0], grid.rows[-1]
    spans = [(grid.columns[column], grid.columns[column + 1]) for column in columns]
    rows, spans = _without_empty(_signs_joined(rows), spans)
    return Table(rows, _headers(rows), x0, x1, y0, y1, spans) if len(spans) > 1 else None


def _refined(grid: _Grid, segments: Sequence[Segment]) -> list[float]:
    """The lines that part the columns, and gaps that do so where none is drawn.

    A gap has to leave several rows with a piece on either side of it.
    """
    out = list(grid.columns)
    for left, right in pairwise(grid.columns):
        within = [segment for segment in segments if left <= segment.x0 + 1 and segment.x1 - 1 <= right]
        for (_, end), (start, _) in pairwise(_columns(within, within[0].size if within else 1.0)):
            rows = [{round(s.base / s.size) for s in side} for side in _sides(within, (end + start) / 2)]
            if len(rows[0] & rows[1]) >= _LEAST_ROWS:
                out.append((end + start) / 2)
    return sorted(out)


def _sides(segments: Sequence[Segment], at: float) -> tuple[list[Segment], list[Segment]]:
    return [part for part in segments if part.x1 <= at], [part for part in segments if part.x0 >= at]


def _is_frame(cells: Iterable[list[Segment]]) -> bool:
    """A large part of the text stands in cells of many lines: boxes of a form, columns of a page."""
    lines = [len(_by_line(sorted(cell, key=lambda segment: segment.base))) for cell in cells]
    return sum(count for count in lines if count > _MOST_LINES) > 0.3 * sum(lines)


def _cut_at(grid: _Grid, segments: Sequence[Segment]) -> tuple[list[Segment], int]:
    """Segments parted where a line stands between two of their words, and how often one stood too close."""
    out: list[Segment] = []
    crossed = 0
    for segment in segments:
        runs: list[list[Word]] = [segment.words[:1]]
        for before, word in pairwise(segment.words):
            left, right = (before.x0 + before.x1) / 2, (word.x0 + word.x1) / 2
            if grid.stands_between(left, right, segment.middle):
                crossed += word.x0 - before.x1 < _SPACE * segment.size
                runs.append([word])
            else:
                runs[-1].append(word)
        for run in runs:
            ends = min(word.x0 for word in run), max(word.x1 for word in run)
            out.append(Segment(run, *ends, segment.base, segment.size))
    return out, crossed


def _lines(
    number: int, columns: Sequence[int], cells: dict[tuple[int, int], list[Segment]]
) -> list[list[str]]:
    """The rows between two drawn lines: one, or one a text line where each line has all its cells."""
    here = [segment for column in columns for segment in cells.get((number, column), [])]
    values = [segment for column in columns[1:] for segment in cells.get((number, column), [])]
    bases: list[float] = []
    for segment in sorted(here, key=lambda segment: segment.base):
        if not bases or segment.base - bases[-1] > 0.5 * segment.size:
            bases.append(segment.base)
    if 2 * sum(map(_is_value, values)) <= len(values) or len(bases) < 2:
        lines = [_by_line(sorted(cells.get((number, c), []), key=lambda s: s.base)) for c in columns]
        return [[" ".join(column) for column in lines]]
    out = [[""] * len(columns) for _ in bases]
    for at, column in enumerate(columns):
        for segment in sorted(cells.get((number, column), []), key=lambda segment: segment.x0):
            row = out[max(0, bisect_right(bases, segment.base + 0.1) - 1)]
            row[at] = f"{row[at]} {segment.text}".strip()
    return out


def _is_value(segment: Segment) -> bool:
    text = segment.text
    return sum(map(str.isdigit, text)) > sum(map(str.isalpha, text)) or text in _DASHES


def _by_line(segments: Sequence[Segment]) -> list[str]:
    out: list[tuple[float, list[Segment]]] = []
    for segment in segments:
        if out and segment.base - out[-1][0] < 0.5 * segment.size:
            out[-1][1].append(segment)
        else:
            out.append((segment.base, [segment]))
    return [" ".join(part.text for part in sorted(line, key=lambda part: part.x0)) for _, line in out]


def with_tables(rows: Sequence[Row | Table]) -> list[Row | Table]:
    """Rows of one column, with runs of rows whose cells leave common gaps made tables."""
    out: list[Row | Table] = []
    at = 0
    while at < len(rows):
        end = _run_end(rows, at)
        table = _borderless([row for row in rows[at:end] if isinstance(row, Row)]) if end - at > 1 else None
        if table:
            out += rows[at:end] if _is_formula(table) else [table]
            at = end
        else:
            out.append(rows[at])
            at += 1
    return out


def _run_end(rows: Sequence[Row | Table], at: int) -> int:
    """Where the run of table-like rows ends that begins at a row with several cells."""
    first = rows[at]
    if isinstance(first, Table) or len(first.segments) < 2:
        return at
    end = last = at
    taken = list(first.segments)
    while end + 1 < len(rows):
        here, row = rows[end], rows[end + 1]
        if (
            isinstance(row, Table)
            or isinstance(here, Table)
            or row.base - here.base > _LINE * max(row.size, here.size)
        ):
            break
        if len(row.segments) > 1 and len(_columns([*taken, *row.segments], row.size)) < 2:
            break
        if row.size > 1.15 * first.size:
            break
        if len(row.segments) < 2 and (end + 1 - last > 2 or not _may_be_cell(row, taken)):
            break
        end += 1
        if len(row.segments) > 1:
            last = end
            taken += row.segments
    return last + 1


def _may_be_cell(row: Row, taken: Sequence[Segment]) -> bool:
    """A row of one piece that may stand within a table: a group's name, or a label's second line."""
    right = max(segment.x1 for segment in taken)
    left = min(segment.x0 for segment in taken)
    return len(row.text) <= _LONG and row.x1 - row.x0 < 0.7 * (right - left)


def _columns(
    parts: Sequence[Segment | Word], size: float, bridges: int = 0, cells: Sequence[Segment] = ()
) -> list[tuple[float, float]]:
    """The stretches that more than ``bridges`` parts cover, and ``cells`` that stand beside all of them."""
    edges = sorted([(part.x0, 1) for part in parts] + [(part.x1, -1) for part in parts])
    out: list[tuple[float, float]] = []
    depth, start = 0, 0.0
    for x, step in edges:
        if step > 0 and depth == bridges:
            start = x
        depth += step
        if step < 0 and depth == bridges:
            out.append((start, x))
    merged = _merged_stretches(out, size)
    if bridges:
        apart = [
            (cell.x0, cell.x1)
            for cell in cells
            if all(cell.x1 + _GAP * size < left or cell.x0 - _GAP * size > right for left, right in merged)
        ]
        merged = _merged_stretches([*merged, *apart], size)
    return merged


def _merged_stretches(stretches: Sequence[tuple[float, float]], size: float) -> list[tuple[float, float]]:
    out: list[tuple[float, float]] = []
    for left, right in sorted(stretches):
        if out and left - out[-1][1] < _GAP * size:
            out[-1] = out[-1][0], max(out[-1][1], right)
        else:
            out.append((left, right))
    return out


def _borderless(rows: Sequence[Row]) -> Table | None:
    several = [row for row in rows if len(row.segments) > 1]
    if len(several) < _LEAST_ROWS:
        return None
    cells = [segment for row in several for segment in row.segments]
    # A header may stand over several columns: a few rows may bridge a gap that the others leave.
    bridges = min(_MOST_BRIDGES, len(several) // 6)
    columns = _columns([word for cell in cells for word in cell.words], rows[0].size, bridges, cells)
    if len(columns) < 2 or sum(len(cell.text) > _LONG for cell in cells) > len(cells) // 4:
        return None
    written = []
    for row in rows:
        line = [""] * len(columns)
        for segment in row.segments:
            for at, text in _cells_of(segment, columns, parted=len(row.segments) > 1):
                line[at] = f"{line[at]} {text}".strip()
        written.append(line)
    written, columns = _without_empty(_signs_joined(written), columns)
    if len(columns) < 2:
        return None
    x0, x1 = min(row.x0 for row in rows), max(row.x1 for row in rows)
    return Table(written, _headers(written), x0, x1, rows[0].y0, rows[-1].y1, columns)


def _is_formula(table: Table) -> bool:
    """Lines that stand apart as a table's do, but belong to a formula in several storeys or to a drawing."""
    rows = [[cell for cell in row if cell] for row in table.rows]
    cells = [cell for row in rows if len(row) > 1 for cell in row]
    if not cells:
        return False
    relations = sum(cell.startswith(_FIRST) or cell.endswith(_LAST) for cell in cells)
    words = sum(sum(map(str.isalnum, cell)) > 1 for cell in cells)
    width = len(table.columns)
    sparse = width > _FEW_COLUMNS and len(cells) < _SPARSE * width * sum(len(row) > 1 for row in rows)
    return sparse or relations * _RELATED >= len(rows) or words < _WORDS * len(cells)


def _cells_of(
    segment: Segment, columns: Sequence[tuple[float, float]], *, parted: bool
) -> list[tuple[int, str]]:
    """The columns of a segment's words, as far as wide gaps part them; one where it stands alone."""
    if not parted:
        return [(max(0, bisect_right(columns, (segment.x0 + 1, 0.0)) - 1), segment.text)]
    runs = [[segment.words[0]]]
    for before, word in pairwise(segment.words):
        if word.x0 - before.x1 > _SPACE * segment.size:
            runs.append([word])
        else:
            runs[-1].append(word)
    return [
        (_column_at(columns, run[0].x0, max(word.x1 for word in run)), " ".join(word.text for word in run))
        for run in runs
    ]


def _column_at(columns: Sequence[tuple[float, float]], x0: float, x1: float) -> int:
    """The column over or under which the most of a piece stands; the nearest where none does."""
    return max(range(len(columns)), key=lambda at: min(columns[at][1], x1) - max(columns[at][0], x0))


_DASHES = {"-", "–", "—"}
_SIGNS = {"$", "€", "£", "¥", "%", ")", "(", "%)", ")%"}


def _signs_joined(rows: list[list[str]]) -> list[list[str]]:
    """A currency sign, or a closing bracket, that stands in a column of its own put to its number."""
    width = len(rows[0])
    for column in range(width):
        texts = {row[column] for row in rows if row[column]}
        if not texts or not texts <= _SIGNS:
            continue
        after = texts <= {"%", ")", "%)", ")%"}
        other = column - 1 if after else column + 1
        if not 0 <= other < width:
            continue
        for row in rows:
            if row[column]:
                pair = (row[other], row[column]) if after else (row[column], row[other])
                row[other], row[column] = "".join(pair) if after else " ".join(filter(None, pair)), ""
    return rows


def _without_empty(
    rows: list[list[str]], spans: Sequence[tuple[float, float]]
) -> tuple[list[list[str]], list[tuple[float, float]]]:
    """Without the columns that have nothing in them; the ends of those that are left, all in all."""
    kept = [column for column in range(len(rows[0])) if any(row[column] for row in rows)]
    bounds = [0, *kept[1:], len(spans)]
    ends = [(spans[first][0], spans[last - 1][1]) for first, last in pairwise(bounds)]
    return [[row[column] for column in kept] for row in rows], ends


def with_heads(rows: Sequence[Row | Table]) -> list[Row | Table]:
    """Rows of several pieces that stand close over a table, each over a column, made its header."""
    out: list[Row | Table] = []
    for part in rows:
        heads: list[list[str]] = []
        top = part.y0
        while isinstance(part, Table) and len(heads) < _MOST_HEADS and out:
            row = out[-1]
            cells = _head(row, part) if isinstance(row, Row) and top - row.y1 < row.size else None
            if cells is None:
                break
            heads.insert(0, cells)
            top = out.pop().y0
        if isinstance(part, Table) and heads:
            part.rows[:0] = heads
            part.headers += len(heads)
            part.y0 = top
        out.append(part)
    return out


def _head(row: Row, table: Table) -> list[str] | None:
    """The row's pieces by the columns over which they stand; None where it is no header of the table."""
    if len(row.segments) < 2 or row.x0 < table.x0 - row.size or row.x1 > table.x1 + row.size:
        return None
    cells = [""] * len(table.columns)
    for segment in row.segments:
        at = _column_at(table.columns, segment.x0, segment.x1)
        cells[at] = f"{cells[at]} {segment.text}".strip()
    return cells if sum(map(bool, cells)) > 1 and max(map(len, cells)) <= _LONG else None


def _headers(rows: Sequence[Sequence[str]]) -> int:
    """The rows before the first that holds a number beside its label; one where none does."""
    for number, row in enumerate(rows[:4]):
        if any(any(char.isdigit() for char in cell) and not _is_year(cell) for cell in row[1:]):
            return number
    return 1


def _is_year(cell: str) -> bool:
    digits = "".join(char for char in cell if char.isdigit())
    return len(cell) > 12 or (len(digits) in (4, 6) and digits[-4:-2] in ("19", "20"))
