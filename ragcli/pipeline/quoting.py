"""Whether what a search found can answer a question at all, and the answer quoted from it."""

from __future__ import annotations

from collections.abc import Sequence

from ragcli.answer.extractive import extract
from ragcli.embed import cosines
from ragcli.pipeline.ask import Asker, Question
from ragcli.search import Searcher, covered_weight, parse_question
from ragcli.types import Answer, Hit, Prompt

# Of the least evidence of a quoted answer so much is asked for before an LLM is: it can refuse by
# itself, and a question refused here is lost. On squad2 it keeps 99.6 % of the questions that have
# an answer from being refused, and two thirds of those off the subject from being paid for.
_LLM_SHARE = 0.7
# Hits looked at for the strongest evidence.
_LOOKED_AT = 5


def least_evidence(asker: Asker, *, llm: bool) -> float:
    """Below what evidence a question is refused before anybody answers it."""
    told = asker.index.settings.min_evidence
    least = asker.measured_floor(asker.mode) if told == "auto" else float(told)
    return least * (_LLM_SHARE if llm else 1.0)


def strongest_evidence(asker: Asker, question: Question, hits: Sequence[Hit]) -> float:
    """How well the best of the first hits supports a question, between 0 and 1."""
    first = hits[:_LOOKED_AT]
    if any(hit.evidence is None for hit in first):
        with asker.index.consistent(dense=False) as (lexical, _):
            question = _as_read_now(asker, question)
            there = asker.index.catalog.chunks([hit.id for hit in first])
            first = [hit for hit in first if hit.id in there]
            searcher = Searcher(asker.index.catalog, lexical, None)
            first = searcher.with_evidence(first, question.text, question.vector, question.coverage)
    return max((hit.evidence or 0.0 for hit in first), default=0.0)


def quote(asker: Asker, question: Question, prompt: Prompt, hits: Sequence[Hit]) -> Answer:
    """The sentences of the prompt's sources that answer, quoted and cited."""
    index = asker.index
    with index.consistent(dense=False) as (lexical, _):
        weights = lexical.weights(parse_question(question.text).plain)
        question = _as_read_now(asker, question)
        analyze = lexical.analyze
    vector = question.vector

    def similarity(texts: Sequence[str]) -> list[float]:
        if vector is None:
            return [0.0] * len(texts)
        vectors = index.embedder.embed_documents(texts, kept=False)
        return [float(cosine) for cosine in cosines(vectors, vector)]

    trust = covered_weight(1.0, question.coverage) if vector is not None else 0.0
    second = asker.second_reader(question.text)
    return extract(prompt, hits, weights, similarity, trust=trust, second=second, analyze=analyze)


def _as_read_now(asker: Asker, question: Question) -> Question:
    """The question by the model that the index has now: another may have come since it was read."""
    if question.vector is None or question.signature == asker.index.catalog.get("signature"):
        return question
    return asker.read(question.text, asker.mode)
