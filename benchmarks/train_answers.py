"""What each feature of a sentence is worth: the tables of ``ragcli/answer/ranking.py``.

    python -m benchmarks.train_answers --keep DIR [SETS] [--only NAME ...] [--most N]

DIR holds the indexes that ``benchmarks.quality --keep DIR`` made. For so many questions of each set,
evenly spread, every sentence of the passages found is described by its features, and weights are
fitted so that the sentences that hold an answer, among those of the judged passages, are the likely
ones: a softmax over the sentences of a question, each set counting the same, with a little shrinking.
Each set is also measured with weights fitted to the others alone. Prints both tables: for a model
that reads the question, and for words alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.answers import SETS, Asked, read_set, says
from benchmarks.quality import ROOT
from ragcli.answer.candidates import candidates
from ragcli.answer.ranking import Asked as Read
from ragcli.answer.ranking import features
from ragcli.embed import cosines
from ragcli.pipeline.answer import Answerer
from ragcli.pipeline.ask import Asker
from ragcli.pipeline.index import Index
from ragcli.search import covered_weight, parse_question
from ragcli.settings import Settings

_SHRINK, _STEPS, _RATE = 0.5, 250, 0.08


@dataclass(frozen=True, slots=True)
class Example:
    """The sentences of a question: their features, and which of them hold an answer."""

    told: Sequence[Mapping[str, float]]
    right: Sequence[bool]
    trust: float


def examples(folder: Path, questions: Sequence[Asked]) -> list[Example]:
    """Ask the questions that have an answer."""
    found = []
    known: dict[str, NDArray[np.float32]] = {}
    with Index.open(folder, Settings(offline=True)) as index:
        asker = Asker(index)
        answerer = Answerer(asker)
        for asked in (one for one in questions if one.answers):
            question, hits = asker.find(asked.text)
            if not hits.hits:
                continue
            with index.consistent(dense=False) as (lexical, _):
                weights = lexical.weights(parse_question(asked.text).plain)
            sentences = candidates(answerer.prompt(asked.text, hits.hits).sources)
            told = features(Read.of(asked.text, weights, asker.analyze), sentences)
            trust = covered_weight(1.0, question.coverage) if question.vector is not None else 0.0
            if trust and question.vector is not None:
                new = list({one.text for one in sentences} - known.keys())
                known.update(zip(new, index.embedder.embed_documents(new), strict=True) if new else ())
                near = cosines(np.array([known[one.text] for one in sentences]), question.vector)
                for each, cosine in zip(told, near.tolist(), strict=True):
                    each["cosine"] = cosine
            right = [
                one.source.hit.record in asked.judged and says(one.text, asked.answers) for one in sentences
            ]
            if any(right):
                found.append(Example(told, right, trust))
    return found


def fitted(sets: Sequence[Sequence[Example]], names: Sequence[str]) -> NDArray[np.float64]:
    """Weights by gradient descent (Adam) on the likelihood of the right sentences."""
    every = [one for group in sets for one in group]
    matrix = np.concatenate([_matrix(one, names) for one in every])
    right = np.concatenate([np.array(one.right, float) for one in every])
    counts = np.array([len(one.told) for one in every])
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    weight = np.repeat([1.0 / len(group) for group in sets for _ in group], counts)
    worth, mean, square = (np.zeros(len(names)) for _ in range(3))
    for step in range(1, _STEPS + 1):
        scores = matrix @ worth
        odds = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), counts))
        told = odds / np.repeat(np.add.reduceat(odds, starts), counts)
        wanted = told * right
        wanted /= np.repeat(np.add.reduceat(wanted, starts) + 1e-12, counts)
        slope = matrix.T @ ((told - wanted) * weight) / len(sets) + _SHRINK * worth / len(every)
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope * slope
        worth -= _RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return worth


def first_right(group: Sequence[Example], names: Sequence[str], worth: NDArray[np.float64]) -> float:
    """Share of questions whose best sentence holds an answer, of those in which some sentence does."""
    return float(np.mean([one.right[int(np.argmax(_matrix(one, names) @ worth))] for one in group]))


def _matrix(one: Example, names: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[each.get(name, 0.0) for name in names] for each in one.told])


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="?", type=Path, default=ROOT.parent / "shared" / "eval")
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=SETS[:3])
    parser.add_argument("--most", type=int)
    options = parser.parse_args()
    asked = {
        name: examples(options.keep / name / ".rag", read_set(options.sets / name, options.most))
        for name in options.only
    }
    for title in ("READ", "UNREAD"):
        least = 1.0 if title == "READ" else 0.0
        groups = {name: [one for one in group if one.trust >= least] for name, group in asked.items()}
        groups = {name: group for name, group in groups.items() if len(group) >= len(asked[name]) / 2}
        names = sorted(
            {name for group in groups.values() for one in group for each in one.told for name in each}
        )
        if title == "UNREAD":
            names.remove("cosine")
        for name in groups if len(groups) > 1 else ():
            worth = fitted([group for other, group in groups.items() if other != name], names)
            print(
                f"# {title}: {name} with weights of the others: {first_right(groups[name], names, worth):.3f}"
            )
        worth = fitted(list(groups.values()), names)
        shares = ", ".join(f"{name} {first_right(group, names, worth):.3f}" for name, group in groups.items())
        print(f"# {title}: best sentence right: {shares}")
        print(f"{title} = {dict(zip(names, worth.round(2).tolist(), strict=True))}")


if __name__ == "__main__":
    main()
