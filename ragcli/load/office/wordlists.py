"""The numbers and bullets that Word draws before paragraphs (ECMA-376 part 1, 17.9)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ragcli.load.office.numerals import numeral
from ragcli.load.office.wordstyles import W, value

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_PLACE = re.compile(r"%([1-9])")
_BULLET = "-"


class Numbering:
    """Counts through a document: ``mark`` is to be asked once a paragraph, in order."""

    def __init__(self, root: Element | None) -> None:
        self._abstract: dict[str, Element] = {}
        self._links: dict[str, str] = {}
        self._numbers: dict[str, Element] = {}
        self._counts: dict[str, list[int | None]] = {}
        self._begun: set[str] = set()
        for node in root if root is not None else ():
            if node.tag == f"{W}abstractNum":
                id_ = node.get(f"{W}abstractNumId", "")
                self._abstract[id_] = node
                if value(node, "styleLink"):
                    self._links[value(node, "styleLink")] = id_
            elif node.tag == f"{W}num":
                self._numbers[node.get(f"{W}numId", "")] = node

    def mark(self, number: str, depth: int) -> str | None:
        """What stands before the paragraph: ``2.1``, ``b)``, ``-`` for bullets; None for nothing."""
        node = self._numbers.get(number)
        if node is None:
            return None
        abstract_id = self._abstract_of(node)
        levels = self._levels(node, abstract_id)
        counts = self._counts.setdefault(abstract_id, [None] * 9)
        if number not in self._begun:
            self._begun.add(number)
            for override in node.findall(f"{W}lvlOverride"):
                start = value(override, "startOverride")
                at = override.get(f"{W}ilvl", "")
                if start.lstrip("-").isdigit() and at.isdigit() and int(at) < 9:
                    counts[int(at)] = int(start) - 1
        before = counts[depth]
        counts[depth] = _start(levels.get(depth)) if before is None else before + 1
        for deeper in range(depth + 1, 9):
            if value(levels.get(deeper), "lvlRestart") != "0":
                counts[deeper] = None
        return self._written(levels, counts, depth)

    def _written(self, levels: dict[int, Element], counts: list[int | None], depth: int) -> str | None:
        level = levels.get(depth)
        kind = value(level, "numFmt") or "decimal"
        if kind == "none" and not value(level, "lvlText").strip("%123456789 "):
            return None
        if kind == "bullet":
            return _BULLET
        plain = level is not None and level.find(f"{W}isLgl") is not None

        def count_of(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            count = counts[at]
            if count is None:
                count = counts[at] = _start(levels.get(at))
            return numeral(count, "decimal" if plain else value(levels.get(at), "numFmt") or "decimal")

        return _PLACE.sub(count_of, value(level, "lvlText")).strip() or None

    def _abstract_of(self, node: Element) -> str:
        id_ = value(node, "abstractNumId")
        linked = value(self._abstract.get(id_), "numStyleLink")
        return self._links.get(linked, id_)

    def _levels(self, node: Element, abstract_id: str) -> dict[int, Element]:
        found: dict[int, Element] = {}
        abstract = self._abstract.get(abstract_id)
        for level in abstract.findall(f"{W}lvl") if abstract is not None else ():
            _keep(found, level)
        for level in node.findall(f"{W}lvlOverride/{W}lvl"):
            _keep(found, level)
        return found


def _keep(found: dict[int, Element], level: Element) -> None:
    at = level.get(f"{W}ilvl", "")
    if at.isdigit() and int(at) < 9:
        found[int(at)] = level


def _start(level: Element | None) -> int:
    if level is None:
        return 1
    start = value(level, "start")
    return int(start) if start.isdigit() else 0
