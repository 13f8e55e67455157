"""What is derived from the catalogue: the lexical index and the Chroma collection."""

from ragcli.store.dense import DenseStore
from ragcli.store.lexical import LexicalStore
from ragcli.store.projection import Projection, bring_up_to_date, discard, is_current

__all__ = ["DenseStore", "LexicalStore", "Projection", "bring_up_to_date", "discard", "is_current"]
