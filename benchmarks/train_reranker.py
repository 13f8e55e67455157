"""Train a cross-encoder from the default embedding model, and measure whether it helps.

    python -m benchmarks.train_reranker WORK PAIRS.jsonl.gz [...] [--minutes 40] [--threads 1] [--layers 3]

PAIRS hold ``{"query", "positive"}`` a line. In WORK are made, and kept for the next run: an index of
the positives, the candidates that our own hybrid search finds for each question, and ``reranker``,
a CrossEncoder in half precision that ``--reranker WORK/reranker`` takes. Hard negatives are the
candidates that are not the positive. Questions to one passage in ten are held out, and the blend is
measured on them. A run goes on from the weights of the last one; the optimizer starts anew. ``--start``
names what the first run begins with; ``--layers`` takes as many of its layers, from the lowest.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ragcli.embed import find_model
from ragcli.evaluate import measure
from ragcli.pipeline.ask import Asker
from ragcli.pipeline.index import Index
from ragcli.rerank import blend
from ragcli.settings import DEFAULT_MODEL, Settings

CANDIDATES = 30
NEGATIVES = 4
QUESTIONS = 4  # a step
TOKENS = 128  # of a pair while it is trained
LIMIT = 256  # of a pair that the trained model reads at once, as many as its embedding model read
FROZEN = 3  # the lowest of so many layers stay as they are, with the embeddings
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
SEED = 20

Mined = dict[str, Any]  # {"query", "positive": id, "found": [[id, fused score, text], ...]}


def read_pairs(files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Question and positive of every line, in order."""
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                pair = json.loads(line)
                yield pair["query"], pair["positive"]


def name_of(passage: str) -> str:
    return hashlib.sha256(passage.encode()).hexdigest()[:16]


def held_out(name: str) -> bool:
    """One passage in ten, by its name."""
    return int(name, 16) % 10 == 0


def mine(work: Path, pairs: Sequence[tuple[str, str]], most: int) -> list[Mined]:
    """What hybrid search finds for each question, from an index made on the first run."""
    kept = work / "mined.jsonl"
    if kept.is_file():
        return [json.loads(line) for line in kept.read_text("utf-8").splitlines()]
    corpus = work / "corpus.jsonl"
    if not corpus.is_file():
        texts = {name_of(positive): positive for _, positive in pairs}
        lines = [json.dumps({"_id": name, "text": text}) for name, text in sorted(texts.items())]
        corpus.write_text("\n".join(lines), "utf-8")
    index = work / ".rag"
    command = [sys.executable, "-m", "ragcli", "--offline", "--index", str(index), "index", str(corpus)]
    subprocess.run(command, check=True)
    mined = []
    with Index.open(index, Settings(offline=True)) as opened:
        asker = Asker(opened)
        for query, positive in random.Random(SEED).sample(pairs, min(most, len(pairs))):
            hits = asker.search(query, k=CANDIDATES).hits
            best: dict[str, tuple[str, float]] = {}
            for hit in hits:
                best.setdefault(str(hit.record), (hit.text, hit.score))
            found = [[name, score, text] for name, (text, score) in best.items()]
            mined.append({"query": query, "positive": name_of(positive), "found": found})
    kept.write_text("\n".join(json.dumps(entry) for entry in mined), "utf-8")
    return mined


def open_model(work: Path, start: str = DEFAULT_MODEL, layers: int | None = None) -> Any:
    """The cross-encoder of the last run, else one with the weights of ``start``, and a new head if it has none."""
    import torch
    from sentence_transformers import CrossEncoder

    kept = work / "reranker"
    folder = kept if kept.is_dir() else find_model(start).folder
    torch.manual_seed(SEED)
    model = CrossEncoder(str(folder), num_labels=1, max_length=LIMIT, local_files_only=True)
    model.model.float()
    if layers and layers < model.model.config.num_hidden_layers:
        # The upper ones are missed least: Sajjad et al., "Poor Man's BERT", arXiv 2004.03844.
        body = model.model.bert.encoder
        body.layer = torch.nn.ModuleList(list(body.layer[:layers]))
        model.model.config.num_hidden_layers = layers
    return model


def train(work: Path, mined: Sequence[Mined], minutes: float, start: str, layers: int | None) -> None:
    """Listwise softmax over a positive and hard negatives, until the time is up."""
    import torch

    model = open_model(work, start, layers)
    network = model.model
    frozen_layers = range(network.config.num_hidden_layers // FROZEN)
    for name, weight in network.named_parameters():
        frozen = ".embeddings." in name or any(f".layer.{n}." in name for n in frozen_layers)
        weight.requires_grad_(not frozen)
    head = [w for n, w in network.named_parameters() if w.requires_grad and ".layer." not in n]
    body = [w for n, w in network.named_parameters() if w.requires_grad and ".layer." in n]
    optimizer = torch.optim.AdamW([{"params": body, "lr": 1e-4}, {"params": head, "lr": 5e-4}])
    step_file = work / "steps.txt"
    step = int(step_file.read_text()) if step_file.is_file() else 0
    usable = [entry for entry in mined if not held_out(entry["positive"]) and len(entry["found"]) > NEGATIVES]
    usable = [entry for entry in usable if any(row[0] == entry["positive"] for row in entry["found"])]
    network.train()
    losses: list[float] = []
    right: list[float] = []
    began = saved = time.monotonic()
    while time.monotonic() - began < minutes * 60:
        chance = random.Random(SEED + step)
        pairs = []
        for entry in chance.sample(usable, QUESTIONS):
            good = next(row for row in entry["found"] if row[0] == entry["positive"])
            others = [row for row in entry["found"][:15] if row[0] != entry["positive"]]
            bad = chance.sample(others, min(NEGATIVES, len(others)))
            pairs += [(entry["query"], row[2]) for row in [good, *bad]]
        inputs = model.tokenizer(
            [query for query, _ in pairs], [text for _, text in pairs],
            truncation="only_second", max_length=TOKENS, padding=True, return_tensors="pt",
        )  # fmt: skip
        logits = network(**inputs).logits.view(QUESTIONS, -1)
        loss = torch.nn.functional.cross_entropy(logits, torch.zeros(QUESTIONS, dtype=torch.long))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        rate = min(1.0, (step + 1) / 50)
        for group, base in zip(optimizer.param_groups, (1e-4, 5e-4), strict=True):
            group["lr"] = rate * base
        optimizer.step()
        step += 1
        losses.append(loss.item())
        right.append(float((logits.argmax(1) == 0).float().mean()))
        if time.monotonic() - saved > 120:
            saved = time.monotonic()
            save(model, work, step)
            told = f"loss {sum(losses[-100:]) / len(losses[-100:]):.3f}"
            first = sum(right[-100:]) / len(right[-100:])
            print(f"step {step}, {told}, first {first:.3f} (chance {1 / (1 + NEGATIVES):.2f})", flush=True)
    save(model, work, step)


def save(model: Any, work: Path, step: int) -> None:
    """Weights in half precision; what is trained on stays in float32."""
    import copy

    kept = copy.copy(model)
    weights = {name: weight.half() for name, weight in model.model.state_dict().items()}
    kept.save_pretrained(str(work / "reranker"), safe_serialization=True)
    model.model.save_pretrained(str(work / "reranker"), state_dict=weights, safe_serialization=True)
    (work / "steps.txt").write_text(str(step), "utf-8")


def evaluate(work: Path, mined: Sequence[Mined], most: int) -> dict[str, float]:
    """Mean nDCG@10 on held-out questions for each weight of the reranker; 0 is hybrid search alone."""
    model = open_model(work)
    asked = [entry for entry in mined if held_out(entry["positive"])][:most]
    sums = dict.fromkeys(WEIGHTS, 0.0)
    for entry in asked:
        names, first, texts = zip(*entry["found"], strict=True)
        scores = model.predict([(entry["query"], text) for text in texts], show_progress_bar=False)
        for weight in WEIGHTS:
            blended = blend(first, [float(score) for score in scores], weight)
            order = sorted(zip(blended, names, strict=True), key=lambda pair: (-pair[0], pair[1]))
            sums[weight] += measure("ndcg@10", [name for _, name in order], {entry["positive"]: 1})
    return {f"{weight:g}": round(total / len(asked), 4) for weight, total in sums.items()}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("pairs", nargs="+", type=Path)
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--start", default=DEFAULT_MODEL, help="a model's name or folder")
    parser.add_argument("--layers", type=int)
    parser.add_argument("--most", type=int, default=4000, help="questions that candidates are found for")
    parser.add_argument("--held-out", type=int, default=150, help="questions that the blend is measured on")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    mined = mine(options.work, list(read_pairs(options.pairs)), options.most)
    if options.minutes > 0:
        train(options.work, mined, options.minutes, options.start, options.layers)
    print(json.dumps(evaluate(options.work, mined, options.held_out)))


if __name__ == "__main__":
    main()
