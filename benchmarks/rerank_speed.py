"""Time a reranker of all-MiniLM-L6-v2's size on 30 passages of 200 tokens, warm.

    python -m benchmarks.rerank_speed [--threads N] [--times N] [--layers N] [--json FILE]

The cross-encoder is made on the spot, with the embedding model's weights (``--layers``: of so many
layers, from the lowest) and a head of chance: what it says means nothing, how long it takes does.
The bar is one second on two cores. How fast the cores multiply is told beside.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from benchmarks.report import write_report
from ragcli.embed import find_model
from ragcli.rerank.cross_encoder import CrossEncoderReranker, multiplies_bfloat16
from ragcli.settings import DEFAULT_MODEL

PASSAGES, TOKENS = 30, 200
QUESTION = "how long are readings kept after a sensor was lost"


def save_model(folder: Path, layers: int) -> None:
    """A cross-encoder from the embedding model's weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        start = str(find_model(DEFAULT_MODEL).folder)
        model = AutoModelForSequenceClassification.from_pretrained(
            start, num_labels=1, num_hidden_layers=layers
        )
        model.save_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(start)
        tokenizer.model_max_length = 512
        tokenizer.save_pretrained(folder)


def measure(folder: Path, *, half: bool, times: int) -> tuple[list[float], float, np.ndarray]:
    """Seconds of each round after the first, which warms up; processor seconds of one; the scores."""
    reranker = CrossEncoderReranker(find_model(str(folder)), offline=True, half=half)
    words = [f"{word} {number}" for number, word in enumerate(QUESTION.split() * 60)]
    texts = [" ".join(words[n : n + TOKENS // 2]) for n in range(PASSAGES)]
    texts = [text[: reranker.tokenizer.spans(text)[TOKENS - 1][1]] for text in texts]
    scores = reranker.score(QUESTION, texts)
    seconds = []
    spent = time.process_time()
    for _ in range(times):
        start = time.perf_counter()
        reranker.score(QUESTION, texts)
        seconds.append(time.perf_counter() - start)
    return seconds, (time.process_time() - spent) / times, scores


def gigaflops() -> float:
    """What the cores reach in products of the model's own shapes."""
    import torch

    left, right = torch.randn(1600, 384), torch.randn(384, 1536)
    for _ in range(5):
        left @ right
    start = time.perf_counter()
    for _ in range(50):
        left @ right
    return 50 * 2 * 1600 * 384 * 1536 / (time.perf_counter() - start) / 1e9


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--layers", type=int, nargs="+", default=[6, 4, 3])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    lines = [
        "| layers | computed in | median | least | processor time | correlation with float32 |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for layers in options.layers:
        with tempfile.TemporaryDirectory() as folder:
            save_model(Path(folder), layers)
            whole: np.ndarray | None = None
            for half in (False, True) if multiplies_bfloat16() else (False,):
                seconds, spent, scores = measure(Path(folder), half=half, times=options.times)
                whole = scores if whole is None else whole
                lines.append(
                    f"| {layers} | {'bfloat16' if half else 'float32'} | {statistics.median(seconds):.2f} s "
                    f"| {min(seconds):.2f} s | {spent:.2f} s | {np.corrcoef(whole, scores)[0, 1]:.4f} |"
                )
    speed = f"{gigaflops():.0f} GFLOP a second in float32 on {options.threads} threads"
    table = "\n".join([*lines, "", f"A product of matrices of these shapes: {speed}."])
    print(table)
    if options.json:
        write_report(options.json, f"python -m benchmarks.rerank_speed --threads {options.threads}", table)


if __name__ == "__main__":
    main()
