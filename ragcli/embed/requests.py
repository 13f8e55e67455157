"""One request for vectors: sent, its answer checked, and every failure told apart by what helps.

httpx2 and not the services' own packages: these repeat by themselves, hide the headers that tell
of limits, and hand on vectors without a look at their number, length or finiteness.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ragcli.embed.wire import Role, Wire
from ragcli.errors import ModelUnavailable
from ragcli.jsontext import parse_json
from ragcli.plain import one_line
from ragcli.service.addresses import Address
from ragcli.service.keys import EMBED_KEY, NO_KEY, Key, key_variables
from ragcli.service.patience import asked_wait, may_pass

if TYPE_CHECKING:
    import httpx2
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_CONNECT = 10.0  # seconds
_BOUNDS = (
    "too long", "too large", "too many", "context length", "maximum", "max_tokens", "exceed", "at most",
    "longer than", "batch size", "limit",
)  # fmt: skip


class TooManyRequests(Exception):
    """429: ``wait`` seconds are asked for, None where nothing is said."""

    def __init__(self, told: str, wait: float | None) -> None:
        super().__init__(told)
        self.wait = wait


class Passing(Exception):
    """A failure after which the same request may succeed: no connection, cut off, 5xx.

    ``slow`` where the server took too long, and may be faster with fewer texts.
    """

    def __init__(self, told: str, *, slow: bool = False, wait: float | None = None) -> None:
        super().__init__(told)
        self.slow, self.wait = slow, wait


class TooLarge(Exception):
    """The request, or a text in it, is more than the service takes."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Unit vectors of shape (n, dim), the tokens the service counted, and its headers."""

    vectors: Vectors
    tokens: int | None
    headers: Mapping[str, str]


@dataclass
class Requests:
    """Asks one model of one service. Safe for threads; ``dimensions`` is 0 until the first answer."""

    address: Address
    wire: Wire
    key: Key = field(default=NO_KEY, repr=False)
    timeout: float = 120.0
    dimensions: int = 0
    chosen: bool = True

    def send(self, texts: Sequence[str], role: Role) -> Reply:
        """The vectors of the texts.

        Raises ``TooManyRequests``, ``Passing`` or ``TooLarge``, and ``ModelUnavailable`` where it is of
        no use to ask again.
        """
        body = self.wire.body(self.address.model, [_sendable(text) for text in texts], role)
        answer = self.call("POST", self.wire.url, json=body)
        return self.read(answer.text, len(texts), answer.headers)

    def call(self, method: str, url: str, **content: Any) -> httpx2.Response:
        """The answer to a request, if its status is 200; raises as :meth:`send`."""
        import httpx2

        try:
            answer = self._client.request(method, url, **content)
        except httpx2.ConnectTimeout:
            raise Passing(f"cannot reach {self._host} within {_CONNECT:g} s") from None
        except httpx2.TimeoutException:
            raise Passing(f"{self._host} sent nothing for {self.timeout:g} s", slow=True) from None
        except httpx2.ConnectError:
            raise Passing(f"cannot reach {self._host} (is it running?)") from None
        except httpx2.TransportError:
            raise Passing(f"{self._host} closed the connection before its answer's end") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, RuntimeError) as error:
            raise Passing(f"{self._host}: {self._safe(str(error))}") from None
        if answer.status_code != 200:
            raise self._failure(answer)
        return answer

    def open(self) -> None:
        """Make ready in the caller's thread what several threads must not make at once."""
        import numpy  # noqa: F401 - its import fails in two threads at once

        _ = self._client

    @property
    def _host(self) -> str:
        return self.address.host

    @cached_property
    def _client(self) -> httpx2.Client:
        import httpx2

        headers = {} if self.key is NO_KEY else {self.wire.header: f"{self.wire.scheme}{self.key.value}"}
        client = httpx2.Client(
            headers=headers,
            timeout=httpx2.Timeout(self.timeout, connect=_CONNECT),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64),
        )
        weakref.finalize(self, client.close)
        return client

    def _failure(self, answer: httpx2.Response) -> Exception:
        """What a status other than 200 means."""
        says, code = self._safe(_reason(answer)), answer.status_code
        low = says.lower()
        if code in (401, 403):  # the server's words often repeat part of the key
            where = key_variables(self.address, EMBED_KEY)
            if self.key is NO_KEY:
                also = (
                    ""
                    if self.chosen
                    else f", and RAG_MODEL={self.address.spec} to say that the address is yours"
                )
                return ModelUnavailable(f"{self._host} wants a key and was shown none; set {where}{also}")
            return ModelUnavailable(f"{self._host} refused the key; set {where}")
        if code == 402 or (
            code == 429 and ("insufficient_quota" in answer.text or ("quota" in low and "bill" in low))
        ):
            return ModelUnavailable(f"{self._host}: the quota is spent: {says}")
        if code == 429 and "request too large" in low:  # more than the tokens of a whole minute
            return TooLarge(f"{self._host} answered {code}: {says}")
        if code == 429:
            return TooManyRequests(
                f"{self._host} has had too many requests: {says}", asked_wait(answer.headers) or None
            )
        if code == 413 or (code in (400, 422) and any(word in low for word in _BOUNDS)):
            return TooLarge(f"{self._host} answered {code}: {says}")
        if may_pass(code) or code == 409:
            return Passing(f"{self._host} answered {code}: {says}", wait=asked_wait(answer.headers) or None)
        if code == 404:
            model = one_line(self.address.model, 60)
            return ModelUnavailable(
                f"{self._host} has no model {model}, or no embeddings at {self.wire.url}: {says}"
            )
        return ModelUnavailable(f"{self._host} answered {code}: {says}")

    def read(self, text: str, count: int, headers: Mapping[str, str]) -> Reply:
        """The vectors of an answer, if they can be those that were asked for; else ``ModelUnavailable``."""
        import numpy as np

        try:
            rows, tokens = self.wire.read(parse_json(text))
            vectors = np.asarray(rows, dtype=np.float32)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError):
            raise self._wrong("something that is no list of vectors of one length") from None
        if len(rows) != count:
            raise self._wrong(f"{len(rows)} vectors for {count} texts")
        if vectors.ndim != 2 or not vectors.shape[1]:
            raise self._wrong("something that is no list of vectors of one length")
        if self.dimensions and vectors.shape[1] != self.dimensions:
            raise self._wrong(f"vectors of {vectors.shape[1]} dimensions, {self.dimensions} were expected")
        with np.errstate(over="ignore"):
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not (lengths > 0).all():
            raise self._wrong("a vector that is zero or not finite")
        self.dimensions = int(vectors.shape[1])
        return Reply(vectors / lengths, tokens, headers)

    def _wrong(self, what: str) -> ModelUnavailable:
        return ModelUnavailable(f"{self._host} sent {what}; nothing of that batch is kept")

    def _safe(self, text: str) -> str:
        """The server's words on one line without the key, should it repeat it."""
        return one_line(self.key.hide(text)) or "no reason given"


def _sendable(text: str) -> str:
    """Lone surrogates, which JSON in UTF-8 cannot carry, become "?"."""
    return text.encode(errors="replace").decode()


def _reason(answer: httpx2.Response) -> str:
    """The reason in an error's body, in any of the shapes that services give it."""
    try:
        body: Any = parse_json(answer.text)
    except ValueError:
        body = answer.text[:300]
    if isinstance(body, Mapping):
        body = body.get("error") or body.get("message") or body.get("detail") or ""
    if isinstance(body, Mapping):
        body = body.get("message") or body.get("code") or ""
    return body if isinstance(body, str) and not body.lstrip().startswith("<") else ""
