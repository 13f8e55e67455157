"""Whether judged questions are answered as well by the vectors of the fast runtime as by the original's.

    python -m benchmarks.runtimes [SETS] [--only NAME ...] [--json FILE]

SETS is a folder of sets in the BEIR layout, ../shared/eval without it. Each document of a set, its title
and its text as far as the default model reads, and each question become vectors by sentence-transformers
in float32 and by the runtime that is used here; all are compared, and both are judged by nDCG@10.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality import find_sets
from benchmarks.report import write_report
from ragcli.embed import find_model
from ragcli.embed.encoder import EncoderEmbedder
from ragcli.embed.transformer import TransformerEmbedder
from ragcli.evaluate.judgements import read_qrels, read_queries
from ragcli.evaluate.metrics import measure
from ragcli.settings import DEFAULT_MODEL

_METRIC = "ndcg@10"
_AT_ONCE = 128


def vectors(model: Any, texts: list[str]) -> Any:
    """Unit vectors of documents, shape (n, dim)."""
    return np.concatenate(
        [model.embed_documents(texts[at : at + _AT_ONCE]) for at in range(0, len(texts), _AT_ONCE)]
    )


def compare(name: str, folder: Path, corpus: Path, ours: EncoderEmbedder, theirs: Any) -> dict[str, Any]:
    """One set by both."""
    records = [json.loads(line) for line in corpus.read_text("utf-8").split("\n") if line.strip()]
    names = [record["_id"] for record in records]
    # The longest first, so that those of like length are embedded together.
    texts = [f"{record.get('title', '')} {record['text']}".strip() or "-" for record in records]
    order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
    names, texts = [names[place] for place in order], [texts[place] for place in order]
    qrels = read_qrels(folder / "qrels.tsv")
    queries = [query for query in read_queries(folder / "queries.jsonl") if qrels.get(query.id)]
    asked = [query.text for query in queries]
    scores, made = {}, {}
    for label, model in (("theirs", theirs), ("ours", ours)):
        made[label] = vectors(model, texts)
        # A question by itself is read in float32 by ours.
        given = np.concatenate([model.embed_queries([text]) for text in asked])
        likeness = given @ made[label].T
        best = np.argsort(-likeness, axis=1, kind="stable")[:, :10]
        scores[label] = [
            measure(_METRIC, [names[place] for place in row], qrels[query.id])
            for query, row in zip(queries, best, strict=True)
        ]
    return {
        "set": name,
        "documents": len(texts),
        "questions": len(queries),
        "theirs": statistics.mean(scores["theirs"]),
        "ours": statistics.mean(scores["ours"]),
        "least cosine": float(np.sum(made["theirs"] * made["ours"], axis=1).min()),
    }


def table(results: list[dict[str, Any]], runtime: str) -> str:
    """Markdown: both, and how far apart they are."""
    lines = [
        f"| set | documents | questions | sentence-transformers, float32 | {runtime} | difference | least cosine |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {told['set']} | {told['documents']} | {told['questions']} | {told['theirs']:.4f} | {told['ours']:.4f} "
        f"| {told['ours'] - told['theirs']:+.4f} | {told['least cosine']:.5f} |"
        for told in results
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sets", nargs="?", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--json", type=Path)
    words = parser.parse_args()
    files = find_model(DEFAULT_MODEL)
    ours, theirs = EncoderEmbedder(files), TransformerEmbedder(files, offline=True)
    results: list[dict[str, Any]] = []
    for name, folder, corpus in find_sets(words.sets):
        if not corpus.is_file() or (words.only and name not in words.only):
            continue
        results.append(compare(name, folder, corpus, ours, theirs))
        print(table(results[-1:], ours.runtime).splitlines()[-1], flush=True)
    told = table(results, ours.runtime)
    print(told)
    if words.json:
        write_report(words.json, "python -m benchmarks.runtimes ../shared/eval", told, results)


if __name__ == "__main__":
    main()
