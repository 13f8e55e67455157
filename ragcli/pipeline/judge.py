"""An evaluation of an index: the judged names found in it, and each mode's search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from ragcli.evaluate import METRICS, ModeReport, Qrels, Query, evaluate, judged_names
from ragcli.pipeline.ask import Asker
from ragcli.pipeline.index import Index
from ragcli.settings import Settings
from ragcli.types import Mode

# Passages asked for, so that a hundred documents are among them where one has several.
_DEPTH = 300
# What a mode's name ends in where its passages are reranked.
RERANKED = "+rerank"


def judge(
    folder: Path,
    settings: Settings,
    queries: Sequence[Query],
    qrels: Qrels,
    modes: Sequence[str],
    advance: Callable[[int], None],
    metrics: Sequence[str] = METRICS,
) -> tuple[int, dict[str, ModeReport], list[str]]:
    """Evaluate modes side by side: number of judged questions, a report a mode, judged documents missing."""
    with Index.open(folder, settings) as index:
        return judge_index(index, queries, qrels, modes, advance, metrics)


def judge_index(
    index: Index,
    queries: Sequence[Query],
    qrels: Qrels,
    modes: Sequence[str],
    advance: Callable[[int], None],
    metrics: Sequence[str] = METRICS,
) -> tuple[int, dict[str, ModeReport], list[str]]:
    """Evaluate an open index as :func:`judge` does."""
    reports = {}
    done = 0
    asker = Asker(index)
    judged = {name for grades in qrels.values() for name in grades}
    names = judged_names(judged, index.catalog.document_names())
    for mode in modes:
        lists, rerank = cast("Mode", mode.removesuffix(RERANKED)), mode.endswith(RERANKED)

        def search(text: str, lists: Mode = lists, rerank: bool = rerank) -> list[str]:
            nonlocal done
            done += 1
            advance(done)
            hits = asker.search(text, k=_DEPTH, mode=lists, rerank=rerank).hits
            return [names.get(hit.document, hit.document) for hit in hits]

        # The first search opens the stores and loads the model, which no later one does.
        asker.search(queries[0].text, k=_DEPTH, mode=lists, rerank=rerank)
        reports[mode] = evaluate(search, queries, qrels, metrics)
    count = sum(any(grade > 0 for grade in qrels.get(query.id, {}).values()) for query in queries)
    return count, reports, sorted(judged - set(names.values()))
