"""Vue and Svelte: one file in several languages, of which the scripts are cut at their definitions."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

from ragcli.load.code.definitions import blocks_along
from ragcli.load.code.grammars import parse
from ragcli.load.code.outline import Definition, Outline, outline
from ragcli.load.parsed import Parsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragcli.load.source import Source

_OPENS = re.compile(r"<(?P<tag>[a-z][a-z0-9-]*)\b(?P<attributes>[^<>]*)>\s*")
_CLOSES = re.compile(r"</(?P<tag>[a-z][a-z0-9-]*)>\s*")
_LANGUAGE = re.compile(r"\blang\s*=\s*[\"']?(?P<name>\w+)")
_GRAMMARS = {"ts": "typescript", "typescript": "typescript", "tsx": "tsx"}
_LABEL = 80


def read_component(source: Source) -> Parsed:
    """A section for each element that begins and ends at the margin, named as its tag; scripts are cut further."""
    lines = source.text.split("\n")
    made = Outline(starts=[row for row in range(1, len(lines)) if lines[row] and not lines[row - 1].strip()])
    closing = _closing(lines)
    at = 0
    while at < len(lines):
        opens = _OPENS.fullmatch(lines[at])
        ends = closing.get(opens["tag"], []) if opens else []
        which = bisect_right(ends, at)
        if opens and which < len(ends):
            made.definitions.append(_element(lines, at, ends[which] + 1, opens))
            at = ends[which]
        at += 1
    return Parsed("", source.text, blocks_along(lines, made), source.places())


def _closing(lines: Sequence[str]) -> dict[str, list[int]]:
    """The rows at which an element ends at the margin, by its tag."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, line in enumerate(lines):
        if closes := _CLOSES.fullmatch(line):
            rows[closes["tag"]].append(row)
    return rows


def _element(lines: Sequence[str], first: int, end: int, opens: re.Match[str]) -> Definition:
    within = Outline()
    if opens["tag"] == "script":
        within = _script(lines, first + 1, end - 1, opens["attributes"])
    return Definition(first, end, first + 1, first + 1, " ".join(opens[0].split())[:_LABEL], within)


def _script(lines: Sequence[str], first: int, end: int, attributes: str) -> Outline:
    """The outline of a script, its rows counted in the whole file."""
    language = _LANGUAGE.search(attributes)
    data = ("\n" * first + "\n".join(lines[first:end])).encode()
    root = parse(data, _GRAMMARS.get(language["name"] if language else "", "javascript"))
    return outline(root, data) if root else Outline()
