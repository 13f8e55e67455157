"""How well a passage supports a question: enough to tell an answer from what is merely nearest."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ragcli.analyze import Analyzer

# Terms of a question to how rare each is in the index.
Weights = Mapping[str, float]


def share(weights: Weights, terms: Collection[str]) -> float:
    """The part of a question's words, weighted by rarity, that are among some terms; 0 without words."""
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in terms) / total if total else 0.0


def best_share(weights: Weights, text: str, analyze: Analyzer) -> float:
    """The largest part of a question's words that one sentence of a text holds."""
    from ragcli.sentences import sentence_spans

    sentences = (text[start:end] for start, end in sentence_spans(text))
    return max((share(weights, set(analyze(sentence))) for sentence in sentences), default=0.0)


def evidence(words: float, cosine: float, trust: float) -> float:
    """How well a passage supports a question, between 0 and 1.

    The mean of two shares: that of the question's words which the passage holds, and the cosine of
    their vectors. ``trust`` between 0 and 1 says how far the model can read the question; at 0 the
    words alone count.
    """
    half = 0.5 * trust
    return (1.0 - half) * words + half * max(0.0, cosine)
