"""What is drawn on a page beside its text: straight lines, which part the cells of tables, and pictures."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import TYPE_CHECKING, Any

from ragcli.load.pdf.calls import plain
from ragcli.load.pdf.geometry import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_THIN = 2.0  # points: what is thinner is a line
_LEAST = 3.0  # points: what is shorter is none
_MOST_OBJECTS = 30_000  # on a page
_MOST_SEGMENTS = 400  # of one path; with more it is a curve or a drawing
_DEEPEST = 5
_TILT = 1.0  # points that a line may be out of true

_Matrix = tuple[float, float, float, float, float, float]
_SAME: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def drawn_on(page: Any) -> tuple[list[Rule], float]:
    """The straight lines of a page, in its own coordinates, and the area of its largest picture."""
    import pypdfium2.raw as pdfium

    rules: list[Rule] = []
    largest = 0.0
    for thing, kind, matrix in _objects(page):
        if kind == pdfium.FPDF_PAGEOBJ_PATH:
            rules += _rules_of(thing, matrix)
        elif kind in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_SHADING):
            x0, y0, x1, y1 = _bounds(thing, matrix)
            largest = max(largest, (x1 - x0) * (y1 - y0))
    return rules, largest


def _objects(page: Any) -> Iterator[tuple[Any, int, _Matrix]]:
    import pypdfium2.raw as pdfium

    left = _MOST_OBJECTS
    stack: list[tuple[Any, bool, _Matrix, int]] = [(page.raw, False, _SAME, 0)]
    while stack and left > 0:
        holder, nested, matrix, depth = stack.pop()
        count = pdfium.FPDFFormObj_CountObjects(holder) if nested else pdfium.FPDFPage_CountObjects(holder)
        take = pdfium.FPDFFormObj_GetObject if nested else pdfium.FPDFPage_GetObject
        for index in range(min(max(0, count), left)):
            thing = take(holder, index)
            if not thing:
                continue
            left -= 1
            kind = pdfium.FPDFPageObj_GetType(thing)
            if kind == pdfium.FPDF_PAGEOBJ_FORM and depth < _DEEPEST:
                stack.append((thing, True, _times(_matrix_of(thing), matrix), depth + 1))
            elif kind != pdfium.FPDF_PAGEOBJ_TEXT:
                yield thing, kind, matrix


def _matrix_of(thing: Any) -> _Matrix:
    import pypdfium2.raw as pdfium

    found = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(thing, found):
        return _SAME
    return found.a, found.b, found.c, found.d, found.e, found.f


def _times(one: _Matrix, two: _Matrix) -> _Matrix:
    """First the one, then the other."""
    a, b, c, d, e, f = one
    g, h, i, j, k, m = two
    return (
        a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m,
    )  # fmt: skip


def _point(x: float, y: float, matrix: _Matrix) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def _bounds(thing: Any, matrix: _Matrix) -> tuple[float, float, float, float]:
    import pypdfium2.raw as pdfium

    sides = [ctypes.c_float() for _ in range(4)]
    if not pdfium.FPDFPageObj_GetBounds(thing, *sides):
        return 0.0, 0.0, 0.0, 0.0
    left, bottom, right, top = (side.value for side in sides)
    ax, ay = _point(left, bottom, matrix)
    bx, by = _point(right, top, matrix)
    return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)


def _rules_of(path: Any, matrix: _Matrix) -> list[Rule]:
    import pypdfium2.raw as pdfium

    x0, y0, x1, y1 = _bounds(path, matrix)
    width, height = x1 - x0, y1 - y0
    if max(width, height) < _LEAST:
        return []
    if width <= _THIN or height <= _THIN:
        return [Rule(x0, y0, x1, y1)]
    count = pdfium.FPDFPath_CountSegments(path)
    if count > _MOST_SEGMENTS:
        return []
    return _edges(path, count, _times(_matrix_of(path), matrix))


def _edges(path: Any, count: int, matrix: _Matrix) -> list[Rule]:
    """The upright and level edges of a path."""
    import pypdfium2.raw as pdfium

    segment_at, point_of, kind_of, closes = _segment_calls()
    out: list[Rule] = []
    x, y = ctypes.c_float(), ctypes.c_float()
    ends = ctypes.addressof(x), ctypes.addressof(y)
    raw = ctypes.cast(path, ctypes.c_void_p).value
    start = last = (0.0, 0.0)
    for index in range(count):
        segment = segment_at(raw, index)
        point_of(segment, *ends)
        here = _point(x.value, y.value, matrix)
        kind = kind_of(segment)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            start = here
        elif kind == pdfium.FPDF_SEGMENT_LINETO:
            out += _rule(last, here)
        if closes(segment):
            out += _rule(here, start)
        last = here
    return out


@cache
def _segment_calls() -> tuple[Callable[..., Any], ...]:
    """A path's segment by its number; its point, its kind, and whether it closes the path."""
    import pypdfium2.raw as pdfium

    return (
        plain(pdfium.FPDFPath_GetPathSegment, ctypes.c_void_p, ctypes.c_int),
        plain(pdfium.FPDFPathSegment_GetPoint, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p),
        plain(pdfium.FPDFPathSegment_GetType, ctypes.c_int),
        plain(pdfium.FPDFPathSegment_GetClose, ctypes.c_int),
    )


def _rule(one: tuple[float, float], two: tuple[float, float]) -> list[Rule]:
    (ax, ay), (bx, by) = one, two
    wide, high = abs(bx - ax), abs(by - ay)
    if min(wide, high) > _TILT or max(wide, high) < _LEAST:
        return []
    return [Rule(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))]
