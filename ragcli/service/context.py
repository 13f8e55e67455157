"""How many tokens a local server's model reads, as the server itself tells where it does."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ragcli.jsontext import parse_json
from ragcli.service.addresses import Address
from ragcli.service.keys import NO_KEY, Key

if TYPE_CHECKING:
    import httpx2

PATIENCE = 2.0  # seconds for all that is asked
_LONGEST = 2**20  # bytes of a reply
# What Ollama gives a model that is not loaded and whose Modelfile sets no num_ctx.
_OLLAMA = 4096
_NUM_CTX = re.compile(r"^num_ctx\s+(\d+)", re.MULTILINE)


def context_of(address: Address, key: Key = NO_KEY) -> int | None:
    """The tokens that the model at ``address`` reads and writes in all; None where nobody tells.

    Asked of servers on this machine only, for two seconds, and never an error: vLLM tells it in
    ``/v1/models``, llama.cpp in ``/props``, LM Studio in ``/api/v0/models``, Ollama in ``/api/ps``
    and ``/api/show``.
    """
    if not address.local or address.service.speaks != "openai":
        return None
    import httpx2

    headers = {"authorization": f"Bearer {key.value}"} if key is not NO_KEY else {}
    with httpx2.Client(follow_redirects=False, trust_env=False, headers=headers) as client:
        ask = _Asking(client, address)
        known = {"ollama": (ask.ollama,), "lmstudio": (ask.lmstudio,), "llamacpp": (ask.llamacpp,)}
        for way in known.get(address.service.name, (ask.vllm, ask.llamacpp)):
            if found := way():
                return found
    return None


class _Asking:
    """Questions to one server, all together within ``PATIENCE``."""

    def __init__(self, client: httpx2.Client, address: Address) -> None:
        self._client = client
        self._address = address
        self._root = address.url.removesuffix("/v1")
        self._until = time.monotonic() + PATIENCE

    def vllm(self) -> int | None:
        return self._listed(f"{self._address.url}/models", "max_model_len")

    def lmstudio(self) -> int | None:
        url = f"{self._root}/api/v0/models"
        return self._listed(url, "loaded_context_length") or self._listed(url, "max_context_length")

    def llamacpp(self) -> int | None:
        told = self._json(f"{self._root}/props")
        return _count(_inner(told, "default_generation_settings").get("n_ctx")) or _count(told.get("n_ctx"))

    def ollama(self) -> int | None:
        running = self._json(f"{self._root}/api/ps").get("models")
        for each in running if isinstance(running, list) else ():
            mine = isinstance(each, Mapping) and self._address.model in (each.get("name"), each.get("model"))
            if mine and (found := _count(each.get("context_length"))):
                return found
        told = self._json(f"{self._root}/api/show", {"model": self._address.model})
        if set_ := _NUM_CTX.search(str(told.get("parameters", ""))):
            return _count(int(set_[1]))
        lengths = [_count(v) for k, v in _inner(told, "model_info").items() if k.endswith(".context_length")]
        return min([_OLLAMA, *(length for length in lengths if length)]) if lengths else None

    def _listed(self, url: str, field: str) -> int | None:
        """``field`` of this model in a list of models, or of the only one."""
        listed = self._json(url).get("data")
        models = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
        mine = [each for each in models if each.get("id") == self._address.model] or models
        return _count(mine[0].get(field)) if len(mine) == 1 else None

    def _json(self, url: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """The object that a GET, or a POST of ``body``, gives; an empty one for anything else."""
        left = self._until - time.monotonic()
        if left <= 0:
            return {}
        try:
            with self._client.stream(
                "GET" if body is None else "POST", url, json=body, timeout=left
            ) as reply:
                text = b""
                for piece in reply.iter_bytes():
                    text += piece
                    if len(text) > _LONGEST or time.monotonic() > self._until:
                        return {}
                told = parse_json(text.decode()) if reply.status_code == 200 else {}
        except Exception:  # best effort: whatever goes wrong here, the question itself will tell
            return {}
        return told if isinstance(told, Mapping) else {}


def _inner(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    return found if isinstance(found, Mapping) else {}


def _count(value: object) -> int | None:
    """A number of tokens that may be meant."""
    sound = isinstance(value, int) and not isinstance(value, bool) and 256 <= value <= 100_000_000
    return value if sound and isinstance(value, int) else None
