from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ragcli.types import Document

from .known import SEEDS, Known, Piece, check_known, known
from .support import document, failure, load, texts

if TYPE_CHECKING:
    from pathlib import Path


def _places(page: Document, *words: str) -> list[int]:
    assert page.lines is not None
    return [page.lines.at(page.text.index(word)) for word in words]


def test_json_without_lines_is_written_out(tmp_path: Path) -> None:
    value = {
        "title": "Ports",
        "open": True,
        "tags": ["sea", "co\u00f6p"],
        "port": {"city": "Ulm", "at": [1.5, 2]},
        "body": 'First part.\n\nSecond "part".',
        "boats": [{"name": "Ann", "length": 3}, {"name": "Bo", "owner": {"age": None}}],
        "logs": [{"title": "May", "text": "x" * 400}, {"title": "June", "text": "y" * 400}],
    }
    page = document(tmp_path, "a.json", json.dumps(value))
    assert page.title == "Ports"
    assert texts(page) == [
        ("heading", "Ports"),
        ("table", "open: true\ntags: sea, coöp\nport / city: Ulm; port / at: 1.5, 2"),
        ("paragraph", "body: First part."),
        ("paragraph", 'Second "part".'),
        ("table", "boats / name: Ann; boats / length: 3; boats / name: Bo; boats / owner / age: null"),
        ("heading", "logs"),
        ("heading", "May"),
        ("paragraph", "text: " + "x" * 400),
        ("heading", "June"),
        ("paragraph", "text: " + "y" * 400),
    ]


def test_rows_of_json_know_their_lines(tmp_path: Path) -> None:
    rows = [{"id": n, "words": f"caf\u00e9 number {n} " * 20} for n in range(50)]
    page = document(tmp_path, "a.json", "[" + ",\n".join(json.dumps(row) for row in rows) + "]")
    assert [(block.kind, block.start) for block in page.blocks] == [("table", 0)]
    assert _places(page, "id: 0;", "id: 7;", "id: 49;") == [1, 8, 50]


def test_json_laid_out_over_lines_stays_as_it_is(tmp_path: Path) -> None:
    value = {"name": "x", "ports": {f"p{n}": n for n in range(12)}, "end": 1}
    text = json.dumps(value, indent=2)
    page = document(tmp_path, "a.json", text)
    assert page.text == text
    assert [(b.kind, b.label, b.level) for b in page.blocks] == [
        ("code", "", 0),
        ("heading", "ports", 1),
        ("code", "", 0),
        ("code", "", 0),
    ]
    assert _places(page, '"p3"') == [7]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "one \\u00e9',
        '{"a": "one \\u00e9"} {"b": 2}',
        '// note\n{"a": "one \\u00e9",}',
        "[" * 5000 + '"one \\u00e9"',
        '"one \\u00e9"',
    ],
)
def test_json_that_no_parser_takes(tmp_path: Path, text: str) -> None:
    assert "one é" in document(tmp_path, "a.json", text).text


def test_yaml(tmp_path: Path) -> None:
    ports = "".join(f"  - port: {n}\n    host: h{n}\n" for n in range(6))
    script = "".join(f"  line{n}:\n" for n in range(12))
    text = f"title: Net\n---\n# where\nports:\n{ports}\nscript: |\n{script}end: 1\n"
    page = document(tmp_path, "a.yaml", text)
    assert (page.title, page.text) == ("Net", text)
    assert [b.label for b in page.blocks if b.kind == "heading"] == ["ports"]
    assert _places(page, "port: 3", "end:") == [11, 31]


def test_sections(tmp_path: Path) -> None:
    text = 'title = "Net"\n\n[server]\nport = 1\n\n[server.tls]\non = true\n\n[[users]]\nname = "ann"\n'
    page = document(tmp_path, "a.toml", text)
    assert page.title == "Net"
    assert [(b.level, b.label) for b in page.blocks if b.level] == [
        (1, "server"),
        (2, "server.tls"),
        (1, "users"),
    ]
    page = document(tmp_path, "a.properties", "greeting=caf\\u00e9\npath=C:\\users\n")
    assert page.text == "greeting=café\npath=C:\\users\n"


def _notebook(*cells: dict[str, object]) -> str:
    return json.dumps(
        {"nbformat": 4, "metadata": {"kernelspec": {"language": "python"}}, "cells": list(cells)}
    )


def test_notebook(tmp_path: Path) -> None:
    outputs = [
        {"output_type": "stream", "text": ["seen\n", "twice\n"]},
        {"output_type": "display_data", "data": {"image/png": "iVBORw0", "text/plain": ["<Figure>"]}},
        {
            "output_type": "execute_result",
            "data": {
                "text/html": ["<table><tr><th>a</th></tr><tr><td>1</td></tr><tr><td>2</td></tr></table>"],
                "text/plain": ["   a\n0  1"],
            },
        },
        {
            "output_type": "error",
            "ename": "KeyError",
            "evalue": "'k'",
            "traceback": ["\x1b[31mKeyError\x1b[0m: 'k'"],
        },
    ]
    page = document(
        tmp_path,
        "a.ipynb",
        _notebook(
            {"cell_type": "markdown", "source": ["# Tides\n", "\n", "Some *words*.\n"]},
            {"cell_type": "code", "source": "print(\n  1)", "outputs": outputs},
            {"cell_type": "raw", "source": "left"},
        ),
    )
    assert page.title == "Tides"
    assert page.metadata["programming_language"] == "python"
    assert texts(page) == [
        ("heading", "# Tides"),
        ("paragraph", "Some *words*."),
        ("code", "print(\n  1)"),
        ("code", "seen\ntwice"),
        ("table", "a\n1\n2"),
        ("code", "KeyError: 'k'"),
        ("paragraph", "left"),
    ]
    assert page.pages is not None
    at = page.text.index("seen")
    assert (page.pages.at(at), page.pages.label_at(at)) == (2, "cell 2")


def test_notebooks_of_old_and_none(tmp_path: Path) -> None:
    output = {"output_type": "pyout", "text": "5", "html": "<b>five</b>"}
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Old"},
        {"cell_type": "code", "input": "x", "outputs": [output]},
    ]
    old = {"nbformat": 3, "worksheets": [{"cells": cells}]}
    assert texts(document(tmp_path, "a.ipynb", json.dumps(old))) == [
        ("heading", "Old"),
        ("code", "x"),
        ("paragraph", "five"),
    ]
    assert failure(tmp_path, "b.ipynb", '{"cells": [').error == "damaged"
    assert failure(tmp_path, "c.ipynb", "[]").error == "damaged"
    assert failure(tmp_path, "d.ipynb", '{"cells": [3, {"cell_type": []}]}').error == "empty"


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
def test_known_documents_come_back(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = known(seed, ("heading", "paragraph", "list", "table", "code"), pages=3)
        cells = [
            {"cell_type": "markdown", "source": "\n\n".join(map(_markdown, page)).splitlines(keepends=True)}
            for page in content.pages
        ]
        check_known(tmp_path, "a.ipynb", _notebook(*cells).encode(), content, paged=True)
        values = [{"part": piece.text or [list(row) for row in piece.rows]} for piece in content.pieces]
        [item] = load(tmp_path, "a.json", json.dumps(values))
        assert isinstance(item, Document)
        words = [word for piece in content.pieces for word in _words(piece)]
        at = 0
        for word in words:
            at = item.text.index(word, at) + 1


def _words(piece: Piece) -> list[str]:
    return piece.text.split() or [cell for row in piece.rows for cell in row]


def _markdown(piece: Piece) -> str:
    if piece.kind == "heading":
        return f"{'#' * piece.level} {piece.text}"
    if piece.kind == "list":
        return "\n".join(f"- {row[0]}" for row in piece.rows)
    if piece.kind == "table":
        first, *rest = [f"| {' | '.join(row)} |" for row in piece.rows]
        return "\n".join([first, "|" + "---|" * len(piece.rows[0]), *rest])
    return f"```\n{piece.text}\n```" if piece.kind == "code" else piece.text


def _yaml(content: Known) -> str:
    return "\n".join(f"k{n}:\n  - {'; '.join(_words(piece))}" for n, piece in enumerate(content.pieces))


def test_known_words_stay_in_yaml(tmp_path: Path) -> None:
    for seed in SEEDS:
        content = known(seed)
        text = _yaml(content)
        assert document(tmp_path, "a.yml", text).text == text
