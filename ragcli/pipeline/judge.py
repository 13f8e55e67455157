"""An evaluation of an index: the judged names found in it, and each mode's search."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ragcli.errors import UsageError
from ragcli.evaluate import (
    METRICS,
    Located,
    ModeReport,
    Qrels,
    Query,
    Reference,
    Span,
    evaluate,
    judged_names,
    locate,
)
from ragcli.pipeline.ask import Asker
from ragcli.pipeline.index import Index
from ragcli.settings import Settings
from ragcli.types import Mode

# Passages asked for, so that a hundred documents are among them where one has several.
PASSAGES = 300
# What a mode's name ends in where its passages are reranked.
RERANKED = "+rerank"

References = Mapping[str, Sequence[Reference]]


@dataclass(frozen=True, slots=True)
class Judged:
    """A report a mode, and what of the judgements the index does not hold.

    ``missing`` names documents: what should be found in them counts as missed. ``lost`` tells of
    references that are not in their document's text, and were left out.
    """

    reports: dict[str, ModeReport]
    missing: list[str]
    lost: list[str]

    @property
    def queries(self) -> int:
        """How many questions were judged."""
        return len(next(iter(self.reports.values())).rows)


def judge(
    folder: Path,
    settings: Settings,
    queries: Sequence[Query],
    qrels: Qrels | None,
    modes: Sequence[str],
    advance: Callable[[int], None],
    metrics: Sequence[str] = METRICS,
    references: References | None = None,
) -> Judged:
    """Evaluate modes side by side by judged documents, by references of characters, or by both.

    Without ``qrels`` a document that holds a reference is the one to find.
    """
    with Index.open(folder, settings) as index:
        return judge_index(index, queries, qrels, modes, advance, metrics, references)


def judge_index(
    index: Index,
    queries: Sequence[Query],
    qrels: Qrels | None,
    modes: Sequence[str],
    advance: Callable[[int], None],
    metrics: Sequence[str] = METRICS,
    references: References | None = None,
) -> Judged:
    """Evaluate an open index as :func:`judge` does."""
    reports = {}
    done = 0
    asker = Asker(index)
    documents = index.catalog.document_names()
    given = references or {}
    grades = _grades(given) if qrels is None else qrels
    judged = {name for known in grades.values() for name in known}
    names = judged_names(judged, documents)
    spanned = {name for known in _grades(given).values() for name in known}
    holders = judged_names(spanned, documents)
    located = _located(index, given, holders, names)
    called = holders | names
    if given and not located.spans:
        raise UsageError(
            f"no reference is where it should be in the documents of the index, the first: {located.lost[0]}; "
            "see what was read, with its spans, by `rag chunk FILE --format jsonl`"
        )
    for mode in modes:
        lists, rerank = cast("Mode", mode.removesuffix(RERANKED)), mode.endswith(RERANKED)

        def search(text: str, lists: Mode = lists, rerank: bool = rerank) -> list[Span]:
            nonlocal done
            done += 1
            advance(done)
            hits = asker.search(text, k=PASSAGES, mode=lists, rerank=rerank).hits
            return [Span(called.get(hit.document, hit.document), *hit.span) for hit in hits]

        # The first search opens the stores and loads the model, which no later one does.
        with suppress(UsageError):  # a question that cannot be asked is told of when it is measured
            asker.search(queries[0].text, k=PASSAGES, mode=lists, rerank=rerank)
        reports[mode] = evaluate(search, queries, grades, metrics, located.spans)
    missing = (judged - set(names.values())) | (spanned - set(holders.values()))
    return Judged(reports, sorted(missing), list(located.lost))


def _grades(references: References) -> dict[str, dict[str, int]]:
    return {query: {reference.span.document: 1 for reference in given} for query, given in references.items()}


def _located(
    index: Index, references: References, holders: Mapping[str, str], names: Mapping[str, str]
) -> Located:
    """References in the texts of the index, under the names by which their documents are judged.

    ``holders`` and ``names`` map documents to what the references and the judgements call them:
    one may say ``guide``, the other ``docs/guide.md``. A name that means several documents is
    looked up in the first.
    """
    first = {name: document for document, name in sorted(holders.items(), reverse=True)}
    located = locate(references, lambda name: index.catalog.text_of(first[name]) if name in first else None)
    called = {name: names.get(document, name) for name, document in first.items()}
    return Located(
        {
            query: [Span(called.get(span.document, span.document), span.start, span.end) for span in spans]
            for query, spans in located.spans.items()
        },
        located.lost,
    )
