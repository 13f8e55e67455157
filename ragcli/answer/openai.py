"""An answer from any server that speaks OpenAI's chat completions, Azure's among them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ragcli.answer.chat import Chat, sendable, whole
from ragcli.service.line import Line
from ragcli.service.patience import Setback

if TYPE_CHECKING:
    from ragcli.types import Prompt

# The oldest version of Azure's interface that has all that is asked of it.
AZURE_VERSION = "2024-10-21"


class OpenAIChat(Chat):
    """``address.url`` ends in ``/v1``, or is an Azure resource of which the model is a deployment."""

    __slots__ = ()

    def _sdk(self) -> Any:
        import openai

        return openai

    def _client(self, line: Line) -> Any:
        import openai

        http = openai.DefaultHttpxClient(**line.options())
        if self.address.service.speaks == "azure":
            client: openai.OpenAI = openai.AzureOpenAI(
                azure_endpoint=self.address.url,
                azure_deployment=self.address.model,
                api_version=os.environ.get("OPENAI_API_VERSION") or AZURE_VERSION,
                api_key=self.key.value,
                http_client=http,
                timeout=http.timeout,
                max_retries=0,
            )
        else:
            client = openai.OpenAI(
                api_key=self.key.value,
                base_url=self.address.url,
                http_client=http,
                timeout=http.timeout,
                max_retries=0,
            )
        _ = client.chat.completions  # imported by the package when it is first named
        return client

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"temperature": 0, "stream_options": {"include_usage": True}}
        if self.most is not None:
            new = self.address.service.name in ("openai", "azure")  # others may not know the new name
            options["max_completion_tokens" if new else "max_tokens"] = self.most
        return options

    def _create(self, client: Any, prompt: Prompt, options: Mapping[str, Any]) -> Any:
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        return client.chat.completions.create(
            model=self.address.model,
            messages=[{**each, "content": sendable(each["content"])} for each in messages],
            stream=True,
            **options,
        )

    def _words(self, events: Any) -> Iterator[str]:
        finish, begun = "", False
        for chunk in events:
            self.usage = _usage(chunk.usage) or self.usage
            piece = ""
            for choice in (chunk.choices or ())[:1]:
                finish = choice.finish_reason or finish
                if choice.delta:  # a model's policy speaks through ``refusal``
                    piece = str(choice.delta.content or getattr(choice.delta, "refusal", None) or "")
            begun = begun or bool(piece)
            yield piece
        if not finish:
            raise self._ended(events, begun)
        if finish == "content_filter":
            raise Setback(f"{self.host} stopped the answer: its content filter objected")
        self.truncated = finish == "length"


def _usage(counts: Any) -> dict[str, float]:
    """Token counts as the server counted them."""
    if counts is None:
        return {}
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    cached = getattr(getattr(counts, "prompt_tokens_details", None), "cached_tokens", None)
    return whole({**{name: getattr(counts, name, None) for name in names}, "cached_tokens": cached or None})
