"""The grammars of tree-sitter: which format is parsed with which, and for how long."""

from __future__ import annotations

import re
import time
from functools import cache
from importlib import import_module
from itertools import count
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tree_sitter import Node, Parser

# Format → module of the grammar and the function in it that returns the language.
GRAMMARS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "c": ("tree_sitter_c", "language"),
        "cpp": ("tree_sitter_cpp", "language"),
        "csharp": ("tree_sitter_c_sharp", "language"),
        "go": ("tree_sitter_go", "language"),
        "java": ("tree_sitter_java", "language"),
        "javascript": ("tree_sitter_javascript", "language"),
        "kotlin": ("tree_sitter_kotlin", "language"),
        "lua": ("tree_sitter_lua", "language"),
        "php": ("tree_sitter_php", "language_php"),
        "python": ("tree_sitter_python", "language"),
        "ruby": ("tree_sitter_ruby", "language"),
        "rust": ("tree_sitter_rust", "language"),
        "scala": ("tree_sitter_scala", "language"),
        "shell": ("tree_sitter_bash", "language"),
        "swift": ("tree_sitter_swift", "language"),
        "typescript": ("tree_sitter_typescript", "language_typescript"),
        "tsx": ("tree_sitter_typescript", "language_tsx"),
    }
)

_LONGEST = 10_000_000  # bytes; a tree takes some thirty times the room of its text
_SLICE = 65_536
# A million bytes of a program take less than half a second. What takes many times that is lost in
# the repair of errors, which some grammars do in quadratic time.
_SECONDS = 2.0
_SECONDS_PER_BYTE = 2e-6
_REPORTS = 16  # the parser reports every hundred steps or so, and asking for the time has its price
_CPP = re.compile(rb"^[ \t]*(?:class\s+\w|namespace\b|template\s*<|using\s+\w|public\s*:)", re.MULTILINE)


def grammar_of(format_: str, name: str, data: bytes) -> str:
    """The key in GRAMMARS for a file: headers may be of C or C++, and TSX is a grammar of its own."""
    suffix = PurePath(name).suffix.lower()
    if format_ == "typescript" and suffix == ".tsx":
        return "tsx"
    if format_ == "c" and suffix == ".h" and _CPP.search(data):
        return "cpp"
    return format_


def parse(data: bytes, grammar: str) -> Node | None:
    """The root of the syntax tree; None where the content is too long or too broken to be worth it."""
    if len(data) > _LONGEST:
        return None
    end = time.thread_time() + _SECONDS + _SECONDS_PER_BYTE * len(data)

    reports = count()

    def is_enough(_offset: int, _broken: bool) -> bool:
        return next(reports) % _REPORTS == 0 and time.thread_time() > end

    def read(offset: int, _point: object) -> bytes:
        return data[offset : offset + _SLICE]

    parser = _parser(grammar)
    try:
        tree = parser.parse(read, progress_callback=is_enough)
    except ValueError:  # stopped
        parser.reset()
        return None
    return tree.root_node if tree else None


@cache
def _parser(grammar: str) -> Parser:
    from tree_sitter import Language, Parser

    module, function = GRAMMARS[grammar]
    return Parser(Language(getattr(import_module(module), function)()))
