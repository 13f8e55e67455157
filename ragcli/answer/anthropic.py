"""An answer from a server that speaks Anthropic's messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ragcli.answer.chat import Chat, sendable, whole
from ragcli.service.line import Line
from ragcli.service.patience import Setback

if TYPE_CHECKING:
    from ragcli.types import Prompt

# This interface wants a limit; an answer from a few passages never needs so much.
MOST = 4096


class AnthropicChat(Chat):
    """``address.url`` is the server's root, without ``/v1``."""

    __slots__ = ()
    _required = ("max_completion_tokens",)  # so that ``max_tokens`` is not renamed to it

    def _sdk(self) -> Any:
        import anthropic

        return anthropic

    def _client(self, line: Line) -> Any:
        import anthropic

        http = anthropic.DefaultHttpxClient(**line.options())
        client = anthropic.Anthropic(
            api_key=self.key.value,
            base_url=self.address.url.removesuffix("/v1"),
            http_client=http,
            timeout=http.timeout,
            max_retries=0,
        )
        _ = client.messages  # imported by the package when it is first named
        return client

    def _options(self) -> dict[str, Any]:
        return {"max_tokens": self.most or MOST}  # the interface takes no temperature any more

    def _create(self, client: Any, prompt: Prompt, options: Mapping[str, Any]) -> Any:
        return client.messages.create(
            model=self.address.model,
            system=sendable(prompt.system),
            messages=[{"role": "user", "content": sendable(prompt.user)}],
            stream=True,
            **options,
        )

    def _words(self, events: Any) -> Iterator[str]:
        stop, begun = "", False
        for event in events:
            piece = ""
            match event.type:
                case "message_start":
                    self.usage = _usage(event.message.usage, self.usage)
                case "content_block_delta" if event.delta.type == "text_delta":
                    piece = str(event.delta.text)
                case "message_delta":
                    stop = event.delta.stop_reason or stop
                    self.usage = _usage(event.usage, self.usage)
            begun = begun or bool(piece)
            yield piece
        if not stop:
            raise self._ended(events, begun)
        if stop == "refusal":
            raise Setback(f"{self.host} stopped the answer: the model declined to give it")
        self.truncated = stop in ("max_tokens", "model_context_window_exceeded")


def _usage(counts: Any, known: Mapping[str, float]) -> dict[str, float]:
    """Token counts under the names that OpenAI gives them: what was sent includes what a cache held."""
    if counts is None:
        return dict(known)
    names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    found = whole({name: getattr(counts, name, None) for name in names})
    if "input_tokens" in found:
        read, written = (found.get(name, 0) for name in names[2:])
        sent = found["input_tokens"] + read + written
        known = {**known, "prompt_tokens": sent, "cached_tokens": read, "cache_written_tokens": written}
    if "output_tokens" in found:
        known = {**known, "completion_tokens": found["output_tokens"]}
    both = known.get("prompt_tokens"), known.get("completion_tokens")
    total = {"total_tokens": both[0] + both[1]} if both[0] is not None and both[1] is not None else {}
    return {name: value for name, value in {**known, **total}.items() if value or "cache" not in name}
