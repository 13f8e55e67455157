"""Reading order of boxes on a page: the recursive X-Y cut (Nagy and Seth, 1984)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
_OVERLAP = 0.15  # of the smaller extent; boxes that overlap by less are taken for apart
_DEEPEST = 30


@dataclass(frozen=True, slots=True)
class Box(Generic[T]):
    """What stands within the rectangle; any unit, y downwards."""

    left: float
    top: float
    right: float
    bottom: float
    item: T


def reading_order(boxes: Sequence[Box[T]], depth: int = 0) -> list[Box[T]]:
    """Bands from top to bottom; within a band, columns from left to right; and so on within each."""
    if len(boxes) < 2:
        return list(boxes)
    for start, end in ((_top, _bottom), (_left, _right)):
        groups = _groups(boxes, start, end)
        if len(groups) > 1 and depth < _DEEPEST:
            return [box for group in groups for box in reading_order(group, depth + 1)]
    return sorted(boxes, key=lambda box: (box.top, box.left))


def _groups(
    boxes: Sequence[Box[T]], start: Callable[[Box[T]], float], end: Callable[[Box[T]], float]
) -> list[list[Box[T]]]:
    groups: list[list[Box[T]]] = []
    reach = 0.0
    for box in sorted(boxes, key=start):
        extent = end(box) - start(box)
        if groups and start(box) < reach - _OVERLAP * min(extent, reach - min(map(start, groups[-1]))):
            groups[-1].append(box)
            reach = max(reach, end(box))
        else:
            groups.append([box])
            reach = end(box)
    return groups


def _top(box: Box[T]) -> float:
    return box.top


def _bottom(box: Box[T]) -> float:
    return box.bottom


def _left(box: Box[T]) -> float:
    return box.left


def _right(box: Box[T]) -> float:
    return box.right
