"""Org (orgmode.org, "Org Syntax"): a line scanner for its headings, drawers, blocks, tables and lists.

The text is the source as it stands. Labels of headings go without their keyword (TODO), priority
and tags. What stands in quote, verse and other blocks of prose counts as if it stood outside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ragcli.load.blocks import Region, is_blank, list_end, scan, to_blocks
from ragcli.load.parsed import Parsed
from ragcli.load.source import Source, inline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragcli.types import Scalar

_HEADING = re.compile(r"(\*+)[ \t]+(.*)$")
_TAGS = re.compile(r"[ \t]+:[\w@#%:]+:[ \t]*$")
_TODO = re.compile(r"(?:TODO|DONE|NEXT|WAITING|WAIT|HOLD|STARTED|CANCELLED|CANCELED|COMMENT)(?:[ \t]+|$)")
_PRIORITY = re.compile(r"\[#\w\][ \t]*")
_KEYWORD = re.compile(r"[ \t]*#\+(\w+):[ \t]*(.*)$")
_STATES = re.compile(r"#\+(?:TODO|SEQ_TODO|TYP_TODO):[ \t]*(.*)$", re.IGNORECASE)
_BEGIN = re.compile(r"[ \t]*#\+begin_(\w+)", re.IGNORECASE)
_VERBATIM = frozenset(["src", "example", "export", "comment"])
_DRAWER = re.compile(r"[ \t]*:([\w-]+):[ \t]*$")
_FIXED = re.compile(r"[ \t]*:(?:[ \t]|$)")
_ROW = re.compile(r"[ \t]*\|")
_RULE = re.compile(r"[ \t]*\|-")
_ITEM = re.compile(r"(?:[ \t]+\*|[ \t]*(?:[-+]|\d{1,4}[.)]|[A-Za-z][.)]))(?:[ \t]+|$)")
_LINK = re.compile(r"\[\[[^\]]*\](?:\[([^\]]*)\])?\]")
_MARKS = re.compile(r"(?<![\w*/_=~+])([*/_=~+])(?=\S)(.+?)(?<=\S)\1(?!\w)")
_KNOWN = ("author", "date", "description", "keywords", "email", "subject")
_DRAWER_LINES = 500


def read_org(source: Source) -> Parsed:
    """The title is that of ``#+TITLE:``, else the first heading's; other keywords are metadata."""
    lines = source.text.split("\n")
    states = [word for line in lines[:200] if (found := _STATES.match(line)) for word in found[1].split()]
    headings = _Headings(frozenset(re.sub(r"\(.*\)", "", state) for state in states) - {"|"})
    regions = list(scan(lines, (headings, _caption, _verbatim, _drawer, _table, _list, _paragraph)))
    told = _keywords(lines)
    title = told.pop("title", "") or next((region.label for region in regions if region.level == 1), "")
    return Parsed(
        str(title),
        source.text,
        to_blocks(lines, regions),
        source.places(),
        metadata=dict(sorted(told.items())),
    )


def _keywords(lines: Sequence[str]) -> dict[str, Scalar]:
    found: dict[str, list[str]] = {}
    for line in lines[:200]:
        keyword = _KEYWORD.match(line)
        name = keyword[1].lower() if keyword else ""
        if keyword and (name == "title" or name in _KNOWN) and keyword[2].strip():
            found.setdefault(name, []).append(inline(keyword[2]))
    return {name: " ".join(parts) for name, parts in found.items()}


class _Headings:
    """The recogniser of headings; knows the keywords that the file declares."""

    def __init__(self, states: frozenset[str]) -> None:
        self._states = states

    def __call__(self, lines: Sequence[str], at: int) -> Region | None:
        found = _HEADING.match(lines[at])
        if not found:
            return None
        words = _TAGS.sub("", f" {found[2]}").strip()
        first, _, rest = words.partition(" ")
        words = (
            rest if first in self._states else _TODO.sub("", words, count=1) if _TODO.match(words) else words
        )
        return Region(
            "heading", at, at + 1, len(found[1]), _words_of(_PRIORITY.sub("", words.strip(), count=1))
        )


def _words_of(markup: str) -> str:
    text = _LINK.sub(lambda match: match[1] or match[0].strip("[]"), markup[:500])
    return inline(_MARKS.sub(r"\2", text))


def _caption(lines: Sequence[str], at: int) -> Region | None:
    keyword = _KEYWORD.match(lines[at])
    if not keyword:
        return None
    if keyword[1].lower() == "caption":
        return Region("caption", at, at + 1)
    end = at + 1
    while end < len(lines) and (next_ := _KEYWORD.match(lines[end])) and next_[1].lower() != "caption":
        end += 1
    return Region("paragraph", at, end)


def _verbatim(lines: Sequence[str], at: int) -> Region | None:
    found = _BEGIN.match(lines[at])
    if found and found[1].lower() in _VERBATIM:
        closing = f"#+end_{found[1].lower()}"
        closed = (i for i in range(at + 1, len(lines)) if lines[i].strip().lower() == closing)
        end = next(closed, len(lines) - 1)
        return Region("code", at, end + 1)
    if found or lines[at].lstrip().lower().startswith("#+end_"):
        return Region("paragraph", at, at + 1)
    if not _FIXED.match(lines[at]):
        return None
    end = at + 1
    while end < len(lines) and _FIXED.match(lines[end]):
        end += 1
    return Region("code", at, end)


def _drawer(lines: Sequence[str], at: int) -> Region | None:
    if not _DRAWER.match(lines[at]):
        return None
    for end in range(at + 1, min(len(lines), at + _DRAWER_LINES)):
        if lines[end].strip().upper() == ":END:":
            return Region("paragraph", at, end + 1)
        if _HEADING.match(lines[end]):
            break
    return None


def _table(lines: Sequence[str], at: int) -> Region | None:
    if not _ROW.match(lines[at]):
        return None
    end = at + 1
    while end < len(lines) and _ROW.match(lines[end]):
        end += 1
    rules = [i for i in range(at + 1, end - 1) if _RULE.match(lines[i])]
    return Region("table", at, end, head=rules[0] + 1 if rules else 0)


def _list(lines: Sequence[str], at: int) -> Region | None:
    if not _ITEM.match(lines[at]):
        return None
    end = list_end(lines, at, _ITEM)
    stop = next((i for i in range(at + 1, end) if _interrupts(lines[i])), end)
    return Region("list", at, stop)


def _interrupts(line: str) -> bool:
    return bool(_HEADING.match(line) or (_ROW.match(line) and line[0] == "|") or line.startswith("#+"))


def _paragraph(lines: Sequence[str], at: int) -> Region:
    end = at + 1
    while end < len(lines) and not is_blank(lines[end]):
        line = lines[end]
        if (
            _interrupts(line)
            or _ROW.match(line)
            or _BEGIN.match(line)
            or re.match(r"[ \t]*(?:[-+]|\d+[.)])[ \t]", line)
        ):
            break
        end += 1
    return Region("paragraph", at, end)
