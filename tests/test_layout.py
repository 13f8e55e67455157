"""The line that the data walks: who may import whom, and which room knows which package."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "ragcli"
# STYLE.md has evaluate behind pipeline; it takes a plain `search(query)` and needs nothing of
# pipeline, whose `judge` hands it one: so it stands before it.
LINE = [
    "types",
    "errors",
    "plain",
    "places",
    "settings",
    "disk",
    "jsontext",
    "cache",
    "cores",
    "interrupts",
    "guard",
    "analyze",
    "sentences",
    "tokens",
    "locks",
    "service",
    "load",
    "chunk",
    "budget",
    "encoder",
    "embed",
    "rerank",
    "catalog",
    "store",
    "search",
    "prompt",
    "answer",
    "evaluate",
    "pipeline",
    "render",
    "cli",
]
# Where a package may be imported, here or in a room or file below.
HOMES = {
    "typer": ["cli"],
    "rich": ["render"],
    "chromadb": ["store/chroma.py"],
    "chromadb_rust_bindings": ["store/chroma.py"],
    "openvino": ["encoder/compiled.py"],
    "tantivy": ["store/lexical.py"],
    "torch": ["embed", "rerank"],
    "transformers": ["embed", "rerank"],
    "sentence_transformers": ["embed"],
    "openai": ["answer", "embed"],
    "anthropic": ["answer"],
    "httpx": [],
    "httpx2": ["service", "embed"],
    "pypdf": ["load"],
    "pypdfium2": ["load"],
    "selectolax": ["load"],
    "lxml": ["load"],
    "msoffcrypto": ["load/office"],
    "olefile": ["load/office", "load/mail"],
    "tree_sitter": ["load/code"],
    "charset_normalizer": ["load"],
    "py7zr": ["load/archive"],
    "cryptography": ["load/office"],
    "tiktoken": ["budget.py"],
    "model2vec": ["embed/static.py"],
    "sqlite3": ["catalog"],
    "rank_bm25": ["search"],
    "Stemmer": ["analyze.py"],
    "rjieba": ["analyze.py"],
    "tokenizers": ["tokens.py", "embed", "rerank"],
}
HEAVY = set(HOMES) - {"typer", "sqlite3"} | {"numpy"}
MODULES = sorted(ROOT.rglob("*.py"))


class Import:
    """One import: the module's full name, whether it is made on import, and its line."""

    def __init__(self, module: str, line: int, *, eager: bool, names: list[str]) -> None:
        self.module, self.line, self.eager, self.names = module, line, eager, names


def imports(file: Path) -> Iterator[Import]:
    """Every import of a module, those inside functions included."""
    yield from _within(ast.parse(file.read_text("utf-8")), eager=True)


def _within(node: ast.AST, *, eager: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for name in child.names:
                yield Import(name.name, child.lineno, eager=eager, names=[])
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are written in full"
            names = [name.name for name in child.names]
            yield Import(child.module or "", child.lineno, eager=eager, names=names)
        else:
            lazy = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or (
                isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            )
            yield from _within(child, eager=eager and not lazy)


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def room_of(file: Path) -> str:
    return name_of(file).split("/", maxsplit=1)[0].removesuffix(".py")


each_module = pytest.mark.parametrize("file", MODULES, ids=name_of)


@each_module
def test_imports_only_what_stands_to_the_left(file: Path) -> None:
    room = room_of(file)
    for found in imports(file):
        if found.module.split(".")[0] != "ragcli":
            continue
        assert found.module != "ragcli", f"{file}:{found.line} imports from the package root"
        other = found.module.split(".")[1]
        if room == "__main__":
            assert other == "cli"
        else:
            assert LINE.index(other) <= LINE.index(room), f"{file}:{found.line} imports {found.module}"


@each_module
def test_each_package_is_known_to_its_room_alone(file: Path) -> None:
    for found in imports(file):
        homes = HOMES.get(found.module.split(".")[0])
        if homes is not None:
            at_home = any(name_of(file) == home or name_of(file).startswith(f"{home}/") for home in homes)
            assert at_home, f"{file}:{found.line} imports {found.module}"


@each_module
def test_heavy_packages_are_imported_where_they_are_used(file: Path) -> None:
    eager = [found for found in imports(file) if found.eager]
    assert not [found.module for found in eager if found.module.split(".")[0] in HEAVY]


@each_module
def test_rooms_are_entered_by_names_that_are_no_secrets(file: Path) -> None:
    for found in imports(file):
        if found.module.startswith("ragcli.") and found.module.split(".")[1] != room_of(file):
            assert not [name for name in found.names if name.startswith("_")]


def test_every_room_stands_in_the_line() -> None:
    assert {room_of(file) for file in MODULES} - {"__main__", "__init__"} == set(LINE)


def test_no_drawer_for_odds_and_ends() -> None:
    odd = {"utils", "util", "helpers", "common", "base", "manager", "misc"}
    assert not [file for file in MODULES if file.stem in odd]
