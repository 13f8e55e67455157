"""What the chats with all services have in common: patience, time-outs, and what a failure means.

The official packages build what a server sent without looking at it, repeat requests on their own
and put headers into their exceptions. So repeats are ours: they end with the first word, they say
how long they may take, and a key that was refused or a quota that is spent is not tried again. And
nothing of a package's exception is kept but words without the key.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from ragcli.errors import ModelUnavailable
from ragcli.plain import one_line
from ragcli.service.addresses import Address
from ragcli.service.feed import Silence, feed
from ragcli.service.keys import LLM_KEY, NO_KEY, Key, key_variables
from ragcli.service.line import CONNECT, LONGEST_LINE, Line, TooLong
from ragcli.service.patience import Patience, Setback, asked_wait, may_pass
from ragcli.service.prices import Price

if TYPE_CHECKING:
    from ragcli.types import Prompt

STALL = 60.0
FIRST = 300.0
_LONG = ("length", "size", "window", "too long", "too large", "exceed", "maximum")


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds until the first word, and between two signs of life after it."""

    first: float = FIRST
    stall: float = STALL


@dataclass(slots=True)
class Chat(ABC):
    """Asks the model at ``address`` and streams what it says.

    ``most`` is how many tokens an answer may have; ``price`` what they cost. ``sleep`` waits
    between tries; a Ctrl-C must end it.
    """

    address: Address
    key: Key = NO_KEY
    limits: Limits = Limits()
    most: int | None = None
    price: Price | None = None
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    usage: Mapping[str, float] = field(default_factory=dict, init=False)
    truncated: bool = field(default=False, init=False)

    # Options by a name for which there is no other.
    _required: ClassVar[tuple[str, ...]] = ()

    @property
    def name(self) -> str:
        """The spec, as it was given."""
        return self.address.spec

    @property
    def host(self) -> str:
        """Host and port, as messages name the server."""
        return self.address.host

    def stream(self, prompt: Prompt) -> Iterator[str]:
        """The answer's pieces. Closing the iterator closes the connection.

        ModelUnavailable for every failure: before the first word after up to three tries
        (connection errors, 429 and 5xx; Retry-After is honoured while the waits stay below a
        minute), at once for everything else, and for an answer that breaks off.
        """
        patience = Patience(sleep=self.sleep)
        begun = False
        while True:
            self.usage, self.truncated = {}, False
            line = Line()
            try:
                # Made before the clock runs: the packages take seconds to load.
                with self._made(line) as client:
                    heard = partial(self._heard, client, prompt)
                    pieces = feed(heard, line.cut, first=self.limits.first, stall=self.limits.stall)
                    with closing(pieces):
                        for piece in pieces:
                            if piece:
                                begun = True
                                yield piece
                break
            except Silence as silence:
                setback = Setback(f"{self.host} sent nothing for {silence.seconds:g} s")
            except Setback as failed:
                setback = failed
            if begun:
                raise ModelUnavailable(f"{setback}; the answer broke off") from None
            patience.bear(setback)
        if self.price and self.usage:
            self.usage = {**self.usage, "cost": self.price.of(self.usage)}

    @abstractmethod
    def _sdk(self) -> Any:
        """The service's own package."""

    @abstractmethod
    def _client(self, line: Line) -> Any:
        """The package's client over ``line``, that repeats nothing, with all that it loads when used."""

    @abstractmethod
    def _options(self) -> dict[str, Any]:
        """Arguments of a request, some of which a server may not know."""

    @abstractmethod
    def _create(self, client: Any, prompt: Prompt, options: Mapping[str, Any]) -> Any:
        """Send the request; the package's stream."""

    @abstractmethod
    def _words(self, events: Any) -> Iterator[str]:
        """The words of a stream, "" for each event without any; sets ``usage`` and ``truncated``.

        Raises ``Setback`` for a stream that does not reach the answer's end.
        """

    def _made(self, line: Line) -> Any:
        try:
            return self._client(line)
        except Exception as error:  # a proxy or a variable of the package's own that cannot be meant
            raise Setback(f"{self.host}: {self._safe(str(error))}") from None

    def _heard(self, client: Any, prompt: Prompt) -> Generator[str, None, None]:
        """One try. Every failure is a ``Setback``; runs in a thread of its own."""
        sdk = self._sdk()
        try:
            with self._opened(client, prompt) as events:
                yield from self._words(events)
        except Setback:
            raise
        except sdk.APIStatusError as error:
            raise self._status(error) from None
        except Exception as error:
            # The packages let exceptions of their HTTP client through, or wrap them, as they
            # like, and any mistake may come up in what a server sent.
            raise self._broken(error) from None

    def _opened(self, client: Any, prompt: Prompt) -> Any:
        """The package's stream, asked for again without each option that the server refuses."""
        sdk = self._sdk()
        options, refused = self._options(), set(self._required)
        while True:
            try:
                return self._create(client, prompt, options)
            except sdk.APIStatusError as error:
                if not _drop_refused(options, error, refused):
                    raise

    def _status(self, error: Any) -> Setback:
        """What an HTTP status means to the user."""
        body = _body(error.body)
        says = self._safe(_text(body.get("message")))
        code = {_text(body.get(name)) for name in ("code", "type")}
        status: int = error.status_code
        wait = asked_wait(error.response.headers) if may_pass(status) else None
        if "insufficient_quota" in code:
            wait = None
        if status in (401, 403):  # the server's words often repeat part of the key
            return Setback(f"{self.host} refused the key; set {key_variables(self.address, LLM_KEY)}")
        if status == 404:
            model = one_line(self.address.model, 60)
            return Setback(f"{self.host} has no model {model} or no chat at {self.address.url}: {says}")
        if status == 413 or "context_length_exceeded" in code or (status == 400 and _is_too_long(says)):
            model = one_line(self.address.model, 60)
            return Setback(f"the prompt is too long for {model}; give a smaller --budget: {says}")
        if status == 400 and "content_filter" in code:
            return Setback(f"{self.host} did not take the prompt: its content filter objected")
        if status == 429:
            return Setback(f"{self.host} has had too many requests: {says}", wait)
        if 300 <= status < 400:
            return Setback(
                f"{self.host} answered {status}: it sends one elsewhere; give the address it means"
            )
        if status < 300:  # an event of a stream that has begun
            busy = code & {"overloaded_error", "rate_limit_error", "api_error", "timeout_error"}
            return Setback(f"{self.host} reports: {says}", 0.0 if busy else None)
        return Setback(f"{self.host} answered {status}: {says}", wait)

    def _broken(self, error: Exception) -> Setback:
        """What an exception that is no answer means."""
        chain = list(_causes(error))
        kinds = {kind.__name__ for each in chain for kind in type(each).__mro__}
        if any(isinstance(each, TooLong) for each in chain):
            return Setback(f"{self.host} sent an event of more than {LONGEST_LINE >> 20} MiB")
        if "ConnectTimeout" in kinds:
            return Setback(f"cannot reach {self.host} within {CONNECT:g} s (is it running?)")
        if "ConnectError" in kinds:
            return Setback(f"cannot reach {self.host} (is it running?)", 0.0)
        if kinds & {"APITimeoutError", "TimeoutException"}:
            return Setback(f"{self.host} sent nothing in time")
        if kinds & {"APIConnectionError", "RequestError"}:
            return Setback(f"{self.host} closed the connection before the answer's end", 0.0)
        if "APIError" in kinds:
            return Setback(f"{self.host} reports: {self._safe(str(error))}")
        return Setback(f"{self.host} sent something that is no chat answer")

    def _ended(self, events: Any, begun: bool) -> Setback:
        """A stream that ended in good order, but not because the answer did."""
        if begun:
            return Setback(f"{self.host} ended the stream in mid-answer")
        kind = events.response.headers.get("content-type", "nothing").partition(";")[0]
        if kind == "text/event-stream":
            return Setback(f"{self.host} sent an empty stream")
        kind = one_line(self.key.hide(kind), 40)
        return Setback(
            f"{self.host} answered with {kind} and no stream; is {self.address.url} a chat endpoint?"
        )

    def _safe(self, text: str) -> str:
        """The server's words on one line without the key, should it repeat it."""
        return one_line(self.key.hide(text)) or "no reason given"


def sendable(text: str) -> str:
    """``text`` with "?" for lone surrogates, which JSON in UTF-8 cannot carry."""
    return text.encode(errors="replace").decode()


def whole(counts: Mapping[str, object]) -> dict[str, float]:
    """Of token counts those that are some: whole numbers."""
    return {
        name: value
        for name, value in counts.items()
        if isinstance(value, int) and not isinstance(value, bool)
    }


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _body(body: object) -> Mapping[str, object]:
    """What an error's body says, in any of the shapes that servers give it."""
    if isinstance(body, Mapping):
        inner = body.get("error") or body.get("detail")
        if isinstance(inner, Mapping):
            return inner
        return {**body, "message": body.get("message") or inner}
    return {"message": body}


def _text(value: object) -> str:
    return value if isinstance(value, str) and not value.lstrip().startswith("<") else ""


def _is_too_long(says: str) -> bool:
    says = says.lower()
    about = "context" in says or ("prompt" in says and "long" in says)
    return about and any(word in says for word in _LONG)


_OTHER_NAMES = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_OPTIONAL = ("temperature", "stream_options")


def _drop_refused(options: dict[str, Any], error: Any, refused: set[str]) -> bool:
    """Take out the option that a server does not know; whether there was one to take out.

    Reasoning models refuse a temperature and name the answer's length otherwise, older servers
    refuse ``stream_options``, and not all say why. ``refused`` are those taken out so far.
    """
    if error.status_code not in (400, 422):
        return False
    says = str(error.body)
    for option in [*_OPTIONAL, *_OTHER_NAMES]:
        other = _OTHER_NAMES.get(option)
        if option not in options or option not in says or other in refused:
            continue
        refused.add(option)
        value = options.pop(option)
        if other:
            options[other] = value
        return True
    return options.pop("stream_options", None) is not None
