"""What a model of sentence-transformers is to an index: its weights and how they are used, whatever runs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ragcli.embed.measure import Measure, mark

Role = Literal["document", "query"]
# Under which names a model's own configuration has its prompts.
_NAMES: Mapping[Role, tuple[str, ...]] = {"document": ("document", "passage", "corpus"), "query": ("query",)}


def prompt_for(prompts: Mapping[str, str | None], role: Role) -> str:
    """What stands before a text of this role; empty where the model has no prompt for it."""
    return next((text for name in _NAMES[role] if (text := prompts.get(name))), "")


def signature_of(
    revision: str, dimensions: int, limit: int, measure: Measure, prompts: Mapping[str, str | None]
) -> str:
    """What tells these vectors from those of every other model, or of these weights used otherwise."""
    told = prompt_for(prompts, "document"), prompt_for(prompts, "query")
    asked = f":prompts={told[0]!r},{told[1]!r}" if any(told) else ""
    return f"sentence-transformers:{revision}:{dimensions}d:{limit}t:{mark(measure)}:known-words{asked}"
