"""An answer without an LLM: the sentences of the sources that answer, quoted and cited."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ragcli.analyze import ENGLISH, Analyzer
from ragcli.chunk import sentence_spans
from ragcli.search.evidence import Weights, evidence, share
from ragcli.types import Answer, Citation, Hit, Prompt, Source

# Texts to cosines with the question.
Similarity = Callable[[Sequence[str]], Sequence[float]]

_MOST_SENTENCES = 3
# A further sentence must come near the best one and add words of the question.
_NEAR_BEST = 0.65
_ADDS = 0.2
# Where a sentence's heading holds a word of the question, it counts this much.
_HEADING_SHARE = 0.7
_MARK = re.compile(r"(?:[-*+•>]\s+|\d{1,3}[.)、]\s+|#{1,6}\s+)+")
_HEADING = re.compile(r"#{1,6}\s")
_TABLE_HEAD = re.compile(r"\|.*\n\s*\|[\s:|-]+\|?[ \t]*(?:\n|$)")


@dataclass(frozen=True, slots=True)
class _Sentence:
    source: Source
    start: int
    end: int
    heading: str

    @property
    def text(self) -> str:
        return self.source.hit.text[self.start : self.end]


def extract(
    prompt: Prompt,
    hits: Sequence[Hit],
    weights: Weights,
    similarity: Similarity,
    cosines: Mapping[str, float],
    *,
    trust: float,
    least: float,
    analyze: Analyzer = ENGLISH,
) -> Answer:
    """Quote up to three sentences of the prompt's sources, the best first.

    ``cosines`` holds those of hits with the question that are known, by id.

    No answer is given when no source reaches ``least`` :func:`evidence`: the sources do not say.
    """
    contexts = [
        f"{' '.join(source.hit.heading)}\n{source.hit.title}\n{source.hit.lead}\n{source.hit.text}"
        for source in prompt.sources
    ]
    ids = [source.hit.id for source in prompt.sources]
    if not trust:
        near = [0.0] * len(ids)
    elif all(name in cosines for name in ids):
        near = [cosines[name] for name in ids]
    else:
        near = list(similarity(contexts))
    strengths = [
        evidence(share(weights, set(analyze(context))), cosine, trust)
        for context, cosine in zip(contexts, near, strict=True)
    ]
    if not strengths or max(strengths) < least:
        return Answer(prompt.question, False, "", (), "none", {}, hits)
    # A sentence of a passage that by itself would not be evidence is none either.
    sources = [
        source for source, strength in zip(prompt.sources, strengths, strict=True) if strength >= least * 0.8
    ]
    chosen = _choose(_sentences(sources), weights, similarity, trust, analyze)
    if not chosen:
        return Answer(prompt.question, False, "", (), "none", {}, hits)
    lines = [f"“{' '.join(sentence.text.split())}” [{sentence.source.n}]" for sentence in chosen]
    return Answer(
        prompt.question, True, "\n".join(lines), tuple(map(_citation, chosen)), "none", {"tokens": 0}, hits
    )


def _sentences(sources: Sequence[Source]) -> list[_Sentence]:
    """Sentences that may be quoted: no headings, no table heads, no fences, nothing without a word.

    A heading, and the head of a table, are kept beside what stands under them.
    """
    found = []
    seen: set[str] = set()
    for source in sources:
        heading = source.hit.heading[-1] if source.hit.heading else source.hit.title
        text, lead = source.hit.text, source.hit.lead
        led = text.find("\n\n") % (len(text) + 1) if lead else 0  # as far as the lead's block goes
        above = f"{heading} {lead}"
        for start, end in _joined(text, sentence_spans(text)):
            if _HEADING.match(text, start):
                heading = above = text[start:end].lstrip("# ")
                continue
            if _TABLE_HEAD.match(text, start):
                above = f"{heading} {text[start:end]}"
                continue
            if not text.startswith("|", start) and start >= led:
                above = heading
            mark = _MARK.match(text, start, end)
            begin = mark.end() if mark else start
            words = " ".join(text[begin:end].split())
            if not re.search(r"\w\W*\w", words) or words in seen or words.startswith(("```", "~~~")):
                continue
            seen.add(words)
            found.append(_Sentence(source, begin, end, above))
    return found


def _joined(text: str, sentences: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """A sentence that ends in a colon goes with what it announces."""
    joined: list[tuple[int, int]] = []
    for start, end in sentences:
        announced = not _HEADING.match(text, start) and not text.startswith(("```", "~~~"), start)
        if joined and announced and text[joined[-1][1] - 1] in ":：":
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _choose(
    sentences: Sequence[_Sentence],
    weights: Weights,
    similarity: Similarity,
    trust: float,
    analyze: Analyzer,
) -> list[_Sentence]:
    """The best sentence, and those near it that add words of the question."""
    if not sentences:
        return []
    half = 0.5 * trust
    cosines = similarity([f"{s.heading}\n{s.text}" for s in sentences]) if trust else [0.0] * len(sentences)
    terms = [(set(analyze(s.text)), set(analyze(s.heading))) for s in sentences]
    scores = []
    for (own, above), cosine, sentence in zip(terms, cosines, sentences, strict=True):
        words = share(weights, own) + _HEADING_SHARE * share(weights, above - own)
        scores.append((1.0 - half) * words + half * cosine - 0.01 * (sentence.source.n - 1))
    order = sorted(range(len(sentences)), key=lambda i: (-scores[i], i))
    chosen = [order[0]]
    covered = terms[order[0]][0]
    for i in order[1:]:
        if len(chosen) == _MOST_SENTENCES or scores[i] < _NEAR_BEST * scores[order[0]]:
            break
        if share(weights, terms[i][0] - covered) >= _ADDS:
            chosen.append(i)
            covered |= terms[i][0]
    return [sentences[i] for i in chosen]


def _citation(sentence: _Sentence) -> Citation:
    hit = sentence.source.hit
    lines = hit.lines
    if lines is not None and lines[1] - lines[0] == hit.text.count("\n"):
        first = lines[0] + hit.text.count("\n", 0, sentence.start)
        lines = (first, first + sentence.text.count("\n"))
    return Citation(sentence.source.n, hit, sentence.text, lines, verified=True)
