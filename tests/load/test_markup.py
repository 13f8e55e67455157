"""AsciiDoc, Org, LaTeX and reStructuredText."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .known import SEEDS, Known, Piece, check_known, known
from .support import document, texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ragcli.types import Document

ASCIIDOC = """= The *Harbour* Guide
Ann Lee <ann@example.org>
:toc: left
:description: All about boats

Some words.

== Ships and <<x,`boats`>>

.Sizes
[%header,cols="1,1"]
|===
|Name |Metres
|Ann |9
|===

* one
** deep
+
more on it

* two

.Code 1
[source,python]
----
== not a heading

x = 1
----

====
An example.
====

=== Below
term:: meaning
"""


def _heads(page: Document) -> list[str]:
    return [page.text[b.start : b.head] for b in page.blocks if b.head]


def _labels(page: Document) -> list[tuple[int, str]]:
    return [(block.level, block.label) for block in page.blocks if block.level]


def test_asciidoc(tmp_path: Path) -> None:
    page = document(tmp_path, "a.adoc", ASCIIDOC)
    assert page.text == ASCIIDOC
    assert page.title == "The Harbour Guide"
    assert page.metadata == {"author": "Ann Lee", "description": "All about boats"}
    assert _labels(page) == [(1, "The Harbour Guide"), (2, "Ships and boats"), (3, "Below")]
    assert [kind for kind, _ in texts(page) if kind not in ("heading", "paragraph")] == [
        "caption", "table", "list", "caption", "code", "list",
    ]  # fmt: skip
    assert _heads(page) == ['[%header,cols="1,1"]\n|===\n|Name |Metres\n']
    assert ("list", "* one\n** deep\n+\nmore on it\n\n* two") in texts(page)
    assert page.lines is not None
    assert page.lines.at(page.text.index("An example")) == 33


ORG = """#+TITLE: The harbour
#+AUTHOR: Ann
#+TODO: BUILD | BUILT

* TODO [#A] Ships and *boats* :work:sea:
:PROPERTIES:
:ID: 7
:END:
Some words
- one
  - deep
- two
** BUILD The [[https://x][pier]]
#+CAPTION: Sizes
| Name | Metres |
|------+--------|
| Ann  |      9 |
#+begin_src python
* not a heading
#+end_src
#+BEGIN_QUOTE
Said so.
#+END_QUOTE
: fixed
"""


def test_org(tmp_path: Path) -> None:
    page = document(tmp_path, "a.org", ORG)
    assert page.text == ORG
    assert (page.title, page.metadata) == ("The harbour", {"author": "Ann"})
    assert _labels(page) == [(1, "Ships and boats"), (2, "The pier")]
    assert [kind for kind, _ in texts(page) if kind not in ("heading", "paragraph")] == [
        "list", "caption", "table", "code", "code",
    ]  # fmt: skip
    assert ("paragraph", ":PROPERTIES:\n:ID: 7\n:END:") in texts(page)
    assert ("paragraph", "Said so.") in texts(page)
    assert _heads(page) == ["| Name | Metres |\n|------+--------|\n"]


LATEX = r"""\documentclass{article}
\usepackage{x}
\title{The Caf\'e \& \emph{harbour}}
\author{Ann \and Bob}
\begin{document}
\maketitle
\section{Ships \label{s}}
Some words about $x$.
\begin{itemize}
\item one

\item two
\end{itemize}
\subsection*{Sizes
of boats}
\begin{table}
\centering
\caption{The boats}
\begin{tabular}{ll}
\toprule
Name & Metres \\
\midrule
Ann & 9 \\
\end{tabular}
\end{table}
\begin{equation}
a = b

\end{equation}
\begin{verbatim}
\section{no}
\end{verbatim}
End.
\end{document}
"""


def test_latex(tmp_path: Path) -> None:
    page = document(tmp_path, "a.tex", LATEX)
    assert page.text == LATEX
    assert page.title == "The Café & harbour"
    assert page.metadata == {"author": "Ann Bob"}
    assert _labels(page) == [(1, "Ships"), (2, "Sizes of boats")]
    assert [kind for kind, _ in texts(page) if kind not in ("heading", "paragraph")] == [
        "code", "list", "caption", "table", "code", "code",
    ]  # fmt: skip
    [head] = _heads(page)
    assert head.endswith("Name & Metres \\\\\n\\midrule\n")


def test_rst_header_rows(tmp_path: Path) -> None:
    grid = "+---+---+\n| a | b |\n+===+===+\n| 1 | 2 |\n+---+---+\n"
    simple = "== ==\na  b\n== ==\n1  2\n== ==\n"
    page = document(tmp_path, "a.rst", f"{grid}\n{simple}\n")
    assert _heads(page) == ["+---+---+\n| a | b |\n+===+===+\n", "== ==\na  b\n== ==\n"]


def test_rst_captions_and_fields(tmp_path: Path) -> None:
    text = (
        "=====\nBoats\n=====\n\n:Author: Ann Lee\n:Date: 2030-01-02\n:Abstract: Short.\n\nWords.\n\n"
        ".. figure:: a.png\n   :alt: a boat\n\n   The boat Ann\n\n   A legend.\n\n"
        ".. csv-table:: Sizes\n   :header: a, b\n\n   1, 2\n"
    )
    page = document(tmp_path, "a.rst", text)
    assert page.metadata == {"author": "Ann Lee", "date": "2030-01-02", "abstract": "Short."}
    assert ("caption", ".. figure:: a.png\n   :alt: a boat\n\n   The boat Ann\n\n   A legend.") in texts(page)
    assert ("table", ".. csv-table:: Sizes\n   :header: a, b\n\n   1, 2") in texts(page)


def _asciidoc(piece: Piece) -> str:
    if piece.kind == "heading":
        return f"{'=' * piece.level} {piece.text}"
    if piece.kind == "list":
        return "\n".join(f"* {row[0]}" for row in piece.rows)
    if piece.kind == "table":
        return "\n".join(["|===", *("|" + " |".join(row) for row in piece.rows), "|==="])
    return f"----\n{piece.text}\n----" if piece.kind == "code" else piece.text


def _org(piece: Piece) -> str:
    if piece.kind == "heading":
        return f"{'*' * piece.level} {piece.text}"
    if piece.kind == "list":
        return "\n".join(f"- {row[0]}" for row in piece.rows)
    if piece.kind == "table":
        return "\n".join(f"| {' | '.join(row)} |" for row in piece.rows)
    return f"#+BEGIN_SRC python\n{piece.text}\n#+END_SRC" if piece.kind == "code" else piece.text


def _latex(piece: Piece) -> str:
    if piece.kind == "heading":
        return f"\\{'sub' * (piece.level - 1)}section{{{piece.text}}}"
    if piece.kind == "list":
        return "\n".join(
            ["\\begin{enumerate}", *(f"\\item {row[0]}" for row in piece.rows), "\\end{enumerate}"]
        )
    if piece.kind == "table":
        rows = [" & ".join(row) + " \\\\" for row in piece.rows]
        return "\n".join(["\\begin{tabular}{lll}", *rows, "\\end{tabular}"])
    return f"\\begin{{verbatim}}\n{piece.text}\n\\end{{verbatim}}" if piece.kind == "code" else piece.text


def _rst(piece: Piece) -> str:
    if piece.kind == "heading":
        return f"{piece.text}\n{'=-~'[piece.level - 1] * 60}"
    if piece.kind == "list":
        return "\n".join(f"* {row[0]}" for row in piece.rows)
    if piece.kind == "table":
        rule = "  ".join(["=" * 24] * len(piece.rows[0]))
        return "\n".join(
            [rule, *("  ".join(f"{cell:24}" for cell in row).rstrip() for row in piece.rows), rule]
        )
    return (
        "::\n\n" + "\n".join(f"    {line}" for line in piece.text.split("\n"))
        if piece.kind == "code"
        else piece.text
    )


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
@pytest.mark.parametrize(
    ("suffix", "write"), [("adoc", _asciidoc), ("org", _org), ("tex", _latex), ("rst", _rst)]
)
def test_known_documents_come_back(
    suffix: str, write: Callable[[Piece], str], seeds: range, tmp_path: Path
) -> None:
    for seed in seeds:
        content: Known = known(seed, ("heading", "paragraph", "list", "table", "code"))
        text = "\n\n".join(write(piece) for piece in content.pieces)
        check_known(tmp_path, f"a.{suffix}", text.encode(), content)
