"""An answer without an LLM: the sentences of the sources that answer, quoted and cited."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence, Set
from dataclasses import replace

from ragcli.analyze import ENGLISH, Analyzer
from ragcli.answer.candidates import Candidate, candidates, indentation
from ragcli.answer.contrast import sides
from ragcli.answer.ranking import Asked, features, points
from ragcli.search.evidence import Weights
from ragcli.types import Answer, Citation, Hit, Prompt, Sentence

# Texts to cosines with the question.
Similarity = Callable[[Sequence[str]], Sequence[float]]
# Texts to a cross-encoder's scores, on no particular scale; None for one that it cannot read.
Second = Callable[[Sequence[str]], Sequence[float | None]]

_MOST_SENTENCES, _MOST_ITEMS = 3, 4
# Points that a further sentence may be behind the best.
_BEHIND = 1.5
# Only the most likely by their words are embedded: on squad2 the twelve best held all that were right.
_EMBEDDED = 16
# A cross-encoder reads so many of the best, and moves them by so many points.
_READ, _SECOND_POINTS = 12, 4.0
# Program text tells nobody who, when, where or why.
_NEVER_CODE = frozenset(("person", "time", "place", "reason"))
# Of two sentences that say the same the shorter has so much of the longer.
_SAME = 0.8
_PIPE = re.compile(r"(?<!\\)\|")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATION = re.compile(
    r"\b(?:not|no|nor|never|none|neither|without|cannot)\b|n['’]t\b|[不没沒无無非未]", re.IGNORECASE
)


def extract(
    prompt: Prompt,
    hits: Sequence[Hit],
    weights: Weights,
    similarity: Similarity,
    *,
    trust: float,
    second: Second | None = None,
    analyze: Analyzer = ENGLISH,
) -> Answer:
    """Quote up to three sentences of the prompt's sources (four short list items) in reading order.

    Sources stand by their rank, those of one document together, and the sentences of a document
    as they stand there. ``similarity`` counts as far as ``trust`` says. What several documents
    say alike is quoted once and cites them all. Without anything to quote there is no answer.
    """
    asked = Asked.of(prompt.question, weights, analyze)
    never_code = asked.wanted.kind in _NEVER_CODE
    found = [one for one in candidates(prompt.sources) if not never_code or one.kind != "code"]
    if not found:
        return Answer(prompt.question, False, "", (), "none", {}, hits)
    told = features(asked, found)
    scores = points(told, 0.0)
    if trust:
        likely = _best(scores, _EMBEDDED)
        for i, cosine in zip(likely, similarity([found[i].text for i in likely]), strict=True):
            told[i]["cosine"] = cosine
        read = points(told, trust)
        scores = [read[i] if i in likely else -math.inf for i in range(len(found))]
    if second is not None:
        scores = _read_again(found, scores, second)
    terms = [frozenset(analyze(one.text)) for one in found]
    best = max(scores)
    for i in sides(prompt.question, found, terms, scores, analyze):
        scores[i] = max(scores[i], best)
    groups = _in_reading_order(_choose(found, scores, terms))
    lines = _lines(groups, asked)
    citations = tuple(_citation(one) for group in groups for one in group)
    # What stands there word for word needs no proof.
    sentences = tuple(Sentence(_quotation(group[0]), _numbers(group), verified=True) for group in groups)
    return Answer(
        prompt.question, True, "\n".join(lines), citations, "none", {"tokens": 0}, hits, sentences=sentences
    )


def _best(scores: Sequence[float], most: int) -> list[int]:
    """The places of the highest scores, the best first, the earlier of two equal ones."""
    return sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:most]


def _read_again(found: Sequence[Candidate], scores: Sequence[float], second: Second) -> list[float]:
    """Scores after a cross-encoder has read the best of the sentences, each under what it stands under."""
    best = _best(scores, _READ)
    said = second([f"{found[i].above}\n{found[i].text}" for i in best])
    known = [score for score in said if score is not None]
    again = list(scores)
    if known and (wide := max(known) - min(known)) > 0.0:
        for i, score in zip(best, said, strict=True):
            again[i] += _SECOND_POINTS * ((score if score is not None else min(known)) - min(known)) / wide
    return again


def _choose(
    found: Sequence[Candidate], scores: Sequence[float], terms: Sequence[Set[str]]
) -> list[list[Candidate]]:
    """The best candidate and those near it, each with those of other documents that say the same.

    One that refers to the sentence before it brings that along.
    """
    order = _best(scores, len(found))
    chosen: list[list[int]] = []
    quoted: set[int] = set()
    for i in order:
        same = next((group for group in chosen if _alike(found, terms, i, group[-1])), None)
        if same is not None:
            if all(found[i].source.hit.document != found[j].source.hit.document for j in same):
                same.append(i)
            continue
        if scores[i] < scores[order[0]] - _BEHIND:
            continue
        group = [i - 1, i] if _needs_before(found, i) else [i]
        wanted = quoted.union(group)
        most = _MOST_ITEMS if all(found[j].kind == "item" for j in wanted) else _MOST_SENTENCES
        if len(wanted) <= most and not any(_overlap(found[i], found[j]) for j in quoted - set(group)):
            chosen.append([i])
            quoted = wanted
    return [_with_before(found, group) for group in chosen]


def _needs_before(found: Sequence[Candidate], i: int) -> bool:
    """Whether a candidate refers to the sentence before it in the same paragraph."""
    one, before = found[i], found[i - 1]
    if not one.refers or not one.order or before.kind != "sentence" or before.heading != one.heading:
        return False
    return "\n\n" not in one.source.hit.text[before.end : one.start]


def _with_before(found: Sequence[Candidate], group: Sequence[int]) -> list[Candidate]:
    """The candidates of a group by source, a single one together with what it refers to."""
    if len(group) == 1 and _needs_before(found, group[0]):
        return [replace(found[group[0]], start=found[group[0] - 1].start)]
    return sorted((found[i] for i in group), key=lambda one: one.source.n)


def _alike(found: Sequence[Candidate], terms: Sequence[Set[str]], one: int, other: int) -> bool:
    """Whether two candidates say the same: one has all words of the other and few more.

    A number or a negation that only one of them has makes them different statements.
    """
    fewer, more = sorted((terms[one], terms[other]), key=len)
    if not fewer or not fewer <= more or len(fewer) < _SAME * len(more):
        return False
    first, second = found[one].text, found[other].text
    return all(
        sorted(exact.findall(first)) == sorted(exact.findall(second)) for exact in (_NUMBER, _NEGATION)
    )


def _overlap(one: Candidate, other: Candidate) -> bool:
    return one.source.n == other.source.n and one.start < other.end and other.start < one.end


def _in_reading_order(groups: Sequence[list[Candidate]]) -> list[list[Candidate]]:
    """Documents by their best source, sentences as they stand in them; those side by side as one."""
    ranks: dict[str, int] = {}
    for group in groups:
        hit = group[0].source.hit
        ranks[hit.document] = min(group[0].source.n, ranks.get(hit.document, group[0].source.n))

    def place(group: list[Candidate]) -> tuple[int, int, int]:
        first = group[0]
        return ranks[first.source.hit.document], first.source.hit.span[0] + first.start, first.source.n

    joined: list[list[Candidate]] = []
    for group in sorted(groups, key=place):
        if joined and len(joined[-1]) == len(group) == 1 and _side_by_side(joined[-1][0], group[0]):
            joined[-1] = [replace(joined[-1][0], end=max(joined[-1][0].end, group[0].end))]
        else:
            joined.append(group)
    return joined


def _side_by_side(one: Candidate, other: Candidate) -> bool:
    """Whether two sentences are one piece of a paragraph."""
    if one.source.n != other.source.n or not one.kind == other.kind == "sentence":
        return False
    text = one.source.hit.text
    between = text[one.end : other.start]
    # A line that stands less deep begins something else: another term of a list.
    new = "\n" in between and indentation(text, other.start) < indentation(text, one.end - 1)
    return not between.strip() and "\n\n" not in between and not new


def _lines(groups: Sequence[Sequence[Candidate]], asked: Asked) -> list[str]:
    """Each quotation with its sources, and before it, once, what it cannot be understood without."""
    lines = []
    last = ""
    for group in groups:
        first = group[0]
        marks = "".join(f"[{n}]" for n in _numbers(group))
        label = _label(first, asked)
        before = f"{label}: " if label and label != last else ""
        last = label
        if first.kind == "code":
            lines.append(f"{before.rstrip()}\n{first.text}\n{marks}".lstrip("\n"))
        else:
            lines.append(f"{before}“{_quotation(first)}” {marks}")
    return lines


def _numbers(group: Sequence[Candidate]) -> tuple[int, ...]:
    """The sources that say it."""
    return tuple(dict.fromkeys(one.source.n for one in group))


def _quotation(one: Candidate) -> str:
    """The words as they are shown: on one line, unless it is code."""
    return one.text if one.kind == "code" else " ".join(one.text.split())


def _label(one: Candidate, asked: Asked) -> str:
    """A table's head, what announces a list, or a heading that has words of the question or an antecedent."""
    if one.kind == "row" and one.label:
        # A column without a name keeps its place.
        head = _head(one.label).strip().removeprefix("|").removesuffix("|")
        return " | ".join(cell.strip() or "–" for cell in _PIPE.split(head))
    if one.kind == "item" and one.label:
        return " ".join(one.label.split()).rstrip(":： ")
    missing = set(asked.weights) - set(asked.analyze(one.text))
    if one.heading and (one.refers or missing & set(asked.analyze(one.heading))):
        return " ".join(one.heading.split())
    return ""


def _head(label: str) -> str:
    """The first line of a table's head: the others are rules."""
    return next((line for line in label.splitlines() if "|" in line), "")


def _citation(one: Candidate) -> Citation:
    hit = one.source.hit
    lines = hit.lines
    if lines is not None and lines[1] - lines[0] == hit.text.count("\n"):
        first = lines[0] + hit.text.count("\n", 0, one.start)
        lines = (first, first + one.text.count("\n"))
    return Citation(one.source.n, hit, one.text, lines, verified=True)
