"""Switch off one part of hybrid search at a time, on every judged set, and print what each is worth.

    python -m benchmarks.ablation --keep DIR [SETS] [--most N] [--json FILE]

DIR holds the indexes that ``benchmarks.quality --keep DIR`` made. Both sides are asked once a
question; the variants differ in what is made of their lists. ``--most`` takes that many questions
of each set, evenly. A part that is worth less than 0.002 in the mean does not earn its place.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.quality import find_sets
from benchmarks.report import write_report
from ragcli.evaluate import Query, judged_names, measure, read_qrels, read_queries
from ragcli.pipeline.ask import Asker
from ragcli.pipeline.index import Index
from ragcli.search import Gathered, Searcher
from ragcli.search.fuse import Ranked, convex, reciprocal_rank
from ragcli.search.searcher import weigh
from ragcli.settings import Settings

WEIGHT = Settings().dense_weight


def as_it_is(found: Gathered) -> Ranked:
    return convex(found.lexical, found.dense, weigh(found, WEIGHT), depth=found.depth, share=found.share)


def without_coverage(found: Gathered) -> Ranked:
    return as_it_is(replace(found, coverage=1.0))


def without_code(found: Gathered) -> Ranked:
    return as_it_is(replace(found, first=()))


def without_ceiling(found: Gathered) -> Ranked:
    return as_it_is(replace(found, share=1.0))


def without_zeros(found: Gathered) -> Ranked:
    return as_it_is(replace(found, depth=0))


def by_ranks(found: Gathered) -> Ranked:
    return reciprocal_rank(found.lexical, found.dense, weigh(found, WEIGHT))


def min_max(found: Gathered) -> Ranked:
    """The floor's own fusion: scores scaled to [0, 1]."""

    def scaled(ranked: Ranked) -> Ranked:
        if not ranked:
            return []
        low, high = ranked[-1][1], ranked[0][1]
        return [(name, (score - low) / ((high - low) or 1.0)) for name, score in ranked]

    weight = weigh(found, WEIGHT)
    total: dict[str, float] = {}
    for ranked, part in ((scaled(found.lexical), 1 - weight), (scaled(found.dense), weight)):
        for name, score in ranked:
            total[name] = total.get(name, 0.0) + part * score
    return sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))


VARIANTS: dict[str, Callable[[Gathered], Ranked]] = {
    "as it is": as_it_is,
    "no coverage of the question's words": without_coverage,
    "no regard for program text": without_code,
    "no ceiling on lexical scores": without_ceiling,
    "short lexical lists not filled up": without_zeros,
    "min-max instead of standard scores": min_max,
    "reciprocal ranks (`--fusion rrf`)": by_ranks,
}
PLAIN_BODY = "title and headings not searched once more"


def measure_set(folder: Path, index_folder: Path, most: int) -> dict[str, float]:
    """Mean nDCG@10 of each variant on one set."""
    queries, qrels = read_queries(folder / "queries.jsonl"), read_qrels(folder / "qrels.tsv")
    asked = [query for query in queries if any(grade > 0 for grade in qrels.get(query.id, {}).values())]
    asked = asked[:: max(1, len(asked) // most)] if most else asked
    sums = dict.fromkeys([*VARIANTS, PLAIN_BODY], 0.0)
    with Index.open(index_folder, Settings(offline=True)) as index:
        asker = Asker(index)
        judged = {name for grades in qrels.values() for name in grades}
        names = judged_names(judged, index.catalog.document_names())
        document_of = {
            chunk: names.get(document, document)
            for document, _, _ in index.catalog.document_names()
            for chunk in index.catalog.chunk_ids(document)
        }
        with index.consistent(dense=True) as (lexical, dense):
            searcher = Searcher(index.catalog, lexical, dense)
            for query in asked:
                found = gather(asker, searcher, query)
                rankings = {name: variant(found) for name, variant in VARIANTS.items()}
                plain = lexical.search(lexical.analyze.question(query.text), found.depth, context_weight=0.0)
                rankings[PLAIN_BODY] = as_it_is(replace(found, lexical=plain))
                for name, ranking in rankings.items():
                    documents = list(dict.fromkeys(document_of[chunk] for chunk, _ in ranking))
                    sums[name] += measure("ndcg@10", documents, qrels[query.id])
    return {name: total / len(asked) for name, total in sums.items()}


def gather(asker: Asker, searcher: Searcher, query: Query) -> Gathered:
    """Both lists for a question, the dense one also where its weight will be 0."""
    question = asker.read(query.text, "dense")
    return searcher.gather(
        query.text, k=100, mode="hybrid", vector=question.vector, coverage=question.coverage
    )


def table(results: dict[str, dict[str, float]]) -> str:
    """Markdown: what is left out, a column a set, and what that changes in the mean."""
    sets = list(results)
    lines = [f"| left out | {' | '.join(sets)} | mean | worth |", f"|---|{'---:|' * (len(sets) + 2)}"]
    whole = sum(results[name]["as it is"] for name in sets) / len(sets)
    for variant in [*VARIANTS, PLAIN_BODY]:
        values = [results[name][variant] for name in sets]
        mean = sum(values) / len(values)
        worth = "" if variant == "as it is" else f"{whole - mean:+.4f}"
        shown = "nothing" if variant == "as it is" else variant
        cells = " | ".join(f"{value:.3f}" for value in values)
        lines.append(f"| {shown} | {cells} | {mean:.4f} | {worth} |")
    return "\n".join(lines)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="?", type=Path)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--most", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = {}
    for name, folder, _ in find_sets(options.sets):
        if not (options.keep / name / ".rag").is_dir():
            print(f"{name}: no index in {options.keep}", file=sys.stderr)
            continue
        results[name] = measure_set(folder, options.keep / name / ".rag", options.most)
        print(json.dumps({name: results[name]}), file=sys.stderr, flush=True)
    print(table(results))
    if options.json:
        write_report(
            options.json,
            f"python -m benchmarks.ablation --keep DIR ../shared/eval --most {options.most}",
            table(results),
            [{"set": name, **values} for name, values in results.items()],
        )


if __name__ == "__main__":
    main()
