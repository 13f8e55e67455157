"""A search over a handful of chunks that are in no index: ranked by rank-bm25, nothing written."""

from __future__ import annotations

from collections.abc import Sequence

from ragcli.analyze import ENGLISH, Analyzer
from ragcli.search.fuse import Ranked
from ragcli.search.syntax import Clause, parse_question
from ragcli.types import Chunk


def rank_in_memory(query: str, chunks: Sequence[Chunk], analyze: Analyzer = ENGLISH) -> Ranked:
    """Ids and BM25+ scores of the chunks that share a term with the query, best first.

    BM25+ rather than Okapi: over a handful of passages Okapi's weight of a term that stands in
    half of them is zero or negative. Raises ``UsageError`` for an empty query.
    """
    asked = parse_question(query)
    chunks = [chunk for chunk in chunks if asked.admits(chunk.embedded_text, analyze)]
    # What is meant exactly counts as a term that stands once in each passage that holds it.
    exact = (*asked.preferred, *asked.required)
    weights: dict[str | Clause, float] = dict.fromkeys(exact, 1.0)
    weights.update(analyze.question(asked.plain))
    bodies = [
        [*analyze(text), *(clause for clause in exact if clause.holds(text, analyze))]
        for text in (chunk.embedded_text for chunk in chunks)
    ]
    if not weights or not any(bodies):
        return []
    from rank_bm25 import BM25Plus

    ranking = BM25Plus(bodies, k1=1.2, b=0.75)
    scores = sum(weight * ranking.get_scores([term]) for term, weight in weights.items())
    ranked = [
        (chunk.id, round(float(score), 6))
        for chunk, body, score in zip(chunks, bodies, scores, strict=True)
        if not weights.keys().isdisjoint(body)
    ]
    return sorted(ranked, key=lambda pair: (-pair[1], pair[0]))
