"""How each service wants texts, and how it gives vectors: the bodies of its requests and answers.

Written after the services' own references: OpenAI ``/v1/embeddings``, Azure's OpenAI v1, Cohere
``/v2/embed``, Voyage ``/v1/embeddings``, Ollama ``/api/embed``. No service is asked to cut a text that is too long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ragcli.service.addresses import Address

Role = Literal["document", "query"]
Rows = list[list[float]]


@dataclass(frozen=True, slots=True)
class Wire:
    """One service's way.

    ``url`` is where to post; at most ``texts`` and ``tokens`` go into one request. ``body`` makes
    it and ``read`` takes the vectors, in the order of the texts, and the tokens that were counted
    (None where the service does not say) from what came back; it raises KeyError, TypeError,
    ValueError or IndexError for anything else. ``header`` is where the key goes, behind ``scheme``.
    """

    url: str
    texts: int
    tokens: int
    body: Callable[[str, Sequence[str], Role], dict[str, Any]]
    read: Callable[[Any], tuple[Rows, int | None]]
    header: str = "Authorization"
    scheme: str = "Bearer "


def wire_of(address: Address) -> Wire:
    """How the service at ``address`` is asked."""
    url = address.url
    speaks = address.service.speaks
    if address.service.name == "ollama":
        return Wire(f"{url.removesuffix('/v1')}/api/embed", 32, 32_768, _ollama_body, _ollama_rows)
    if speaks == "cohere":
        return Wire(f"{url.removesuffix('/v2')}/v2/embed", 96, 98_304, _cohere_body, _cohere_rows)
    if speaks == "voyage":
        return Wire(f"{url}/embeddings", 1000, 120_000, _voyage_body, _openai_rows)
    if speaks == "azure":
        base = url if url.endswith("/v1") else f"{url.removesuffix('/openai')}/openai/v1"
        return Wire(f"{base}/embeddings", 2048, 300_000, _openai_body, _openai_rows, "api-key", "")
    return Wire(f"{url}/embeddings", 2048, 300_000, _openai_body, _openai_rows)


def _openai_body(model: str, texts: Sequence[str], _: Role) -> dict[str, Any]:
    return {"model": model, "input": list(texts), "encoding_format": "float"}


def _openai_rows(told: Any) -> tuple[Rows, int | None]:
    data = told["data"]
    # Some compatible servers leave the index out, and mean the order.
    places = [row.get("index", place) for place, row in enumerate(data)]
    if sorted(places) != list(range(len(data))):
        raise ValueError("the places of its vectors are wrong")
    rows: Rows = [[]] * len(data)
    for place, row in zip(places, data, strict=True):
        rows[place] = row["embedding"]
    usage = told.get("usage") or {}
    return rows, _count(usage.get("total_tokens", usage.get("prompt_tokens")))


def _voyage_body(model: str, texts: Sequence[str], role: Role) -> dict[str, Any]:
    return {"model": model, "input": list(texts), "input_type": role, "truncation": False}


def _cohere_body(model: str, texts: Sequence[str], role: Role) -> dict[str, Any]:
    return {
        "model": model,
        "texts": list(texts),
        "input_type": f"search_{role}",
        "embedding_types": ["float"],
        "truncate": "NONE",
    }


def _cohere_rows(told: Any) -> tuple[Rows, int | None]:
    billed = (told.get("meta") or {}).get("billed_units") or {}
    return list(told["embeddings"]["float"]), _count(billed.get("input_tokens"))


def _ollama_body(model: str, texts: Sequence[str], _: Role) -> dict[str, Any]:
    return {"model": model, "input": list(texts), "truncate": False}


def _ollama_rows(told: Any) -> tuple[Rows, int | None]:
    return list(told["embeddings"]), _count(told.get("prompt_eval_count"))


def _count(told: Any) -> int | None:
    return int(told) if isinstance(told, int | float) and 0 <= told < 10**12 else None
