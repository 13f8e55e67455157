"""What every command costs in a fresh process as an index grows, and what one change costs.

    python -m benchmarks.scale [--chunks 100000] [--direct] [--keep DIR] [--runs 5] [--json FILE]

Writes that many records of some 60 words, whose words are as rare as those of a language and come
by topics, and vectors in clusters by the same topics, of the default model's length. They are indexed
as `rag index` does it, but for the vectors, which this process hands out; then every command is run
in a process of its own, so many times, and its median is told. With ``--direct`` nothing is read, cut
or counted: ten passages a document go into the catalogue as they are, and what is derived from it is
made as ever. DIR keeps the index for another run.
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

from benchmarks.process import run
from benchmarks.quality import ROOT
from benchmarks.report import write_report

_TOPICS = 400
_WORDS = 40_000
_QUESTIONS = 300


class Words:
    """A language: words by rank, of which some belong to topics."""

    def __init__(self, rng: random.Random) -> None:
        letters = "aeiou", "bcdfghklmnprstvz"
        made: dict[str, None] = {}
        while len(made) < _WORDS:
            made["".join(rng.choice(letters[n % 2]) for n in range(rng.randint(4, 9)))] = None
        self.words = np.array(list(made))
        ranks = np.arange(1, _WORDS + 1)
        self._numbers = np.random.default_rng(1)
        share = np.cumsum(1.0 / ranks)  # Zipf
        self._upto = share / share[-1]

    def texts(self, topics: Sequence[int], length: int) -> list[str]:
        """A text of so many words for each topic; every third is one of the topic's own."""
        shape = (len(topics), length)
        common = np.searchsorted(self._upto, self._numbers.random(shape)).clip(max=_WORDS - 1)
        own = 500 + np.array(topics)[:, None] * 90 + self._numbers.integers(0, 90, size=shape)
        chosen = np.where(self._numbers.random(shape) < 0.33, own, common)
        return [
            ". ".join(" ".join(words[at : at + 12]).capitalize() for at in range(0, length, 12)) + "."
            for words in self.words[chosen].tolist()
        ]


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
        return self.of([int(topic) for topic in topics])

    def of(self, topics: Sequence[int]) -> Any:
        """A vector for each topic."""
        made = self._centres[list(topics)] + self._drawn(len(topics))
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    def _drawn(self, count: int) -> Any:
        return self._rng.standard_normal((count, len(self._axes))).astype(np.float32) @ self._axes


def write_questions(home: Path, rng: random.Random, words: Words) -> None:
    """Write what is asked."""
    with (home / "questions.jsonl").open("w", encoding="utf-8") as file:
        asked = words.texts([rng.randrange(_TOPICS) for _ in range(_QUESTIONS)], 8)
        for number, text in enumerate(asked):
            file.write(json.dumps({"_id": f"q{number}", "text": f"{text.rstrip('.')}?"}) + "\n")


def build(home: Path, chunks: int) -> float:
    """Index so many records; the seconds it took."""
    from ragcli.cli import app
    from ragcli.embed import open_embedder
    from ragcli.pipeline import model

    rng = random.Random(1)
    words = Words(rng)
    with (home / "corpus.jsonl").open("w", encoding="utf-8") as file:
        for first in range(0, chunks, 1000):
            topics = [rng.randrange(_TOPICS) for _ in range(min(1000, chunks - first))]
            for number, (topic, text) in enumerate(zip(topics, words.texts(topics, 60), strict=True), first):
                record = {"_id": f"r{number}", "title": "", "text": f"{text} topic {topic}."}
                file.write(json.dumps(record) + "\n")
    write_questions(home, rng, words)

    def opened(spec: str, *, offline: bool, dims: int | None = None, **_: Any) -> Any:
        return Vectors(open_embedder(spec, offline=offline, dims=dims))

    model.open_embedder = opened  # type: ignore[assignment]
    start = time.perf_counter()
    with suppress(SystemExit):
        app(["--offline", "--quiet", "--index", str(home / ".rag"), "index", str(home / "corpus.jsonl")])
    model.open_embedder = open_embedder
    return time.perf_counter() - start


def written(name: str, texts: Sequence[str]) -> tuple[Any, ...]:
    """A document of some passages, and these."""
    from ragcli.catalog import content_hash
    from ragcli.types import Chunk, Document

    whole, cuts = "", []
    for ordinal, text in enumerate(texts):
        start, whole = len(whole), f"{whole}{text}\n"
        cut = Chunk(
            id=content_hash(f"{name} {ordinal} {text}")[:16], document=name, ordinal=ordinal, start=start,
            end=start + len(text), text=text, context="", heading=(), page=None,
            lines=(ordinal + 1, ordinal + 1), tokens=150,
        )  # fmt: skip
        cuts.append(cut)
    document = Document(
        id=name, path=name, record=None, title="", format="text", language="und", text=whole, blocks=(),
        lines=None, pages=None, sha256="", modified="",
    )  # fmt: skip
    return document, *cuts


def build_directly(home: Path, chunks: int) -> float:
    """Fill a catalogue with so many passages, and make what is derived from it; the seconds of the latter."""
    from ragcli.catalog import content_hash
    from ragcli.embed import open_embedder
    from ragcli.pipeline.index import Index, prepare_folder
    from ragcli.settings import DEFAULT_MODEL, Settings

    rng = random.Random(1)
    words = Words(rng)
    write_questions(home, rng, words)
    prepare_folder(home / ".rag")
    embedder = open_embedder(DEFAULT_MODEL, offline=True)
    vectors = Vectors(embedder)
    with Index.create(home / ".rag", Settings(offline=True)) as index:
        catalog = index.catalog
        with catalog.transaction():
            index.note_model(embedder, None)
            generation = catalog.begin_generation()
        for first in range(0, chunks, 1000):
            topics = [rng.randrange(_TOPICS) for _ in range(min(1000, chunks - first))]
            texts = words.texts(topics, 60)
            made = []
            with catalog.transaction():
                for at in range(0, len(texts), 10):
                    document, *cuts = written(f"d{first + at}.txt", texts[at : at + 10])
                    catalog.put_document(document, cuts, "", generation)
                    made += cuts
                contents = [content_hash(cut.sent_text) for cut in made]
                catalog.put_vectors(contents, embedder.signature, vectors.of(topics))
        start_of_projections = time.perf_counter()
        with index.consistent(dense=True):
            return time.perf_counter() - start_of_projections


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

    def memory(self, name: str, *words: str) -> None:
        """Keep the most memory that a command and its children hold."""
        command = [sys.executable, "-m", "ragcli", "--offline", "--index", str(self._home / ".rag"), *words]
        megabytes = run(command, ROOT).megabytes
        self.results.append({"what": f"{name}, memory of all its processes", "megabytes": round(megabytes)})
        print(self.results[-1], flush=True)

    def note(self, name: str, seconds: float) -> None:
        """Keep a time."""
        self.results.append({"what": name, "seconds": round(seconds, 3), "runs": [seconds]})
        print(name, round(seconds, 3), flush=True)


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
    command = [sys.executable, "-m", "benchmarks.warm", str(home), mode]
    here = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # as the program has it
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=here, cwd=ROOT)
    took: list[float] = json.loads(done.stdout)["questions"]
    return took


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


def costs_of_reading(runner: Runner, home: Path, runs: int) -> None:
    """What every command costs that changes nothing."""
    question = first_question(home)
    runner.median("--help", runs, "--help")
    runner.median("status", runs, "status")
    runner.median("search --mode lexical", runs, "search", question, "--mode", "lexical")
    runner.median("search --mode dense", runs, "search", question, "--mode", "dense")
    runner.median("search", runs, "search", question)
    runner.median("search --filter", runs, "search", question, "--filter", "path=*1*")
    runner.memory("search", "search", question)
    warm(home, runner)


def costs_of_changing(runner: Runner, home: Path) -> None:
    """What a copy of the index costs to make anew, to change and to examine."""
    for part in ("lexical", "chroma"):
        shutil.rmtree(home / ".rag" / part)
    what = "search that makes both sides anew from cached vectors"
    runner.median(what, 1, "search", first_question(home))
    runner.median("index, one document changed", 1, "index", prepare=lambda: change(home))
    runner.median("doctor", 1, "doctor")


def costs_of_changing_directly(runner: Runner, home: Path) -> None:
    """What it costs to change and to take out a document of an index that was filled directly."""
    from ragcli.catalog import content_hash
    from ragcli.pipeline.index import Index
    from ragcli.settings import Settings

    with Index.open(home / ".rag", Settings(offline=True)) as index:
        catalog = index.catalog
        cuts = [stored.chunk for stored in catalog.chunks_of("d0.txt")]
        document, *others = written("d0.txt", [f"Changed. {cut.text}" for cut in cuts])
        signature = catalog.get("signature") or ""
        vectors = catalog.vectors_of([cut.id for cut in cuts], signature)
        start = time.perf_counter()
        with index.change() as generation:
            catalog.put_vectors([content_hash(cut.sent_text) for cut in others], signature, vectors)
            catalog.put_document(document, others, "", generation)
        runner.note("one document changed", time.perf_counter() - start)
    runner.median("remove", 1, "remove", "d10.txt")


def first_question(home: Path) -> str:
    """What is asked in a fresh process."""
    line = (home / "questions.jsonl").read_text("utf-8").split("\n", 1)[0]
    return str(json.loads(line)["text"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--direct", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = words.keep or Path(scratch)
        home.mkdir(parents=True, exist_ok=True)
        make = build_directly if words.direct else build
        built = None if (home / ".rag").exists() else make(home, words.chunks)
        runner = Runner(home)
        costs_of_reading(runner, home, words.runs)
        disk = size(home / ".rag")
        copy = home / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(home, copy, ignore=shutil.ignore_patterns("copy"))
        other = Runner(copy)
        (costs_of_changing_directly if words.direct else costs_of_changing)(other, copy)
        runner.results += other.results
        shutil.rmtree(copy)
    lines = ["| what | seconds |", "|---|---:|"]
    if built is not None:
        what = "index, without embedding"
        if words.direct:
            what = "both sides from cached vectors"
        lines.append(f"| {what} | {built:.1f} |")
    for told in runner.results:
        times = f"{told['seconds']:.2f}" if "seconds" in told else ""
        if "p50" in told:
            times = f"{told['p50']:.4f} (p95 {told['p95']:.4f})"
        if "megabytes" in told:
            times = f"{told['megabytes']} MB"
        lines.append(f"| {told['what']} | {times} |")
    lines.append(f"\n{words.chunks} chunks, {disk}.")
    table = "\n".join(lines)
    print(table)
    if words.json:
        way = " --direct" if words.direct else ""
        command = f"python -m benchmarks.scale --chunks {words.chunks}{way}"
        write_report(words.json, command, table, runner.results)


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or every command would be compiled anew
    main()
