"""How fast texts become vectors: sentence-transformers in float32, numpy and OpenVINO, side by side.

    python -m benchmarks.encoders [CORPUS] [--texts N] [--rounds N] [--json FILE]

CORPUS is a collection in the BEIR layout, ../shared/eval/cranfield/corpus.jsonl without it. Each way
embeds the same texts in turn, so many rounds, by the default model; its median is told, as a ratio to
sentence-transformers, and the least cosine to that one's vectors.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality import ROOT
from benchmarks.report import write_report
from ragcli.embed import find_model
from ragcli.embed.encoder import EncoderEmbedder
from ragcli.embed.transformer import TransformerEmbedder
from ragcli.settings import DEFAULT_MODEL

CORPUS = ROOT.parent / "shared" / "eval" / "cranfield" / "corpus.jsonl"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("corpus", nargs="?", type=Path, default=CORPUS)
    parser.add_argument("--texts", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    words = parser.parse_args()
    lines = words.corpus.read_text("utf-8").splitlines()[: words.texts]
    texts = [json.loads(line)["text"] or "-" for line in lines]
    files = find_model(DEFAULT_MODEL)
    ours, theirs = EncoderEmbedder(files), TransformerEmbedder(files, offline=True)
    ways: dict[str, Callable[[], Any]] = {
        "sentence-transformers, float32": lambda: theirs.embed_documents(texts),
        "numpy": lambda: ours.embed_documents(texts, kept=False),
        "OpenVINO": lambda: ours.embed_documents(texts),
    }
    made = {name: embed() for name, embed in ways.items()}  # which loads and warms up
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(words.rounds):
        for name, embed in ways.items():
            start = time.perf_counter()
            embed()
            took[name].append(time.perf_counter() - start)
    first, right = (
        statistics.median(took["sentence-transformers, float32"]),
        made["sentence-transformers, float32"],
    )
    table = ["| by | texts a second | of sentence-transformers | least cosine |", "|---|---:|---:|---:|"]
    for name in ways:
        seconds = statistics.median(took[name])
        cosine = float(np.sum(made[name] * right, axis=1).min())
        table.append(f"| {name} | {len(texts) / seconds:.1f} | {first / seconds:.2f} | {cosine:.6f} |")
    tokens = statistics.mean(ours.tokenizer.counts(texts))
    table.append(f"\n{len(texts)} texts of {tokens:.0f} tokens on average; OpenVINO runs as {ours.runtime}.")
    told = "\n".join(table)
    print(told)
    if words.json:
        write_report(words.json, "python -m benchmarks.encoders", told)


if __name__ == "__main__":
    main()
