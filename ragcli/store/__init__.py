"""What is derived from the catalogue: the lexical index and the Chroma collection."""

from ragcli.store.dense import DenseStore, ScanStore
from ragcli.store.lexical import LexicalStore
from ragcli.store.projection import Projection, bring_up_to_date, clear, discard, is_current, read_marker

__all__ = [
    "DenseStore",
    "LexicalStore",
    "Projection",
    "ScanStore",
    "bring_up_to_date",
    "clear",
    "discard",
    "is_current",
    "read_marker",
]
