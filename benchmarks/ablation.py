"""Switch off one part of hybrid search at a time, on every judged set, and print what each is worth.

    python -m benchmarks.ablation --keep DIR [SETS] [--most N] [--json FILE]

DIR holds the indexes that ``benchmarks.quality --keep DIR`` made. Both sides are asked once a
question; the variants differ in what is made of their lists. ``--most`` takes that many questions
of each set, evenly. A part that is worth less than 0.002 in the mean does not earn its place, unless
in the last column: rare names (words with a letter and a digit that stand in one to three documents)
taken from the sets' own texts, asked alone and as "what is NAME", for which the judged questions
hardly ever ask.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.quality import find_sets
from benchmarks.report import write_report
from ragcli.catalog import Catalog
from ragcli.evaluate import judged_names, measure, read_qrels, read_queries
from ragcli.pipeline.ask import Asker
from ragcli.pipeline.index import Index
from ragcli.search import Gathered, Searcher
from ragcli.search.fuse import Ranked, convex, reciprocal_rank
from ragcli.search.searcher import weigh
from ragcli.settings import Settings
from ragcli.store import LexicalStore

WEIGHT = Settings().dense_weight


def as_it_is(found: Gathered) -> Ranked:
    return convex(found.lexical, found.dense, weigh(found, WEIGHT), depth=found.depth)


def without_coverage(found: Gathered) -> Ranked:
    return as_it_is(replace(found, coverage=1.0))


def without_code(found: Gathered) -> Ranked:
    return as_it_is(replace(found, first=()))


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
    "short lexical lists not filled up": without_zeros,
    "min-max instead of standard scores": min_max,
    "reciprocal ranks (`--fusion rrf`)": by_ranks,
}
PLAIN_BODY = "title and headings not searched once more"
NO_NEIGHBOURS = "neighbours of the question count no more"
FULL_NET = "bigrams of Chinese count as words do"
WORDS_ALONE = "words alone"
WORDS_PLAIN = "words alone, title and headings not searched once more"
WORDS_APART = "words alone, neighbours of the question count no more"
ROWS = (*VARIANTS, PLAIN_BODY, NO_NEIGHBOURS, FULL_NET, WORDS_ALONE, WORDS_PLAIN, WORDS_APART)

_NAME = re.compile(r"(?<![\w.-])(?=\w*[A-Za-z])(?=\w*\d)\w{4,24}(?![\w-])")
_NAMES, _IN_DOCUMENTS = 20, 3


def rare_names(catalog: Catalog) -> dict[str, set[str]]:
    """Names that few documents hold, and which do."""
    found: dict[str, set[str]] = {}
    for document, _, _ in catalog.document_names():
        for name in _NAME.findall(catalog.text_of(document) or ""):
            found.setdefault(name.lower(), set()).add(document)
    rare = sorted(name for name, documents in found.items() if len(documents) <= _IN_DOCUMENTS)
    return {name: found[name] for name in rare[:: max(1, len(rare) // _NAMES)][:_NAMES]}


def measure_set(folder: Path, index_folder: Path, most: int) -> tuple[dict[str, float], dict[str, float]]:
    """Mean nDCG@10 of each variant on one set, and on rare names from it."""
    queries, qrels = read_queries(folder / "queries.jsonl"), read_qrels(folder / "qrels.tsv")
    asked = [query for query in queries if any(grade > 0 for grade in qrels.get(query.id, {}).values())]
    asked = asked[:: max(1, len(asked) // most)] if most else asked
    with Index.open(index_folder, Settings(offline=True)) as index:
        asker = Asker(index)
        judged = {name for grades in qrels.values() for name in grades}
        names = judged_names(judged, index.catalog.document_names())
        document_of = {
            chunk: names.get(document, document)
            for document, _, _ in index.catalog.document_names()
            for chunk in index.catalog.chunk_ids(document)
        }
        made = [
            (text, {names.get(document, document): 1 for document in documents})
            for name, documents in rare_names(index.catalog).items()
            for text in (name, f"what is {name}")
        ]
        with index.consistent(dense=True) as (lexical, dense):
            searcher = Searcher(index.catalog, lexical, dense)

            def mean(questions: Sequence[tuple[str, Mapping[str, int]]]) -> dict[str, float]:
                sums = dict.fromkeys(ROWS, 0.0)
                for text, grades in questions:
                    for row, ranking in rankings(asker, searcher, lexical, text).items():
                        documents = list(dict.fromkeys(document_of[chunk] for chunk, _ in ranking))
                        sums[row] += measure("ndcg@10", documents, grades)
                return {row: total / len(questions) for row, total in sums.items()} if questions else {}

            return mean([(query.text, qrels[query.id]) for query in asked]), mean(made)


def rankings(asker: Asker, searcher: Searcher, lexical: LexicalStore, text: str) -> dict[str, Ranked]:
    """What each variant makes of a question; the dense side is asked also where its weight will be 0."""
    question = asker.read(text, "dense")
    found = searcher.gather(text, k=100, mode="hybrid", vector=question.vector, coverage=question.coverage)
    terms, depth, near = lexical.analyze.question(text), found.depth, lexical.analyze.neighbours(text)
    apart = lexical.search(terms, depth)
    plain = lexical.search(terms, depth, context_weight=0.0, neighbours=near)
    netted = lexical.search(Counter(lexical.analyze(text)), depth, neighbours=near)
    return {
        **{name: variant(found) for name, variant in VARIANTS.items()},
        PLAIN_BODY: as_it_is(replace(found, lexical=plain)),
        NO_NEIGHBOURS: as_it_is(replace(found, lexical=apart)),
        FULL_NET: as_it_is(replace(found, lexical=netted)),
        WORDS_ALONE: found.lexical,
        WORDS_PLAIN: plain,
        WORDS_APART: apart,
    }


def table(results: Mapping[str, Mapping[str, float]], names: Mapping[str, Mapping[str, float]]) -> str:
    """Markdown: what is left out, a column a set, what that changes in the mean, and rare names."""
    sets = list(results)
    lines = [
        f"| left out | {' | '.join(sets)} | mean | worth | rare names |",
        f"|---|{'---:|' * (len(sets) + 3)}",
    ]

    def mean(found: Mapping[str, Mapping[str, float]], row: str) -> float:
        return sum(values[row] for values in found.values()) / len(found) if found else 0.0

    for row in ROWS:
        against = WORDS_ALONE if row.startswith(WORDS_ALONE) else "as it is"
        worth = "" if row in (against, WORDS_ALONE) else f"{mean(results, against) - mean(results, row):+.4f}"
        shown = "nothing" if row == "as it is" else row
        cells = " | ".join(f"{results[name][row]:.3f}" for name in sets)
        lines.append(f"| {shown} | {cells} | {mean(results, row):.4f} | {worth} | {mean(names, row):.3f} |")
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
    results, names = {}, {}
    for name, folder, _ in find_sets(options.sets):
        if not (options.keep / name / ".rag").is_dir():
            print(f"{name}: no index in {options.keep}", file=sys.stderr)
            continue
        results[name], made = measure_set(folder, options.keep / name / ".rag", options.most)
        if made:
            names[name] = made
        print(json.dumps({name: results[name]}), file=sys.stderr, flush=True)
    print(table(results, names))
    if options.json:
        write_report(
            options.json,
            f"python -m benchmarks.ablation --keep DIR ../shared/eval --most {options.most}",
            table(results, names),
            [{"set": name, **values, "rare names": names.get(name)} for name, values in results.items()],
        )


if __name__ == "__main__":
    main()
