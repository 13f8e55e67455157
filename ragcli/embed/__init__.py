"""Texts to vectors: one protocol, and the models behind it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from ragcli.embed.measure import Measure, closeness, cosines, is_sound, measure_of
from ragcli.embed.models import (
    STATIC,
    ModelFiles,
    find_model,
    first_line,
    known_models,
    open_tokenizer,
    read_token_limit,
    weights_hash,
)
from ragcli.service.addresses import is_service
from ragcli.tokens import TokenCounter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ragcli.embed.batch import Batches
    from ragcli.embed.service import ServiceEmbedder, Terms, TokenGuess, reads_tokens, service_identity

__all__ = [
    "Batches",
    "Embedder",
    "Measure",
    "ModelFiles",
    "ServiceEmbedder",
    "Terms",
    "TokenGuess",
    "closeness",
    "cosines",
    "find_model",
    "first_line",
    "is_service",
    "is_sound",
    "known_models",
    "measure_of",
    "open_embedder",
    "open_tokenizer",
    "read_token_limit",
    "reads_tokens",
    "service_identity",
    "weights_hash",
]


# What asks services, which a model of this machine has no use for.
_SERVICES = {"Batches": "batch"} | dict.fromkeys(
    ("ServiceEmbedder", "Terms", "TokenGuess", "reads_tokens", "service_identity"), "service"
)


def __getattr__(name: str) -> Any:
    if name in _SERVICES:
        return getattr(import_module(f"{__name__}.{_SERVICES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
    def tokenizer(self) -> TokenCounter: ...

    def embed_documents(self, texts: Sequence[str], *, kept: bool = True) -> NDArray[np.float32]:
        """Vectors of shape (n, dim), in the order of the texts.

        Those that are not ``kept`` may be made by what is ready sooner.
        """
        ...

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (n, dim) of questions, in their order."""
        ...


def open_embedder(
    spec: str,
    *,
    offline: bool,
    dims: int | None = None,
    terms: Terms | None = None,
    expected: int | None = None,
    device: str = "auto",
) -> Embedder:
    """Load the model that ``spec`` names. Raises ``ModelUnavailable`` when it cannot be had.

    Of its vectors only the first ``dims`` components are taken, where it makes more. For a service,
    ``terms`` say how it is used and ``expected`` how long its vectors are, where that is known.
    ``device`` is where a model of this machine reads documents, as torch calls it.
    """
    if is_service(spec):
        from ragcli.embed.service import ServiceEmbedder, Terms

        return ServiceEmbedder(spec, terms or Terms(), offline=offline, dims=dims, expected=expected)
    files = find_model(spec)
    if files.spec.startswith(STATIC):
        from ragcli.embed.static import StaticEmbedder

        return StaticEmbedder(files, offline=offline, dims=dims)
    from ragcli.embed.encoder import open_encoder

    return open_encoder(files, offline=offline, dims=dims, device=device)
