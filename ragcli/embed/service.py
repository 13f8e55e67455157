"""A model behind a service as an embedder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ragcli.budget import SpanCounter, counter_for
from ragcli.embed.measure import Measure, mark
from ragcli.embed.requests import Reply, Requests
from ragcli.embed.stream import Limits, Stream
from ragcli.embed.wire import Role, wire_of
from ragcli.errors import UsageError
from ragcli.plain import one_line
from ragcli.service.addresses import Address, parse_spec
from ragcli.service.keys import EMBED_KEY, find_key
from ragcli.service.rates import Rates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_WHAT = "embedding model"
# Tokens that a model reads, from the services' documentation; one that is not here gets a small number.
_READS = {"text-embedding-3-small": 8191, "text-embedding-3-large": 8191, "text-embedding-ada-002": 8191}
_READS_LEAST = 512
_MOST_TOKENS = 32_768  # of a batch: what is lost when the program is killed
_TOLD = 20.0  # seconds of patience with a question, whose author waits


@dataclass(frozen=True, slots=True)
class Terms:
    """How a service is used: what is under way, what it allows a minute, when it is given up.

    ``max_tokens`` is what the model reads of a text, ``batch`` the most texts of a request, ``chosen``
    whether the user himself named the service.
    """

    concurrency: int = 8
    rpm: float | None = None
    tpm: float | None = None
    patience: float = 120.0
    timeout: float = 120.0
    batch: int = 256
    max_tokens: int | None = None
    key_command: str | None = None
    chosen: bool = True

    @property
    def batch_tokens(self) -> int:
        """Tokens of a request: with a limit a minute, what it allows in three seconds, so that none waits long."""
        return _MOST_TOKENS if self.tpm is None else max(512, min(_MOST_TOKENS, int(self.tpm / 20)))


class TokenGuess:
    """Counts for the chunker: tiktoken's where the model's ranks are at hand, else an estimate."""

    special_tokens = 0

    def __init__(self, spec: str) -> None:
        self._counter: SpanCounter = counter_for(spec)

    @property
    def exact(self) -> bool:
        """Whether the counts are the model's own."""
        return self._counter.exact

    def spans(self, text: str) -> list[tuple[int, int]]:
        return self._counter.spans(text)

    def counts(self, texts: Sequence[str]) -> list[int]:
        return [self._counter.count(text) for text in texts]

    def coverage(self, texts: Sequence[str]) -> list[float]:
        """1 each: what a service does not know, it does not tell."""
        return [1.0] * len(texts)


def service_identity(spec: str) -> str:
    """What every signature of a service's model begins with; opens no connection.

    Raises ``UsageError`` for a spec that cannot be meant.
    """
    address = parse_spec(spec, what=_WHAT)
    _check_embeds(address)
    speaks = "ollama" if address.service.name == "ollama" else address.service.speaks
    return f"{speaks}:{urlsplit(address.url).hostname}:{address.model}:"


def reads_tokens(spec: str, terms: Terms) -> int:
    """The most tokens of a text that a service's model reads, as far as that is known."""
    model = parse_spec(spec, what=_WHAT).model
    return terms.max_tokens or _READS.get(model, _READS_LEAST)


class ServiceEmbedder:
    """Vectors from a service, made to be of unit length.

    With ``dims`` only their first components are taken, and made of unit length again. ``expected``
    is the length of a vector that an index remembers: without it the service is asked. Opens no
    connection before something is embedded. Raises ``UsageError`` with ``offline``, and as
    ``find_key`` does where there is no key.
    """

    measure: Measure = "cosine"

    def __init__(
        self, spec: str, terms: Terms, *, offline: bool, dims: int | None = None, expected: int | None = None
    ) -> None:
        address = parse_spec(spec, what=_WHAT)
        _check_embeds(address)
        if offline:
            raise UsageError(
                f"--offline opens no connection and {one_line(spec, 60)} needs one; "
                f"`rag models` lists the models at hand, and --mode lexical searches without one"
            )
        self.spec = address.spec
        self._terms = terms
        self._dims = dims
        self._expected = expected
        key = find_key(address, EMBED_KEY, command=terms.key_command, chosen=terms.chosen)
        wire = wire_of(address)
        self.requests = Requests(
            address, wire, key, terms.timeout, 0 if dims else expected or 0, terms.chosen
        )
        self._rates = Rates(terms.rpm, terms.tpm)
        self._limits = Limits(
            min(wire.texts, terms.batch),
            min(wire.tokens, terms.batch_tokens),
            terms.concurrency,
            terms.patience,
        )
        self.spent = 0  # tokens so far, as the service counted them where it did
        self.in_parts = 0  # texts so far that were too long and were embedded in parts

    @property
    def signature(self) -> str:
        """What tells these vectors from those of every other model or host."""
        return f"{service_identity(self.spec)}{self.dimensions}d:{mark(self.measure)}"

    @property
    def dimensions(self) -> int:
        """Length of a vector; the service is asked where it is not known."""
        if self._expected is None:
            if not self.requests.dimensions:
                self.embed_documents(["How long is a vector?"])
            self._expected = min(self.requests.dimensions, self._dims or self.requests.dimensions)
        return self._expected

    @property
    def max_tokens(self) -> int:
        """Most tokens of a text that the model is known to read."""
        return reads_tokens(self.spec, self._terms)

    @cached_property
    def tokenizer(self) -> TokenGuess:
        """Counts as near to the service's as can be had here."""
        return TokenGuess(self.spec)

    def embed_documents(self, texts: Sequence[str], *, kept: bool = True) -> Vectors:  # noqa: ARG002
        """Vectors of shape (n, dim), in the order of the texts."""
        import numpy as np

        made: dict[int, Vectors] = {}

        def keep(positions: Sequence[int], vectors: Vectors) -> None:
            made.update(zip(positions, vectors, strict=True))

        self.stream(texts, self.tokenizer.counts(texts), keep)
        return np.stack([made[position] for position in range(len(texts))])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (n, dim) of questions, in their order, each asked for by itself."""
        import numpy as np

        comfort = "; --mode lexical searches without it"
        limits = Limits(1, self._limits.tokens, 1, min(self._limits.patience, _TOLD), comfort)
        streams = (self._stream([text], self.tokenizer.counts([text]), "query", limits) for text in texts)
        return np.concatenate([self.cut(stream.one()) for stream in streams])

    def stream(
        self, texts: Sequence[str], tokens: Sequence[int], keep: Callable[[Sequence[int], Vectors], None]
    ) -> None:
        """Embed documents; ``keep`` gets positions and vectors of each batch as it finishes.

        Raises as :meth:`Stream.run` does.
        """
        stream = self._stream(texts, tokens, "document", self._limits)
        try:
            stream.run(lambda positions, vectors: keep(positions, self.cut(vectors)))
        finally:
            self.spent += stream.spent
            self.in_parts += stream.in_parts

    def _stream(self, texts: Sequence[str], tokens: Sequence[int], role: Role, limits: Limits) -> Stream:
        def send(batch: Sequence[str]) -> Reply:
            return self.requests.send(batch, role)

        self.requests.open()
        return Stream(send, self._rates, limits, texts, tokens)

    def cut(self, vectors: Vectors) -> Vectors:
        """The components that are wanted, of unit length."""
        import numpy as np

        if self._dims is None or self._dims >= vectors.shape[1]:
            return vectors
        first = vectors[:, : self._dims]
        cut: Vectors = first / np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-12)
        return np.ascontiguousarray(cut)


def _check_embeds(address: Address) -> None:
    if not address.service.embeds:
        raise UsageError(f"{address.service.name} has no embedding models; `rag models` lists what there is")
