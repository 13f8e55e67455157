"""Documents to passages."""

from ragcli.chunk.sentences import sentence_spans
from ragcli.chunk.structure import CHUNKER_VERSION, chunk_document

__all__ = ["CHUNKER_VERSION", "chunk_document", "sentence_spans"]
