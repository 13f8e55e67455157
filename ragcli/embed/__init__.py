"""Texts to vectors: one protocol, and the models behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ragcli.embed.measure import Measure, closeness, cosines, is_sound, measure_of
from ragcli.embed.models import (
    ModelFiles,
    find_model,
    first_line,
    known_models,
    open_tokenizer,
    read_token_limit,
    weights_hash,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ragcli.tokens import FastTokenizer

__all__ = [
    "Embedder",
    "Measure",
    "ModelFiles",
    "closeness",
    "cosines",
    "find_model",
    "first_line",
    "is_sound",
    "known_models",
    "measure_of",
    "open_embedder",
    "open_tokenizer",
    "read_token_limit",
    "weights_hash",
]


class Embedder(Protocol):
    """Texts in, float32 vectors out; many models prefix questions differently.

    Vectors are of unit length where ``measure`` is the cosine. ``signature`` differs whenever they
    may; ``max_tokens`` is the most tokens of a text (as ``tokenizer`` counts them, special ones
    left out) that the model reads.
    """

    spec: str

    @property
    def signature(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    @property
    def measure(self) -> Measure: ...

    @property
    def max_tokens(self) -> int: ...

    @property
    def tokenizer(self) -> FastTokenizer: ...

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (n, dim), in the order of the texts."""
        ...

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Vector of shape (dim,)."""
        ...


def open_embedder(spec: str, *, offline: bool, dims: int | None = None) -> Embedder:
    """Load the model that ``spec`` names. Raises ``ModelUnavailable`` when it cannot be had.

    Of its vectors only the first ``dims`` components are taken, where it makes more.
    """
    from ragcli.embed.transformer import TransformerEmbedder

    return TransformerEmbedder(find_model(spec), offline=offline, dims=dims)
