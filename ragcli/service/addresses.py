"""Named services: their addresses, the variables that say otherwise, and those that hold their keys.

A spec is ``NAME:MODEL`` for a service of the table, or ``http(s)://HOST/v1#MODEL`` for any server
that speaks as OpenAI's does. ``parse_spec`` takes either apart and opens no connection.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from ragcli.errors import ModelUnavailable, UsageError
from ragcli.plain import one_line

Speaks = Literal["openai", "azure", "anthropic", "cohere", "voyage"]


@dataclass(frozen=True, slots=True)
class Service:
    """A service that has a name.

    ``url`` is its own address ("" where each customer has one of his own), ``variable`` the
    environment variable that names another, ``keys`` those that hold its key, by rank. A ``local``
    one runs on the user's machine and needs no key. ``speaks`` is the protocol; ``chat`` and
    ``embeds`` say what it is for.
    """

    name: str
    url: str
    variable: str
    keys: tuple[str, ...] = ()
    speaks: Speaks = "openai"
    local: bool = False
    chat: bool = True
    embeds: bool = True


SERVICES: Mapping[str, Service] = {
    service.name: service
    for service in (
        Service("openai", "https://api.openai.com/v1", "OPENAI_BASE_URL", ("OPENAI_API_KEY",)),
        Service("azure", "", "AZURE_OPENAI_ENDPOINT", ("AZURE_OPENAI_API_KEY",), "azure"),
        Service(
            "anthropic", "https://api.anthropic.com", "ANTHROPIC_BASE_URL", ("ANTHROPIC_API_KEY",),
            "anthropic", embeds=False,
        ),
        Service("mistral", "https://api.mistral.ai/v1", "MISTRAL_BASE_URL", ("MISTRAL_API_KEY",)),
        Service("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_BASE_URL", ("DEEPSEEK_API_KEY",), embeds=False),
        Service(
            "qwen", "https://dashscope.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_BASE_URL",
            ("DASHSCOPE_API_KEY",),
        ),
        Service("groq", "https://api.groq.com/openai/v1", "GROQ_BASE_URL", ("GROQ_API_KEY",), embeds=False),
        Service("together", "https://api.together.xyz/v1", "TOGETHER_BASE_URL", ("TOGETHER_API_KEY",)),
        Service("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_BASE_URL", ("OPENROUTER_API_KEY",)),
        Service("xai", "https://api.x.ai/v1", "XAI_BASE_URL", ("XAI_API_KEY",), embeds=False),
        Service(
            "cohere", "https://api.cohere.com", "CO_API_URL", ("CO_API_KEY", "COHERE_API_KEY"), "cohere",
            chat=False,
        ),
        Service(
            "voyage", "https://api.voyageai.com/v1", "VOYAGE_BASE_URL", ("VOYAGE_API_KEY",), "voyage", chat=False
        ),
        Service("ollama", "http://127.0.0.1:11434/v1", "OLLAMA_HOST", ("OLLAMA_API_KEY",), local=True),
        Service("vllm", "http://127.0.0.1:8000/v1", "VLLM_BASE_URL", ("VLLM_API_KEY",), local=True),
        Service("llamacpp", "http://127.0.0.1:8080/v1", "LLAMACPP_BASE_URL", ("LLAMA_API_KEY",), local=True),
        Service("lmstudio", "http://127.0.0.1:1234/v1", "LMSTUDIO_BASE_URL", ("LM_API_TOKEN",), local=True),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """Whom a spec means: the service, the URL in force (no slash at its end) and the model.

    ``own`` is whether the URL is the service's own and no variable or spec gave another.
    """

    spec: str
    service: Service
    url: str
    model: str
    own: bool

    @property
    def host(self) -> str:
        """Host and port, as messages name the server."""
        return urlsplit(self.url).netloc

    @property
    def local(self) -> bool:
        """Whether the server runs on this machine."""
        return is_loopback(self.url)


def is_service(spec: str) -> bool:
    """Whether a spec names a service or an address, be it rightly written or not."""
    kind = spec.strip().partition(":")[0]
    return ":" in spec and (kind in SERVICES or kind in ("http", "https"))


def leads_elsewhere(spec: str) -> bool:
    """Whether a spec runs a command or names an address of its own.

    Such a spec in a stranger's file would run what he likes, or show him keys and passages.
    """
    return spec.strip().partition(":")[0].lower() in ("cmd", "http", "https")


def parse_spec(spec: str, environment: Mapping[str, str] = os.environ, *, what: str = "LLM") -> Address:
    """Whom ``spec`` means. ``what`` is what messages call it.

    Raises ``UsageError`` for a spec that names no known service, no model or no address, or that
    holds a password.
    """
    spec = spec.strip()
    kind, _, rest = spec.partition(":")
    if kind in ("http", "https"):
        url, _, model = spec.partition("#")
        url, model = checked_url(url, what), model.strip()
        service = Service(urlsplit(url).hostname or "", url, "", local=is_loopback(url))
        own, example = False, f"{url}#MODEL"
    elif kind in SERVICES:
        service, model = SERVICES[kind], rest.strip()
        url, own = service_url(service, environment)
        service = replace(service, local=service.local and is_loopback(url))
        example = f"{kind}:MODEL"
    else:
        raise UsageError(f"no such {what}: {one_line(spec, 60)}; use NAME:MODEL or http(s)://HOST/v1#MODEL")
    if not model:
        raise UsageError(f"the {what} {one_line(spec, 60)} names no model; write {example}")
    return Address(spec, service, url, model, own)


def service_url(service: Service, environment: Mapping[str, str] = os.environ) -> tuple[str, bool]:
    """The address of a service that is in force, and whether it is the service's own.

    Raises ``UsageError`` where its variable holds none, ``ModelUnavailable`` where there is no
    address but the variable's and that is not set.
    """
    given = environment.get(service.variable, "").strip()
    if given and service.name == "ollama":
        given = _ollama(given)
    if given:
        return checked_url(given, service.variable), False
    if not service.url:
        raise ModelUnavailable(f"{service.name}: has no address of its own; set {service.variable}")
    return service.url, True


def checked_url(url: str, what: str = "LLM") -> str:
    """``url`` if it can be one; it must carry no password, since it is printed (not even in an error)."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        valid = valid and not any(char.isspace() for char in url)
    except ValueError:
        valid = False
    if not valid:
        shown = "" if "@" in url or "?" in url else f": {one_line(url, 60)}"
        raise UsageError(f"no address of an {what}{shown}; write http://HOST:PORT/v1#MODEL")
    if parts.username or parts.password or parts.query:
        raise UsageError(f"the address of an {what} must not hold a password or key; set RAG_LLM_KEY")
    return url.rstrip("/")


def is_loopback(url: str) -> bool:
    """Whether an address means this machine."""
    name = urlsplit(url).hostname or ""
    from ipaddress import ip_address

    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _ollama(host: str) -> str:
    """OLLAMA_HOST as Ollama itself reads it: scheme and port may lack, 0.0.0.0 is this machine."""
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
