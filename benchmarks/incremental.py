"""What a first and a second run of ``rag index`` cost: nothing changed, and ten files changed.

    python -m benchmarks.incremental [--files 5000] [--paragraphs 3] [--json FILE]

Writes that many small files of so many paragraphs, indexes them, runs again three times, changes
ten files, and runs once more; each run is a process of its own. Ratios are to the first run; memory
is the most that all processes of the first held together.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.process import Ran, run
from benchmarks.quality import ROOT
from benchmarks.report import write_report

_TEXT = (
    "the pump starts when the tank is full and stops by itself after ten minutes unless the valve was "
    "left open by the person on duty who signs the log each morning before the gate is unlocked"
)


def write(folder: Path, number: int, paragraphs: int, rng: random.Random) -> None:
    """One small document that no other is like."""
    texts = [" ".join(rng.choices(_TEXT.split(), k=60)) + f" {number}." for _ in range(paragraphs)]
    path = folder / f"{number % 50:02d}" / f"note {number}.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"# Note {number}\n\n" + "\n\n".join(texts) + "\n", "utf-8")


def index(home: Path) -> tuple[Ran, dict[str, Any]]:
    """Index the folder in a process of its own; what it took, and the report."""
    ran = run(
        [sys.executable, "-m", "ragcli", "--offline", "--index", str(home / ".rag"), "index", str(home / "docs"),
         "--format", "json"],
        ROOT,
    )  # fmt: skip
    report: dict[str, Any] = json.loads(ran.out)
    return ran, report


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--paragraphs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    words = parser.parse_args()
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        (home / "docs").mkdir()
        for number in range(words.files):
            write(home / "docs", number, words.paragraphs, rng)
        time.sleep(3)  # a file is trusted by its time once that is a moment ago
        began, made = index(home)
        first = began.seconds
        again = [index(home) for _ in range(3)]
        for number in range(10):
            write(home / "docs", number, words.paragraphs, rng)
        after, report = index(home)
    unchanged = statistics.median(ran.seconds for ran, _ in again)
    changed = after.seconds
    lines = [
        "| run | seconds | of the first | embedded | memory |",
        "|---|---:|---:|---:|---:|",
        f"| first, {words.files} files, {made['chunks']['total']} chunks | {first:.1f} | | {made['embedded']} "
        f"| {began.megabytes:.0f} MB |",
        f"| nothing changed | {unchanged:.2f} | {unchanged / first:.2%} | {again[0][1]['embedded']} | |",
        f"| ten files changed | {changed:.1f} | {changed / first:.2%} | {report['embedded']} | |",
    ]
    table = "\n".join(lines)
    print(table)
    if words.json:
        write_report(
            words.json,
            f"python -m benchmarks.incremental --files {words.files} --paragraphs {words.paragraphs}",
            table,
        )


if __name__ == "__main__":
    main()
