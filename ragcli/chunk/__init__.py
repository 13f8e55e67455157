"""Documents to passages."""

from ragcli.chunk.sentences import sentence_spans
from ragcli.chunk.structure import CHUNKER_VERSION, chunk_document, fitting_size

__all__ = ["CHUNKER_VERSION", "chunk_document", "fitting_size", "sentence_spans"]
