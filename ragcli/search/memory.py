"""A search over a handful of chunks that are in no index: ranked by rank-bm25, nothing written."""

from __future__ import annotations

from collections.abc import Sequence

from ragcli.analyze import ENGLISH, Analyzer
from ragcli.errors import UsageError
from ragcli.search.fuse import Ranked
from ragcli.types import Chunk


def rank_in_memory(query: str, chunks: Sequence[Chunk], analyze: Analyzer = ENGLISH) -> Ranked:
    """Ids and BM25+ scores of the chunks that share a term with the query, best first.

    BM25+ rather than Okapi: over a handful of passages Okapi's weight of a term that stands in
    half of them is zero or negative. Raises ``UsageError`` for an empty query.
    """
    if not query.strip():
        raise UsageError('the query is empty; try rag search "your question" --in FILE')
    terms = analyze(query)
    bodies = [analyze(chunk.embedded_text) for chunk in chunks]
    if not terms or not any(bodies):
        return []
    from rank_bm25 import BM25Plus

    scores = BM25Plus(bodies, k1=1.2, b=0.75).get_scores(terms)
    wanted = set(terms)
    ranked = [
        (chunk.id, round(float(score), 6))
        for chunk, body, score in zip(chunks, bodies, scores, strict=True)
        if not wanted.isdisjoint(body)
    ]
    return sorted(ranked, key=lambda pair: (-pair[1], pair[0]))
