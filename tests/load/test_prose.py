"""reStructuredText, plain text, source code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .support import document, failure, texts

if TYPE_CHECKING:
    from pathlib import Path

RST = """=====
Title
=====

Intro text::

    code here

    more

Section ``x``
-------------

.. note:: hello

   body

.. code-block:: python

   x = 1

- a

  b
- c

+---+---+
| a | b |
+---+---+

====  ====
a     b
====  ====
1     2
====  ====

第二节
------

>>> 1 + 1
2
"""


def test_rst(tmp_path: Path) -> None:
    page = document(tmp_path, "page.rst", RST)
    assert page.title == "Title"
    assert page.text == RST
    assert page.lines is not None
    rows = [(b.kind, b.level, b.label, page.lines.over(b.start, b.end)) for b in page.blocks]
    assert rows == [
        ("heading", 1, "Title", (1, 3)),
        ("paragraph", 0, "", (5, 5)),
        ("code", 0, "", (7, 9)),
        ("heading", 2, "Section x", (11, 12)),
        ("paragraph", 0, "", (14, 14)),
        ("paragraph", 0, "", (16, 16)),
        ("code", 0, "", (18, 20)),
        ("list", 0, "", (22, 25)),
        ("table", 0, "", (27, 29)),
        ("table", 0, "", (31, 35)),
        ("heading", 2, "第二节", (37, 38)),
        ("code", 0, "", (40, 41)),
    ]


def test_rst_levels_follow_the_order_of_adornments(tmp_path: Path) -> None:
    page = document(tmp_path, "a.rst", "A\n~~~~\n\nB\n====\n\nC\n~~~~\n")
    assert [(b.label, b.level) for b in page.blocks] == [("A", 1), ("B", 2), ("C", 1)]


def test_plain_text(tmp_path: Path) -> None:
    text = "TERMS AND CONDITIONS\n\nfirst\nparagraph\n\n2.1 Scope\n\nIt ends here.\n"
    page = document(tmp_path, "LICENSE", text)
    assert (page.format, page.title) == ("text", "LICENSE")
    assert [(b.kind, b.level) for b in page.blocks] == [
        ("heading", 1),
        ("paragraph", 0),
        ("heading", 2),
        ("paragraph", 0),
    ]


def test_numbered_items_are_no_headings(tmp_path: Path) -> None:
    page = document(tmp_path, "a.txt", "1. Open it\n\n2. Close it\n\n3. Go home\n")
    assert {b.kind for b in page.blocks} == {"paragraph"}


def test_code_keeps_functions_whole(tmp_path: Path) -> None:
    page = document(tmp_path, "mod.py", "import a\n\n\ndef f():\n    x\n\n    y\n\ndef g():\n    pass\n")
    assert (page.format, page.title) == ("python", "mod.py")
    assert texts(page) == [
        ("code", "import a"),
        ("code", "def f():\n    x\n\n    y"),
        ("code", "def g():\n    pass"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.txt", b"", "empty"),
        ("a.md", b" \n\t\n" * 9 + b"\0", "empty"),
        ("a.txt", b"\x00\xff\xfe\x01" * 50, "binary"),
        ("a.docx", b"PK", "damaged"),
        ("a.pdf", b"", "empty"),
        ("a.pdf", b"no pdf at all", "damaged"),
        ("a.jsonl", b"", "empty"),
        ("a.csv", b"\n\n", "empty"),
        ("a.html", b"<html><script>x</script></html>", "empty"),
    ],
)
def test_failures(tmp_path: Path, name: str, content: bytes, error: str) -> None:
    assert failure(tmp_path, name, content).error == error
