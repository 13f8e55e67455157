"""An answer from any server that speaks OpenAI's chat completions, streamed.

Repeats are ours and not the package's: they end with the first token, they say how long they
may take, and a key that was refused or a quota that is spent is not tried again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ragcli.answer.screen import one_line
from ragcli.errors import ModelUnavailable

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletionChunk

    from ragcli.types import Prompt

TRIES = 3
CONNECT = 10.0  # seconds
LONGEST_WAIT = 60.0  # seconds that the waits between the tries may take together


@dataclass(slots=True)
class Chat:
    """Asks ``model`` at ``url`` (which ends in ``/v1``) and streams what it says.

    ``stall`` is how many seconds the server may send nothing, before the first token too.
    ``sleep`` waits between tries; a Ctrl-C must end it.
    """

    url: str
    model: str
    name: str
    key: str = field(repr=False)
    stall: float = 60.0
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    usage: Mapping[str, int] = field(default_factory=dict, init=False)
    truncated: bool = field(default=False, init=False)

    @property
    def host(self) -> str:
        """Host and port, as messages name the server."""
        return urlsplit(self.url).netloc

    def stream(self, prompt: Prompt) -> Iterator[str]:
        """The answer's pieces. Closing the iterator closes the connection.

        ModelUnavailable for every failure: before the first token after up to three tries
        (connection errors, 429 and 5xx; Retry-After is honoured while the waits stay below a
        minute), at once for everything else, and for an answer that breaks off.
        """
        import openai

        self.usage, self.truncated = {}, False
        client = openai.OpenAI(
            api_key=self.key,
            base_url=self.url,
            timeout=openai.Timeout(self.stall, connect=CONNECT),
            max_retries=0,
        )
        with client, self._open(client, prompt) as chunks:
            yield from self._pieces(chunks)

    def _open(self, client: openai.OpenAI, prompt: Prompt) -> openai.Stream[ChatCompletionChunk]:
        """The opened stream, after repeats."""
        import openai

        options: dict[str, Any] = {"temperature": 0, "stream_options": {"include_usage": True}}
        waited = 0.0
        tries = 1
        while True:
            try:
                stream: openai.Stream[ChatCompletionChunk] = client.chat.completions.create(
                    model=self.model, messages=_messages(prompt), stream=True, **options
                )
                return stream
            except openai.APIStatusError as error:
                if _drop_refused(options, error):
                    continue
                wait = _asked_wait(error) if _may_pass(error) else None
                failure = self._status(error)
            except openai.APITimeoutError as error:
                raise self._silent(error) from None
            except openai.APIConnectionError:
                wait = 0.0
                failure = ModelUnavailable(f"cannot reach {self.host}; is it running?")
            except (openai.OpenAIError, ValueError, TypeError) as error:
                raise ModelUnavailable(f"{self.host}: {self._safe(str(error))}") from None
            if wait is None or tries == TRIES:
                raise failure from None
            # Full jitter above the half, so that many callers do not come back together.
            wait = wait or 2.0 ** (tries - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
            if waited + wait > LONGEST_WAIT:
                raise ModelUnavailable(f"{failure}; it asks to wait {wait:.0f} s, try again then") from None
            self.sleep(wait)
            waited += wait
            tries += 1

    def _pieces(self, chunks: openai.Stream[ChatCompletionChunk]) -> Iterator[str]:
        """The text of a stream, which must reach its end; sets ``usage`` and ``truncated``."""
        finish, begun = "", False
        try:
            for chunk in chunks:
                self.usage = _usage(chunk) or self.usage
                for choice in (chunk.choices or ())[:1]:
                    finish = choice.finish_reason or finish
                    if choice.delta and (piece := choice.delta.content):
                        begun = True
                        yield str(piece)  # unchecked by the package
        except GeneratorExit:
            raise
        except Exception as error:
            # openai 2 lets the exceptions of its HTTP client through here, openai 3 wraps them,
            # and both build what a server sent without looking at it: any mistake may come up.
            raise self._broken(error, begun) from None
        if not finish:
            raise self._ended(chunks, begun)
        if finish == "content_filter":
            raise ModelUnavailable(f"{self.host} stopped the answer: its content filter objected")
        self.truncated = finish == "length"

    def _status(self, error: openai.APIStatusError) -> ModelUnavailable:
        """What an HTTP status means to the user."""
        says = self._safe(_message(error))
        match error.status_code:
            case 401 | 403:  # the server's words often repeat part of the key
                hint = "OPENAI_API_KEY or RAG_LLM_KEY" if self.name.startswith("openai:") else "RAG_LLM_KEY"
                return ModelUnavailable(f"{self.host} refused the key; set {hint}")
            case 404:
                return ModelUnavailable(
                    f"{self.host} has no model {one_line(self.model, 60)} or no chat at {self.url}: {says}"
                )
            case 413:
                return ModelUnavailable(f"the prompt is too long for {self.host}; give a smaller --budget")
            case 400 if "context" in says.lower() and ("length" in says.lower() or "size" in says.lower()):
                return ModelUnavailable(
                    f"the prompt is too long for {one_line(self.model, 60)}; give a smaller --budget: {says}"
                )
            case 429:
                return ModelUnavailable(f"{self.host} has had too many requests: {says}")
            case code:
                return ModelUnavailable(f"{self.host} answered {code}: {says}")

    def _silent(self, error: Exception) -> ModelUnavailable:
        if "ConnectTimeout" in type(error.__cause__).__name__:
            return ModelUnavailable(f"cannot reach {self.host} within {CONNECT:g} s; is it running?")
        return ModelUnavailable(f"{self.host} sent nothing for {self.stall:g} s")

    def _broken(self, error: Exception, begun: bool) -> ModelUnavailable:
        """What an exception in the middle of a stream means."""
        kinds = {kind.__name__ for kind in type(error).__mro__}
        after = "; the answer broke off" if begun else ""
        if kinds & {"APITimeoutError", "TimeoutException"}:
            return ModelUnavailable(f"{self.host} sent nothing for {self.stall:g} s{after}")
        if kinds & {"APIConnectionError", "RequestError"}:
            return ModelUnavailable(f"{self.host} closed the connection before the answer's end{after}")
        if "APIError" in kinds:
            return ModelUnavailable(f"{self.host} reports: {self._safe(str(error))}{after}")
        return ModelUnavailable(f"{self.host} sent something that is no chat answer{after}")

    def _ended(self, chunks: openai.Stream[ChatCompletionChunk], begun: bool) -> ModelUnavailable:
        """A stream that ended in good order, but not because the answer did."""
        if begun:
            return ModelUnavailable(f"{self.host} ended the stream in mid-answer; the answer broke off")
        kind = chunks.response.headers.get("content-type", "nothing").partition(";")[0]
        if kind == "text/event-stream":
            return ModelUnavailable(f"{self.host} sent an empty stream")
        return ModelUnavailable(
            f"{self.host} answered with {one_line(kind, 40)} and no stream; is {self.url} a chat endpoint?"
        )

    def _safe(self, text: str) -> str:
        """The server's words on one line without the key, should it repeat it."""
        if len(self.key) >= 8:
            text = text.replace(self.key, "…")
        return one_line(text) or "no reason given"


def _messages(prompt: Prompt) -> Any:
    """System and user message; lone surrogates, which JSON in UTF-8 cannot carry, become "?"."""
    texts = (("system", prompt.system), ("user", prompt.user))
    return [{"role": role, "content": text.encode(errors="replace").decode()} for role, text in texts]


def _message(error: openai.APIStatusError) -> str:
    """The reason in an error's body, in any of the shapes that servers give it."""
    body = error.body
    if isinstance(body, Mapping):
        body = body.get("message") or body.get("error") or body.get("detail") or ""
    if isinstance(body, Mapping):
        body = body.get("message") or ""
    return body if isinstance(body, str) and not body.lstrip().startswith("<") else ""


def _drop_refused(options: dict[str, Any], error: openai.APIStatusError) -> bool:
    """Take out the option that a server does not know; whether there was one to take out.

    Reasoning models refuse a temperature, older servers ``stream_options``, and not all say why.
    """
    if error.status_code not in (400, 422):
        return False
    says = str(error.body)
    for option in ("temperature", "stream_options"):
        if option in options and option in says:
            del options[option]
            return True
    return options.pop("stream_options", None) is not None


def _may_pass(error: openai.APIStatusError) -> bool:
    """Whether the same request may succeed later."""
    if error.status_code == 429:
        return error.code != "insufficient_quota" and error.type != "insufficient_quota"
    return error.status_code >= 500 and error.status_code != 501


def _asked_wait(error: openai.APIStatusError) -> float:
    """Seconds that Retry-After asks for (a number or a date, RFC 9110), 0 where it asks nothing."""
    value = error.response.headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(value)) if value else 0.0
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _usage(chunk: ChatCompletionChunk) -> dict[str, int]:
    """The token counts of a chunk that has them."""
    counts = chunk.usage
    if counts is None:
        return {}
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    found = {name: getattr(counts, name, None) for name in names}
    return {name: value for name, value in found.items() if isinstance(value, int)}
