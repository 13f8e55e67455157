"""The JSON of CONTRACT.md as shapes: fields and their types."""

from __future__ import annotations

from types import UnionType
from typing import Any

Shape = Any
NUMBER = int | float
_SCORE = ({"rank": int, "score": NUMBER}, None)
HIT: Shape = {
    "rank": int, "id": str, "document": str, "record": str | None, "path": str, "title": str, "heading": [str],
    "lead": str, "page": int | None, "page_label": str, "lines": ([int], None), "span": [int],
    "text": str, "score": NUMBER,
    "scores": {"lexical": _SCORE, "dense": _SCORE, "fused": NUMBER, "rerank": NUMBER | None},
}  # fmt: skip
SEARCH: Shape = {
    "schema": int, "query": str, "mode": str, "hits": [HIT],
    "took_ms": {"embed": NUMBER, "lexical": NUMBER, "dense": NUMBER, "rerank": NUMBER, "total": NUMBER},
}  # fmt: skip
CITATION: Shape = {
    "n": int, "id": str, "document": str, "page": int | None, "lines": ([int], None), "quote": str,
    "verified": bool, "support": NUMBER, "reason": str,
}  # fmt: skip
SENTENCE: Shape = {"text": str, "citations": [int], "verified": bool, "reason": str}
QUERY: Shape = {
    "schema": int, "query": str, "answered": bool, "answer": str, "citations": [CITATION],
    "sentences": [SENTENCE], "llm": str, "usage": dict, "hits": [HIT],
}  # fmt: skip
INDEX: Shape = {
    "schema": int,
    "documents": {"added": int, "changed": int, "removed": int, "unchanged": int, "failed": int},
    "chunks": {"added": int, "removed": int, "total": int},
    "embedded": int, "cached": int, "failures": [{"path": str, "error": str, "message": str}], "model": str,
    "seconds": float,
}  # fmt: skip
LISTED: Shape = {
    "schema": int, "document": str, "path": str, "title": str, "format": str, "language": str,
    "characters": int, "tokens": int, "chunks": int, "sha256": str, "modified": str, "indexed": str,
}  # fmt: skip
CHUNK: Shape = {
    "schema": int, "id": str, "heading": [str], "lead": str, "page": int | None, "page_label": str,
    "lines": ([int], None), "span": [int], "tokens": int, "text": str,
}  # fmt: skip
STATUS: Shape = {
    "schema": int, "index": str, "documents": int, "chunks": int, "generation": int,
    "model": {"spec": str, "dimensions": int, "signature": str},
    "bytes": {"catalog": int, "chroma": int, "lexical": int}, "stale": int, "updated": str,
}  # fmt: skip
MODE: Shape = {
    "ndcg@10": float, "recall@10": float, "recall@100": float, "mrr@10": float,
    "latency_ms": {"p50": NUMBER, "p95": NUMBER},
}  # fmt: skip


def misfit(value: Any, shape: Shape, at: str = "$") -> str:
    """Where ``value`` is not of ``shape``; empty when it is. More fields than asked for are no misfit."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return f"{at} is no object"
        missing = [name for name in shape if name not in value]
        if missing:
            return f"{at} lacks {missing}"
        return next(
            (said for name in shape if (said := misfit(value[name], shape[name], f"{at}.{name}"))), ""
        )
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{at} is no list"
        return next((said for item in value if (said := misfit(item, shape[0], f"{at}[]"))), "")
    if isinstance(shape, tuple):
        return "" if any(not misfit(value, one, at) for one in shape) else f"{at} is {value!r}"
    if shape is None:
        return "" if value is None else f"{at} is {value!r}"
    kinds = shape.__args__ if isinstance(shape, UnionType) else (shape,)
    right = isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)
    return "" if right else f"{at} is {value!r}"
