"""Documents to passages."""

from ragcli.chunk.chunker import (
    CHUNKER_VERSION,
    CHUNKERS,
    DEFAULT_CHUNKER,
    Cutting,
    chunk_document,
    fitting_size,
    settle,
)
from ragcli.chunk.frame import CONTEXT
from ragcli.chunk.written import WRITTEN, reserve, situations, with_written

__all__ = [
    "CHUNKERS",
    "CHUNKER_VERSION",
    "CONTEXT",
    "DEFAULT_CHUNKER",
    "WRITTEN",
    "Cutting",
    "chunk_document",
    "fitting_size",
    "reserve",
    "settle",
    "situations",
    "with_written",
]
