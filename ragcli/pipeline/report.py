"""What an indexing run is asked for, what it tells while it works, and what it did."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ragcli.analyze import Analyzer
from ragcli.load import LoaderPool, Means, format_of
from ragcli.pipeline.contexts import ContextReport
from ragcli.pipeline.survey import Selection
from ragcli.types import Failure


@dataclass(frozen=True, slots=True)
class TokenCap:
    """What one run may spend on services: tokens, sent and received, and money.

    ``price`` is what a service takes for embedding a million tokens.
    """

    tokens: int | None = None
    cost: float | None = None
    price: float | None = None

    def suffices(self, tokens: int, cost: float) -> bool:
        """Whether so many tokens and so much money may be spent."""
        return tokens <= _or_endless(self.tokens) and cost <= _or_endless(self.cost)

    def left(self, tokens: int, cost: float) -> float:
        """How many tokens a service may still be sent to embed, after so many and so much money."""
        by_cost = math.inf
        if self.price:
            by_cost = (_or_endless(self.cost) - cost) / self.price * 1_000_000
        return min(_or_endless(self.tokens) - tokens, by_cost)

    def cost_of(self, tokens: int) -> float | None:
        """What embedding so many tokens costs; None where no price was told."""
        return None if self.price is None else tokens * self.price / 1_000_000


def _or_endless(most: float | None) -> float:
    return math.inf if most is None else most


@dataclass(slots=True)
class Left:
    """What a run had no more leave to embed."""

    documents: int = 0
    texts: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What ``rag index`` was asked for; None means: as the index has it."""

    model: str | None = None
    dims: int | None = None
    chunk_size: int | None = None
    overlap: int | None = None
    chunker: str | None = None
    context: str | None = None
    languages: Analyzer | None = None
    selection: Selection = field(default_factory=Selection)
    rebuild: bool = False
    prune: bool = False
    max_file_mb: float = 50.0
    means: Means = field(default_factory=Means)
    file_seconds: float = 120.0
    jobs: int | None = None
    cap: TokenCap = field(default_factory=TokenCap)
    mask_secrets: bool | None = None
    batch_api: bool = False

    def pool(self) -> LoaderPool:
        """What the files are read with."""
        return LoaderPool(self.means, workers=self.jobs, seconds=self.file_seconds)

    def may_help(self, errors: Set[str]) -> bool:
        """Whether a file that could not be read may be readable with the means at hand now."""
        return bool(
            (self.means.passwords and "encrypted" in errors) or (self.means.ocr and "no-text" in errors)
        )


@dataclass(slots=True)
class BuildReport:
    """What an indexing run did, or would do under ``--plan``."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    failed: int = 0
    chunks_added: int = 0
    chunks_removed: int = 0
    chunks_total: int = 0
    embedded: int = 0
    cached: int = 0
    tokens: int = 0
    # Passages that look like instructions to a model, and those that hold what looks like secrets.
    flagged: int = 0
    secrets: int = 0
    masked: bool = False
    failures: list[Failure] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    unread: Counter[str] = field(default_factory=Counter)
    model: str = ""
    service: bool = False  # whether the model is a service's
    runtime: str = ""  # what ran the model, where it read anything
    doubt: str = ""  # why no faster way was taken, where that is news
    # Tokens read by the model, as a service counts them where it does; ``tokens`` is our own count.
    spent: int = 0
    cost: float | None = None
    minutes: float | None = None  # that a plan's embedding will take, where that is known
    left: Left = field(default_factory=Left)
    in_parts: int = 0  # texts that were longer than the model reads
    # What answers now and what answered before, by names that differ, where one took over from the other.
    change: tuple[str, str] | None = None
    seconds: float = 0.0
    # Where an LLM writes them.
    contexts: ContextReport | None = None

    @property
    def skipped(self) -> Counter[str]:
        """How many files were left out, by reason."""
        return Counter(reason for _, reason in self.left_out)

    def fail(self, failure: Failure) -> None:
        """Note something that could not be taken."""
        self.failures.append(failure)
        self.failed += 1


def reason_to_leave_out(failure: Failure, file: str) -> str | None:
    """Why something of ``file`` that cannot be read is no failure; None where it is one.

    Empty files, pictures where none is to be read, and, within a file, copies and what of a folder
    would be passed over, too.
    """
    if failure.error == "no-text" and format_of(PurePosixPath(failure.path)) == "image":
        return "picture"
    within = failure.path != file and failure.error in ("binary", "unsupported")
    return failure.error if within or failure.error in ("empty", "copy") else None


class Progress:
    """What happens while indexing; the methods do nothing and are there to be overridden."""

    def begin(self, total: int) -> None:
        """``total`` bytes of files will be read."""

    def advance(self, done: int, embedded: int, written: int = 0) -> None:
        """``done`` bytes of them are finished, ``embedded`` texts embedded, ``written`` contexts written."""
