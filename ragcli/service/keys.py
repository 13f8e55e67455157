"""The key that a service is shown: from the environment or a keyring's command, and never told on.

Nobody's server is shown a key that was made for another's. A key is looked for, in this order,
in RAG_LLM_KEY or RAG_EMBED_KEY (the user's own word for the one service that he set), in the
service's own variable, and in what ``key_command`` prints for the service's name.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ragcli.errors import ModelUnavailable, UsageError
from ragcli.service.addresses import Address

LLM_KEY: Literal["RAG_LLM_KEY"] = "RAG_LLM_KEY"
EMBED_KEY: Literal["RAG_EMBED_KEY"] = "RAG_EMBED_KEY"

_PATIENCE = 120.0  # seconds for a keyring, which may ask its owner to unlock it
_KEY = re.compile(r"[!-~]+")
_WORD = re.compile(r"[^\s\"'`=,;:<>()\[\]{}]{8,}")


@dataclass(frozen=True, slots=True)
class Key:
    """A key and where it came from. It shows itself to nobody: ask for its ``value``."""

    value: str = field(repr=False)
    source: str

    def hide(self, text: str) -> str:
        """``text`` with … for the key, and for each word of eight characters or more that is part of it."""
        if len(self.value) < 8:
            return text
        text = text.replace(self.value, "…")
        return _WORD.sub(lambda match: "…" if match[0] in self.value else match[0], text)


NO_KEY = Key("none", "")


def find_key(
    address: Address,
    variable: Literal["RAG_LLM_KEY", "RAG_EMBED_KEY"],
    *,
    command: str | None = None,
    chosen: bool = True,
    environment: Mapping[str, str] = os.environ,
) -> Key:
    """The key for the service at ``address``; ``NO_KEY`` where there is none and it may do without.

    ``chosen`` is False where not the user but a project's file names the service: ``variable`` then
    is not looked into, as it holds the key of the user's choice. ``command`` is the setting
    ``key_command``, run without a shell and not for servers of this machine. Raises
    ``ModelUnavailable`` where a service at its own address has no key, and ``UsageError`` for one
    that cannot be a key or a command that cannot be run.
    """
    service = address.service
    for name in ((variable,) if chosen else ()) + service.keys:
        if value := environment.get(name, "").strip():
            return Key(_sound(value, name), name)
    if command and not service.local and (value := _from_command(command, service.name)):
        return Key(_sound(value, "key_command"), "key_command")
    if address.own and not service.local:
        where = " or ".join(service.keys)
        also = ", or look at key_command, which gave none" if command else ""
        raise ModelUnavailable(f"{service.name} needs a key; set {where}{also}")
    return NO_KEY


def key_variables(address: Address, variable: Literal["RAG_LLM_KEY", "RAG_EMBED_KEY"]) -> str:
    """The variables that a key for ``address`` may stand in, as a message names them."""
    return " or ".join((*address.service.keys[:1], variable))


def check_command(command: str) -> str:
    """``command`` as it is, if it can be a ``key_command``. Raises ``UsageError`` otherwise."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"key_command cannot be split into words: {error}".lower()) from None
    if not any("{service}" in word for word in words[1:]):  # one key for all would be shown to all
        raise UsageError("key_command does not say where {service} goes, as in: pass show keys/{service}")
    return command


def _from_command(command: str, service: str) -> str:
    """The first line that the command prints for a service; "" where it knows none."""
    words = [word.replace("{service}", service) for word in shlex.split(check_command(command))]
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command, split and without a shell
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise ModelUnavailable(f"key_command gave no key within {_PATIENCE:g} s; run it by hand") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a command"
        raise UsageError(f"key_command cannot be run: {reason}; `rag config` shows it") from None
    if done.returncode != 0:
        return ""
    lines = done.stdout.decode(errors="replace").splitlines()
    return lines[0].strip() if lines else ""


def _sound(value: str, source: str) -> str:
    """``value`` if it can stand in a header. What it is, is not told."""
    if not _KEY.fullmatch(value):
        raise UsageError(f"{source} holds no key: a key has neither blanks nor letters beyond ASCII")
    return value
