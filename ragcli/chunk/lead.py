"""What stands before a passage, or names it, without which it cannot be understood.

The header rows and the caption of a table, the words that announce a list, the signature of a
function: they belong to every piece that is cut off from them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from ragcli.chunk.units import lines_of
from ragcli.sentences import sentence_spans
from ragcli.types import Block, Document

# What parts a header from its rows in Markdown, reStructuredText and the like.
_RULE = re.compile(r"[\s|:+=-]*")
_WORD = re.compile(r"\S")
_ANNOUNCED = frozenset(["list", "table", "code"])


def lead_of(document: Document, start: int, end: int) -> str:
    """The lead of the passage ``[start, end)``, a line for each part; empty where it needs none."""
    blocks, text = document.blocks, document.text
    first, last = block_at(blocks, start), block_at(blocks, end - 1)
    parts = [text[a:b] for a, b in before(document, first, start)]
    for at in sorted({first, last}):
        caption = caption_behind(blocks, at)
        if caption is not None and caption.start >= end:
            parts.append(text[caption.start : caption.end])
    lines = (line.strip() for part in parts for line in part.strip().split("\n"))
    return "\n".join(line for line in lines if not _RULE.fullmatch(line))


def before(document: Document, at: int, start: int) -> list[tuple[int, int]]:
    """Spans before ``start``, a place in block number ``at``, that belong to whatever begins there."""
    blocks = document.blocks
    block = blocks[at]
    spans: list[tuple[int, int]] = []
    if block.kind in _ANNOUNCED:
        opening = _caption_above(blocks, at) or _announcement(document, at)
        spans += [opening] if opening else []
    if start > block.start and block.head:
        spans.append((block.start, min(block.head, start)))
    return [span for span in spans if document.text[slice(*span)].strip()]


def caption_behind(blocks: Sequence[Block], at: int) -> Block | None:
    """The caption that stands under a table; None where one stands above it."""
    if blocks[at].kind != "table" or _caption_above(blocks, at) or at + 1 == len(blocks):
        return None
    return blocks[at + 1] if blocks[at + 1].kind == "caption" else None


def belongs(document: Document, at: int) -> bool:
    """Whether block number ``at`` is to stay with the one before: one names or announces the other."""
    if not at:
        return False
    above, block = document.blocks[at - 1], document.blocks[at]
    if "caption" in (above.kind, block.kind):
        return "table" in (above.kind, block.kind)
    return block.kind in _ANNOUNCED and _ends_in_colon(document, above)


def lines_under(text: str, block: Block) -> frozenset[int]:
    """Starts of the lines of a list that stand deeper than the line before: what is said of a term, say."""
    if block.kind != "list":
        return frozenset()
    starts = [start for start, _ in lines_of(text, block.start, block.end)]
    depths = [_WORD.search(text, start).start() - start for start in starts]  # type: ignore[union-attr]
    return frozenset(starts[at] for at in range(1, len(starts)) if depths[at] > depths[at - 1])


def block_at(blocks: Sequence[Block], offset: int) -> int:
    """Number of the block that the character at ``offset`` stands in, or after."""
    return max(0, bisect_right(blocks, offset, key=lambda block: block.start) - 1)


def _caption_above(blocks: Sequence[Block], at: int) -> tuple[int, int] | None:
    if blocks[at].kind == "table" and at and blocks[at - 1].kind == "caption":
        return blocks[at - 1].start, blocks[at - 1].end
    return None


def _announcement(document: Document, at: int) -> tuple[int, int] | None:
    """The sentence with a colon at its end that stands before a block, or before the list it goes on with."""
    blocks = document.blocks
    first = at
    while blocks[at].kind == "list" and first and blocks[first - 1].kind == "list":
        first -= 1
    if not first or not _ends_in_colon(document, blocks[first - 1]):
        return None
    above = blocks[first - 1]
    return list(sentence_spans(document.text, above.start, above.end))[-1]


def _ends_in_colon(document: Document, block: Block) -> bool:
    return block.kind == "paragraph" and document.text[block.start : block.end].rstrip().endswith((":", "："))
