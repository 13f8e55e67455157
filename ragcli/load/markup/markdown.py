"""Markdown: a line scanner for the block structure of CommonMark with GFM tables.

It keeps the text as it is and only tells where blocks begin and end. Known departures: a list
with all that is nested in it is one block, indented code and quotes are paragraphs.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from ragcli.load.blocks import Region, is_blank, scan, to_blocks
from ragcli.load.markup.frontmatter import split_front_matter
from ragcli.load.parsed import Parsed
from ragcli.load.source import Source, inline
from ragcli.types import BlockKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})(.*)")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_ITEM = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]+\S|[ \t]*$)")
_ITEM_AMID = re.compile(r" {0,3}(?:[-*+]|1[.)])[ \t]+\S")
_DELIMITER = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_RAW_HTML = re.compile(r" {0,3}(?:(<!--)|<(pre|script|style|textarea|table)\b)", re.IGNORECASE)
_RAW_KINDS: dict[str, BlockKind] = {"": "paragraph", "table": "table"}
_CAPTION = re.compile(r"(?:Table|Figure|Listing)(?: [\d.]+)?: \S")
_ATTRIBUTES = re.compile(r"\s\{:?[^{}]*\}$")
_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\([^()]*(?:\([^()]*\)[^()]*)?\)|\[[^\[\]]*\])?")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_CODE_SPAN = re.compile(r"(`+)(.+?)\1(?!`)")
_STARS = re.compile(r"\*+")
_UNDERSCORES = re.compile(r"(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")

_AHEAD = 2000  # lines looked ahead for the end of something; keeps hostile files linear
_LABEL = 500
_SETEXT_LINES = 2


def read_markdown(source: Source) -> Parsed:
    """Text is the source after its front matter; the title is the front matter's, else a heading's."""
    lines = source.text.split("\n")
    skipped, metadata = split_front_matter(lines)
    lines = lines[skipped:]
    regions = list(scan(lines, (_fence, _atx, _rule, _raw_html, _caption, _table, _list, _paragraph)))
    title = metadata.get("title")
    return Parsed(
        title=inline(str(title)) if title is not None else first_title(regions),
        text="\n".join(lines),
        blocks=to_blocks(lines, regions),
        lines=source.places(skipped),
        metadata=metadata,
    )


def read_light(source: Source) -> Parsed:
    """The text of a record: paragraphs between blank lines and fenced code, nothing else."""
    lines = source.text.split("\n")
    regions = scan(lines, (_fence, _plain_paragraph))
    return Parsed("", source.text, to_blocks(lines, regions), source.places())


def first_title(regions: Iterable[Region]) -> str:
    """The label of the first level-1 heading, else of the first heading, else nothing."""
    headings = [region for region in regions if region.kind == "heading" and region.label]
    return next((head.label for head in headings if head.level == 1), headings[0].label if headings else "")


def words_of(markup: str) -> str:
    """A heading's words without links' addresses, emphasis, backticks, tags and attributes."""
    text = _LINK.sub(r"\1", _LINK.sub(r"\1", _ATTRIBUTES.sub("", markup[:_LABEL].strip())))
    words: list[str] = []
    done = 0
    for span in _CODE_SPAN.finditer(text):
        words += [_without_marks(text[done : span.start()]), span[2].strip()]
        done = span.end()
    words.append(_without_marks(text[done:]))
    return inline("".join(words))


def _without_marks(text: str) -> str:
    kept = _ESCAPE.sub(lambda match: chr(0xE000 + ord(match[1])), text)
    bare = _UNDERSCORES.sub("", _STARS.sub("", _TAG.sub("", kept)))
    return html.unescape(re.sub("[\ue020-\ue07f]", lambda match: chr(ord(match[0]) - 0xE000), bare))


def _fence(lines: Sequence[str], at: int) -> Region | None:
    opening = _FENCE.match(lines[at])
    if not opening or (opening[2][0] == "`" and "`" in opening[3]):
        return None
    closing = re.compile(rf"[ \t]*{opening[2][0]}{{{len(opening[2])},}}[ \t]*$")
    deep = len(opening[1].expandtabs(4)) > 3
    # An indented fence may be indented code that shows one: it counts only where it is closed.
    stop = min(len(lines), at + _AHEAD) if deep else len(lines)
    for index in range(at + 1, stop):
        if closing.match(lines[index]):
            return Region("code", at, index + 1)
    return None if deep else Region("code", at, len(lines))


def _opens_fence(line: str) -> bool:
    opening = _FENCE.match(line)
    return bool(
        opening and len(opening[1].expandtabs(4)) <= 3 and not (opening[2][0] == "`" and "`" in opening[3])
    )


def _atx(lines: Sequence[str], at: int) -> Region | None:
    found = _ATX.match(lines[at])
    if not found:
        return None
    words = (found[2] or "").rstrip()
    closed = words.rstrip("#")
    if closed != words and (not closed or closed[-1] in " \t"):
        words = closed
    return Region("heading", at, at + 1, len(found[1]), words_of(words))


def _rule(lines: Sequence[str], at: int) -> Region | None:
    return Region("paragraph", at, at + 1) if _RULE.match(lines[at]) else None


def _raw_html(lines: Sequence[str], at: int) -> Region | None:
    opening = _RAW_HTML.match(lines[at])
    if not opening:
        return None
    tag = opening[2].lower() if opening[2] else ""
    end = f"</{tag}>" if tag else "-->"
    for index in range(at, min(len(lines), at + _AHEAD)):
        if end in lines[index].lower():
            return Region(_RAW_KINDS.get(tag, "code"), at, index + 1)
    return None


def _caption(lines: Sequence[str], at: int) -> Region | None:
    """A line that names a table, as Pandoc has it: alone, or right over the table."""
    if not _CAPTION.match(lines[at]):
        return None
    alone = at + 1 == len(lines) or is_blank(lines[at + 1]) or _begins_table(lines, at + 1)
    return Region("caption", at, at + 1) if alone else None


def _begins_table(lines: Sequence[str], at: int) -> bool:
    if at + 1 >= len(lines) or "|" not in lines[at] or "|" not in lines[at + 1]:
        return False
    return bool(_DELIMITER.match(lines[at + 1]))


def _table(lines: Sequence[str], at: int) -> Region | None:
    if not _begins_table(lines, at):
        return None
    end = at + 2
    while end < len(lines) and not is_blank(lines[end]) and not _interrupts(lines, end):
        end += 1
    return Region("table", at, end, head=at + 2)


def _list(lines: Sequence[str], at: int) -> Region | None:
    if not _ITEM.match(lines[at]):
        return None
    end, after, blank = at + 1, at + 1, False
    while end < len(lines):
        line = lines[end]
        if is_blank(line):
            blank, end = True, end + 1
            continue
        nested = line[0] == "\t" or line.startswith("  ")
        item = bool(_ITEM.match(line)) and not _RULE.match(line)
        if not nested and not item and (blank or _interrupts(lines, end)):
            break
        fence = _fence(lines, end) if nested else None
        end = after = fence.end if fence else end + 1
        blank = False
    return Region("list", at, after)


def _interrupts(lines: Sequence[str], at: int) -> bool:
    line = lines[at]
    return bool(_ATX.match(line) or _opens_fence(line) or _RULE.match(line))


def _paragraph(lines: Sequence[str], at: int) -> Region:
    end = at + 1
    while end < len(lines) and not is_blank(lines[end]):
        underline = _UNDERLINE.match(lines[end])
        if underline and end - at <= _SETEXT_LINES and not lines[at].lstrip().startswith(">"):
            label = words_of(" ".join(lines[at:end]))
            return Region("heading", at, end + 1, 1 if underline[1][0] == "=" else 2, label)
        if _interrupts(lines, end) or _ITEM_AMID.match(lines[end]) or _begins_table(lines, end):
            break
        end += 1
    return Region("paragraph", at, end)


def _plain_paragraph(lines: Sequence[str], at: int) -> Region:
    end = at + 1
    while end < len(lines) and not is_blank(lines[end]) and not _opens_fence(lines[end]):
        end += 1
    return Region("paragraph", at, end)
