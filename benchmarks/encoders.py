"""How fast texts become vectors: sentence-transformers in float32, numpy and OpenVINO, side by side.

    python -m benchmarks.encoders [CORPUS] [--texts N] [--rounds N] [--json FILE]

CORPUS is a collection in the BEIR layout, ../shared/eval/cranfield/corpus.jsonl without it. Each way
embeds the same texts in turn, so many rounds, by the default model; its median is told, as a ratio to
sentence-transformers, and the least cosine to that one's vectors. Beside it stands what no code could
pass: as many texts as the processor has multiplications for, told by large products of matrices alone,
and which share of the time the network's own products and its attention take, told by OpenVINO's own
clock in a pass of each round.
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
KINDS = ("products", "attention", "all else")
_KIND_OF = {
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


class Clocked:
    """The encoder as OpenVINO runs it, under OpenVINO's own clock."""

    def __init__(self, plan: Plan, *, half: bool) -> None:
        import openvino as ov

        compile_plainly = ov.Core.compile_model
        ov.Core.compile_model = lambda core, model, device, how: compile_plainly(
            core, model, device, {**how, "PERF_COUNT": "YES"}
        )
        try:
            self._requests = Compiled(plan, half=half)._requests._requests
        finally:
            ov.Core.compile_model = compile_plainly

    def shares(self, texts: Sequence[Sequence[int]], cores: int) -> dict[str, float]:
        """Share of the cores' time that products, attention and all else inside OpenVINO take of one pass."""
        import openvino as ov

        seconds = dict.fromkeys(KINDS, 0.0)
        running: deque[Any] = deque()
        free = deque(self._requests)
        begun = time.perf_counter()
        for text in (*texts, *[None] * len(self._requests)):
            if text is None or not free:
                if not running:
                    break
                request = running.popleft()
                request.wait()
                for node in request.profiling_info:
                    if node.status == ov.ProfilingInfo.Status.EXECUTED:
                        seconds[_KIND_OF.get(node.node_type, "all else")] += node.real_time.total_seconds()
                free.append(request)
            if text is not None:
                request = free.popleft()
                request.start_async([np.array([text], dtype=np.int64)])
                running.append(request)
        took = time.perf_counter() - begun
        return {kind: total / (took * cores) for kind, total in seconds.items()}


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
    half = "bf16" in ours.runtime
    clocked, ids = Clocked(ours._plan, half=half), ours._known_ids(texts, "")
    clocked.shares(ids, cores)  # which warms up
    clocks = []
    for _ in range(words.rounds):
        clocks.append(clocked.shares(ids, cores))
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
    needed, rate = operations(files, tokens) / len(texts), products(half)
    bound = rate / needed
    best = len(texts) / statistics.median(took["OpenVINO"])
    table.append(
        f"\n{len(texts)} texts of {statistics.mean(tokens):.0f} tokens on average; OpenVINO runs as {ours.runtime}. "
        f"Products of large matrices alone come to {rate / 1e9:.0f} billion operations a second here, a text takes "
        f"{needed / 1e9:.2f}: at most {bound:.1f} texts a second, {bound * first / len(texts):.2f} times "
        f"sentence-transformers, of which OpenVINO reaches {best / bound:.0%}."
    )
    spent = {kind: statistics.median(clock[kind] for clock in clocks) for kind in KINDS}
    alone = best / (spent["products"] + spent["attention"])
    table.append(
        f"By OpenVINO's own clock the network's own products take {spent['products']:.0%} of that time, its attention "
        f"{spent['attention']:.0%} and all else inside OpenVINO {spent['all else']:.0%}; were the first two all there "
        f"is, it would be {alone:.1f} texts a second, {alone * first / len(texts):.2f} times sentence-transformers."
    )
    told = "\n".join(table)
    print(told)
    if words.json:
        write_report(words.json, "python -m benchmarks.encoders", told)


if __name__ == "__main__":
    main()
