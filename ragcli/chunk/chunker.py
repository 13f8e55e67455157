"""Documents to chunks: how long they may be, and who cuts them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ragcli.chunk.frame import CONTEXT, Frame
from ragcli.chunk.structure import passages
from ragcli.errors import UsageError

if TYPE_CHECKING:
    from ragcli.tokens import TokenCounter
    from ragcli.types import Chunk, Document

# Part of what a file is remembered with: where another way of cutting came, it is read again.
CHUNKER_VERSION = 2

# What the default model reads, and near the best on judged sets; longer chunks blur a vector.
DEFAULT_SIZE = 254


def fitting_size(asked: int | None, limit: int, overlap: int) -> int:
    """The chunk size in tokens: the one asked for, else the default, as far as the model reads.

    Raises ``UsageError`` for one that the model cannot read whole, and for an overlap that is not
    below it.
    """
    size = min(DEFAULT_SIZE, limit) if asked is None else asked
    if size > limit:
        raise UsageError(f"a chunk size of {size} is more than the {limit} tokens that the model reads")
    if overlap >= size:
        raise UsageError(f"an overlap of {overlap} is not less than the chunk size of {size}")
    return size


def chunk_document(
    document: Document,
    counter: TokenCounter,
    *,
    size: int,
    overlap: int = 0,
    context: Sequence[str] = CONTEXT,
) -> list[Chunk]:
    """Passages of ``document`` in order; none is longer than ``size`` tokens, context included.

    Together they cover every character of the text that is not white space. ``overlap`` repeats
    at most so many tokens of whole sentences from the passage before, within a section. Raises
    ``ValueError`` when ``size`` is too small to hold anything or ``overlap`` not below it.
    """
    if size < 8 or not 0 <= overlap < size:
        raise ValueError(f"a chunk of {size} tokens with an overlap of {overlap} cannot be cut")
    frame = Frame(document, counter, size, overlap, context)
    return [frame.chunk(*passage, ordinal) for ordinal, passage in enumerate(passages(frame))]
