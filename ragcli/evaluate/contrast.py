"""Runs side by side: modes with each other, and with a run of before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ragcli.evaluate.rows import Baseline
from ragcli.evaluate.run import ModeReport
from ragcli.evaluate.statistics import Difference, compare


@dataclass(frozen=True, slots=True)
class Contrast:
    """How much better ``mode`` did than ``against``, by one metric, over the questions of both."""

    metric: str
    mode: str
    against: str
    questions: int
    difference: Difference


def between_modes(reports: Mapping[str, ModeReport], metric: str) -> list[Contrast]:
    """Every later mode against every earlier one."""
    contrasts = []
    for first, second in combinations(reports, 2):
        now, then = paired(reports[second], reports[first], metric)
        if now:
            contrasts.append(Contrast(metric, second, first, len(now), compare(now, then)))
    return contrasts


def paired(now: ModeReport, then: ModeReport, metric: str) -> tuple[list[float], list[float]]:
    """A metric of the questions that have it in both reports, in one order."""
    before = {row.query.id: row.metrics[metric] for row in then.rows if metric in row.metrics}
    both = [row for row in now.rows if metric in row.metrics and row.query.id in before]
    return [row.metrics[metric] for row in both], [before[row.query.id] for row in both]


def with_baseline(
    reports: Mapping[str, ModeReport], baseline: Baseline, metrics: Sequence[str]
) -> list[Contrast]:
    """Each mode against itself in a run of before, over the questions that both have."""
    contrasts = []
    for mode, report in reports.items():
        before = baseline.get(mode, {})
        for metric in metrics:
            pairs = [
                (row.metrics[metric], before[row.query.id][metric])
                for row in report.rows
                if metric in row.metrics and metric in before.get(row.query.id, {})
            ]
            if pairs:
                now, then = zip(*pairs, strict=True)
                contrasts.append(Contrast(metric, mode, "baseline", len(pairs), compare(now, then)))
    return contrasts
