"""Documents to chunks: how long they may be, and who cuts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from ragcli.chunk import page, recursive, semantic, sentence, structure
from ragcli.chunk.frame import CONTEXT, Frame
from ragcli.chunk.written import WRITTEN, reserve
from ragcli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ragcli.chunk.frame import Embed, Passage
    from ragcli.tokens import TokenCounter
    from ragcli.types import Chunk, Document

# Part of what a file is remembered with: where another way of cutting came, it is read again.
CHUNKER_VERSION = 4

# What the default model reads, and near the best on judged sets; longer chunks blur a vector.
DEFAULT_SIZE = 254


CHUNKERS: Mapping[str, Callable[[Frame], Iterator[Passage]]] = MappingProxyType(
    {
        "structure": structure.passages,
        "recursive": recursive.passages,
        "sentence": sentence.passages,
        "semantic": semantic.passages,
        "page": page.passages,
    }
)
DEFAULT_CHUNKER = "structure"
# Those that need the model, not only its tokenizer.
_EMBEDDING = frozenset(["semantic"])


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


@dataclass(frozen=True, slots=True)
class Cutting:
    """How documents are cut; the fields are the arguments of :func:`chunk_document`."""

    size: int
    overlap: int = 0
    chunker: str = DEFAULT_CHUNKER
    context: tuple[str, ...] = CONTEXT

    @property
    def awaits(self) -> bool:
        """Whether an LLM is to write of each chunk where it belongs."""
        return WRITTEN in self.context

    @property
    def embeds(self) -> bool:
        """Whether cutting needs the model, not only its tokenizer."""
        return self.chunker in _EMBEDDING

    def chunks(self, document: Document, counter: TokenCounter, embed: Embed | None = None) -> list[Chunk]:
        """The document's chunks; those that an LLM is to write of have room for that."""
        size = self.size - reserve(self.size) if self.awaits else self.size
        return chunk_document(
            document, counter, size=size, overlap=self.overlap, chunker=self.chunker,
            context=self.context, embed=embed,
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.size}:{self.overlap}:{self.chunker}:{','.join(self.context)}"


def settle(
    limit: int, size: int | None, overlap: int | None, chunker: str | None, context: str | None
) -> Cutting:
    """How to cut for a model that reads ``limit`` tokens; None means: the default.

    ``context`` is a list with commas, or ``none``. Raises ``UsageError`` as :func:`fitting_size` does.
    """
    told = ",".join(CONTEXT) if context is None else context
    parts = tuple(part for part in (*CONTEXT, WRITTEN) if part in told.split(","))
    overlap = overlap or 0
    cutting = Cutting(fitting_size(size, limit, overlap), overlap, chunker or DEFAULT_CHUNKER, parts)
    room = cutting.size - reserve(cutting.size)
    if cutting.awaits and overlap >= room:
        raise UsageError(
            f"an overlap of {overlap} is not less than the {room} tokens that a written context leaves of a chunk"
        )
    return cutting


def chunk_document(
    document: Document,
    counter: TokenCounter,
    *,
    size: int,
    overlap: int = 0,
    chunker: str = DEFAULT_CHUNKER,
    context: Sequence[str] = CONTEXT,
    embed: Embed | None = None,
) -> list[Chunk]:
    """Passages of ``document`` in order; none is longer than ``size`` tokens, context included.

    Together they cover every character of the text that is not white space. ``overlap`` repeats
    at most so many tokens of whole sentences from the passage before (within a section, or a page,
    where the chunker knows them). ``chunker`` is one of CHUNKERS; ``embed`` makes unit vectors for
    those that need them. ``context`` names what is embedded with the text, of CONTEXT. Raises
    ``ValueError`` when ``size`` is too small to hold anything or ``overlap`` not below it.
    """
    if size < 8 or not 0 <= overlap < size:
        raise ValueError(f"a chunk of {size} tokens with an overlap of {overlap} cannot be cut")
    frame = Frame(document, counter, size, overlap, context, embed)
    return [frame.chunk(*passage, ordinal) for ordinal, passage in enumerate(CHUNKERS[chunker](frame))]
