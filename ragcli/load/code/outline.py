"""From a syntax tree to the rows of a program: definitions with their members, and what lies between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from ragcli.load.code.vocabulary import (
    BODIES,
    CONTAINERS,
    HELD,
    HOLDERS,
    IMPORTS,
    MARKS,
    ROUTINES,
    THROUGH,
    WRAPPERS,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_LONG = 4_000  # bytes; a routine that is longer is told by the definitions within it
_DEEPEST = 8  # definitions within definitions
_MOST_WITHIN = 40  # nodes looked at for what a statement holds
_LABEL = 80
_OPENS = ("{", ":", "=>", "=", "->", " do", " is")


@dataclass(frozen=True, slots=True)
class Definition:
    """Rows ``[first, end)`` that define something, comments and decorators above it included.

    ``signature`` and ``opening`` are the rows after the signature, and after the docstring or
    comment that follows it. ``label`` is the signature in one line.
    """

    first: int
    end: int
    signature: int
    opening: int
    label: str
    within: Outline


@dataclass(slots=True)
class Outline:
    """Definitions in order and apart; ``starts`` are the rows at which what else there is may be cut."""

    definitions: list[Definition] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)


def outline(root: Node, data: bytes) -> Outline:
    """The outline of a whole program; rows count from 0."""
    return _Outliner(data).of(root, 0, 0)


@dataclass(frozen=True, slots=True)
class _Outliner:
    data: bytes

    def of(self, body: Node, first: int, depth: int) -> Outline:
        """What a program or a definition defines from row ``first`` on."""
        made = Outline()
        end = first  # rows before it are taken
        above: int | None = None  # the first row of the comments right above
        importing = False
        for node in _children(body):
            start, stop = _rows(node)
            if start < end or not self._begins_its_row(node):
                end, above = max(end, stop), None
                continue
            is_remark = node.type in MARKS or (_is_comment(node) and not self._is_shebang(node))
            changes = not is_remark and importing != (node.type in IMPORTS)
            if start > end or changes:
                made.starts.append(start)
                above = above if start == end else None
            if is_remark:
                above = start if above is None else above
            else:
                importing = node.type in IMPORTS
                definition = self._definition(node, start if above is None else above, depth)
                if definition:
                    made.definitions.append(definition)
                above = None
            end = max(end, stop)
        return made

    def _definition(self, node: Node, first: int, depth: int) -> Definition | None:
        start, end = _rows(node)
        named = _unwrapped(node) if end - start > 1 else None
        if named is None:
            return None
        body = _body(named)
        words = _words_start(node)
        words_row, stop = self._signature_end(words, _first_remark(named, words) or body)
        signature = max(words_row, first) + 1
        within = Outline()
        if (
            body
            and depth < _DEEPEST
            and (named.type in CONTAINERS or node.end_byte - node.start_byte > _LONG)
        ):
            within = self.of(named, signature, depth + 1)
        opening = max(signature, _opening_end(named, signature)) if body else signature
        if within.definitions and within.definitions[0].first < opening:
            opening = signature
        return Definition(first, end, signature, opening, self._label(named, words, stop), within)

    def _signature_end(self, words: Node, after: Node | None) -> tuple[int, int]:
        """The row of the last byte of a signature that begins with ``words``, and where it ends."""
        if after is None or after.start_byte <= words.start_byte:
            stop = self.data.find(b"\n", words.start_byte)
            return words.start_point.row, len(self.data) if stop < 0 else stop
        text = self.data[words.start_byte : after.start_byte].rstrip()
        return words.start_point.row + text.count(b"\n"), words.start_byte + len(text)

    def _label(self, named: Node, words: Node, stop: int) -> str:
        if named.type == "type_definition" and (declared := named.child_by_field_name("declarator")):
            return _shortened(f"typedef {_one_line(self.data[declared.start_byte : declared.end_byte])}")
        label = _one_line(self.data[words.start_byte : stop])
        parameters = _parameters(named) if len(label) > _LABEL else None
        if parameters and parameters.start_byte > words.start_byte:
            label = _one_line(self.data[words.start_byte : parameters.start_byte]) + "(…)"
        return _shortened(label)

    def _begins_its_row(self, node: Node) -> bool:
        at = node.start_byte
        return not self.data[at - node.start_point.column : at].strip()

    def _is_shebang(self, node: Node) -> bool:
        return node.start_byte == 0 and self.data.startswith(b"#!")


def _children(body: Node) -> Iterator[Node]:
    """The named nodes of a body in order, those in conditions, blocks and errors too."""
    stack = [iter(body.children)]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
        elif node.type in THROUGH:
            stack.append(iter(node.children))
        elif node.is_named:
            yield node


def _rows(node: Node) -> tuple[int, int]:
    start, last = node.start_point.row, node.end_point
    return start, max(start + 1, last.row + (last.column > 0))


def _is_comment(node: Node) -> bool:
    return "comment" in node.type


def _unwrapped(node: Node) -> Node | None:
    """The node that defines, within decorators, exports and statements that hold it."""
    while node.type in WRAPPERS:
        inner = next((child for child in node.children if child.type in _DEFINING), None)
        if inner is None:
            break
        node = inner
    if node.type in CONTAINERS or node.type in ROUTINES:
        return node
    return _held(node) if node.type in HOLDERS else None


_DEFINING = CONTAINERS | ROUTINES | WRAPPERS | HOLDERS


def _held(statement: Node) -> Node | None:
    """The function, class or object that makes up most of a statement."""
    queue = list(statement.named_children)
    most = (statement.end_byte - statement.start_byte) / 2
    for seen, node in enumerate(queue):
        if seen >= _MOST_WITHIN:
            break
        if node.end_byte - node.start_byte < most:
            continue
        if node.type in HELD:
            return node
        queue += node.named_children
    return None


def _body(named: Node) -> Node | None:
    if named.type == "object":
        return named
    body = named.child_by_field_name("body")
    if body is None:
        holder = named.child_by_field_name("type") or named
        body = next((child for child in holder.children if child.type in BODIES), None)
    return body


def _parameters(named: Node) -> Node | None:
    """The parameters of a function; in C they are those of its declarator."""
    inner: Node | None = named
    while inner and not (parameters := inner.child_by_field_name("parameters")):
        inner = inner.child_by_field_name("declarator")
    return parameters if inner else None


def _words_start(node: Node) -> Node:
    """The first node of a definition that is no annotation, decorator or comment."""
    while True:
        if node.type == "template_declaration":
            return node.children[-1] if node.children[-1].is_named else node
        words = [child for child in node.children if child.type not in MARKS and not _is_comment(child)]
        if not words or (len(words) == len(node.children) and words[0].type != "modifiers"):
            return node
        if words[0].type == "modifiers" and all(child.type in MARKS for child in words[0].children):
            words = words[1:] or words
        if words[0].type not in ("modifiers", "class_definition", "function_definition"):
            return words[0]
        node = words[0]


def _first_remark(named: Node, words: Node) -> Node | None:
    """The first comment between the signature and the body of a definition."""
    return next(
        (node for node in named.children if _is_comment(node) and node.start_byte > words.start_byte), None
    )


def _opening_end(named: Node, signature: int) -> int:
    """The row after the docstring or the comments that follow a signature; 0 where there are none."""
    end = 0
    for node in islice(_children(named), _MOST_WITHIN):
        first, stop = _rows(node)
        if first < signature:
            continue
        is_docstring = node.type == "expression_statement" and node.children[0].type == "string"
        if _is_comment(node) and first <= (end or signature):
            end = stop
        else:
            return stop if is_docstring and not end else end
    return end


def _one_line(text: bytes) -> str:
    label = " ".join(text.decode("utf-8", "replace").split())
    label = label.replace("( ", "(").replace(", )", ")").replace(" )", ")")
    while label.endswith(_OPENS):
        label = label[: -len(next(end for end in _OPENS if label.endswith(end)))].rstrip()
    return label


def _shortened(label: str) -> str:
    return label if len(label) <= _LABEL else label[: _LABEL - 1].rstrip() + "…"
