"""Recall, precision and IoU of five passages at several chunk sizes, beside published figures.

    python -m benchmarks.chunking [SET] [--sizes 128 160 254] [--keep DIR] [--json FILE]

SET is a folder with ``docs/``, ``queries.jsonl`` and ``spans.jsonl``; without it,
``../shared/eval/chroma-chunking``, the data of Chroma's study "Evaluating Chunking Strategies for
Retrieval" (research.trychroma.com/evaluating-chunking), is taken. Its published figures for the
same model stand below ours. ``--keep`` keeps the indexes for the next run. A size counts tokens of
the model with the title and headings embedded beside the text; the study's count those of another
tokenizer, and text alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks.quality import MODES, ROOT, rag
from benchmarks.report import write_report

METRICS = ("span_recall@5", "span_precision@5", "span_iou@5")
# Chunker, size and overlap in tokens; recall and precision of five chunks in per cent, with all-MiniLM-L6-v2.
PUBLISHED = (
    ("recursive, 200, no overlap", 75.7, 6.5),
    ("recursive, 250, no overlap", 78.5, 5.4),
    ("tokens, 250, overlap 125", 82.4, 3.6),
    ("cluster semantic, 250", 77.3, 6.1),
)


def measure(folder: Path, size: int, keep: Path) -> dict[str, Any]:
    """Index the set at one size and evaluate all modes."""
    index = keep / str(size) / ".rag"
    built = rag(index, "index", str(folder / "docs"), "--chunk-size", str(size))
    judged = rag(
        index, "eval", "--queries", str(folder / "queries.jsonl"), "--spans", str(folder / "spans.jsonl"),
        "--modes", ",".join(MODES), "--metrics", ",".join(METRICS),
    )  # fmt: skip
    return {
        "size": size,
        "chunks": built["chunks"]["total"],
        "queries": judged["queries"],
        "lost_references": len(judged["lost_references"]),
        "modes": {mode: {name: found[name] for name in METRICS} for mode, found in judged["modes"].items()},
    }


def table(results: list[dict[str, Any]]) -> str:
    """Markdown: a row a size and mode, in per cent, then what was published."""
    lines = ["| chunks | search | recall | precision | IoU |", "|---|---|---:|---:|---:|"]
    for result in results:
        for mode in MODES:
            values = " | ".join(f"{100 * result['modes'][mode][name]:.1f}" for name in METRICS)
            lines.append(f"| {result['size']} tokens, {result['chunks']} chunks | {mode} | {values} |")
    for chunker, recall, precision in PUBLISHED:
        lines.append(f"| published: {chunker} | dense | {recall} | {precision} | |")
    return "\n".join(lines)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", nargs="?", type=Path, default=ROOT.parent / "shared/eval/chroma-chunking")
    parser.add_argument("--sizes", nargs="+", type=int, default=[128, 160, 254])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not (options.set / "spans.jsonl").is_file():
        parser.error(f"no spans.jsonl in {options.set}")
    results = []
    with nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as work:
        for size in options.sizes:
            results.append(measure(options.set, size, Path(work).resolve()))
            print("\n".join(table(results[-1:]).splitlines()[2:5]), file=sys.stderr, flush=True)
    print(table(results))
    if options.json:
        write_report(options.json, "python -m benchmarks.chunking", table(results), results)


if __name__ == "__main__":
    main()
