"""Answering against refusing: what ``--min-score`` lets through, beside a floor under the cosine.

    python -m benchmarks.refusal --keep DIR [SETS] [--json FILE]

DIR holds the indexes that ``benchmarks.quality --keep DIR`` made. The questions of squad2 are asked,
of which a third has no answer in it though their subjects are there, and questions of nq-gold, most
of whose subjects are not. For several shares of answerable questions refused, the table tells
how many of the others are refused, by evidence and by the best cosine; then the point that
``--min-score auto`` chooses, which knows nothing but the index.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.quality import ROOT
from benchmarks.report import write_report
from ragcli.pipeline.ask import Asker
from ragcli.pipeline.index import Index
from ragcli.settings import Settings

_SET, _FOREIGN, _MOST_FOREIGN = "squad2", "nq-gold", 500
_REFUSED = (0.01, 0.02, 0.05, 0.10, 0.20, 0.40)
_K = 5


def scores(asker: Asker, texts: Sequence[str]) -> list[tuple[float, float]]:
    """The most evidence and the best cosine among the passages found for each question."""
    found = []
    for text in texts:
        hits = asker.search(text, k=_K).hits
        best = max((hit.dense.score for hit in hits if hit.dense), default=0.0)
        found.append((max((hit.evidence or 0.0 for hit in hits), default=0.0), best))
    return found


def area(kept: Sequence[float], others: Sequence[float]) -> float:
    """Chance that a question with an answer scores above one without (area under the ROC curve)."""
    above = sum((one > other) + 0.5 * (one == other) for one in kept for other in others)
    return above / (len(kept) * len(others))


def below(values: Sequence[float], floor: float) -> float:
    """Share of the values under a floor."""
    return sum(value < floor for value in values) / len(values)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="?", type=Path, default=ROOT.parent / "shared" / "eval")
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()

    def questions(name: str) -> list[dict[str, object]]:
        lines = (options.sets / name / "queries.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    own, foreign = questions(_SET), questions(_FOREIGN)[:_MOST_FOREIGN]
    folder = options.keep / _SET / ".rag"
    with Index.open(folder, Settings(offline=True, min_score="0")) as index:
        asker = Asker(index)
        asked = scores(asker, [str(one["text"]) for one in own])
        strangers = scores(asker, [str(one["text"]) for one in foreign])
    with Index.open(folder, Settings(offline=True, min_score="auto")) as index:
        floor = Asker(index).floor("hybrid")
    answerable = [one for one, question in zip(asked, own, strict=True) if question.get("answerable", True)]
    others = [one for one, question in zip(asked, own, strict=True) if not question.get("answerable", True)]
    lines = [
        "| answerable questions refused | unanswerable refused: evidence | cosine | off the subject refused: "
        "evidence | cosine |",
        "|---:|---:|---:|---:|---:|",
    ]
    for refused in _REFUSED:
        cells = []
        for which in (others, strangers):
            for at in (0, 1):
                floors = sorted(one[at] for one in answerable)
                cells.append(f"{below([one[at] for one in which], floors[int(refused * len(floors))]):.1%}")
        lines.append(f"| {refused:.0%} | {' | '.join(cells)} |")
    told = [below([one[0] for one in group], floor) for group in (answerable, others, strangers)]
    lines.append(
        f"| {told[0]:.1%}: `--min-score auto`, here {floor:.2f} | {told[1]:.1%} | | {told[2]:.1%} | |"
    )
    areas = [
        f"{area([one[at] for one in answerable], [one[at] for one in which]):.3f}"
        for which in (others, strangers)
        for at in (0, 1)
    ]
    lines.append(f"| area under the curve | {' | '.join(areas)} |")
    table = "\n".join(lines)
    print(table)
    if options.json:
        write_report(options.json, "python -m benchmarks.refusal --keep DIR ../shared/eval", table)


if __name__ == "__main__":
    main()
