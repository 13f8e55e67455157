"""How fast texts become vectors: sentence-transformers in float32, numpy and OpenVINO, side by side.

    python -m benchmarks.encoders [CORPUS] [--texts N] [--rounds N] [--json FILE]

CORPUS is a collection in the BEIR layout, ../shared/eval/cranfield/corpus.jsonl without it. Each way
embeds the same texts in turn, so many rounds, by the default model; its median is told, as a ratio to
sentence-transformers, and the least cosine to that one's vectors. Beside it stands what no code could
pass: as many texts as the processor has multiplications for, told by large products of matrices alone,
and what the network's own products and its attention take of the time, told by OpenVINO's own clock.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality import ROOT
from benchmarks.report import write_report
from ragcli.cores import usable_cores
from ragcli.embed import find_model
from ragcli.embed.encoder import EncoderEmbedder
from ragcli.embed.models import ModelFiles
from ragcli.embed.transformer import TransformerEmbedder
from ragcli.encoder import Plan, read_plan
from ragcli.encoder.compiled import Compiled
from ragcli.settings import DEFAULT_MODEL

CORPUS = ROOT.parent / "shared" / "eval" / "cranfield" / "corpus.jsonl"


_SIDE = 1536  # of the matrices
_PRODUCTS = 12
# What OpenVINO calls them; attention is fused into one piece of a graph.
_KINDS = {
    "FullyConnected": "products", "MatMul": "products", "Subgraph": "attention",
    "ScaledDotProductAttention": "attention",
}  # fmt: skip


def products(half: bool) -> float:
    """Operations a second of large matrix products in OpenVINO, nothing else; the best of five."""
    import openvino as ov
    from openvino import opset13 as op

    start = op.parameter([_SIDE, _SIDE], np.float32)
    values = start
    rng = np.random.default_rng(1)
    for _ in range(_PRODUCTS):
        weight = op.constant((rng.standard_normal((_SIDE, _SIDE)) / _SIDE**0.5).astype(np.float32))
        values = op.matmul(values, weight, transpose_a=False, transpose_b=True)
    precision = {"INFERENCE_PRECISION_HINT": "bf16" if half else "f32", "PERFORMANCE_HINT": "THROUGHPUT"}
    compiled = ov.Core().compile_model(ov.Model([values], [start], "products"), "CPU", precision)
    queue = ov.AsyncInferQueue(compiled)
    given = rng.standard_normal((_SIDE, _SIDE)).astype(np.float32)
    rates = []
    for _ in range(6):
        begun = time.perf_counter()
        for _ in range(len(queue) * 2):
            queue.start_async([given])
        queue.wait_all()
        rates.append(len(queue) * 2 * _PRODUCTS * 2 * _SIDE**3 / (time.perf_counter() - begun))
    return max(rates[1:])


def operations(files: ModelFiles, tokens: Sequence[int]) -> float:
    """Operations of the linear layers and of attention for texts of so many tokens, special ones included."""
    network = read_plan(files.folder).network if files.folder else None
    if network is None:
        return 0.0
    wide = network.tensor("encoder.layer.0.intermediate.dense.weight").shape[0]
    layer = 4 * network.hidden**2 + 2 * network.hidden * wide
    return float(sum(network.layers * (2 * n * layer + 4 * n * n * network.hidden) for n in tokens))


def shares(plan: Plan, texts: Sequence[Sequence[int]], *, half: bool) -> dict[str, float]:
    """Seconds of one core that a text takes in products, in attention and in all else inside OpenVINO."""
    import openvino as ov

    compile_plainly = ov.Core.compile_model
    ov.Core.compile_model = lambda core, model, device, how: compile_plainly(
        core, model, device, {**how, "PERF_COUNT": "YES"}
    )
    try:
        requests = Compiled(plan, half=half)._requests._requests
    finally:
        ov.Core.compile_model = compile_plainly
    seconds = dict.fromkeys(("products", "attention", "all else"), 0.0)
    for timed in (False, True):  # the first time warms up
        running: deque[Any] = deque()
        free = deque(requests)
        for text in (*texts, *[None] * len(requests)):
            if text is None or not free:
                if not running:
                    break
                request = running.popleft()
                request.wait()
                for node in request.profiling_info if timed else ():
                    if node.status == ov.ProfilingInfo.Status.EXECUTED:
                        seconds[_KINDS.get(node.node_type, "all else")] += node.real_time.total_seconds()
                free.append(request)
            if text is not None:
                request = free.popleft()
                request.start_async([np.array([text], dtype=np.int64)])
                running.append(request)
    return {kind: total / len(texts) for kind, total in seconds.items()}


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
    cores = usable_cores()
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
    tokens = [min(count, ours.max_tokens) + 2 for count in ours.tokenizer.counts(texts)]
    half = "bf16" in ours.runtime
    needed, rate = operations(files, tokens) / len(texts), products(half)
    bound = rate / needed
    best = len(texts) / statistics.median(took["OpenVINO"])
    table.append(
        f"\n{len(texts)} texts of {statistics.mean(tokens):.0f} tokens on average; OpenVINO runs as {ours.runtime}. "
        f"Products of large matrices alone come to {rate / 1e9:.0f} billion operations a second here, a text takes "
        f"{needed / 1e9:.2f}: at most {bound:.1f} texts a second, {bound * first / len(texts):.2f} times "
        f"sentence-transformers, of which OpenVINO reaches {best / bound:.0%}."
    )
    spent = shares(ours._plan, ours._known_ids(texts, ""), half=half)
    alone = statistics.median(took["OpenVINO"]) / len(texts) * cores
    table.append(
        f"Of {alone * 1000:.1f} ms that a text takes of a core, the network's own products take "
        f"{spent['products'] * 1000:.1f}, its attention {spent['attention'] * 1000:.1f} and all else inside OpenVINO "
        f"{spent['all else'] * 1000:.1f}; were those two all there is, it would be "
        f"{cores / (spent['products'] + spent['attention']):.1f} texts a second, "
        f"{first / len(texts) * cores / (spent['products'] + spent['attention']):.2f} times sentence-transformers."
    )
    told = "\n".join(table)
    print(told)
    if words.json:
        write_report(words.json, "python -m benchmarks.encoders", told)


if __name__ == "__main__":
    main()
