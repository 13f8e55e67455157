"""What a scan for instructions finds."""

from __future__ import annotations

from dataclasses import dataclass

# Raised whenever the same text may be flagged otherwise, by other patterns too.
SCAN_VERSION = 1


@dataclass(frozen=True, slots=True)
class Flag:
    """A stretch of a text that reads like an instruction to a model; ``kind`` is a word for scripts."""

    kind: str
    start: int
    end: int
