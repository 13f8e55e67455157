"""Recall, precision and IoU of five passages: chunkers, sizes, overlap and context, beside published figures.

    python -m benchmarks.chunking [SET] [--ways CHUNKER:SIZE:OVERLAP:CONTEXT …] [--pages SET]
                                  [--before CHECKOUT] [--keep DIR] [--json FILE]

SET is a folder with ``docs/``, ``queries.jsonl`` and ``spans.jsonl``; without it,
``../shared/eval/chroma-chunking``, the data of Chroma's study "Evaluating Chunking Strategies for
Retrieval" (research.trychroma.com/evaluating-chunking), is taken. Its published figures for the
same model stand below ours. The set of ``--pages`` has ``pages.jsonl`` instead (``query-id``,
``doc`` and ``page`` from 0): of it the share of the judged pages is told that five passages begin on.
CONTEXT joins what is embedded with the text by ``+``, as in ``title+headings``, or is ``none``.
``--before`` measures another checkout of the project beside this one, with its own settings.
``--keep`` keeps the indexes for the next run. A size counts tokens of the model with the context
embedded beside the text; the study's count those of another tokenizer, and text alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.quality import MODES, ROOT, rag
from benchmarks.report import write_report

METRICS = ("span_recall@5", "span_precision@5", "span_iou@5")
WAYS = (
    "structure:254:0:title+headings+lead",
    "structure:254:0:none",
    "structure:254:32:title+headings+lead",
    "recursive:254:0:title+headings+lead",
    "sentence:254:0:title+headings+lead",
    "semantic:254:0:title+headings+lead",
    "structure:160:0:title+headings+lead",
    "structure:128:0:title+headings+lead",
)
PAGE_WAYS = ("structure:254:0:title+headings+lead", "page:254:0:title+headings+lead")
# Chunker, size and overlap in tokens; recall and precision of five chunks in per cent, with all-MiniLM-L6-v2.
PUBLISHED = (
    ("recursive, 200, no overlap", 75.7, 6.5),
    ("recursive, 250, no overlap", 78.5, 5.4),
    ("tokens, 250, overlap 125", 82.4, 3.6),
    ("cluster semantic, 250", 77.3, 6.1),
)


@dataclass(frozen=True)
class Way:
    """What is measured: a checkout, and its settings as ``CHUNKER:SIZE:OVERLAP:CONTEXT``, or its own."""

    name: str
    root: Path = ROOT

    def rag(self, index: Path, *words: str) -> dict[str, Any]:
        """Run the program of this checkout."""
        return rag(index, *words, root=self.root)

    def build(self, folder: Path, keep: Path) -> tuple[Path, int]:
        """Index a set; where, and the number of chunks."""
        index = keep / folder.name / self.name.replace(":", "-") / ".rag"
        settings: tuple[str, ...] = ()
        os.environ.pop("RAG_CONTEXT", None)
        if self.root == ROOT:
            chunker, size, overlap, context = self.name.split(":")
            os.environ["RAG_CONTEXT"] = context.replace("+", ",")
            settings = ("--chunker", chunker, "--chunk-size", size, "--overlap", overlap)
        built = self.rag(index, "index", str(folder / "docs"), *settings)
        return index, built["chunks"]["total"]

    @property
    def cells(self) -> str:
        """The first columns of a table."""
        if self.root != ROOT:
            return f"{self.name} | | | "
        chunker, size, overlap, context = self.name.split(":")
        return f"{chunker} | {size} | {overlap} | {context.replace('+', ', ')}"


def measure(folder: Path, way: Way, keep: Path) -> dict[str, Any]:
    """Index the set in one way and evaluate all modes."""
    index, chunks = way.build(folder, keep)
    judged = way.rag(
        index, "eval", "--queries", str(folder / "queries.jsonl"), "--spans", str(folder / "spans.jsonl"),
        "--modes", ",".join(MODES), "--metrics", ",".join(METRICS),
    )  # fmt: skip
    return {
        "way": way.name,
        "cells": way.cells,
        "chunks": chunks,
        "queries": judged["queries"],
        "lost_references": len(judged["lost_references"]),
        "modes": {mode: {name: found[name] for name in METRICS} for mode, found in judged["modes"].items()},
    }


def measure_pages(folder: Path, way: Way, keep: Path) -> dict[str, Any]:
    """Index the set in one way; the mean share of each question's judged pages that five passages begin on."""
    index, chunks = way.build(folder, keep)
    wanted: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for line in (folder / "pages.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        wanted[row["query-id"]].add((row["doc"], row["page"] + 1))
    questions = [json.loads(line) for line in (folder / "queries.jsonl").read_text("utf-8").splitlines()]
    found: dict[str, float] = {}
    for mode in MODES:
        shares = []
        for question in questions:
            hits = way.rag(index, "search", question["text"], "-k", "5", "--mode", mode)["hits"]
            pages = {(Path(hit["path"]).name, hit["page"]) for hit in hits}
            shares.append(len(wanted[question["_id"]] & pages) / len(wanted[question["_id"]]))
        found[mode] = sum(shares) / len(shares)
    return {
        "way": way.name,
        "cells": way.cells,
        "chunks": chunks,
        "queries": len(questions),
        "page_recall@5": found,
    }


def table(results: list[dict[str, Any]]) -> str:
    """Markdown: a row a way and mode, in per cent, then what was published."""
    lines = [
        "| chunker | size | overlap | context | chunks | search | recall | precision | IoU |",
        "|---|---:|---:|---|---:|---|---:|---:|---:|",
    ]
    for result in results:
        for mode in MODES:
            values = " | ".join(f"{100 * result['modes'][mode][name]:.1f}" for name in METRICS)
            lines.append(f"{_named(result)} | {mode} | {values} |")
    for chunker, recall, precision in PUBLISHED:
        name, size, *overlap = chunker.split(", ")
        told = overlap[0].removeprefix("overlap ").replace("no overlap", "0") if overlap else "0"
        lines.append(f"| {name} (published) | {size} | {told} | | | dense | {recall} | {precision} | |")
    return "\n".join(lines)


def page_table(results: list[dict[str, Any]]) -> str:
    """Markdown: a row a way, in per cent."""
    lines = [
        f"| chunker | size | overlap | context | chunks | {' | '.join(MODES)} |",
        f"|---|---:|---:|---|---:|{'---:|' * len(MODES)}",
    ]
    for result in results:
        values = " | ".join(f"{100 * result['page_recall@5'][mode]:.1f}" for mode in MODES)
        lines.append(f"{_named(result)} | {values} |")
    return "\n".join(lines)


def _named(result: dict[str, Any]) -> str:
    return f"| {result['cells']} | {result['chunks']}"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", nargs="?", type=Path, default=ROOT.parent / "shared/eval/chroma-chunking")
    parser.add_argument("--ways", nargs="+", default=WAYS)
    parser.add_argument("--pages", type=Path)
    parser.add_argument("--page-ways", nargs="+", default=PAGE_WAYS)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not (options.set / "spans.jsonl").is_file():
        parser.error(f"no spans.jsonl in {options.set}")
    before = []
    if options.before:
        commit = subprocess.check_output(
            ["git", "-C", options.before, "rev-parse", "--short", "HEAD"], text=True
        ).strip()
        before = [Way(f"before ({commit})", options.before.resolve())]
    results, pages = [], []
    with nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as work:
        keep = Path(work).resolve()
        for way in [*before, *map(Way, options.ways)]:
            results.append(measure(options.set.resolve(), way, keep))
            print("\n".join(table(results[-1:]).splitlines()[2:5]), file=sys.stderr, flush=True)
        for way in [*before, *map(Way, options.page_ways)] if options.pages else ():
            pages.append(measure_pages(options.pages.resolve(), way, keep))
            print(page_table(pages[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    told = table(results)
    if pages:
        told += f"\n\nOf {options.pages.name}, the share of judged pages that five passages begin on:\n\n"
        told += page_table(pages)
    print(told)
    if options.json:
        write_report(options.json, "python -m benchmarks.chunking", told, [*results, *pages])


if __name__ == "__main__":
    main()
