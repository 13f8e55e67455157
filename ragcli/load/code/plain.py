"""Source code without a grammar: pieces that begin where the indentation says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragcli.load.blocks import Region, is_blank, scan, to_blocks
from ragcli.load.parsed import Parsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragcli.load.source import Source


def read_code(source: Source) -> Parsed:
    """Pieces that begin at a line without indentation after a blank line, so that a function stays whole."""
    lines = source.text.split("\n")
    return Parsed("", source.text, to_blocks(lines, scan(lines, (_top_level,))), source.places())


def _top_level(lines: Sequence[str], at: int) -> Region:
    end = at + 1
    while end < len(lines) and not (is_blank(lines[end - 1]) and _opens(lines[end])):
        end += 1
    return Region("code", at, end)


def _opens(line: str) -> bool:
    return not is_blank(line) and line[0] not in " \t}])" and line.split()[0] not in ("end", "fi", "done")
