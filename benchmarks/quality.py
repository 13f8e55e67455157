"""Index and evaluate every judged set in a folder, and print one table.

    python -m benchmarks.quality [SETS] [--keep DIR] [--only NAME ...] [--json FILE]

SETS is a folder of sets in the BEIR layout (``corpus.jsonl``, ``queries.jsonl``, ``qrels.tsv``);
without it, ``../shared/eval`` is taken where that exists, else the project's own sample_docs.
``--keep`` keeps the indexes for the next run. All sets are measured with the same settings.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks.report import write_report

ROOT = Path(__file__).parents[1]
MODES = ("lexical", "dense", "hybrid")
METRICS = ("ndcg@10", "recall@10", "recall@100", "mrr@10")


def rag(index: Path, *words: str, root: Path = ROOT, online: bool = False) -> dict[str, Any]:
    """Run the program of a checkout as a process of its own and read its JSON."""
    how = ["--index", str(index)] if online else ["--offline", "--index", str(index)]
    command = [sys.executable, "-m", "ragcli", *how, *words, "--format", "json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=root)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def judge(index: Path, folder: Path) -> dict[str, Any]:
    """Evaluate all modes of an index on the questions of a set."""
    return rag(
        index, "eval", "--queries", str(folder / "queries.jsonl"), "--qrels", str(folder / "qrels.tsv"),
        "--modes", ",".join(MODES),
    )  # fmt: skip


def measure(name: str, folder: Path, corpus: Path, keep: Path) -> dict[str, Any]:
    """Index one set and evaluate all modes on it."""
    index = keep / name / ".rag"
    built = rag(index, "index", str(corpus))
    judged = judge(index, folder)
    return {
        "set": name,
        "chunks": built["chunks"]["total"],
        "queries": judged["queries"],
        # Times are another benchmark's: here others may use the machine meanwhile.
        "modes": {mode: {name: found[name] for name in METRICS} for mode, found in judged["modes"].items()},
    }


def table(results: list[dict[str, Any]]) -> str:
    """Markdown: nDCG@10 of each mode, and recall of hybrid."""
    lines = [
        "| set | questions | chunks | lexical | dense | hybrid | hybrid recall@100 |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for result in results:
        modes = result["modes"]
        scores = " | ".join(f"{modes[mode]['ndcg@10']:.3f}" for mode in MODES)
        hybrid = modes["hybrid"]
        lines.append(
            f"| {result['set']} | {result['queries']} | {result['chunks']} | {scores} "
            f"| {hybrid['recall@100']:.3f} |"
        )
    return "\n".join(lines)


def find_sets(folder: Path | None) -> list[tuple[str, Path, Path]]:
    """Name, folder of judgements and corpus of each set."""
    base = folder or ROOT.parent / "shared" / "eval"
    found = [
        (path.name, path, path / "corpus.jsonl")
        for path in (sorted(base.iterdir()) if base.is_dir() else [])
        if (path / "corpus.jsonl").is_file() and (path / "qrels.tsv").is_file()
    ]
    if not found and folder is None:
        samples = ROOT / "sample_docs"
        return [("sample_docs", samples / "eval", samples)]
    return found


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="?", type=Path)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = []
    with nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as work:
        for name, folder, corpus in find_sets(options.sets):
            if options.only and name not in options.only:
                continue
            results.append(measure(name, folder, corpus, Path(work).resolve()))
            print(table(results[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    print(table(results))
    if options.json:
        command = "python -m benchmarks.quality ../shared/eval"
        write_report(options.json, command, table(results), results)


if __name__ == "__main__":
    main()
