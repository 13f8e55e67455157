"""What an LLM wrote of where a chunk belongs: the room it has, and how it gets there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ragcli.chunk.frame import head_of
from ragcli.sentences import sentence_spans

if TYPE_CHECKING:
    from ragcli.tokens import TokenCounter
    from ragcli.types import Chunk

# Among the names of CONTEXT, what stands for it.
WRITTEN = "llm"
_RESERVE = 80
_RESERVE_SHARE = 3


def reserve(size: int) -> int:
    """Tokens of a chunk of ``size`` that are kept free when it is cut: 80, or a third of a small one."""
    return min(_RESERVE, size // _RESERVE_SHARE)


def with_written(chunk: Chunk, note: str, counter: TokenCounter, size: int) -> Chunk:
    """The chunk with as many whole sentences of ``note`` as ``size`` tokens hold; its text stays whole.

    Of a first sentence that does not fit, its first words. The chunk as it is where nothing fits.
    """
    room = size - chunk.tokens
    while note and room > 0:
        written = _sentences(note, counter, room)
        if not written:
            break
        longer = replace(chunk, written=written)
        tokens = counter.counts([longer.embedded_text])[0]
        if tokens <= size:
            return replace(longer, id=_identity(chunk.id, written), tokens=tokens)
        room -= tokens - size  # parts may have more tokens together than apart
    return chunk


def situations(title: str, chunks: Sequence[Chunk]) -> list[str]:
    """The keys under which what is written of each chunk of a document is kept, in their order.

    They name content: title, headings, the chunk's text and those of the chunks before and after
    it. So a file that moves costs nothing, and of a document that changes those chunks are written
    of again that changed or stand beside a change. What is written of the others may tell of the
    document as it was when they were.
    """
    texts = ["", *(chunk.text for chunk in chunks), ""]
    return [
        _key(title, *chunk.heading, "", *texts[number : number + 3]) for number, chunk in enumerate(chunks)
    ]


def _sentences(note: str, counter: TokenCounter, room: int) -> str:
    end = 0
    for _, stop in sentence_spans(note):
        if counter.counts([note[:stop]])[0] > room:
            break
        end = stop
    return note[:end] or head_of(note, counter, room)


def _identity(*parts: str) -> str:
    return _key(*parts)[:16]


def _key(*parts: str) -> str:
    joined = "\0".join(parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:32]
