"""Text formats: everything that was written comes back, in order, in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from .known import SEEDS, Known, Piece, check_known, known


def _markdown(content: Known) -> bytes:
    out = ["---", f"title: {content.title}", "---", ""]
    for piece in content.pieces:
        out += [*_markdown_piece(piece), ""]
    return "\n".join(out).encode()


def _markdown_piece(piece: Piece) -> list[str]:
    if piece.kind == "heading":
        return [f"{'#' * piece.level} {piece.text}"]
    if piece.kind == "list":
        return [f"- {row[0]}" for row in piece.rows]
    if piece.kind == "table":
        lines = [f"| {' | '.join(row)} |" for row in piece.rows]
        return [lines[0], "|" + "---|" * len(piece.rows[0]), *lines[1:]]
    if piece.kind == "code":
        return ["```python", piece.text, "```"]
    return [piece.text]


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
def test_markdown(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = known(seed, ("heading", "paragraph", "list", "table", "code"))
        check_known(tmp_path, "a.md", _markdown(content), content, title=True)
