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
from ragcli.chunk.sentences import sentence_spans

__all__ = [
    "CHUNKERS",
    "CHUNKER_VERSION",
    "CONTEXT",
    "DEFAULT_CHUNKER",
    "Cutting",
    "chunk_document",
    "fitting_size",
    "sentence_spans",
    "settle",
]
