"""What every command costs in a fresh process as an index grows, and what one change costs.

    python -m benchmarks.scale [--chunks 100000] [--keep DIR] [--runs 5] [--json FILE]

Writes that many records of some 60 words, whose words are as rare as those of a language and come
by topics, and vectors in clusters by the same topics, of the default model's length. They are indexed
as `rag index` does it, but for the vectors, which this process hands out; then every command is run
in a process of its own, so many times, and its median is told. DIR keeps the index for another run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import write_report

_TOPICS = 400
_WORDS = 40_000
_QUESTIONS = 60


class Words:
    """A language: words by rank, of which some belong to topics."""

    def __init__(self, rng: random.Random) -> None:
        letters = "aeiou", "bcdfghklmnprstvz"
        made: dict[str, None] = {}
        while len(made) < _WORDS:
            made["".join(rng.choice(letters[n % 2]) for n in range(rng.randint(4, 9)))] = None
        self.words = list(made)
        self._rng = rng
        ranks = np.arange(1, _WORDS + 1)
        share = 1.0 / ranks  # Zipf
        self._numbers = np.random.default_rng(1)
        self._share = share / share.sum()

    def text(self, topic: int, length: int) -> str:
        """Words of which every third is one of the topic's own."""
        common = self._numbers.choice(_WORDS, size=length, p=self._share)
        own = 500 + topic * 90 + self._numbers.integers(0, 90, size=length)
        chosen = np.where(self._numbers.random(length) < 0.33, own, common)
        words = [self.words[number] for number in chosen]
        return ". ".join(" ".join(words[at : at + 12]).capitalize() for at in range(0, length, 12)) + "."


class Vectors:
    """Unit vectors near the centre of a text's topic; stands in for the default model while indexing.

    Their components fall off as those of the model's own do: over 10,000 passages of the judged sets
    the tenth neighbour has a cosine of 0.46 and the hundredth 0.21, here 0.52 and 0.20.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._rng = rng = np.random.default_rng(2)
        width = model.dimensions
        turned, _ = np.linalg.qr(rng.standard_normal((width, width)))
        self._axes = (turned * (np.arange(width) + 11.0) ** -0.5).T.astype(np.float32)
        self._centres = self._drawn(_TOPICS)
        self.spec = model.spec

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def embed_documents(self, texts: Sequence[str], *, kept: bool = True) -> Any:
        """Vectors of texts, each of which ends in its topic's number; of others those of the model."""
        topics = [text.rsplit("topic ", 1)[-1].rstrip(".") for text in texts]
        if not all(topic.isdecimal() for topic in topics):
            return self._model.embed_documents(texts, kept=kept)
        made = self._centres[[int(topic) for topic in topics]] + self._drawn(len(topics))
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    def _drawn(self, count: int) -> Any:
        return self._rng.standard_normal((count, len(self._axes))).astype(np.float32) @ self._axes


def build(home: Path, chunks: int) -> float:
    """Index so many records; the seconds it took."""
    from ragcli.cli import app
    from ragcli.embed import open_embedder
    from ragcli.pipeline import model

    rng = random.Random(1)
    words = Words(rng)
    with (home / "corpus.jsonl").open("w", encoding="utf-8") as file:
        for number in range(chunks):
            topic = rng.randrange(_TOPICS)
            text = f"{words.text(topic, 60)} Topic {topic}.".replace("Topic", "topic")
            file.write(json.dumps({"_id": f"r{number}", "title": "", "text": text}) + "\n")
    with (home / "questions.jsonl").open("w", encoding="utf-8") as file:
        for number in range(_QUESTIONS):
            asked = words.text(rng.randrange(_TOPICS), 8).rstrip(".")
            file.write(json.dumps({"_id": f"q{number}", "text": f"{asked}?"}) + "\n")

    def opened(spec: str, *, offline: bool, dims: int | None = None, **_: Any) -> Any:
        return Vectors(open_embedder(spec, offline=offline, dims=dims))

    model.open_embedder = opened  # type: ignore[assignment]
    start = time.perf_counter()
    with suppress(SystemExit):
        app(["--offline", "--quiet", "--index", str(home / ".rag"), "index", str(home / "corpus.jsonl")])
    model.open_embedder = open_embedder
    return time.perf_counter() - start


class Runner:
    """Runs commands of the program in processes of their own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.results: list[dict[str, Any]] = []

    def once(self, *words: str) -> tuple[float, str]:
        """Seconds, and what was printed."""
        start = time.perf_counter()
        command = [sys.executable, "-m", "ragcli", "--offline", "--index", str(self._home / ".rag"), *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, err = process.communicate()
        took = time.perf_counter() - start
        if process.returncode not in (0, 1):
            raise RuntimeError(f"{' '.join(words)}: {err}")
        return took, out

    def median(self, name: str, runs: int, *words: str, prepare: Callable[[], None] = lambda: None) -> None:
        """Measure a command and keep its median."""
        took = []
        for _ in range(runs):
            prepare()
            took.append(self.once(*words)[0])
        self.results.append({"what": name, "seconds": round(statistics.median(took), 3), "runs": took})
        print(name, self.results[-1]["seconds"], flush=True)


def warm(home: Path, runner: Runner) -> None:
    """The time of each question of a batch, as the program itself tells it."""
    for mode in ("lexical", "hybrid"):
        start = time.perf_counter()
        runner.once("search", "--batch", str(home / "questions.jsonl"), "--mode", mode, "--format", "jsonl")
        whole = time.perf_counter() - start
        times = sorted(times_of(home, mode))
        runner.results.append({
            "what": f"search --batch, {mode}, a question", "p50": round(times[len(times) // 2], 4),
            "p95": round(times[int(len(times) * 0.95)], 4), "batch": round(whole, 2),
        })  # fmt: skip
        print(runner.results[-1], flush=True)


def times_of(home: Path, mode: str) -> list[float]:
    """Seconds of each question in one process that has the index open."""
    from dataclasses import replace

    from ragcli.evaluate import read_queries
    from ragcli.pipeline.ask import Asker
    from ragcli.pipeline.index import Index
    from ragcli.settings import Settings

    took = []
    with Index.open(home / ".rag", replace(Settings(), mode=mode, offline=True)) as index:
        asker = Asker(index)
        texts = [query.text for query in read_queries(home / "questions.jsonl")]
        asker.expect(texts[:20])  # compiles the model
        start = time.perf_counter()
        asker.expect(texts)  # as `rag search --batch` does
        each = (time.perf_counter() - start) / len(texts)
        for text in texts:
            start = time.perf_counter()
            asker.search(text)
            took.append(time.perf_counter() - start + each)
    return took[5:]


def change(home: Path) -> None:
    """Alter one record of the corpus."""
    corpus = home / "corpus.jsonl"
    first, rest = corpus.read_text("utf-8").split("\n", 1)
    corpus.write_text(first.replace('"text": "', '"text": "Changed. ') + "\n" + rest, "utf-8")


def size(folder: Path) -> str:
    """Megabytes of a folder, by its parts."""
    parts = {}
    for name in ("catalog.sqlite3", "chroma", "lexical"):
        path = folder / name
        files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
        parts[name] = sum(each.stat().st_size for each in files) / 1e6
    told = ", ".join(f"{name.partition('.')[0]} {megabytes:.0f}" for name, megabytes in parts.items())
    return f"{sum(parts.values()):.0f} MB ({told})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = words.keep or Path(scratch)
        home.mkdir(parents=True, exist_ok=True)
        built = None if (home / ".rag").exists() else build(home, words.chunks)
        runner = Runner(home)
        question = json.loads((home / "questions.jsonl").read_text("utf-8").splitlines()[0])["text"]
        runner.median("--help", words.runs, "--help")
        runner.median("status", words.runs, "status")
        runner.median("search --mode lexical", words.runs, "search", question, "--mode", "lexical")
        runner.median("search --mode dense", words.runs, "search", question, "--mode", "dense")
        runner.median("search", words.runs, "search", question)
        warm(home, runner)
        disk = size(home / ".rag")
        copy = home / "copy"
        copy.mkdir(exist_ok=True)
        shutil.copytree(home / ".rag", copy / ".rag", dirs_exist_ok=True)
        shutil.copyfile(home / "corpus.jsonl", copy / "corpus.jsonl")
        other = Runner(copy)
        for part, mode in (("lexical", "lexical"), ("chroma", "dense")):
            shutil.rmtree(copy / ".rag" / part)
            what = f"search that makes the {mode} side anew from cached vectors"
            other.median(what, 1, "search", question, "--mode", mode)
        other.median("index, one document changed", 1, "index", prepare=lambda: change(copy))
        other.median("doctor", 1, "doctor")
        runner.results += other.results
        shutil.rmtree(copy)
    lines = ["| what | seconds |", "|---|---:|"]
    if built is not None:
        lines.append(f"| index, without embedding | {built:.1f} |")
    for told in runner.results:
        times = (
            f"{told['seconds']:.2f}" if "seconds" in told else f"{told['p50']:.4f} (p95 {told['p95']:.4f})"
        )
        lines.append(f"| {told['what']} | {times} |")
    lines.append(f"\n{words.chunks} chunks, {disk}.")
    table = "\n".join(lines)
    print(table)
    if words.json:
        write_report(words.json, f"python -m benchmarks.scale --chunks {words.chunks}", table, runner.results)


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or every command would be compiled anew
    main()
