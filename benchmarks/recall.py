"""Recall of Chroma's graph against the search that compares all, on chunks of existing indexes.

    python -m benchmarks.recall INDEX [INDEX ...] [--rows 50000] [--questions FILE] [--json FILE]

INDEX are index folders made with the default model; their chunks and vectors are gathered into one
collection, which is made as the product makes it and then with other HNSW settings. Each row of
the table is one way to search one of them: how long it took to make, its size, and, over the questions
(lines of JSON with ``text``), the share of the ten exact nearest neighbours found and the time of a search.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import write_report
from ragcli.catalog import Catalog, content_hash
from ragcli.embed import open_embedder
from ragcli.settings import DEFAULT_MODEL
from ragcli.store import DenseStore, bring_up_to_date, dense
from ragcli.store.chroma import forget_clients, open_client
from ragcli.types import Document

_K = 10
# How each graph is made, and how widely it is searched; the first are the product's own.
_GRAPHS: tuple[tuple[dict[str, int], tuple[int, ...]], ...] = (
    ({}, (600, 400, 100)),
    ({"ef_construction": 200, "max_neighbors": 32}, (400,)),
)


def gather(folders: list[Path], rows: int) -> tuple[Catalog, str]:
    """Chunks of several indexes, up to ``rows``, in one catalogue that lies nowhere; and their model."""
    into = Catalog.in_memory()
    signature = ""
    total = 0
    for number, folder in enumerate(folders):
        with Catalog.open(folder / "catalog.sqlite3") as catalog, into.transaction():
            signature = catalog.get("signature") or ""
            generation = into.begin_generation()
            for name, path, _ in catalog.document_names():
                stored = catalog.chunks_of(name)
                if total + len(stored) > rows:
                    break
                total += len(stored)
                chunks = [replace(one.chunk, document=f"{number}/{name}") for one in stored]
                last = max(chunk.end for chunk in chunks)
                text = "".join(chunk.text.ljust(chunk.end - chunk.start) for chunk in chunks)[:last].ljust(
                    last
                )
                document = Document(
                    id=f"{number}/{name}", path=path, record=None, title="", format="text", language="und",
                    text=text, blocks=(), lines=None, pages=None, sha256="", modified="",
                )  # fmt: skip
                into.put_document(document, chunks, "", generation)
                contents = [content_hash(chunk.embedded_text) for chunk in chunks]
                into.put_vectors(contents, signature, catalog.vectors_of([c.id for c in chunks], signature))
    return into, signature


def measure(
    catalog: Catalog, signature: str, questions: np.ndarray, changed: dict[str, int], widths: tuple[int, ...]
) -> Iterator[dict[str, Any]]:
    """Make one graph and search it as widely as each of ``widths``."""
    kept = dict(dense._HNSW)  # the settings are what is measured
    dense._HNSW.update(changed)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            store = DenseStore(Path(scratch) / "chroma", signature)
            start = time.perf_counter()
            bring_up_to_date([store], catalog)
            made = time.perf_counter() - start
            size = sum(path.stat().st_size for path in Path(scratch).rglob("*") if path.is_file())
            told = {
                "rows": catalog.counts()["chunks"],
                "made_s": round(made, 1),
                "megabytes": round(size / 1e6),
            }
            if not changed:
                recall, milliseconds = search(store, catalog, signature, questions)
                yield {"settings": {}, **told, "recall@10": recall, "search_ms": round(milliseconds, 2)}
            for width in widths:
                store.close()
                collection = open_client(store.folder).get_collection(dense.COLLECTION)
                collection.modify(configuration={"hnsw": {"ef_search": width}})
                forget_clients()
                recall, milliseconds = search(store, catalog, signature, questions, graph=True)
                yield {
                    "settings": {**kept, **changed, "ef_search": width},
                    **told,
                    "recall@10": round(recall, 4),
                    "search_ms": round(milliseconds, 2),
                }
            store.close()
    finally:
        dense._HNSW.clear()
        dense._HNSW.update(kept)


def search(
    store: DenseStore, catalog: Catalog, signature: str, questions: np.ndarray, *, graph: bool = False
) -> tuple[float, float]:
    """Recall of the ten nearest, and the median time of a search in milliseconds; in Chroma's graph, or in all."""
    ids, vectors = catalog.all_vectors(signature)
    place = {name: row for row, name in enumerate(ids)}

    def near(question: np.ndarray) -> list[str]:
        if graph:
            return store.look(question, _K)[1]
        return [name for name, _ in store.search(catalog, question, _K)]

    near(questions[0])
    hits, times = 0, []
    for question in questions:
        cosines = vectors @ question
        least = np.partition(cosines, len(ids) - _K)[len(ids) - _K] - 1e-5
        start = time.perf_counter()
        found = near(question)
        times.append((time.perf_counter() - start) * 1000)
        hits += sum(cosines[place[name]] >= least for name in found)
    return hits / (_K * len(questions)), statistics.median(times)


def table(results: list[dict[str, Any]]) -> str:
    """Markdown: one collection a line."""
    lines = [
        "| ef_construction | max_neighbors | ef_search | rows | made | size | recall@10 | a search |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in results:
        hnsw = one["settings"]
        if not hnsw:
            lines.append(
                f"| all compared | | | {one['rows']} | | | {one['recall@10']:.4f} | {one['search_ms']} ms |"
            )
            continue
        lines.append(
            f"| {hnsw['ef_construction']} | {hnsw['max_neighbors']} | {hnsw['ef_search']} | {one['rows']} "
            f"| {one['made_s']} s | {one['megabytes']} MB | {one['recall@10']:.4f} | {one['search_ms']} ms |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        # As the program has it, and told before numpy is loaded.
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.recall", *sys.argv[1:]])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("index", type=Path, nargs="+")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    words = parser.parse_args()
    catalog, signature = gather(words.index, words.rows)
    texts = [json.loads(line)["text"] for line in words.questions.read_text("utf-8").splitlines()][:200]
    embedder = open_embedder(DEFAULT_MODEL, offline=True)
    questions = embedder.embed_queries(texts)
    results = []
    for changed, widths in _GRAPHS:
        for result in measure(catalog, signature, questions, changed, widths):
            results.append(result)
            print(json.dumps(result), flush=True)
    print(table(results))
    if words.json:
        write_report(words.json, "python -m benchmarks.recall INDEX…", table(results), results)


if __name__ == "__main__":
    main()
