"""Quoting without an LLM: do the cited sentences hold the answer, and what is refused?

    python -m benchmarks.answers --keep DIR [SETS] [--most N] [--only NAME ...] [--json FILE]

DIR holds the indexes that ``benchmarks.quality --keep DIR`` made. For each set whose questions come
with their answers the table tells in how many of the answerable questions the judged passage is
among the first five hits; in how many of these a quoted sentence holds an answer, the first quoted
sentence alone does, and how much is quoted; and, where a set has questions without an answer,
precision and recall of refusing. An answer is held when it stands in the quote up to case, white
space and the signs at its ends, and in the judged passage itself where its offsets are known
("by place"). ``--most`` takes so many questions of a set, evenly spread.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.quality import ROOT
from benchmarks.report import write_report
from ragcli.pipeline.answer import Answerer
from ragcli.pipeline.ask import Asker
from ragcli.pipeline.index import Index
from ragcli.sentences import sentence_spans
from ragcli.settings import Settings
from ragcli.types import Answer, Citation

SETS = ("squad2", "nq-gold", "cmrc2018", "xquad-en-zh")
_FIRST = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a set: its answers, where they stand, and the passages that hold them."""

    text: str
    language: str
    answers: tuple[str, ...]
    places: tuple[tuple[str, int, int], ...]
    judged: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question. ``words`` and ``places`` tell of each quote whether it holds an answer."""

    asked: Asked
    found: bool
    answered: bool
    words: tuple[bool, ...]
    places: tuple[bool, ...]
    sentences: int
    characters: int


def read_set(folder: Path, most: int | None) -> list[Asked]:
    """The questions of a set, or so many of them, evenly spread."""
    judged: dict[str, set[str]] = defaultdict(set)
    for line in (folder / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
        query, document, _ = line.split("\t")
        judged[query].add(document)
    places: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for span in _lines(folder / "spans.jsonl"):
        places[span["query-id"]].append((span["doc"], span["start"], span["end"]))
    questions = list(_lines(folder / "queries.jsonl"))
    if most is not None and most < len(questions):
        questions = [questions[i * len(questions) // most] for i in range(most)]
    return [
        Asked(
            one["text"], one.get("lang", "zh" if not one["text"].isascii() else "en"),
            tuple(one.get("answers", ())), tuple(places[one["_id"]]), frozenset(judged[one["_id"]]),
        )
        for one in questions
    ]  # fmt: skip


def outcome(asked: Asked, answer: Answer) -> Outcome:
    """Hold an answer against what is known."""
    first = {hit.record for hit in answer.hits[:_FIRST]}
    quotes = {citation.quote for citation in answer.citations}
    return Outcome(
        asked, bool(first & asked.judged), answer.answered,
        tuple(says(citation.quote, asked.answers) for citation in answer.citations),
        tuple(_stands(citation, asked.places) for citation in answer.citations),
        sum(1 for quote in quotes for _ in sentence_spans(quote)),
        sum(map(len, quotes)),
    )  # fmt: skip


def says(quote: str, answers: Sequence[str]) -> bool:
    """Whether a text holds one of the answers."""
    text = _folded(quote)
    return any(_folded(answer) in text for answer in answers if _folded(answer))


def _folded(text: str) -> str:
    folded = " ".join(text.casefold().split())
    first = next((i for i, sign in enumerate(folded) if sign.isalnum()), len(folded))
    last = next((i for i in range(len(folded), 0, -1) if folded[i - 1].isalnum()), 0)
    return folded[first:last]


def _stands(citation: Citation, places: Sequence[tuple[str, int, int]]) -> bool:
    """Whether a quote covers an answer where it stands; offsets are those of the record's text."""
    hit = citation.hit
    at = hit.text.find(citation.quote)
    start = hit.span[0] + at
    end = start + len(citation.quote)
    return at >= 0 and any(doc == hit.record and start <= a and b <= end for doc, a, b in places)


def ask(folder: Path, questions: Sequence[Asked]) -> Iterator[Outcome]:
    """Ask them all of one index."""
    with Index.open(folder, Settings(offline=True)) as index:
        answerer = Answerer(Asker(index))
        for asked in questions:
            answer = answerer.answer(
                asked.text, on_hits=lambda _: None, on_token=lambda _: None, note=lambda _: None
            )
            yield outcome(asked, answer)


def summary(name: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The shares of a set that the table tells."""
    answerable = [one for one in outcomes if one.asked.answers]
    others = [one for one in outcomes if not one.asked.answers]
    found = [one for one in answerable if one.found]
    quoting = [one for one in found if one.words]
    refused = [one for one in others if not one.answered]
    wrongly = [one for one in answerable if not one.answered]
    return {
        "set": name,
        "answerable": len(answerable),
        "found": len(found) / len(answerable),
        "held": _share(any(one.words) for one in found),
        "held_by_place": _share(any(one.places) for one in found),
        "held_first": _share(any(one.words[:1]) for one in found),
        "sentences": sum(one.sentences for one in quoting) / max(1, len(quoting)),
        "characters": sum(one.characters for one in quoting) / max(1, len(quoting)),
        "refused_wrongly": len(wrongly) / len(answerable),
        "unanswerable": len(others),
        "refused": len(refused) / len(others) if others else None,
        "precision": len(refused) / max(1, len(refused) + len(wrongly)) if others else None,
    }


def _share(values: Iterator[bool]) -> float:
    every = list(values)
    return sum(every) / max(1, len(every))


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Markdown, a set a line."""
    lines = [
        "| set | answerable questions | passage in the first 5 | quote holds the answer | in its place "
        "| first sentence does | sentences | characters | answerable refused | unanswerable refused | precision |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in results:
        of_others = (
            f"{one['refused']:.1%} of {one['unanswerable']} | {one['precision']:.1%}"
            if one["unanswerable"]
            else " | "
        )
        lines.append(
            f"| {one['set']} | {one['answerable']} | {one['found']:.1%} | **{one['held']:.1%}** "
            f"| {one['held_by_place']:.1%} | {one['held_first']:.1%} | {one['sentences']:.1f} "
            f"| {one['characters']:.0f} | {one['refused_wrongly']:.1%} | {of_others} |"
        )
    return "\n".join(lines)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.is_file():
        with path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="?", type=Path, default=ROOT.parent / "shared" / "eval")
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--most", type=int)
    parser.add_argument("--only", nargs="*", default=SETS)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = []
    for name in options.only:
        questions = read_set(options.sets / name, options.most)
        start = time.perf_counter()
        outcomes = list(ask(options.keep / name / ".rag", questions))
        results.append(summary(name, outcomes))
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    print(table(results))
    if options.json:
        most = f" --most {options.most}" if options.most else ""
        write_report(
            options.json,
            f"python -m benchmarks.answers --keep DIR ../shared/eval{most}",
            table(results),
            results,
        )


if __name__ == "__main__":
    main()
