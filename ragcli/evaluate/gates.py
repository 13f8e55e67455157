"""What judged questions must give before something may go on: a build, or another model's index."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ragcli.errors import UsageError
from ragcli.evaluate.metrics import HEADLINE, read_metrics
from ragcli.evaluate.run import ModeReport

_PREFERRED = "hybrid"


@dataclass(frozen=True, slots=True)
class Bound:
    """A metric and the least it must be; of one mode where ``mode`` names it."""

    metric: str
    least: float
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One bound held against what was measured."""

    mode: str
    metric: str
    least: float
    found: float

    @property
    def passed(self) -> bool:
        """Whether enough was measured."""
        return self.found >= self.least

    def __str__(self) -> str:
        told = "is at least" if self.passed else "is below"
        return f"{self.metric} {self.found:.4f} of {self.mode} {told} {self.least:g}"


def read_bound(word: str, read: Callable[[Sequence[str]], tuple[str, ...]] = read_metrics) -> Bound:
    """A bound as a user types it: ``ndcg@10=0.70`` or ``lexical:ndcg@10=0.60``. Raises ``UsageError``.

    ``read`` reads the names of metrics.
    """
    name, _, value = word.partition("=")
    mode, _, metric = name.rpartition(":")
    try:
        least = float(value)
    except ValueError:
        least = math.nan
    if not math.isfinite(least):
        raise UsageError(f"--gate {word[:60]}: write METRIC=VALUE, as in {HEADLINE}=0.70")
    return Bound(read([metric])[0], least, mode or None)


def judge_bounds(bounds: Sequence[Bound], reports: Mapping[str, ModeReport]) -> list[Verdict]:
    """Each bound against its mode; one that names none against hybrid, or all modes where that was not measured.

    Raises ``UsageError`` for a mode or a metric that was not measured.
    """
    verdicts = []
    for bound in bounds:
        modes = [bound.mode] if bound.mode else [_PREFERRED] if _PREFERRED in reports else list(reports)
        for mode in modes:
            if mode not in reports:
                raise UsageError(f"--gate of {mode}, which is not among --modes {','.join(reports)}")
            if bound.metric not in reports[mode].metrics:
                raise UsageError(f"--gate of {bound.metric}, which none of the questions gives")
            verdicts.append(Verdict(mode, bound.metric, bound.least, reports[mode].metrics[bound.metric]))
    return verdicts
