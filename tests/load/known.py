"""Documents whose content is known: made from a seed, to be written in any format and read back.

A format's test writes ``known(seed, …)`` with the writing side of a library and hands what
``load_file`` makes of it to ``check_known``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ragcli.types import Block, Document

from .support import check, document

SEEDS = range(200)
_ENGLISH = [
    "harbour",
    "ledger",
    "compass",
    "orchard",
    "lantern",
    "meadow",
    "granite",
    "signal",
    "copper",
    "window",
    "thunder",
    "velvet",
    "saddle",
    "timber",
    "anchor",
    "bottle",
    "candle",
    "drawer",
    "engine",
    "feather",
    "garden",
    "hammer",
    "island",
    "jacket",
    "kettle",
    "ladder",
    "mirror",
    "needle",
    "oyster",
    "pencil",
    "quarry",
    "ribbon",
    "shadow",
    "ticket",
    "umbrella",
    "valley",
    "walnut",
    "yellow",
    "zipper",
]
_ACCENTED = [
    "café",
    "naïve",
    "Zürich",
    "smörgåsbord",
    "façade",
    "jalapeño",
    "Łódź",
    "œuvre",
    "Ångström",
    "piñata",
]
_CHINESE = "港口账本指南果园灯笼草地信号铜窗雷声天鹅绒马鞍木材锚瓶子蜡烛抽屉引擎羽毛花园"


@dataclass(frozen=True, slots=True)
class Piece:
    """One block: ``kind`` as in ``Block``; ``rows`` are a list's items (one cell each) or a table's rows."""

    kind: str
    text: str = ""
    level: int = 0
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """A title and, page by page, what stands there. Formats without pages join them."""

    title: str
    pages: tuple[tuple[Piece, ...], ...] = field(default=())

    @property
    def pieces(self) -> list[Piece]:
        """All pieces in order."""
        return [piece for page in self.pages for piece in page]


def known(
    seed: int,
    kinds: Sequence[str] = ("heading", "paragraph", "list", "table"),
    pages: int = 1,
    levels: int = 3,
) -> Known:
    """The document of a seed, with the kinds of blocks that a format knows."""
    made = _Maker(random.Random(seed))
    return Known(made.words(3), tuple(made.page(kinds, levels) for _ in range(pages)))


class _Maker:
    """Words that no two pieces share, so that a lost or doubled one is seen."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._number = 0

    def words(self, count: int) -> str:
        return " ".join(self._word() for _ in range(count))

    def page(self, kinds: Sequence[str], levels: int) -> tuple[Piece, ...]:
        chosen = [*kinds, *(self._chance.choice(kinds) for _ in range(self._chance.randint(0, 4)))]
        if "heading" in kinds:
            chosen.remove("heading")
            chosen.insert(0, "heading")
        pieces: list[Piece] = []
        level = 0
        for kind in chosen:
            if pieces and pieces[-1].kind == kind and kind != "heading":
                kind = "paragraph" if kind != "paragraph" and "paragraph" in kinds else kind
            level = min(level + 1, self._chance.randint(1, levels)) if kind == "heading" else level
            pieces.append(self._piece(kind, level))
        if pieces[-1].kind == "heading" and "paragraph" in kinds:
            pieces.append(self._piece("paragraph", 0))
        return tuple(pieces)

    def _piece(self, kind: str, level: int) -> Piece:
        if kind == "heading":
            return Piece(kind, self.words(self._chance.randint(1, 4)), level)
        if kind == "list":
            return Piece(kind, rows=tuple((self.words(3),) for _ in range(self._chance.randint(2, 5))))
        if kind == "table":
            width = self._chance.randint(2, 4)
            count = self._chance.randint(2, 6)
            return Piece(kind, rows=tuple(tuple(self.words(1) for _ in range(width)) for _ in range(count)))
        if kind == "code":
            lines = [f"{self._name()} = {self._name()}(" + self._name() + ")" for _ in range(3)]
            return Piece(kind, "\n".join(["def " + self._name() + "():", *(f"    {line}" for line in lines)]))
        sentences = [self.words(self._chance.randint(4, 9)) + "." for _ in range(self._chance.randint(1, 3))]
        return Piece("paragraph", " ".join(sentences))

    def _word(self) -> str:
        self._number += 1
        kind = self._chance.random()
        if kind < 0.1:
            return self._chance.choice(_ACCENTED) + str(self._number)
        if kind < 0.2:
            return "".join(self._chance.sample(_CHINESE, 3)) + str(self._number)
        return self._chance.choice(_ENGLISH) + str(self._number)

    def _name(self) -> str:
        self._number += 1
        return f"{self._chance.choice(_ENGLISH)}_{self._number}"


def check_known(
    folder: Path,
    name: str,
    data: bytes,
    content: Known,
    *,
    paged: bool = False,
    title: bool = False,
    headings: bool = True,
    once: bool = True,
) -> Document:
    """All words come back, once and in order, in blocks of their kind, on their pages; the document read.

    ``title``: the format keeps a title of its own. ``headings`` False: it has none, and what is one
    in the known content may be any block. ``once`` False: a table's header is said in every row.
    """  # fmt: skip
    item = document(folder, name, data)
    check(item)
    at = 0
    for number, page in enumerate(content.pages, 1):
        for piece in page:
            for words in [piece.text] if piece.text else [cell for row in piece.rows for cell in row]:
                start = _find(item.text, words, at)
                assert start >= 0, f"lost, or out of order: {words!r} in {name}\n{item.text}"
                block = _block_at(item, start)
                if piece.kind != "heading" or headings:
                    assert block.kind == piece.kind, (words, block, item.text[block.start : block.end])
                if piece.kind == "heading" and headings:
                    assert (block.level, block.label) == (piece.level, piece.text)
                if paged:
                    assert item.pages is not None
                    assert item.pages.at(start) == number, words
                at = start + 1
    numbers = re.findall(r"(?<=[^\W\d])\d+(?!\w)", item.text)
    assert not once or len(numbers) == len(set(numbers)), "something was written twice"
    if title:
        assert item.title == content.title
    return item


def _find(text: str, words: str, at: int) -> int:
    pattern = r"\s+".join(map(re.escape, words.split()))
    found = re.compile(pattern).search(text, at)
    return found.start() if found else -1


def _block_at(item: Document, offset: int) -> Block:
    return next(block for block in item.blocks if block.start <= offset < block.end)
