"""What the styles of a Word document say of a paragraph: heading level, caption, code, numbering."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
# Word keeps built-in names in English; other programs write them as their users see them.
_HEADING = re.compile(
    r"(?:heading|überschrift|titre|título|titulo|titolo|kop|rubrik|overskrift|otsikko|nagłówek|nadpis"
    r"|címsor|заголовок|標題|标题|見出し|제목|başlık|επικεφαλίδα|titlu|cabeçalho)\s*([1-9])(?:\s*(?:char|字符))?",
    re.IGNORECASE,
)
_TITLE = frozenset(["title", "titel", "标题", "標題", "表題", "제목"])
_CAPTION = re.compile(
    r"(?:caption|beschriftung|légende|legende|epígrafe|leyenda|didascalia|bijschrift|bildtext|题注|標號|図表番号"
    r"|캡션|подпись|название объекта)",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?:html preformatted|source ?code|code ?block|code|macro|preformatted text|plaintext)", re.I
)
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
            level = level or _level_of(name)
            title = title or name.lower() in _TITLE
            kind = kind or _kind_of(name)
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


def _level_of(name: str) -> int:
    found = _HEADING.fullmatch(name.strip())
    return int(found[1]) if found else 0


def _kind_of(name: str) -> str:
    if _CAPTION.fullmatch(name.strip()):
        return "caption"
    return "code" if _CODE.fullmatch(name.strip()) else ""
