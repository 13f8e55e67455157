"""A static model made of the default one, and what it finds and costs beside it.

    python -m benchmarks.static [SETS] [--only NAME ...] [--json FILE]

Every token of the default model's vocabulary is read alone; its vector, less what all have in common
and scaled by how rare the token is (Model2Vec, Tulkens and van Dongen 2024), becomes the static one's.
Each set is indexed with both models by the program itself, and all modes are judged.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality import MODES, find_sets, judge, rag
from benchmarks.report import write_report
from ragcli.embed import find_model, open_embedder
from ragcli.embed.models import open_tokenizer
from ragcli.settings import DEFAULT_MODEL

_DIMENSIONS = 256
_SMOOTH = 1e-4


def distil(folder: Path) -> None:
    """Write a static model into a folder."""
    from model2vec import StaticModel
    from tokenizers import Tokenizer

    model: Any = open_embedder(DEFAULT_MODEL, offline=True)
    files = find_model(DEFAULT_MODEL)
    assert open_tokenizer(files) is not None
    assert files.folder is not None
    tokenizer = Tokenizer.from_file(str(files.folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    size = tokenizer.get_vocab_size()
    first, last = (tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]"))
    vectors = model._many.encode([[first, token, last] for token in range(size)], together=True)
    vectors = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(
        vectors[np.random.default_rng(1).permutation(size)[:10_000]], full_matrices=False
    )
    vectors = vectors @ axes[:_DIMENSIONS].T
    # The vocabulary of BERT stands in the order of frequency; Zipf tells the rest.
    share = 1.0 / np.arange(2, size + 2)
    share /= share.sum()
    vectors *= (_SMOOTH / (_SMOOTH + share))[:, None]
    made = StaticModel(vectors.astype(np.float32), tokenizer, config={"normalize": True})
    made.save_pretrained(str(folder))


def measure(name: str, folder: Path, corpus: Path, model: str, home: Path) -> dict[str, Any]:
    """Index a set with a model and judge it."""
    index = home / f"{name}-{'static' if ':' in model else 'default'}" / ".rag"
    start = time.perf_counter()
    built = rag(index, "index", str(corpus), "--model", model)
    took = time.perf_counter() - start
    scores = {mode: found["ndcg@10"] for mode, found in judge(index, folder)["modes"].items()}
    return {
        "set": name,
        "model": model.partition(":")[0],
        "chunks": built["chunks"]["total"],
        "seconds": took,
        **scores,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sets", nargs="?", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--json", type=Path)
    words = parser.parse_args()
    lines = [
        "| set | model | chunks | index, seconds | lexical | dense | hybrid |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        start = time.perf_counter()
        distil(home / "static")
        made = time.perf_counter() - start
        for name, folder, corpus in find_sets(words.sets):
            if words.only and name not in words.only:
                continue
            for model in (DEFAULT_MODEL, f"static:{home / 'static'}"):
                found = measure(name, folder, corpus, model, home)
                scores = " | ".join(f"{found[mode]:.3f}" for mode in MODES)
                lines.append(
                    f"| {name} | {found['model']} | {found['chunks']} | {found['seconds']:.1f} | {scores} |"
                )
                print(lines[-1], flush=True)
    lines.append(f"\nThe static model took {made:.1f} s to make and has {_DIMENSIONS} dimensions.")
    table = "\n".join(lines)
    print(table)
    if words.json:
        write_report(words.json, "python -m benchmarks.static", table)


if __name__ == "__main__":
    main()
