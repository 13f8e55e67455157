"""From an LLM spec to the generator that it names."""

from __future__ import annotations

import os
import shlex
import shutil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ragcli.answer.command import Command
from ragcli.answer.openai import Chat
from ragcli.answer.screen import one_line
from ragcli.errors import ModelUnavailable, UsageError

if TYPE_CHECKING:
    from ragcli.answer.generate import Generator

SUPPORTED = "openai:MODEL, ollama:MODEL, http(s)://HOST/v1#MODEL, cmd:COMMAND or none"
OPENAI_URL = "https://api.openai.com/v1"
STALL = 60.0


def generator_for(spec: str, *, offline: bool = False, stall: float | None = None) -> Generator | None:
    """The generator that ``spec`` names; None for ``none``. Opens no connection.

    - ``openai:MODEL``: OPENAI_BASE_URL or api.openai.com; the key is RAG_LLM_KEY or OPENAI_API_KEY.
    - ``ollama:MODEL``: OLLAMA_HOST or 127.0.0.1:11434; RAG_LLM_KEY if it is set.
    - ``http(s)://HOST:PORT/v1#MODEL``: an OpenAI-compatible server; RAG_LLM_KEY if it is set.
    - ``cmd:COMMAND``: split as a shell does and run without one.

    ``stall`` is how many seconds a service may send nothing, 60 when None; a command has no such
    limit unless one is given. UsageError for a spec that cannot be meant, and with ``offline``
    for every spec that opens a connection, be it to this machine; ModelUnavailable when
    ``openai:`` has no key.
    """
    if stall is not None and not stall > 0:
        raise UsageError(f"an LLM time-out of {stall:g} s is no time at all; give seconds above 0")
    spec = spec.strip()
    kind, _, rest = spec.partition(":")
    rest = rest.strip()
    if spec == "none":
        return None
    if kind == "cmd":
        return Command(_command(rest), name=spec, stall=stall)
    if kind not in ("openai", "ollama", "http", "https"):
        raise UsageError(f"no such LLM: {one_line(spec, 60)}; use {SUPPORTED}")
    if kind in ("http", "https"):
        url, _, model = spec.partition("#")
    else:
        url, model = _openai_url() if kind == "openai" else _ollama_url(), rest
    url = _checked(url)
    if not model:
        example = f"{url}#MODEL" if kind.startswith("http") else f"{kind}:MODEL"
        raise UsageError(f"the LLM {one_line(spec, 60)} names no model; write {example}")
    if offline:
        raise UsageError(
            f"--offline opens no connection and {one_line(spec, 60)} needs one; use cmd: or none"
        )
    key = os.environ.get("RAG_LLM_KEY", "").strip()
    if kind == "openai":
        # Nobody else's server is shown a key that was made for OpenAI's.
        key = key or os.environ.get("OPENAI_API_KEY", "").strip()
    if kind == "openai" and url == OPENAI_URL and not key:
        raise ModelUnavailable(f"{one_line(spec, 60)} needs a key; set OPENAI_API_KEY")
    return Chat(url, model, name=spec, key=key or "none", stall=STALL if stall is None else stall)


def _openai_url() -> str:
    return os.environ.get("OPENAI_BASE_URL", "").strip() or OPENAI_URL


def _ollama_url() -> str:
    """OLLAMA_HOST as Ollama itself reads it: scheme and port may lack, 0.0.0.0 is this machine."""
    host = os.environ.get("OLLAMA_HOST", "").strip() or "127.0.0.1:11434"
    scheme, apart, rest = host.rpartition("://")
    address = urlsplit(f"//{rest}")
    try:
        port = address.port
    except ValueError:
        raise UsageError(f"OLLAMA_HOST is no address: {one_line(host, 60)}") from None
    name = address.hostname or "127.0.0.1"
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(name, f"[{name}]" if ":" in name else name)  # noqa: S104
    usual = {"http": 80, "https": 443}.get(scheme, 11434) if apart else 11434
    return f"{scheme or 'http'}://{name}:{port or usual}{address.path.rstrip('/')}/v1"


def _checked(url: str) -> str:
    """``url`` if it can be one; it must carry no password, since it is printed (not even in an error)."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        valid = valid and not any(char.isspace() for char in url)
    except ValueError:
        valid = False
    if not valid:
        shown = "" if "@" in url or "?" in url else f": {one_line(url, 60)}"
        raise UsageError(f"no address of an LLM{shown}; write http://HOST:PORT/v1#MODEL")
    if parts.username or parts.password or parts.query:
        raise UsageError("an LLM's address must not hold a password or key; set RAG_LLM_KEY")
    return url.rstrip("/")


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
