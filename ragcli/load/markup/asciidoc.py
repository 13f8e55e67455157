"""AsciiDoc (asciidoctor.org, "AsciiDoc Language Documentation"): a line scanner for its blocks.

The text is the source as it stands. Known departures: what stands in example, sidebar and quote
blocks counts as if it stood outside, comments are paragraphs, nothing is included.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ragcli.load.blocks import Region, is_blank, list_end, scan, to_blocks
from ragcli.load.markup.markdown import first_title
from ragcli.load.parsed import Parsed
from ragcli.load.source import Source, inline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragcli.types import Scalar

_TITLE = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*?)(?:[ \t]+\1)?[ \t]*$")
_UNDERLINES = {"=": 1, "-": 2, "~": 3, "^": 4, "+": 5}
_CAPTION = re.compile(r"\.(?![\s.])(.+)$")
_ATTRIBUTES = re.compile(r"\[.*\][ \t]*$")
_VERBATIM = re.compile(r"(-{4,}|\.{4,}|\+{4,}|/{4,}|`{3,})(?:[\w+-]*)[ \t]*$")
_CONTAINER = re.compile(r"(={4,}|\*{4,}|_{4,}|--|~{4,})[ \t]*$")
_TABLE = re.compile(r"([|,:!])={3,}[ \t]*$")
_HEADER_OPTION = re.compile(r"""\[.*(?:%header|options\s*=\s*["']?[\w,]*header).*\]""")
_ITEM = re.compile(
    r"[ \t]*(?:\*{1,6}|-|\.{1,6}|\d{1,4}\.|[a-z]\.|<\d+>|<\.>)[ \t]+\S|[^\s:|].{0,200}?(?:::{1,3}|;;)(?:[ \t]|$)"
)
_ENTRY = re.compile(r":(!?[\w][\w-]*!?):(?:[ \t]+(.*))?$")
_MACRO = re.compile(r"(?:link:|https?://|xref:|mailto:)[^\s\[]*\[([^\]]*)\]|<<[^,>]*,([^>]*)>>")
_MARKS = re.compile(r"(?<!\w)([*_`#+^~]{1,2})(?=\S)(.+?)(?<=\S)\1(?!\w)")
_HEADER = 30  # lines
_MOST_ATTRIBUTES = 10  # lines
_KNOWN = ("author", "email", "revdate", "revnumber", "description", "keywords")
_AUTHOR = re.compile(r"[^\W\d_][\w.'-]*(?: [^\W\d_][\w.'-]*){0,3}(?: <[^>]+>)?(?:; .*)?$")


def read_asciidoc(source: Source) -> Parsed:
    """The title is that of the document (``= Title``); author and attributes of its header are metadata."""
    lines = source.text.split("\n")
    recognisers = (_heading, _caption, _entry, _block, _container, _list, _paragraph)
    regions = list(scan(lines, recognisers))
    title = first_title(regions)
    return Parsed(title, source.text, to_blocks(lines, regions), source.places(), metadata=_metadata(lines))


def _metadata(lines: Sequence[str]) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for at, line in enumerate(lines[:_HEADER]):
        entry = _ENTRY.match(line)
        if entry and entry[1] in _KNOWN and entry[2]:
            found[entry[1]] = inline(entry[2])
        elif (
            at > 0 and _TITLE.match(lines[at - 1]) and lines[at - 1].startswith("= ") and _AUTHOR.match(line)
        ):
            found["author"] = inline(re.sub(r"\s*<[^>]*>", "", line))
    return found


def _words_of(markup: str) -> str:
    text = _MACRO.sub(lambda match: match[1] or match[2] or "", markup[:500])
    for _ in range(2):
        text = _MARKS.sub(r"\2", text)
    return inline(text)


def _heading(lines: Sequence[str], at: int) -> Region | None:
    found = _TITLE.match(lines[at])
    if found:
        return Region("heading", at, at + 1, len(found[1]), _words_of(found[2]))
    if at + 1 >= len(lines) or not _is_underlined(lines[at], lines[at + 1]):
        return None
    return Region("heading", at, at + 2, _UNDERLINES[lines[at + 1][0]], _words_of(lines[at]))


def _is_underlined(line: str, under: str) -> bool:
    rule = under.rstrip()
    if len(rule) < 3 or rule[0] not in _UNDERLINES or rule.strip(rule[0]):
        return False
    return abs(len(line.rstrip()) - len(rule)) <= 1 and line[:1].isalnum() and not _ITEM.match(line)


def _caption(lines: Sequence[str], at: int) -> Region | None:
    found = _CAPTION.match(lines[at])
    return (
        Region("caption", at, at + 1)
        if found and at + 1 < len(lines) and not is_blank(lines[at + 1])
        else None
    )


def _entry(lines: Sequence[str], at: int) -> Region | None:
    end = at
    while end < len(lines) and _ENTRY.match(lines[end]):
        end += 1
    return Region("paragraph", at, end) if end > at else None


def _after_attributes(lines: Sequence[str], at: int) -> int:
    end = at
    while end < len(lines) and end < at + _MOST_ATTRIBUTES and _ATTRIBUTES.match(lines[end]):
        end += 1
    return end


def _block(lines: Sequence[str], at: int) -> Region | None:
    """A block between two equal lines, with the lines of attributes before it."""
    opening = _after_attributes(lines, at)
    if opening == len(lines):
        return None
    if not (_VERBATIM.match(lines[opening]) or _TABLE.match(lines[opening])):
        return None
    fence = re.match(r"(\W)\1*=*", lines[opening])
    mark = (fence[0] if fence else lines[opening]).rstrip()
    closed = (i for i in range(opening + 1, len(lines)) if lines[i].rstrip() == mark)
    end = next(closed, len(lines) - 1) + 1
    if _TABLE.match(lines[opening]):
        return Region("table", at, end, head=_header_end(lines, at, opening, end))
    return Region("paragraph" if mark[0] == "/" else "code", at, end)


def _header_end(lines: Sequence[str], at: int, opening: int, end: int) -> int:
    """The line after the first row where that is a header: said so, or followed by a blank line."""
    first = next((i for i in range(opening + 1, end) if not is_blank(lines[i])), end)
    said = any(_HEADER_OPTION.match(line) for line in lines[at:opening])
    blank = first == opening + 1 and first + 1 < end - 1 and is_blank(lines[first + 1])
    return first + 1 if (said or blank) and first + 1 < end else 0


def _container(lines: Sequence[str], at: int) -> Region | None:
    end = _after_attributes(lines, at)
    if end < len(lines) and _CONTAINER.match(lines[end]):
        return Region("paragraph", at, end + 1)
    return None


def _list(lines: Sequence[str], at: int) -> Region | None:
    if not _ITEM.match(lines[at]):
        return None
    end = list_end(lines, at, _ITEM)
    stop = next((i for i in range(at + 1, end) if _ends_list(lines, i)), end)
    return Region("list", at, stop)


def _ends_list(lines: Sequence[str], at: int) -> bool:
    attached = lines[at - 1].rstrip() == "+" or (
        _ATTRIBUTES.match(lines[at - 1]) and lines[at - 2].rstrip() == "+"
    )
    return (
        bool(_TITLE.match(lines[at]) or (is_blank(lines[at - 1]) and _CAPTION.match(lines[at])))
        and not attached
    )


def _paragraph(lines: Sequence[str], at: int) -> Region:
    end = at + 1
    while end < len(lines) and not is_blank(lines[end]):
        line = lines[end]
        if _VERBATIM.match(line) or _CONTAINER.match(line) or _TABLE.match(line) or _ATTRIBUTES.match(line):
            break
        end += 1
    return Region("paragraph", at, end)
