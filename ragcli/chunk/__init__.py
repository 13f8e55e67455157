"""Documents to passages."""

from ragcli.chunk.chunker import CHUNKER_VERSION, chunk_document, fitting_size
from ragcli.chunk.sentences import sentence_spans

__all__ = ["CHUNKER_VERSION", "chunk_document", "fitting_size", "sentence_spans"]
