"""What two commits of this repository cost beside each other, whole commands, as a ratio.

    python -m benchmarks.regression A B [--runs 7] [--most 1.15] [--files 60]

Each commit is exported and indexes the same generated files; then both run every command in turn,
so many rounds, each time as a process of its own, and the ratio B to A is taken within a round. The
exit code is 1 where the median ratio of any command is above ``--most`` and B was slower in every
round, which chance alone brings about once in 2 ** runs times.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from benchmarks.incremental import write
from benchmarks.quality import ROOT

_QUESTION = "who signs the log before the gate is unlocked"
COMMANDS = {
    "index": ["index", "docs"],  # first, since the others ask what it made
    "--help": ["--help"],
    "status": ["status"],
    "search --mode lexical": ["search", _QUESTION, "--mode", "lexical"],
    "search": ["search", _QUESTION],
    "search --batch": ["search", "--batch", "questions.jsonl", "--format", "trec"],
}


def commit_of(name: str) -> str:
    """A commit's short hash."""
    command = ["git", "rev-parse", "--short", "--verify", f"{name}^{{commit}}"]
    return subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()


def export(name: str, folder: Path) -> None:
    """Write the files of a commit into a folder."""
    packed = subprocess.run(["git", "archive", name], check=True, cwd=ROOT, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")


def prepare(name: str, home: Path, files: int) -> None:
    """A commit's code with files to index and questions, the same for every commit."""
    export(name, home)
    shutil.rmtree(home / "docs", ignore_errors=True)
    (home / "docs").mkdir()
    rng = random.Random(1)
    for number in range(files):
        write(home / "docs", number, rng)
    questions = [{"_id": str(number), "text": f"{_QUESTION} {number}"} for number in range(40)]
    (home / "questions.jsonl").write_text("".join(json.dumps(each) + "\n" for each in questions), "utf-8")


def run(home: Path, words: list[str]) -> float:
    """Seconds of a command in a process of its own; ``index`` begins anew."""
    if words[0] == "index":
        shutil.rmtree(home / ".rag", ignore_errors=True)
    command = [sys.executable, "-m", "ragcli", "--offline", "--index", ".rag", *words]
    start = time.perf_counter()
    # The current folder is where Python finds the code first, before what is installed.
    subprocess.run(command, check=True, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def compare(homes: tuple[Path, Path], runs: int) -> dict[str, tuple[list[float], list[float]]]:
    """Seconds of every command from both, a figure a round; who goes first alternates."""
    took: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in COMMANDS}
    for number in range(runs + 1):
        for name, words in COMMANDS.items():
            for side in (0, 1) if number % 2 else (1, 0):
                seconds = run(homes[side], words)
                if number:  # round 0 compiles, and fills caches
                    took[name][side].append(seconds)
    return took


def main() -> int:
    """Measure and print; whether a ratio is too high."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("commits", nargs=2, metavar="COMMIT")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--most", type=float, default=1.15)
    parser.add_argument("--files", type=int, default=60)
    options = parser.parse_args()
    first, second = (commit_of(name) for name in options.commits)
    with tempfile.TemporaryDirectory() as scratch:
        homes = (Path(scratch) / "a", Path(scratch) / "b")
        for name, home in zip((first, second), homes, strict=True):
            prepare(name, home, options.files)
        took = compare(homes, options.runs)
    slower = False
    print(f"| command | {first}, s | {second}, s | ratio | least to most | |\n|---|---:|---:|---:|---:|---|")
    for name, (before, after) in took.items():
        ratios = [b / a for a, b in zip(before, after, strict=True)]
        ratio = statistics.median(ratios)
        told = "slower" if ratio > options.most and min(ratios) > 1 else ""
        slower = slower or bool(told)
        seconds = f"{statistics.median(before):.2f} | {statistics.median(after):.2f}"
        print(f"| {name} | {seconds} | {ratio:.2f} | {min(ratios):.2f} to {max(ratios):.2f} | {told} |")
    return int(slower)


if __name__ == "__main__":
    sys.exit(main())
