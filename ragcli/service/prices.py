"""What tokens cost. Prices are the user's own: a table that is shipped would soon be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens cost, those sent and those received, in whatever currency."""

    sent: float
    received: float

    @classmethod
    def read(cls, text: str | None) -> Price | None:
        """A price as the setting ``llm_price`` holds it, ``SENT/RECEIVED``; None where there is none."""
        if text is None:
            return None
        sent, _, received = text.partition("/")
        return cls(float(sent), float(received))

    def of(self, usage: Mapping[str, float]) -> float:
        """What the tokens of a ``usage`` cost. Those that a cache held count like any other."""
        sent = self.sent * usage.get("prompt_tokens", 0)
        return round((sent + self.received * usage.get("completion_tokens", 0)) / 1e6, 9)
