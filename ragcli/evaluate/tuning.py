"""The dense weight that judged questions speak for, and whether they speak loudly enough."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ragcli.errors import UsageError
from ragcli.evaluate.statistics import Difference, compare

# Five folds: each weight is chosen on four fifths of the questions, nearly as many as the last
# choice has, and even the fewest that are taken leave two a fold.
FOLDS = 5
FEWEST = 10
# Two-sided probability of chance below which a gain is taken.
_SURE = 0.05
_STEPS = 20


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was measured of each weight, and how the choice fares on questions it was not made on.

    ``means`` holds the mean of the metric over all questions by weight, ``by_fold`` the weight that
    each fold's other questions chose, ``best`` the one that all chose. ``tuned`` is the mean over
    the questions of every fold at the weight the others chose, ``difference`` compares it with
    ``before``, the mean at the weight in force.
    """

    metric: str
    queries: int
    current: float
    best: float
    means: Mapping[float, float]
    by_fold: tuple[float, ...]
    tuned: float
    before: float
    difference: Difference

    @property
    def sure(self) -> bool:
        """Whether the tuned weights did better on questions they were not chosen on, by more than chance."""
        return self.difference.mean > 0 and self.difference.p < _SURE

    @property
    def weight(self) -> float:
        """The weight to use from now on."""
        return self.best if self.sure else self.current


def weights_to_try(current: float) -> tuple[float, ...]:
    """Twentieths from 0 to 1, and the weight in force."""
    return tuple(sorted({step / _STEPS for step in range(_STEPS + 1)} | {current}))


def tune(
    metric: str, values: Mapping[str, Sequence[float]], weights: Sequence[float], current: float
) -> Tuning:
    """Choose among ``weights`` by cross-validation.

    ``values`` holds the metric of each question, by its id, at each of the weights, among which
    ``current`` must be. Questions are dealt to the folds in the order of a hash of their ids, so
    that neither chance nor the order of a file has a part in it. Of weights that do equally well
    the one nearest to ``current`` is chosen, then the smaller. Raises ``UsageError`` for too few
    questions.
    """
    if len(values) < FEWEST:
        raise UsageError(
            f"--tune needs {FEWEST} judged questions and there are {len(values)}; "
            f"`rag eval --make-questions 50 -o FOLDER` makes some to begin with"
        )
    folds = [_fold(values, number) for number in range(FOLDS)]
    tuned: list[float] = []
    before: list[float] = []
    chosen: list[float] = []
    at = list(weights).index(current)
    for own in folds:
        others = [name for fold in folds if fold is not own for name in fold]
        place = _best(_means(values, others), weights, current)
        chosen.append(weights[place])
        tuned += [values[name][place] for name in own]
        before += [values[name][at] for name in own]
    means = _means(values, list(values))
    return Tuning(
        metric=metric,
        queries=len(values),
        current=current,
        best=weights[_best(means, weights, current)],
        means={weight: round(mean, 6) for weight, mean in zip(weights, means, strict=True)},
        by_fold=tuple(chosen),
        tuned=round(sum(tuned) / len(tuned), 6),
        before=round(sum(before) / len(before), 6),
        difference=compare(tuned, before),
    )


def _fold(names: Mapping[str, object], number: int) -> list[str]:
    """The names of one fold; folds differ by one in size at most."""
    dealt = sorted(names, key=lambda name: hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest())
    return dealt[number::FOLDS]


def _means(values: Mapping[str, Sequence[float]], names: Sequence[str]) -> list[float]:
    return [sum(column) / len(names) for column in zip(*(values[name] for name in names), strict=True)]


def _best(means: Sequence[float], weights: Sequence[float], current: float) -> int:
    """The place of the weight with the best mean."""
    # Sums in another order differ in their last bits.
    order = [(-round(mean, 9), abs(weights[i] - current), weights[i], i) for i, mean in enumerate(means)]
    return min(order)[-1]
