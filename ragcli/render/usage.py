"""What an answer took, for a person."""

from __future__ import annotations

from collections.abc import Mapping


def usage_line(usage: Mapping[str, float]) -> str:
    """The tokens that a server counted and, where prices are set, their cost, on one line."""
    told = []
    if (sent := usage.get("prompt_tokens")) is not None:
        cached = usage.get("cached_tokens")
        told.append(f"{sent:,.0f} tokens sent{f' ({cached:,.0f} of them cached)' if cached else ''}")
    if (received := usage.get("completion_tokens")) is not None:
        told.append(f"{received:,.0f} received")
    if (cost := usage.get("cost")) is not None:
        told.append(f"cost {cost:.6f}".rstrip("0").rstrip("."))
    return ", ".join(told)
