"""Plain text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ragcli.load.blocks import Region, is_blank, paragraph, paragraph_end, scan, to_blocks
from ragcli.load.parsed import Parsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragcli.load.source import Source

_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,4})\.?[ \t]+\S")
_LAST_OF_SENTENCE = tuple(".,;:!?。，；：！？")
_HEADING_LENGTH = 70
_CAPITALS = 6


def read_text(source: Source) -> Parsed:
    """Paragraphs between blank lines; a numbered or all-capitals line that stands alone is a heading."""
    lines = source.text.split("\n")
    return Parsed("", source.text, to_blocks(lines, scan(lines, (_heading, paragraph))), source.places())


def _heading(lines: Sequence[str], at: int) -> Region | None:
    line = lines[at].strip()
    if len(line) > _HEADING_LENGTH or line.endswith(_LAST_OF_SENTENCE) or "\t" in line:
        return None
    if paragraph_end(lines, at) != at + 1 or (at > 0 and not is_blank(lines[at - 1])):
        return None
    number = _NUMBERED.match(line)
    if number and not _is_in_a_list(lines, at):
        return Region("heading", at, at + 1, number[1].count(".") + 1, line)
    if line.isupper() and sum(char.isupper() for char in line) >= _CAPITALS and " " in line:
        return Region("heading", at, at + 1, 1, line)
    return None


def _is_in_a_list(lines: Sequence[str], at: int) -> bool:
    # Numbered lines that follow one another with nothing between them are items, not headings.
    after = next((line for line in lines[at + 1 : at + 6] if not is_blank(line)), "")
    before = next((line for line in reversed(lines[max(0, at - 5) : at]) if not is_blank(line)), "")
    return bool(not after or _NUMBERED.match(after.strip()) or _NUMBERED.match(before.strip()))
