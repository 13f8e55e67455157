"""Source code cut at its definitions: each function, method and class is a section of its own.

The text is the source as it stands. The first line of a definition (or of the comment or decorator
right above it) is a heading block whose label is the signature, so that a passage knows its class
and its function; the rest of it is a code block whose ``head`` ends after the signature and the
docstring, where these are short. What stands between definitions is told by its own first line.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ragcli.load.blocks import Region, is_blank, to_blocks
from ragcli.load.code.grammars import grammar_of, parse
from ragcli.load.code.outline import outline
from ragcli.load.code.plain import read_code
from ragcli.load.parsed import Parsed

if TYPE_CHECKING:
    from ragcli.load.code.outline import Definition, Outline
    from ragcli.load.source import Source
    from ragcli.types import Block

_LONGEST_HEAD = 400  # characters that every piece of a function may repeat
_LONGEST_HEADING = 400
_LABEL = 80
_SAYS_LITTLE = 12
_RULE = re.compile(r"([^\w\s])\1{2,}")
_CLOSES = re.compile(
    r"\s*(?:(?:end|fi|done|esac)\b[\s;)]*|[})\]][})\];,\s]*(?:\([^()]*\))?[);,\s]*|#\s*endif\b|\?>|</[\w-]+>)"
    r"\s*(?://.*|/\*.*|#.*|--.*)?"
)


def read_definitions(source: Source, format_: str, name: str) -> Parsed:
    """Blocks along the syntax tree; along the indentation where there is none."""
    data = source.text.encode()
    root = parse(data, grammar_of(format_, name, data))
    if root is None:
        return read_code(source)
    lines = source.text.split("\n")
    return Parsed("", source.text, blocks_along(lines, outline(root, data)), source.places())


def blocks_along(lines: Sequence[str], made: Outline) -> tuple[Block, ...]:
    """Blocks over ``"\\n".join(lines)``, a section for each definition of the outline."""
    return to_blocks(lines, _tidied(_Sections(lines).of(made, 0, len(lines), 1), lines))


class _Sections:
    """Regions of the lines of a program, in order, all lines covered."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    def of(self, made: Outline, first: int, end: int, level: int, opening: int = 0) -> Iterator[Region]:
        """What an outline says of the rows ``[first, end)``; ``opening``: the row where a definition's head ends."""
        at = first
        for definition in made.definitions:
            if at < definition.first:
                yield from self._between(made, at, definition.first, level, opening, at > first)
            yield from self._definition(definition, level)
            at = definition.end
        if at < end:
            yield from self._between(made, at, end, level, opening, at > first)

    def _definition(self, definition: Definition, level: int) -> Iterator[Region]:
        first, end = definition.first, definition.end
        if len(self._lines[first]) <= _LONGEST_HEADING:
            yield Region("heading", first, first + 1, level, definition.label or self._label(first, end))
            first += 1
        head = self._head(definition, first)
        yield from self.of(definition.within, first, end, level + 1, head)

    def _head(self, definition: Definition, first: int) -> int:
        """The row at which the head of a definition ends: after docstring, its summary, or signature."""
        summary = next(
            (row for row in range(definition.signature, definition.opening) if is_blank(self._lines[row])),
            definition.opening,
        )
        for end in (definition.opening, summary, definition.signature):
            if first < end and sum(len(line) + 1 for line in self._lines[first:end]) <= _LONGEST_HEAD:
                return end
        return 0

    def _between(
        self, made: Outline, first: int, end: int, level: int, head: int, follows: bool
    ) -> Iterator[Region]:
        """What is no definition. After one it needs a heading, not to be taken for a part of it."""
        if follows:
            stop = first
            while stop < end and self._closes(self._lines[stop]):
                stop += 1
            yield Region("code", first, stop, level=-1)
            first, head = stop, 0
            if first < end and len(self._lines[first]) <= _LONGEST_HEADING:
                yield Region("heading", first, first + 1, level, self._label(first, end))
                first += 1
        starts = made.starts[bisect_left(made.starts, max(first + 1, head)) : bisect_left(made.starts, end)]
        if starts and all(line.strip() in ("", "{") for line in self._lines[head or first : starts[0]]):
            del starts[0]  # neither a head nor a brace stands alone
        for start, stop in zip([first, *starts], [*starts, end], strict=True):
            yield Region("code", start, stop, head=head)
            head = 0

    @staticmethod
    def _closes(line: str) -> bool:
        return is_blank(line) or (len(line) <= _LONGEST_HEADING and bool(_CLOSES.fullmatch(line)))

    def _label(self, first: int, end: int) -> str:
        """The first line, and those after it where it says little: ``try:``, a row of asterisks."""
        label = ""
        for line in self._lines[first : min(end, first + 5)]:
            label = " ".join(f"{label} {_RULE.sub('', line)}".split())
            if len(label) >= _SAYS_LITTLE:
                break
        label = label or self._lines[first].strip()
        return label if len(label) <= _LABEL else label[: _LABEL - 1].rstrip() + "…"


def _tidied(regions: Iterator[Region], lines: Sequence[str]) -> list[Region]:
    """Without empty regions; lines that only close (level -1) belong to what they close."""
    kept: list[Region] = []
    for region in regions:
        if all(is_blank(line) for line in lines[region.first : region.end]):
            continue
        if region.level < 0 and kept and kept[-1].kind == "code":
            kept[-1] = replace(kept[-1], end=region.end)
        else:
            kept.append(region if region.level >= 0 else replace(region, level=0))
    return kept
