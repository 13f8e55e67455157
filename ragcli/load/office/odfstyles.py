"""What of OpenDocument's styles says something about structure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragcli.load.office.odfnames import attribute, odf_name, whole

if TYPE_CHECKING:
    from lxml import etree

_HEADING = re.compile(r"Heading(?:_20_)?\s*(\d{1,2})$", re.IGNORECASE)
_CODE = frozenset(["Preformatted_20_Text", "Preformatted Text", "Source_20_Text"])
_MOST_ANCESTORS = 20


@dataclass(frozen=True, slots=True)
class _Style:
    parent: str
    outline: str
    list_style: str
    master: str


@dataclass(slots=True)
class Styles:
    """Paragraph and list styles by name."""

    _styles: dict[str, _Style] = field(default_factory=dict)
    _numbered: dict[tuple[str, int], int] = field(default_factory=dict)
    masters: set[str] = field(default_factory=set)

    def add(self, root: etree._Element) -> None:
        """All styles that stand anywhere in a part; later ones rule."""
        for element in root.iter("{*}style", "{*}list-level-style-number"):
            if odf_name(element.tag) == "style:style":
                master = attribute(element, "style:master-page-name")
                self._styles[attribute(element, "style:name")] = _Style(
                    attribute(element, "style:parent-style-name"),
                    attribute(element, "style:default-outline-level"),
                    attribute(element, "style:list-style-name"),
                    master,
                )
                self.masters.add(master)
            elif attribute(element, "style:num-format"):
                parent = element.getparent()
                name = attribute(parent, "style:name") if parent is not None else ""
                level = whole(attribute(element, "text:level"), 1)
                self._numbered[name, level] = whole(attribute(element, "text:start-value"), 1)

    def level(self, style: str) -> int:
        """The heading level of a paragraph style; 0 where it is none."""
        for name, known in self._line(style):
            found = _HEADING.search(name)
            if known and known.outline.isdigit():
                return min(int(known.outline), 10)
            if found:
                return int(found[1])
            if name == "Title":
                return 1
        return 0

    def is_code(self, style: str) -> bool:
        """A paragraph style in which white space counts."""
        return any(name in _CODE for name, _ in self._line(style))

    def first_number(self, list_style: str, level: int) -> int | None:
        """The first number of a list's level (from 1), None where its items have no numbers."""
        return self._numbered.get((list_style, level))

    def _line(self, style: str) -> list[tuple[str, _Style | None]]:
        found: list[tuple[str, _Style | None]] = []
        while style and len(found) < _MOST_ANCESTORS:
            known = self._styles.get(style)
            found.append((style, known))
            style = known.parent if known else ""
        return found
