"""reStructuredText: a line scanner for sections, literal and code blocks, lists and tables.

The text is the source as it stands. Levels of titles follow the order in which their adornments
appear (docutils, "Sections"). Directives with prose in them are paragraphs.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from ragcli.load.blocks import Region, is_blank, paragraph_end, scan, to_blocks
from ragcli.load.markup.markdown import first_title
from ragcli.load.parsed import Parsed
from ragcli.load.source import Source, inline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragcli.types import Scalar

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*[ \t]*$")
_ITEM = re.compile(r"[ \t]*(?:[-*+•‣⁃]|\d{1,4}[.)]|\(\d{1,4}\)|#\.)[ \t]+\S|:[^:\s][^:]{0,60}:(?:[ \t]|$)")
_CODE = re.compile(
    r"[ \t]*\.\.[ \t]+(?:code-block|code|sourcecode|parsed-literal|literalinclude|math|doctest|testcode"
    r"|productionlist|graphviz|raw|highlight)::"
)
_TABLE = re.compile(r"[ \t]*\.\.[ \t]+(?:table|csv-table|list-table)::")
_FIGURE = re.compile(r"[ \t]*\.\.[ \t]+(?:\|[^|]+\|[ \t]+)?(?:figure|image)::")
_FIELD = re.compile(r":([^:\s][^:]{0,60}):(?:[ \t]+(.*))?$")
_DOCTEST = re.compile(r"[ \t]*>>> ")
_GRID = re.compile(r"[ \t]*\+(?:[-=]+\+)+[ \t]*$")
_HEAD_RULE = re.compile(r"[ \t]*\+(?:=+\+)+[ \t]*$")
_SIMPLE = re.compile(r"[ \t]*=+(?:[ \t]+=+)+[ \t]*$")
_ROLE = re.compile(r":[\w:.+-]+:`([^`<]*?)(?:[ \t]*<[^>]*>)?`")
_QUOTED = re.compile(r"``([^`]+)``|`([^`<]+?)(?:[ \t]*<[^>]*>)?`_{0,2}")
_EMPHASIS = re.compile(r"(\*{1,2}|\|)(\S(?:.*?\S)?)\1")

_AHEAD = 2000
_SURE = 4  # an adornment this long counts even where it is shorter than its title


def read_rst(source: Source) -> Parsed:
    """The title is the first level-1 section's."""
    lines = source.text.split("\n")
    recognisers = (_literal, _Sections(), _explicit, _doctest, _table, _list, _paragraph)
    regions = list(scan(lines, recognisers))
    return Parsed(
        first_title(regions),
        source.text,
        to_blocks(lines, regions),
        source.places(),
        metadata=_docinfo(lines, regions),
    )


def _docinfo(lines: Sequence[str], regions: Sequence[Region]) -> dict[str, Scalar]:
    """The field list at the top (docutils, "Bibliographic Fields"), with names in lower case."""
    opening = regions[: next((i for i, region in enumerate(regions) if region.kind != "heading"), 0) + 1]
    found: dict[str, Scalar] = {}
    name = ""
    for line in lines[opening[-1].first : opening[-1].end] if opening else []:
        field = _FIELD.match(line)
        if field:
            name = inline(field[1]).lower()
            found[name] = inline(field[2] or "")
        elif name and line[:1] in (" ", "\t"):
            found[name] = inline(f"{found[name]} {line}")
    return {key: value for key, value in found.items() if value}


class _Sections:
    """The recogniser of titles; remembers which adornments it met, in order."""

    def __init__(self) -> None:
        self._styles: list[tuple[str, bool]] = []

    def __call__(self, lines: Sequence[str], at: int) -> Region | None:
        if _is_overlined(lines, at):
            return self._title(lines, at, at + 1, at + 3)
        if _is_underlined(lines, at):
            return self._title(lines, at, at, at + 2)
        return None

    def _title(self, lines: Sequence[str], first: int, words: int, end: int) -> Region:
        style = (lines[end - 1].strip()[0], words != first)
        if style not in self._styles:
            self._styles.append(style)
        return Region("heading", first, end, self._styles.index(style) + 1, _words_of(lines[words]))


def _words_of(markup: str) -> str:
    text = _QUOTED.sub(lambda match: match[1] or match[2], _ROLE.sub(r"\1", markup[:500]))
    return inline(_EMPHASIS.sub(r"\2", text))


def _is_adornment(line: str) -> bool:
    return bool(_ADORNMENT.match(line))


def _suits(adornment: str, title: str) -> bool:
    length = len(adornment.rstrip())
    return length >= _SURE or length >= _width(title.strip())


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _is_overlined(lines: Sequence[str], at: int) -> bool:
    if at + 2 >= len(lines) or not _is_adornment(lines[at]) or is_blank(lines[at + 1]):
        return False
    return lines[at].rstrip() == lines[at + 2].rstrip() and _suits(lines[at], lines[at + 1])


def _is_underlined(lines: Sequence[str], at: int) -> bool:
    if at + 1 >= len(lines) or lines[at][0] in " \t" or not _is_adornment(lines[at + 1]):
        return False
    return not _is_adornment(lines[at]) and _suits(lines[at + 1], lines[at])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _indented_end(lines: Sequence[str], at: int, indent: int) -> int:
    """The first line from ``at`` on that is neither blank nor deeper than ``indent``."""
    end = at
    while end < len(lines) and (is_blank(lines[end]) or _indent(lines[end]) > indent):
        end += 1
    return end


def _explicit(lines: Sequence[str], at: int) -> Region | None:
    """A directive whose body is code, a table or a figure with its caption, or a literal block after a lone ``::``."""
    line = lines[at]
    if _CODE.match(line) or line.strip() == "::":
        return Region("code", at, _indented_end(lines, at + 1, _indent(line)))
    if _TABLE.match(line):
        return Region("table", at, _indented_end(lines, at + 1, _indent(line)))
    if _FIGURE.match(line):
        return Region("caption", at, _indented_end(lines, at + 1, _indent(line)))
    return None


def _doctest(lines: Sequence[str], at: int) -> Region | None:
    return Region("code", at, paragraph_end(lines, at)) if _DOCTEST.match(lines[at]) else None


def _table(lines: Sequence[str], at: int) -> Region | None:
    if _GRID.match(lines[at]):
        end = at + 1
        while end < len(lines) and lines[end].lstrip()[:1] in ("+", "|") and not is_blank(lines[end]):
            end += 1
        rules = (i + 1 for i in range(at + 1, end - 1) if _HEAD_RULE.match(lines[i]))
        return Region("table", at, end, head=next(rules, 0))
    if not _SIMPLE.match(lines[at]):
        return None
    for index in range(at + 1, min(len(lines), at + _AHEAD)):
        if _SIMPLE.match(lines[index]) and (index + 1 == len(lines) or is_blank(lines[index + 1])):
            rules = (i + 1 for i in range(at + 1, index) if _SIMPLE.match(lines[i]))
            return Region("table", at, index + 1, head=next(rules, 0))
    return None


def _list(lines: Sequence[str], at: int) -> Region | None:
    if not _ITEM.match(lines[at]):
        return None
    base = _indent(lines[at])
    end = after = at + 1
    while end < len(lines):
        line = lines[end]
        if not is_blank(line):
            blank = is_blank(lines[end - 1])
            item = _ITEM.match(line) and _indent(line) == base
            if not item and _indent(line) <= base and (blank or _is_underlined(lines, end)):
                break
            after = end + 1
        end += 1
    return Region("list", at, after)


def _paragraph(lines: Sequence[str], at: int) -> Region:
    end = at + 1
    while end < len(lines) and not is_blank(lines[end]) and not _is_underlined(lines, end):
        end += 1
    return Region("paragraph", at, end)


def _literal(lines: Sequence[str], at: int) -> Region | None:
    """The indented block after a paragraph that ends in ``::``."""
    before = next((i for i in range(at - 1, max(-1, at - 20), -1) if not is_blank(lines[i])), None)
    if before is None or before == at - 1 or not lines[before].rstrip().endswith("::"):
        return None
    base = _indent(lines[before])
    return Region("code", at, _indented_end(lines, at, base)) if _indent(lines[at]) > base else None
