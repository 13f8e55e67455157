"""The dense weight tuned on an index: both sides are asked once a question, and fused again for each weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ragcli.evaluate import Qrels, Query, Tuning, judged_names, measure, tune, weights_to_try
from ragcli.evaluate.metrics import DEEPEST
from ragcli.pipeline.ask import Asker
from ragcli.pipeline.index import Index
from ragcli.pipeline.judge import PASSAGES
from ragcli.search import fuse_gathered
from ragcli.settings import Settings


def tune_index(
    folder: Path,
    settings: Settings,
    queries: Sequence[Query],
    qrels: Qrels,
    metric: str,
    advance: Callable[[int], None],
) -> Tuning:
    """Choose the dense weight for the index in ``folder``, under the fusion that is set, by one metric.

    Raises what a search raises, for any question, and ``UsageError`` for too few questions.
    """
    judged = [query for query in queries if any(grade > 0 for grade in qrels.get(query.id, {}).values())]
    weights = weights_to_try(settings.dense_weight)
    values: dict[str, list[float]] = {}
    with Index.open(folder, settings) as index:
        asker = Asker(index)
        catalog = index.catalog
        wanted = {name for grades in qrels.values() for name in grades}
        names = judged_names(wanted, catalog.document_names())
        document_of = {
            chunk: names.get(document, document)
            for document, _, _ in catalog.document_names()
            for chunk in catalog.chunk_ids(document)
        }
        for done, query in enumerate(judged, 1):
            found = asker.gather(query.text, k=PASSAGES)
            values[query.id] = []
            for weight in weights:
                fused = fuse_gathered(found, settings.fusion, weight)[:PASSAGES]
                ranking = dict.fromkeys(document_of.get(chunk, chunk) for chunk, _ in fused)
                values[query.id].append(measure(metric, list(ranking)[:DEEPEST], qrels[query.id]))
            advance(done)
    return tune(metric, values, weights, settings.dense_weight)
