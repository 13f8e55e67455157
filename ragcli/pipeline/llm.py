"""The LLM that the settings name, and how much it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ragcli.answer import Generator, generator_for
from ragcli.errors import RagError
from ragcli.guard import Masking
from ragcli.service.addresses import is_service, parse_spec
from ragcli.service.context import context_of
from ragcli.service.keys import LLM_KEY, find_key
from ragcli.settings import Settings
from ragcli.types import Prompt


@dataclass(frozen=True, slots=True)
class Discreet:
    """Asks ``generator`` without telling it secrets: they are masked in what it reads, and put back
    in what it says, which comes in one piece.
    """

    generator: Generator

    @property
    def name(self) -> str:
        """What wrote the answer."""
        return self.generator.name

    @property
    def usage(self) -> Mapping[str, float]:
        """As of the generator behind it."""
        return self.generator.usage

    @property
    def truncated(self) -> bool:
        """As of the generator behind it."""
        return self.generator.truncated

    def stream(self, prompt: Prompt) -> Iterator[str]:
        """The reply, once it is whole. Raises what the generator raises."""
        masking = Masking()
        masking.learn(prompt.user)
        masked = replace(prompt, system=masking.mask(prompt.system), user=masking.mask(prompt.user))
        yield masking.restore("".join(self.generator.stream(masked)))


def open_llm(settings: Settings) -> Generator | None:
    """The LLM that is set; None where none is. Raises what ``generator_for`` raises."""
    return generator_for(
        settings.llm,
        offline=settings.offline,
        first=settings.llm_first_token,
        stall=settings.llm_timeout,
        most=settings.llm_answer,
        price=settings.llm_price,
        key_command=settings.key_command,
        foreign="llm" in settings.foreign,
    )


def with_context(settings: Settings) -> Settings:
    """The same settings with ``llm_context`` as the server itself tells it, where it is local and not set."""
    if settings.llm_context is not None or settings.offline or not is_service(settings.llm):
        return settings
    try:
        address = parse_spec(settings.llm)
        if not address.local or "llm" in settings.foreign:
            return settings
        return replace(settings, llm_context=context_of(address, find_key(address, LLM_KEY)))
    except RagError:  # opening the LLM tells
        return settings
