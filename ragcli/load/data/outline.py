"""Settings and data that are laid out over lines: YAML, TOML, INI, properties, indented JSON.

The text stays as it is written; a line that opens a longer part (a key without a value of its own,
a ``[section]``) is a heading, and what stands under it is code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ragcli.load.blocks import Region, is_blank, to_blocks
from ragcli.load.parsed import Parsed
from ragcli.load.source import Source, clean, inline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KEY = re.compile(
    r"""(\s*)(?:-\s+)*(?:"([^"]{1,200})"|'([^']{1,200})'|([^\s#"'\[{&*!|>%@`-][^:#]{0,200}?))\s*:\s*(?:[\[{]\s*)?(?:#.*)?$"""
)
_SCALAR = re.compile(r":\s*(?:!\S+\s+)?[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
_SECTION = re.compile(r"\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(?:[#;].*)?$")
_TITLE = re.compile(r"""\s{0,4}["']?title["']?\s*[:=]\s*["']?(.+?)["']?,?\s*$""", re.IGNORECASE)
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_PART = 8  # lines; what is shorter stands with what is around it
_LONG = 40  # lines
_DEEPEST = 4
_TITLE_WITHIN = 50  # lines


def read_indented(source: Source) -> Parsed:
    """YAML, of one document or several, and JSON with a key on each line: parts by their indentation."""
    lines = source.text.split("\n")
    return _parsed(source, lines, _headings_by_indent(lines))


def read_sections(source: Source) -> Parsed:
    """TOML, INI and properties: parts by their ``[section]`` lines; dots in names make levels."""
    lines = source.text.split("\n")
    headings: dict[int, tuple[int, str]] = {}
    for at, line in enumerate(lines):
        found = _SECTION.match(line)
        if found:
            name = inline(found[2])
            plain = re.sub(r"\"[^\"]*\"|'[^']*'", "", name)
            headings[at] = (min(_DEEPEST, plain.count(".") + 1), name)
    return _parsed(source, lines, headings)


def read_properties(source: Source) -> Parsed:
    """As ``read_sections``, with Java's escapes (``\\u00e9``) as the characters they stand for."""
    text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), source.text)
    clean_text = clean(text).text
    same = clean_text.count("\n") == source.text.count("\n")
    return read_sections(Source(clean_text, source.numbers) if same else source)


def _parsed(source: Source, lines: Sequence[str], headings: dict[int, tuple[int, str]]) -> Parsed:
    title = next((found[1] for line in lines[:_TITLE_WITHIN] if (found := _TITLE.match(line))), "")
    return Parsed(inline(title), source.text, to_blocks(lines, _regions(lines, headings)), source.places())


def _regions(lines: Sequence[str], headings: dict[int, tuple[int, str]]) -> Iterator[Region]:
    first, base = 0, _indent_of_parts(lines, 0)
    for at in range(len(lines)):
        if at in headings:
            yield Region("code", first, at)
            yield Region("heading", at, at + 1, *headings[at])
            first, base = at + 1, _indent_of_parts(lines, at + 1)
        elif at > first and _begins_part(lines, at, first, base):
            yield Region("code", first, at)
            first = at
    yield Region("code", first, len(lines))


def _begins_part(lines: Sequence[str], at: int, first: int, base: int) -> bool:
    """The line begins a new piece: after a blank line, the next object of an array, or after many lines."""
    line, before = lines[at], lines[at - 1]
    if is_blank(line) or _indent(line) > base or line.strip()[0] in "]}":
        return False
    return is_blank(before) or before.strip() in ("},", "}", "],", "]") or at - first >= _LONG


def _indent_of_parts(lines: Sequence[str], at: int) -> int:
    """How deep the values stand that an opening bracket holds, or of the line where there is none."""
    filled = [line for line in lines[at : at + 5] if line.strip()]
    if len(filled) > 1 and filled[0].strip() == "[":
        return _indent(filled[1])
    return _indent(filled[0]) if filled else 0


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _headings_by_indent(lines: Sequence[str]) -> dict[int, tuple[int, str]]:
    headings: dict[int, tuple[int, str]] = {}
    ends = _ends(lines)
    open_: list[int] = []  # where the parts end that we are in
    at = 0
    while at < len(lines):
        while open_ and at >= open_[-1]:
            open_.pop()
        found = _KEY.match(lines[at])
        if found and ends[at] - at > _PART and len(open_) < _DEEPEST:
            label = inline(found[2] or found[3] or found[4])
            open_.append(ends[at])
            headings[at] = (len(open_), label)
        # A block of text may hold anything that looks like a key.
        at = ends[at] if _SCALAR.search(lines[at]) else at + 1
    return headings


def _ends(lines: Sequence[str]) -> list[int]:
    """For each line, the first line after it that is not blank and no deeper; items of a list are deeper."""
    ends = [len(lines)] * len(lines)
    waiting: list[tuple[int, int]] = []
    for at, line in enumerate(lines):
        if is_blank(line):
            ends[at] = at + 1
            continue
        indent = 2 * _indent(line)
        indent += line.lstrip().startswith("- ")  # may stand as deep as the key that it belongs to
        while waiting and waiting[-1][0] >= indent:
            ends[waiting.pop()[1]] = at
        waiting.append((indent, at))
    return ends
