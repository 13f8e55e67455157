"""Source code: the text as it stands, cut at what it defines, each definition under its own name."""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from ragcli.load.code import grammars
from ragcli.types import Document

from .support import check, document, texts

# Per file name: a class and how it ends, a method in it, a function, a statement; N stands for a name.
_C = ("", "", "", "int N(int a) {\n  return a;\n}", "int N;")
_LANGUAGES = {
    "a.c": _C,
    "a.h": _C,
    "a.cpp": (
        "class N {",
        "};",
        "  int N(int a) {\n    return a;\n  }",
        "int N(int a) {\n  return a;\n}",
        "int N;",
    ),
    "a.hpp": (
        "namespace N {",
        "}",
        "int N() const {\n  return a;\n}",
        "int N(int a) {\n  return a;\n}",
        "int N;",
    ),
    "a.cs": (
        "public class N : B {",
        "}",
        "  public int N(int a) {\n    return a;\n  }",
        "",
        "using N;",
    ),
    "a.go": (
        "",
        "",
        "",
        "func N(a int) int {\n	return a\n}",
        "var N = 1",
    ),
    "a.java": (
        "final class N extends B {",
        "}",
        "  public int N(int a) {\n    return a;\n  }",
        "",
        "import N;",
    ),
    "a.js": (
        "export class N extends B {",
        "}",
        "  async N(a) {\n    return a;\n  }",
        "const N = (a) => {\n  b();\n};",
        "let N;",
    ),
    "a.tsx": (
        "abstract class N {",
        "}",
        "  N(a: X): Y {\n    return <p>a</p>;\n  }",
        "export function N(a: X) {\n  b();\n}",
        "let N;",
    ),
    "a.ts": (
        "namespace N {",
        "}",
        "  function N(a: X) {\n    b();\n  }",
        "interface N {\n  a: <T>(b) => T;\n}",
        "let N;",
    ),
    "a.kt": (
        "class N(val a: Int) : B() {",
        "}",
        "    fun N(a: Int) {\n        b()\n    }",
        "fun N() {\n    b()\n}",
        "val N = 1",
    ),
    "a.lua": (
        "",
        "",
        "",
        "local function N(a)\n  return a\nend",
        "local N = 1",
    ),
    "a.php": (
        "",
        "",
        "",
        "function N($a) {\n  return $a;\n}",
        "$N = 1;",
    ),
    "a.py": (
        "class N(B):",
        "",
        "    def N(self):\n        return 1",
        "async def N(a):\n    return a",
        "N = 1",
    ),
    "a.rb": (
        "class N < B",
        "end",
        "  def N(a)\n    a\n  end",
        "def self.N\n  b\nend",
        "N = 1",
    ),
    "a.rs": (
        "impl B for N {",
        "}",
        "    pub fn N(&self) -> C {\n        a\n    }",
        "struct N {\n    a: B,\n}",
        "use N;",
    ),
    "a.scala": (
        "object N extends B {",
        "}",
        "  def N(a: Int): Int = {\n    a\n  }",
        "trait N {\n  val a: B\n}",
        "import N",
    ),
    "a.sh": (
        "",
        "",
        "",
        "N() {\n  echo a\n}",
        "N=1",
    ),
    "a.swift": (
        "extension N {",
        "}",
        "    func N(a: Int) -> Int {\n        b()\n    }",
        "struct N {\n    let a: Int\n}",
        "let N = 1",
    ),
}
_ENDS = (" {", " =>", " =", ":")


@pytest.mark.parametrize("name", sorted(_LANGUAGES))
def test_every_definition_stands_under_its_name_and_its_class(name: str, tmp_path: Path) -> None:
    for seed in range(12):
        source, expected = _program(
            random.Random(seed),
            *_LANGUAGES[name],
            comment="#" if name[2:] in ("py", "rb", "sh") else "--" if name == "a.lua" else "//",
        )
        source = f"<?php\n{source}" if name == "a.php" else source
        page = document(tmp_path, name, source)
        assert page.text == source
        assert _paths(page) == expected, source
        assert page.lines is not None
        for block in page.blocks:
            assert page.lines.at(block.start) == source.count("\n", 0, block.start) + 1


def _program(
    chance: random.Random, opens: str, closes: str, method: str, function: str, statement: str, comment: str
) -> tuple[str, list[tuple[str, ...]]]:
    """A program, and the path of each definition in it."""
    names = (f"name_{number}" for number in count(1))
    parts = [statement.replace("N", next(names)) for _ in range(2)]
    paths: list[tuple[str, ...]] = []

    def define(template: str, *above: str) -> str:
        remark = f"{comment} About {next(names)}\n" if chance.random() < 0.5 else ""
        indent = template[: len(template) - len(template.lstrip())]
        made = template.replace("N", next(names))
        paths.append((*above, _label(made.split("\n")[0])))
        return indent * bool(remark) + remark + made

    for _ in range(chance.randint(1, 4)):
        if opens and (not function or chance.random() < 0.5):
            first = opens.replace("N", next(names))
            paths.append((_label(first),))
            body = [define(method, _label(first)) for _ in range(chance.randint(1, 3))]
            parts.append("\n".join([first, "\n\n".join(body), *([closes] if closes else [])]))
        else:
            parts.append(define(function))
    return "\n\n".join([*parts, ""]), paths


def _label(line: str) -> str:
    for end in _ENDS:
        line = line.removesuffix(end)
    return line.strip()


def _paths(page: Document) -> list[tuple[str, ...]]:
    path: list[str] = []
    found = []
    for block in page.blocks:
        if block.kind == "heading":
            path = [*path[: block.level - 1], block.label]
            found.append(tuple(path))
    return found


PYTHON = '''#!/usr/bin/env python
# Licence: none.

"""What the module does."""

import os
import sys
LIMIT = 3

# Where things
# are kept.
@final
class Store(Base):
    """Keeps things."""

    size = 1

    def get(
        self,
        name: str,
    ) -> int:
        """Return it.

        At length.
        """
        return self.size

    other = 2


if __name__ == "__main__":
    Store().get("x")
'''


def test_blocks_of_a_module(tmp_path: Path) -> None:
    page = document(tmp_path, "store.py", PYTHON)
    assert (page.format, page.title, page.text) == ("python", "store.py", PYTHON)
    assert [(b.level, b.label) for b in page.blocks if b.kind == "heading"] == [
        (1, "class Store(Base)"),
        (2, "def get(self, name: str) -> int"),
        (2, "other = 2"),
        (1, 'if __name__ == "__main__":'),
    ]
    assert texts(page)[:4] == [
        ("code", "#!/usr/bin/env python\n# Licence: none."),
        ("code", '"""What the module does."""'),
        ("code", "import os\nimport sys"),
        ("code", "LIMIT = 3"),
    ]
    heads = [page.text[b.start : b.head] for b in page.blocks if b.head]
    assert heads == [
        '# are kept.\n@final\nclass Store(Base):\n    """Keeps things."""',
        '        self,\n        name: str,\n    ) -> int:\n        """Return it.\n\n        At length.\n        """',
    ]


def test_of_a_long_docstring_the_summary_is_the_head(tmp_path: Path) -> None:
    text = 'def f(a):\n    """Sum up.\n\n' + "    And tell it at length.\n" * 40 + '    """\n    return a\n'
    [_, body] = document(tmp_path, "a.py", text).blocks
    assert text[body.start : body.head] == '    """Sum up.'


def test_long_signatures_are_shortened_to_their_name(tmp_path: Path) -> None:
    text = f"def f({', '.join(f'argument_{n}' for n in range(20))}):\n    pass\n"
    assert document(tmp_path, "a.py", text).blocks[0].label == "def f(…)"


def test_a_long_function_is_told_by_the_functions_within(tmp_path: Path) -> None:
    inner = "  function inner(a) {\n    return a;\n  }\n"
    long = "(function (window) {\n" + "  window.x = 1;\n" * 300 + inner + "})(this);\n"
    assert _paths(document(tmp_path, "a.js", long)) == [
        ("(function (window)",),
        ("(function (window)", "function inner(a)"),
    ]
    assert _paths(document(tmp_path, "a.js", "function f() {\n" + inner + "}\n")) == [("function f()",)]


def test_errors_do_not_hide_what_is_defined_around_them(tmp_path: Path) -> None:
    text = "def f():\n    return 1\n\nx = = (3\n)) $$\n\ndef g():\n    return 2\n"
    page = document(tmp_path, "a.py", text)
    assert page.text == text
    assert {"def f()", "def g()"} <= {b.label for b in page.blocks}


@pytest.mark.parametrize(
    ("name", "first", "format_"),
    [
        ("run", "#!/usr/bin/env python3\n", "python"),
        ("run", "#!/usr/bin/python3.11 -u\n", "python"),
        ("run", "#! /usr/bin/env -S node --harmony\n", "javascript"),
        ("run", "#!/bin/sh\n", "shell"),
        ("run", "#!/opt/strange\n", "text"),
        ("run", "#!\n", "text"),
        ("run.txt", "#!/bin/sh\n", "text"),
        ("Gemfile", "", "ruby"),
    ],
)
def test_scripts_without_a_suffix(name: str, first: str, format_: str, tmp_path: Path) -> None:
    assert document(tmp_path, name, first + "words\n").format == format_


def test_headers_are_of_c_or_of_cpp(tmp_path: Path) -> None:
    text = "class A : public B {\n public:\n  int f() {\n    return 1;\n  }\n};\n"
    assert _paths(document(tmp_path, "a.h", text)) == [
        ("class A : public B",),
        ("class A : public B", "int f()"),
    ]


def test_html_around_php(tmp_path: Path) -> None:
    text = "<html>\n<?php\nfunction f() {\n  return 1;\n}\n?>\n<p>Hello</p>\n</html>\n"
    page = document(tmp_path, "a.php", text)
    assert page.text == text
    assert _paths(page) == [("function f()",), ("<p>Hello</p>",)]


@pytest.mark.parametrize("line", ["function a(b){return{c:[b+1]}};", "((((", "{a:'b',c:[1,2]},"])
def test_a_million_characters_on_one_line(line: str, tmp_path: Path) -> None:
    text = line * (1_000_000 // len(line))
    page = document(tmp_path, "a.min.js", text)
    assert [(b.kind, b.start, b.end) for b in page.blocks] == [("code", 0, len(text))]


def test_what_takes_too_long_to_parse_is_cut_at_its_indentation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "def f():\n    return 1\n\n" * 2000
    monkeypatch.setattr(grammars, "_SECONDS", 0.0)
    page = document(tmp_path, "a.py", text)
    assert {b.kind for b in page.blocks} == {"code"}
    monkeypatch.undo()
    assert "heading" in {b.kind for b in document(tmp_path, "a.py", text).blocks}


def test_a_grammar_is_imported_when_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f():\n    pass\n")
    code = (
        "import sys; from pathlib import Path; from ragcli.load import load_file\n"
        "names = lambda: sorted(name for name in sys.modules if name.startswith('tree_sitter') and '.' not in name)\n"
        "print(names()); list(load_file(Path(sys.argv[1]), path='a.py')); print(names())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.py")], check=True, capture_output=True, text=True
    )
    assert done.stdout.split("\n")[:2] == ["[]", "['tree_sitter', 'tree_sitter_python']"]


def test_the_standard_library_is_covered(tmp_path: Path) -> None:
    folder = Path(random.__file__).parent
    for name in ("argparse.py", "typing.py", "smtplib.py", "ast.py"):
        page = document(tmp_path, name, (folder / name).read_bytes())
        check(page)
        assert all(block.head == 0 or block.start < block.head < block.end for block in page.blocks)
    labels = [block.label for block in page.blocks if block.kind == "heading"]
    assert "class NodeVisitor(object)" in labels
