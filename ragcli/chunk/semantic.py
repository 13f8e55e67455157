"""Cut a document where what is said changes.

The cluster-semantic chunker of Chroma's study (Smith and Troynikov, "Evaluating Chunking
Strategies for Retrieval", 2024, research.trychroma.com/evaluating-chunking): pieces of a few
sentences are embedded, and the cuts are those that make the sum of all similarities within
passages the largest, each counted from the mean of the document. The study limits a passage's
pieces, this its tokens; and the similarities are never held all at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from ragcli.chunk.cuts import Range, followed, overlapping

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ragcli.chunk.frame import Frame, Passage
    from ragcli.chunk.units import Unit

# Tokens of a piece: the study's smallest chunk.
_PIECE = 50


def passages(frame: Frame) -> Iterator[Passage]:
    """Passages that go on as long as what they say is alike."""
    if frame.embed is None:
        raise ValueError("the semantic chunker needs a model")
    units = frame.all_units()
    if not units:
        return
    pieces = list(_pieces(frame, units))
    text = frame.document.text
    vectors = frame.embed([text[units[first].start : units[last - 1].end] for first, last in pieces])
    ranges = [
        (pieces[first][0], pieces[last - 1][1]) for first, last in _likest(frame, units, pieces, vectors)
    ]
    for start, end in overlapping(frame, units, ranges):
        yield frame.passage(start, end)


def _pieces(frame: Frame, units: Sequence[Unit]) -> Iterator[Range]:
    """Ranges of units of about 50 tokens, none over a blank line."""
    text = frame.document.text
    first, tokens = 0, units[0].tokens
    for at in range(1, len(units)):
        tokens += units[at].tokens
        apart = text.count("\n", units[at - 1].end, units[at].start) > 1 and not units[at].cut
        if tokens > _PIECE or apart or not frame.holds(units, first, at + 1, tokens):
            yield first, at
            first, tokens = at, units[at].tokens
    yield first, len(units)


def _likest(
    frame: Frame, units: Sequence[Unit], pieces: Sequence[Range], vectors: NDArray[np.float32]
) -> list[Range]:
    """Ranges of pieces with the largest sum of similarities above the mean, by dynamic programming."""
    import numpy as np

    count = len(pieces)
    rows = vectors.astype(np.float64)
    sums = np.vstack([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    # The mean over all pairs of two different pieces, without the pairs themselves.
    pairs = max(1, count * (count - 1))
    mean = (float(sums[-1] @ sums[-1]) - float((rows * rows).sum())) / pairs
    tokens = list(accumulate((unit.tokens for unit in units), initial=0))
    best = [0.0] * (count + 1)
    choice = [count] * (count + 1)
    for first in range(count - 1, -1, -1):
        best[first] = float("-inf")
        alike = 0.0
        for last in range(first + 1, count + 1):
            if last > first + 1:
                begin, end = pieces[first][0], pieces[last - 1][1]
                if not frame.holds(units, begin, end, tokens[end] - tokens[begin]):
                    break
                near = float(rows[last - 1] @ (sums[last - 1] - sums[first]))
                alike += 2 * (near - mean * (last - 1 - first))
            if alike + best[last] >= best[first]:
                best[first], choice[first] = alike + best[last], last
    return followed(choice)
