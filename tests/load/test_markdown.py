from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragcli.load.markup.markdown import words_of

from .support import document, texts

if TYPE_CHECKING:
    from pathlib import Path

PAGE = """---
title: "Front: title"
tags: [a, b]
draft: false
date: 2024-01-02
nested: {x: 1}
---

# `Foo` *bar* [link](http://x/(y)) { #foo }

para one
continued

Setext
======
1. a

   ```py
   # not a heading

   x
   ```
2. b
  * c

* d

out

| a | b |
|---|---|
| 1 | 2 |

~~~
# no heading
"""


def test_blocks_lines_and_metadata(tmp_path: Path) -> None:
    page = document(tmp_path, "page.md", PAGE)
    assert page.title == "Front: title"
    assert page.metadata == {"title": "Front: title", "tags": "a, b", "draft": False, "date": "2024-01-02"}
    assert page.lines is not None
    rows = [(b.kind, b.level, b.label, page.lines.over(b.start, b.end)) for b in page.blocks]
    assert rows == [
        ("heading", 1, "Foo bar link", (9, 9)),
        ("paragraph", 0, "", (11, 12)),
        ("heading", 1, "Setext", (14, 15)),
        ("list", 0, "", (16, 26)),
        ("paragraph", 0, "", (28, 28)),
        ("table", 0, "", (30, 32)),
        ("code", 0, "", (34, 35)),
    ]


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("标题 { #biao-ti }", "标题"),
        ("The `__init__` method", "The __init__ method"),
        ("snake_case_name and _emphasis_", "snake_case_name and emphasis"),
        ("**Bold** &amp; <b>tags</b>", "Bold & tags"),
        ("[`Depends`](../x.md){.cls} [1.0.0]", "Depends{.cls} 1.0.0"),
        ("![logo](a.png) Name", "logo Name"),
        (r"Escaped \*star\*", "Escaped *star*"),
        ("C# and F#", "C# and F#"),
    ],
)
def test_heading_words(markup: str, words: str) -> None:
    assert words_of(markup) == words


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("## Second\n\n# First\n", "First"),
        ("### Only\n", "Only"),
        ("no heading\n", "name"),
        ("---\nfoo: [broken\n---\n# After\n", "After"),
        ("# Closed ##\n", "Closed"),
        ("Under\n-----\n", "Under"),
        ("#NoSpace\n", "name"),
    ],
)
def test_title(tmp_path: Path, text: str, title: str) -> None:
    assert document(tmp_path, "name.md", text).title == title


@pytest.mark.parametrize(
    "front", ['+++\ntitle = "T"\ntags = ["a", "b"]\n+++\n', '{\n"title": "T",\n"tags": ["a", "b"]\n}\n']
)
def test_front_matter_in_toml_and_json(tmp_path: Path, front: str) -> None:
    page = document(tmp_path, "a.md", f"{front}\nBody.\n")
    assert (page.title, page.metadata["tags"], page.text.strip()) == ("T", "a, b", "Body.")
    assert document(tmp_path, "b.md", "+++\nno toml\n+++\nBody.\n").text.startswith("+++")


def test_header_rows_of_tables_and_their_captions(tmp_path: Path) -> None:
    page = document(
        tmp_path,
        "a.md",
        "Table 1: Sizes\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<table>\n\n<tr><td>x\n</table>\n",
    )
    assert [kind for kind, _ in texts(page)] == ["caption", "table", "table"]
    assert [page.text[b.start : b.head] for b in page.blocks if b.head] == ["| a | b |\n|---|---|\n"]


def test_bad_front_matter_is_text(tmp_path: Path) -> None:
    page = document(tmp_path, "a.md", "---\nfoo: [broken\n---\nbody\n")
    assert page.text.startswith("---\nfoo")
    assert page.metadata == {}


def test_only_front_matter_is_text(tmp_path: Path) -> None:
    assert document(tmp_path, "a.md", "---\ntitle: x\n---\n").text.startswith("---")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```\n# a\n\nb\n```\nafter", [("code", "```\n# a\n\nb\n```"), ("paragraph", "after")]),
        ("````\n```\n````\nx", [("code", "````\n```\n````"), ("paragraph", "x")]),
        ("text\n```\nopen", [("paragraph", "text"), ("code", "```\nopen")]),
        ("<!-- a\n\n# hidden\n-->\nx", [("paragraph", "<!-- a\n\n# hidden\n-->"), ("paragraph", "x")]),
        ("a\n\n---\n\nb", [("paragraph", "a"), ("paragraph", "---"), ("paragraph", "b")]),
        ("- a\n\n  more\n\nend", [("list", "- a\n\n  more"), ("paragraph", "end")]),
        ("- a\n# h", [("list", "- a"), ("heading", "# h")]),
        ("> quote\n> more", [("paragraph", "> quote\n> more")]),
        ("intro:\n- a\n- b", [("paragraph", "intro:"), ("list", "- a\n- b")]),
        ("x | y\n--|--\n1 | 2\n\nz", [("table", "x | y\n--|--\n1 | 2"), ("paragraph", "z")]),
        ("in 1984\n1985. was later", [("paragraph", "in 1984\n1985. was later")]),
        ("中文段落\n\n* 一\n* 二", [("paragraph", "中文段落"), ("list", "* 一\n* 二")]),
    ],
)
def test_blocks(tmp_path: Path, text: str, expected: list[tuple[str, str]]) -> None:
    assert texts(document(tmp_path, "a.md", text)) == expected
