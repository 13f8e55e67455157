"""JSON: laid out over lines it is kept as it is written; else it is written out to be read.

Written out, an object or array of a few short values is one line (``name: value; part / name:
value``), those that follow one another are rows of a table, and what is larger stands under its key
as a heading. A scanner of tokens, not a parser: comments, several values after one another, and
files that break off are read, too, and nothing nests too deep.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragcli.load.data.outline import read_indented
from ragcli.load.markup.plain import read_text
from ragcli.load.source import inline
from ragcli.load.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragcli.load.parsed import Parsed
    from ragcli.load.source import Source

# A string that is not closed ends with the file.
_TOKEN = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[{}\[\],:]|//[^\n]*|/\*.{0,500}?\*/|\n|[^\s{}\[\],:"]+', re.DOTALL
)
_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL
)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\n", "b": "", "f": "\n"}
_ESCAPED_WORDS = re.compile(r"\\(?:u[0-9a-fA-F]{4}|n)")
_LONGEST_LINE = 2000
_USUAL_LINE = 100  # characters
_ROW = 600
_VALUE = 300
_DEEPEST = 60
_DEEPEST_HEADING = 6
_BEGINS = tuple('{["/')
_NAMES = ("title", "name", "label", "id", "key")


def read_json(source: Source) -> Parsed:
    """The title is the value of a top ``title`` or ``name``."""
    if _is_laid_out(source.text):
        return read_indented(source)
    values = _values(source.text) if source.text.lstrip().startswith(_BEGINS) else []
    if not values:
        return read_text(source)
    writer = Writer()
    page = _Page(writer, source)
    page.elements(values, 0)
    top = values[0].members if len(values) == 1 else []
    title = next(
        (node.text for name in _NAMES[:2] for node in top if node.key == name and node.is_scalar), ""
    )
    return writer.parsed(title if len(title) < _VALUE else "")


def _is_laid_out(text: str) -> bool:
    lines = text.strip().split("\n")
    if len(lines) < 3 or max(map(len, lines)) > _LONGEST_LINE or _ESCAPED_WORDS.search(text):
        return False
    return len(text) / len(lines) <= _USUAL_LINE


@dataclass(slots=True)
class _Node:
    """A value: ``text`` of a scalar, ``members`` of an object or array; ``line`` is an index."""

    key: str
    line: int
    is_scalar: bool = True
    text: str = ""
    members: list[_Node] = field(default_factory=list)
    size: int = 0  # characters in it and all its members, their keys included
    depth: int = 0  # of what is nested in it
    has_long: bool = False

    def sum_up(self) -> None:
        """What is known of an object or array from its members."""
        self.size = len(self.key) + len(self.text) + sum(node.size + 2 for node in self.members)
        self.depth = max((node.depth + 1 for node in self.members), default=0)
        self.has_long = (
            len(self.text) > _VALUE
            or "\n" in self.text.strip()
            or any(node.has_long for node in self.members)
        )


def _values(text: str) -> list[_Node]:
    """The values of the file; what is left open at its end is closed there."""
    root = _Node("", 0, is_scalar=False)
    stack = [root]
    line, key, pending = 0, "", None
    for part in _TOKEN.findall(text):
        if part == "\n":
            line += 1
        elif part in "{[":
            node = _Node(key, line, is_scalar=False)
            stack[-1].members.append(node)
            stack.append(node)
            key, pending = "", None
        elif part == ":" and pending is not None:
            key, pending = pending, None
        elif part in ",]}:":
            if pending is not None:
                stack[-1].members.append(_scalar(key, pending, line))
            key, pending = "", None
            if part in "]}" and len(stack) > 1:
                stack.pop().sum_up()
        elif part.startswith(("//", "/*")):
            line += part.count("\n")
        else:
            if pending is not None:
                stack[-1].members.append(_scalar(key, pending, line))
                key = ""
            pending = _decoded(part)
            line += part.count("\n")
    if pending is not None or key:
        stack[-1].members.append(_scalar(key, pending or "", line))
    while stack:
        stack.pop().sum_up()
    return root.members


def _scalar(key: str, text: str, line: int) -> _Node:
    is_long = len(text) > _VALUE or "\n" in text.strip()
    return _Node(key, line, text=text, size=len(key) + len(text), has_long=is_long)


def _decoded(part: str) -> str:
    if not part.startswith('"'):
        return part
    closed = len(part) > 1 and part.endswith('"')
    return _ESCAPE.sub(_character, part[1:-1] if closed else part[1:])


def _character(match: re.Match[str]) -> str:
    if match[1]:
        return chr(0x10000 + ((int(match[1], 16) - 0xD800) << 10) + int(match[2], 16) - 0xDC00)
    return chr(int(match[3], 16)) if match[3] else _SIMPLE.get(match[4], match[4])


class _Page:
    """Writes values for reading."""

    def __init__(self, writer: Writer, source: Source) -> None:
        self._writer = writer
        self._source = source

    def elements(self, nodes: list[_Node], level: int) -> None:
        """The elements of an array, or the members of an object, in order."""
        rows: list[tuple[str, int]] = []
        for node in nodes:
            if _is_row(node):
                rows.append((_row(node), self._line(node)))
                continue
            self._rows(rows)
            rows = []
            if node.is_scalar:
                self._long(node)
            elif node.depth > _DEEPEST:
                self._writer.paragraph(" ".join(_leaves(node)), self._line(node))
            else:
                self._container(node, level)
        self._rows(rows)

    def _container(self, node: _Node, level: int) -> None:
        members = node.members
        label = node.key
        if not label:
            named = next(
                (m for name in _NAMES for m in members if m.key == name and _is_row(m) and m.is_scalar), None
            )
            if named is not None:
                label = named.text
                members = [member for member in members if member is not named]
        if label:
            self._writer.heading(label, min(level + 1, _DEEPEST_HEADING), self._line(node))
        self.elements(members, level + 1 if label else level)

    def _rows(self, rows: list[tuple[str, int]]) -> None:
        kept = [(row, line) for row, line in rows if row]
        self._writer.rows([row for row, _ in kept], [line for _, line in kept])

    def _long(self, node: _Node) -> None:
        parts = [part for part in re.split(r"\n\s*\n", node.text) if part.strip()]
        for index, part in enumerate(parts):
            named = f"{node.key}: {part.strip()}" if node.key and index == 0 else part
            self._writer.paragraph(named, self._line(node))

    def _line(self, node: _Node) -> int:
        return self._source.numbers[min(node.line, len(self._source.numbers) - 1)]


def _is_row(node: _Node) -> bool:
    return not node.has_long and node.size <= _ROW and node.depth <= _DEEPEST


def _row(node: _Node) -> str:
    return inline("; ".join(_cells(node, node.key)))


def _cells(node: _Node, path: str) -> Iterator[str]:
    """``path: value`` of each value; those of an array stand together."""
    if node.is_scalar:
        if node.text.strip():
            yield f"{path}: {node.text}" if path else node.text
    elif all(member.is_scalar and not member.key for member in node.members):
        values = ", ".join(member.text for member in node.members if member.text.strip())
        if values:
            yield f"{path}: {values}" if path else values
    elif not path:
        for member in node.members:
            yield from _cells(member, member.key)
    else:
        for member in node.members:
            yield from _cells(member, " / ".join(filter(None, (path, member.key))))


def _leaves(node: _Node) -> Iterator[str]:
    stack = [node]
    while stack:
        current = stack.pop()
        yield from filter(None, (current.key, current.text))
        stack.extend(reversed(current.members))
