"""Source code: the text as it stands, cut at what it defines, each definition under its own name."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from ragcli.load.code import grammars
from ragcli.types import Document

from .programs import LANGUAGES, PYTHON, program
from .support import check, document, texts


@pytest.mark.parametrize("suffix", sorted(LANGUAGES))
def test_every_definition_stands_under_its_name_and_its_class(suffix: str, tmp_path: Path) -> None:
    for seed in range(12):
        source, expected = program(suffix, seed)
        page = document(tmp_path, f"a{suffix}", source)
        assert page.text == source
        assert _paths(page) == expected, source
        assert page.lines is not None
        for block in page.blocks:
            assert page.lines.at(block.start) == source.count("\n", 0, block.start) + 1


def _paths(page: Document) -> list[tuple[str, ...]]:
    path: list[str] = []
    found = []
    for block in page.blocks:
        if block.kind == "heading":
            path = [*path[: block.level - 1], block.label]
            found.append(tuple(path))
    return found


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
    heads = [page.text[b.start : b.head].rstrip() for b in page.blocks if b.head]
    assert heads == [
        '# are kept.\n@final\nclass Store(Base):\n    """Keeps things."""',
        '        self,\n        name: str,\n    ) -> int:\n        """Return it.\n\n        At length.\n        """',
    ]


def test_of_a_long_docstring_the_summary_is_the_head(tmp_path: Path) -> None:
    text = 'def f(a):\n    """Sum up.\n\n' + "    And tell it at length.\n" * 40 + '    """\n    return a\n'
    [_, body] = document(tmp_path, "a.py", text).blocks
    assert text[body.start : body.head].rstrip() == '    """Sum up.'


def test_long_signatures_are_shortened_to_their_name(tmp_path: Path) -> None:
    names = ", ".join(f"int argument_{n}" for n in range(20))
    python = f"def f({names.replace('int ', '')}):\n    pass\n"
    assert document(tmp_path, "a.py", python).blocks[0].label == "def f(…)"
    assert document(tmp_path, "a.c", f"static int *f({names}) {{\n}}\n").blocks[0].label == "static int *f(…)"
    assert len(document(tmp_path, "a.py", f"class {'A' * 200}:\n    pass\n").blocks[0].label) == 80


def test_a_line_that_says_little_is_told_with_the_next(tmp_path: Path) -> None:
    text = "def f():\n    pass\n\ntry:\n    import a\nexcept ImportError:\n    a = None\n"
    assert _paths(document(tmp_path, "a.py", text)) == [("def f()",), ("try: import a",)]


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


def test_braces_on_lines_of_their_own(tmp_path: Path) -> None:
    text = (
        "public interface A\n{\n    void F();\n\n    [B]\n    int G()\n    {\n        return 1;\n    }\n}\n"
    )
    page = document(tmp_path, "a.cs", text)
    assert _paths(page) == [("public interface A",), ("public interface A", "int G()")]
    assert ("code", "{\n    void F();") in texts(page)


def test_html_around_php(tmp_path: Path) -> None:
    text = "<html>\n<?php\nfunction f() {\n  return 1;\n}\n?>\n<p>Hello</p>\n</html>\n"
    page = document(tmp_path, "a.php", text)
    assert page.text == text
    assert _paths(page) == [("function f()",), ("<p>Hello</p>",)]


@pytest.mark.parametrize("suffix", [".vue", ".svelte"])
def test_components_in_several_languages(suffix: str, tmp_path: Path) -> None:
    text = (
        "<template>\n  <p>{{ a }}</p>\n</template>\n\n<script setup lang='ts'>\nconst a: X = 1\n"
        "function f(a: X): Y {\n  return a\n}\n</script>\n\n<p>loose</p>\n"
    )
    page = document(tmp_path, f"a{suffix}", text)
    assert page.text == text
    assert _paths(page) == [
        ("<template>",),
        ("<script setup lang='ts'>",),
        ("<script setup lang='ts'>", "function f(a: X): Y"),
        ("<p>loose</p>",),
    ]


@pytest.mark.parametrize("line", ["function a(b){return{c:[b+1]}};", "((((", "{a:'b',c:[1,2]},", "}) "])
def test_a_file_on_one_line(line: str, tmp_path: Path) -> None:
    text = line * (300_000 // len(line))
    page = document(tmp_path, "a.min.js", text)
    assert [(b.kind, b.start, b.end) for b in page.blocks] == [("code", 0, len(text.rstrip()))]
    after = document(tmp_path, "a.js", f"function f() {{\n  g()\n}}\n{text}x\n")
    assert [b.kind for b in after.blocks] == ["heading", "code", "code"]


def test_what_takes_too_long_to_parse_is_cut_at_its_indentation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "def f():\n    return 1\n\n" * 2000
    monkeypatch.setattr(grammars, "_SECONDS", -60.0)
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
    labels = [block.label for block in page.blocks if block.kind == "heading"]
    assert "class NodeVisitor(object)" in labels
