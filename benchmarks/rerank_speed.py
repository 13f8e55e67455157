"""Time a reranker of all-MiniLM-L6-v2's size on 30 passages of 200 tokens, warm.

    python -m benchmarks.rerank_speed [--threads N] [--times N] [--json FILE]

The cross-encoder is made on the spot, with the embedding model's weights and a head of chance:
what it says means nothing, how long it takes does. The bar is one second on two cores.
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


def save_model(folder: Path) -> None:
    """A cross-encoder from the embedding model's weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        start = str(find_model(DEFAULT_MODEL).folder)
        AutoModelForSequenceClassification.from_pretrained(start, num_labels=1).save_pretrained(folder)
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


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    lines = [
        "| computed in | threads | median | least | processor time | correlation with float32 |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        save_model(Path(folder))
        whole: np.ndarray | None = None
        for half in (False, True) if multiplies_bfloat16() else (False,):
            seconds, spent, scores = measure(Path(folder), half=half, times=options.times)
            whole = scores if whole is None else whole
            lines.append(
                f"| {'bfloat16' if half else 'float32'} | {options.threads} | {statistics.median(seconds):.2f} s "
                f"| {min(seconds):.2f} s | {spent:.2f} s | {np.corrcoef(whole, scores)[0, 1]:.4f} |"
            )
    table = "\n".join(lines)
    print(table)
    if options.json:
        write_report(options.json, f"python -m benchmarks.rerank_speed --threads {options.threads}", table)


if __name__ == "__main__":
    main()
