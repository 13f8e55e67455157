"""Our lexical search beside bm25s, on every judged set, over the same terms.

    python -m benchmarks.lexical --keep DIR [SETS] [--only NAME ...] [--json FILE]

DIR holds the indexes that ``benchmarks.quality --keep DIR`` made. bm25s is given what our own
analyser made of the chunks (title, headings and text, once each), and of the whole documents,
and scores as Lucene does with b 0.75 and with either k1 that is usual: 1.2, as tantivy has it,
and 1.5, bm25s's own default. Ties are broken by id on both sides. bm25s is needed for this alone:
``pip install bm25s``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality import find_sets
from benchmarks.report import write_report
from ragcli.analyze import ENGLISH
from ragcli.catalog import Catalog
from ragcli.evaluate import compare, judged_names, measure, read_qrels, read_queries
from ragcli.evaluate.metrics import DEEPEST
from ragcli.pipeline.index import Index
from ragcli.search import Searcher
from ragcli.search.searcher import CANDIDATES
from ragcli.settings import Settings

METRIC = "ndcg@10"
OURS = "rag"
B = 0.75
K1 = (1.2, 1.5)
UNITS = ("chunks", "documents")


class Peer:
    """bm25s over texts that are already terms."""

    def __init__(self, terms: Mapping[str, Sequence[str]], k1: float) -> None:
        import bm25s

        self._names = list(terms)
        self._scores = bm25s.BM25(method="lucene", k1=k1, b=B)
        self._scores.index(list(terms.values()), show_progress=False)

    def search(self, query: Sequence[str]) -> list[str]:
        """Names by score, best first, those that hold no term of the query left out."""
        known = [term for term in query if term in self._scores.vocab_dict]
        if not known:
            return []
        scores = self._scores.get_scores(known).tolist()
        found = [
            (-round(score, 6), name) for score, name in zip(scores, self._names, strict=True) if score > 0
        ]
        return [name for _, name in sorted(found)]


def chunk_terms(catalog: Catalog) -> dict[str, dict[str, list[str]]]:
    """The terms of every chunk, by document and chunk."""
    return {
        document: {
            stored.chunk.id: ENGLISH(stored.chunk.context) + ENGLISH(stored.chunk.text)
            for stored in catalog.chunks_of(document)
        }
        for document, _, _ in catalog.document_names()
    }


def document_terms(catalog: Catalog) -> dict[str, list[str]]:
    """The terms of every document as its chunks cover it: title and headings once, then the text."""
    terms = {}
    for document, _, _ in catalog.document_names():
        stored = catalog.chunks_of(document)
        above = dict.fromkeys(line for each in stored for line in each.chunk.context.split("\n"))
        terms[document] = [term for text in (*above, *_texts(stored)) for term in ENGLISH(text)]
    return terms


def _texts(stored: Iterable[Any]) -> Iterable[str]:
    """The text of chunks in order, what two of them share but once."""
    end = 0
    for each in stored:
        yield each.chunk.text[max(0, end - each.chunk.start) :]
        end = max(end, each.chunk.end)


def measure_set(folder: Path, index_folder: Path) -> dict[str, list[float]]:
    """nDCG@10 of every question on one set, of ours and of each form of bm25s."""
    queries, qrels = read_queries(folder / "queries.jsonl"), read_qrels(folder / "qrels.tsv")
    asked = [query for query in queries if any(grade > 0 for grade in qrels.get(query.id, {}).values())]
    with Index.open(index_folder, Settings(offline=True)) as index:
        catalog = index.catalog
        judged = {name for grades in qrels.values() for name in grades}
        names = judged_names(judged, catalog.document_names())
        chunks = chunk_terms(catalog)
        of_chunk = {chunk: document for document, own in chunks.items() for chunk in own}
        every = {chunk: terms for own in chunks.values() for chunk, terms in own.items()}
        whole = document_terms(catalog)
        peers = {
            f"{unit} {k1:g}": Peer(every if unit == "chunks" else whole, k1) for unit in UNITS for k1 in K1
        }
        values: dict[str, list[float]] = {name: [] for name in (OURS, *peers)}
        with index.consistent(dense=False) as (lexical, _):
            searcher = Searcher(catalog, lexical, None)
            for query in asked:
                terms = ENGLISH(query.text)
                found = searcher.gather(query.text, k=CANDIDATES, mode="lexical").lexical
                rankings = {OURS: [chunk for chunk, _ in found]}
                rankings |= {name: peer.search(terms) for name, peer in peers.items()}
                for name, ranking in rankings.items():
                    documents = dict.fromkeys(of_chunk.get(found, found) for found in ranking)
                    best = [names.get(document, document) for document in documents][:DEEPEST]
                    values[name].append(measure(METRIC, best, qrels[query.id]))
    return values


def summary(values: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Means, and ours against the form of bm25s that did best on the set, question by question."""
    means = {name: sum(own) / len(own) for name, own in values.items()}
    best = max((name for name in means if name != OURS), key=lambda name: means[name])
    found = compare(values[OURS], values[best])
    return {
        "queries": len(values[OURS]),
        "ndcg@10": {name: round(mean, 6) for name, mean in means.items()},
        "against": best,
        "difference": found.mean,
        "interval95": list(found.interval),
        "p": round(found.p, 4),
    }


def table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown: ours, then bm25s by what it ranks and k1, then ours against the best of those; the mean below."""
    columns = list(next(iter(results.values()))["ndcg@10"])
    heads = [f"bm25s, {name.split()[0]}, k1 {name.split()[1]}" for name in columns[1:]]
    lines = [
        f"| set | {OURS} | {' | '.join(heads)} | against the best | p |",
        f"|---|{'---:|' * (len(columns) + 2)}",
    ]
    for name, told in results.items():
        cells = " | ".join(f"{told['ndcg@10'][column]:.3f}" for column in columns)
        lines.append(f"| {name} | {cells} | {told['difference']:+.4f} | {told['p']:.3f} |")
    means = (sum(told["ndcg@10"][column] for told in results.values()) / len(results) for column in columns)
    return "\n".join([*lines, f"| mean | {' | '.join(f'{mean:.3f}' for mean in means)} | | |"])


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="?", type=Path)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = {}
    for name, folder, _ in find_sets(options.sets):
        if options.only and name not in options.only:
            continue
        if not (options.keep / name / ".rag").is_dir():
            print(f"{name}: no index in {options.keep}", file=sys.stderr)
            continue
        results[name] = summary(measure_set(folder, options.keep / name / ".rag"))
        print(json.dumps({name: results[name]}), file=sys.stderr, flush=True)
    print(table(results))
    if options.json:
        write_report(
            options.json,
            "python -m benchmarks.lexical --keep DIR ../shared/eval",
            table(results),
            [{"set": name, **values} for name, values in results.items()],
        )


if __name__ == "__main__":
    main()
