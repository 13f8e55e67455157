"""Recall, precision and intersection over union of the characters of passages and references.

The measures of Chroma's study of chunking (Smith and Troynikov, "Evaluating Chunking Strategies
for Retrieval", 2024, research.trychroma.com/evaluating-chunking), as its code computes them
(brandonstarxel/chunking_evaluation, ``_scores_from_dataset_and_retrievals``): it speaks of tokens
and counts characters, and so does this. ``found`` are the characters of the references that lie
in a passage, each once; ``read`` is the length of all passages together, and what overlapping
passages share, or what is found in another document, counts as often as it is read.

Two things differ from the study. References of one question that overlap (several people's
answers to it) count the characters they share once, in the study once each; in the study's own
data none overlap. And a passage begins and ends with a visible character, where the study's
chunks keep the white space around them. As in the study, what is embedded with a passage (title,
headings) is no part of it.

Every measure is a pure function of the passages, best first, of the references, and of the
number of passages looked at; all lie between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ragcli.evaluate.references import Span

Spans = Sequence[Span]


def span_recall(passages: Spans, references: Spans, k: int) -> float:
    """found / length of the references: the share of what answers that was retrieved."""
    found, wanted, _ = _characters(passages[:k], references)
    return found / wanted if wanted else 0.0


def span_precision(passages: Spans, references: Spans, k: int) -> float:
    """found / read: the share of what was retrieved that answers. 0 where nothing was retrieved."""
    found, _, read = _characters(passages[:k], references)
    return found / read if read else 0.0


def span_iou(passages: Spans, references: Spans, k: int) -> float:
    """found / (read + what of the references was missed): 1 for the references and nothing else."""
    found, wanted, read = _characters(passages[:k], references)
    return found / (read + wanted - found) if wanted else 0.0


def _characters(passages: Spans, references: Spans) -> tuple[int, int, int]:
    """Characters found, wanted and read."""
    wanted = _union(references)
    read = _union(passages)
    found = sum(
        max(0, min(one.end, other.end) - max(one.start, other.start))
        for one in wanted
        for other in read
        if one.document == other.document
    )
    return found, sum(map(len, wanted)), sum(map(len, passages))


def _union(spans: Iterable[Span]) -> list[Span]:
    """Spans that do not overlap and cover the same characters."""
    union: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.document, span.start)):
        if union and union[-1].document == span.document and span.start <= union[-1].end:
            union[-1] = Span(span.document, union[-1].start, max(union[-1].end, span.end))
        else:
            union.append(span)
    return union
