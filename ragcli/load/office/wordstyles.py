"""What the styles of a Word document say of a paragraph: heading level, caption, code, numbering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.load.office.stylenames import heading_level, is_title, style_kind

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DEEPEST = 20  # styles based on styles


@dataclass(frozen=True, slots=True)
class Style:
    """``level`` is 0 for no heading; ``number`` is (numbering id, level) or None."""

    level: int = 0
    kind: str = "paragraph"
    number: tuple[str, int] | None = None
    is_title: bool = False


class Styles:
    """Styles by id; unknown ids are taken as names, as some writers mean them."""

    def __init__(self, root: Element | None) -> None:
        self._nodes: dict[str, Element] = {}
        self._known: dict[str, Style] = {}
        self.default = ""
        for node in root.iter(f"{W}style") if root is not None else ():
            if node.get(f"{W}type", "paragraph") == "paragraph":
                self._nodes[node.get(f"{W}styleId", "")] = node
                if node.get(f"{W}default") in {"1", "true", "on"}:
                    self.default = node.get(f"{W}styleId", "")

    def of(self, id_: str) -> Style:
        """What the style with this id means."""
        if id_ not in self._known:
            self._known[id_] = self._resolved(id_)
        return self._known[id_]

    def _resolved(self, id_: str) -> Style:
        level, kind, title = 0, "", False
        number, depth = "", None
        current = id_
        for _ in range(_DEEPEST):
            node = self._nodes.get(current)
            name = value(node, "name") or current
            level = level or heading_level(name)
            title = title or is_title(name)
            kind = kind or style_kind(name)
            if node is None:
                break
            properties = node.find(f"{W}pPr")
            level = level or outline_level(properties)
            found, at = numbering_of(properties)
            number = number or found
            depth = at if depth is None else depth
            current = value(node, "basedOn")
            if not current:
                break
        return Style(
            1 if title else level,
            kind or "paragraph",
            (number, depth or 0) if number else None,
            title,
        )


def value(node: Element | None, name: str) -> str:
    """The ``w:val`` of a child; empty where there is none."""
    child = node.find(f"{W}{name}") if node is not None else None
    return child.get(f"{W}val", "") if child is not None else ""


def outline_level(properties: Element | None) -> int:
    """The heading level that a paragraph's properties give it: 1 to 9, 0 for body text."""
    level = value(properties, "outlineLvl")
    return int(level) + 1 if level.isdigit() and int(level) < 9 else 0


def numbering_of(properties: Element | None) -> tuple[str, int | None]:
    """Numbering id (empty: not said) and level (None: not said) of paragraph properties."""
    node = properties.find(f"{W}numPr") if properties is not None else None
    if node is None:
        return "", None
    level = value(node, "ilvl")
    return value(node, "numId"), min(int(level), 8) if level.isdigit() else None
