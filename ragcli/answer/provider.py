"""From an LLM spec to the generator that it names."""

from __future__ import annotations

import shlex
import shutil
from typing import TYPE_CHECKING

from ragcli.answer.anthropic import AnthropicChat
from ragcli.answer.chat import FIRST, STALL, Limits
from ragcli.answer.command import Command
from ragcli.answer.openai import OpenAIChat
from ragcli.errors import UsageError
from ragcli.plain import one_line
from ragcli.service.addresses import SERVICES, Address, is_service, leads_elsewhere, parse_spec
from ragcli.service.keys import LLM_KEY, find_key
from ragcli.service.prices import Price

if TYPE_CHECKING:
    from ragcli.answer.generate import Generator

SUPPORTED = "openai:MODEL, ollama:MODEL, anthropic:MODEL, http(s)://HOST/v1#MODEL, cmd:COMMAND or none"


def generator_for(
    spec: str,
    *,
    offline: bool = False,
    first: float | None = None,
    stall: float | None = None,
    most: int | None = None,
    price: str | None = None,
    key_command: str | None = None,
    foreign: bool = False,
) -> Generator | None:
    """The generator that ``spec`` names; None for ``none``. Opens no connection.

    - ``NAME:MODEL``: a service of ``ragcli.service.addresses``, at the address and with the key
      that the environment gives; ``azure:DEPLOYMENT`` among them.
    - ``http(s)://HOST:PORT/v1#MODEL``: an OpenAI-compatible server; RAG_LLM_KEY if it is set.
    - ``cmd:COMMAND``: split as a shell does and run without one.

    A service may send nothing for ``first`` seconds before its first word (300 when None), and
    for ``stall`` seconds after it (60); a command has such limits where they are given, ``stall``
    for both. ``most`` is how many tokens an answer may have, ``price`` what a million cost.
    ``foreign`` says that a project's file named the spec and nobody vouched for it: it may then
    name a service, which sees no key but its own, and neither a command nor an address.

    UsageError for a spec that cannot be meant or trusted, and with ``offline`` for every spec that
    opens a connection, be it to this machine; ModelUnavailable when a service has no key.
    """
    for given in (first, stall):
        if given is not None and not given > 0:
            raise UsageError(f"an LLM time-out of {given:g} s is no time at all; give seconds above 0")
    spec = spec.strip()
    if spec == "none":
        return None
    if foreign and leads_elsewhere(spec):
        raise UsageError(
            f"a project's file names the LLM {one_line(spec, 60)}, which is not asked: "
            f"look at it, then say --trust, or --llm SPEC for one of yours"
        )
    if spec.startswith("cmd:"):
        return Command(_command(spec[4:]), name=spec, first=first or stall, stall=stall)
    if not is_service(spec) or (spec.partition(":")[0] in SERVICES and not _chats(spec)):
        raise UsageError(f"no such LLM: {one_line(spec, 60)}; use {SUPPORTED}")
    address = parse_spec(spec)
    if offline:
        raise UsageError(
            f"--offline opens no connection and {one_line(spec, 60)} needs one; use cmd: or none"
        )
    limits = Limits(first or max(FIRST, stall or 0), stall or STALL)
    key = find_key(address, LLM_KEY, command=key_command, chosen=not foreign)
    return _kind(address)(address, key, limits, most, Price.read(price))


def _chats(spec: str) -> bool:
    return SERVICES[spec.partition(":")[0]].chat


def _kind(address: Address) -> type[OpenAIChat | AnthropicChat]:
    return AnthropicChat if address.service.speaks == "anthropic" else OpenAIChat


def _command(text: str) -> tuple[str, ...]:
    """The words of a ``cmd:`` spec, whose first can be run."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"cmd: cannot be split into words: {error}".lower()) from None
    if not words:
        raise UsageError("cmd: names no command; write cmd:COMMAND")
    if shutil.which(words[0]) is None:
        raise UsageError(f"command not found: {one_line(words[0], 60)}; check the cmd: spec and PATH")
    return tuple(words)
