"""Answers held against reference answers, judged documents and their own citations.

The questions are those of SQuAD 2.0 and its kin: some have answers, each any of several texts,
and some are known to have none in the documents. Every measure of one question lies between 0 and
1, and is left out of the means where the question has not what it needs.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragcli.errors import UsageError
from ragcli.evaluate.judgements import Query, lines_of, read_queries
from ragcli.evaluate.run import ModeReport, Row, percentile
from ragcli.jsontext import parse_json

# What each says of one question; the mean over those that have it is told.
ANSWER_METRICS: Mapping[str, str] = {
    "f1": "words shared with the nearest reference answer (SQuAD)",
    "exact_match": "the answer is a reference answer (SQuAD)",
    "contains": "the answer, or a sentence it cites, holds a reference answer",
    "answered": "a question that has an answer is answered; the rest was wrongly refused",
    "refusal": "a question that has no answer is refused",
    "refusal_precision": "a refused question has no answer",
    "citation_precision": "citations that were verified",
    "citation_recall": "sentences of the answer with a verified citation",
    "document_precision": "documents cited that are judged relevant",
    "document_recall": "documents judged relevant that are cited",
    "judge_correct": "the judge's grade against the reference answers",
    "judge_supported": "the judge's grade against the passages cited",
}

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_CJK = r"\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_CJK}]|[^\s{_CJK}]+")


@dataclass(frozen=True, slots=True)
class Gold:
    """A question, its reference answers, and whether the documents answer it; None: nobody said."""

    query: Query
    answers: tuple[str, ...]
    answerable: bool | None


@dataclass(frozen=True, slots=True)
class Given:
    """What was answered: the text without citations, and what is known of its citations.

    ``verified`` is one truth a citation, ``backed`` the share of the text's sentences that have a
    verified one, ``documents`` the cited ones by the names they are judged by. A refusal has
    nothing but ``refused``.
    """

    text: str = ""
    refused: bool = False
    quotes: tuple[str, ...] = ()
    verified: tuple[bool, ...] = ()
    backed: float = 0.0
    documents: tuple[str, ...] = ()
    grades: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with what was answered, or ``error`` and nothing; milliseconds that it took."""

    gold: Gold
    given: Given | None
    took: float
    error: str = ""


def answer_tokens(text: str) -> list[str]:
    """Words of an answer as SQuAD compares them: small letters, no punctuation, no articles.

    As in the evaluation of CMRC 2018, each Chinese character is a word, and what is punctuation in
    Unicode is taken away as that of ASCII is.
    """
    lowered = unicodedata.normalize("NFKC", text).lower()
    plain = "".join(
        char for char in lowered if char not in string.punctuation and unicodedata.category(char)[0] != "P"
    )
    return _WORD.findall(_ARTICLES.sub(" ", plain))


def exact_match(text: str, answers: Sequence[str]) -> float:
    """1 where the text is one of the answers, word for word (Rajpurkar et al., EMNLP 2016)."""
    tokens = answer_tokens(text)
    return float(any(tokens == answer_tokens(answer) for answer in answers))


def token_f1(text: str, answers: Sequence[str]) -> float:
    """F1 of the words shared with the nearest answer, each as often as both have it (SQuAD).

    CMRC's own script takes the longest common run instead, which is never more.
    """
    return max((_f1(answer_tokens(text), answer_tokens(answer)) for answer in answers), default=0.0)


def _f1(found: Sequence[str], wanted: Sequence[str]) -> float:
    if not found or not wanted:
        return float(found == wanted)
    shared = (Counter(found) & Counter(wanted)).total()
    return 2 * shared / (len(found) + len(wanted))


def contains(texts: Sequence[str], answers: Sequence[str]) -> float:
    """1 where one of the texts holds the words of an answer in a row, else 0."""
    wanted = [tokens for answer in answers if (tokens := answer_tokens(answer))]
    return float(any(_in_a_row(tokens, answer_tokens(text)) for text in texts for tokens in wanted))


def _in_a_row(wanted: Sequence[str], there: Sequence[str]) -> bool:
    places = range(len(there) - len(wanted) + 1)
    return any(there[at : at + len(wanted)] == wanted for at in places)


def read_golds(path: Path) -> list[Gold]:
    """Read ``queries.jsonl`` with ``answers`` (a list), ``answer`` (a text) and ``answerable``.

    An empty list of answers says, as in SQuAD 2.0, that there is none, unless ``answerable`` says
    otherwise. Raises ``UsageError`` with the line, and where no question has any of the three.
    """
    queries = iter(read_queries(path))
    golds = []
    for number, line in enumerate(lines_of(path), 1):
        if line.strip():
            golds.append(_gold(next(queries), parse_json(line), f"{path}:{number}"))
    if not any(gold.answers or gold.answerable is not None for gold in golds):
        raise UsageError(f"{path}: no question has answers, an answer or answerable; --answers needs some")
    return golds


def _gold(query: Query, entry: Mapping[str, object], where: str) -> Gold:
    given = entry.get("answers", entry.get("answer"))
    texts = [given] if isinstance(given, str) else given
    if texts is None:
        texts = []
    elif not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise UsageError(f"{where}: answers is no list of texts")
    answers = tuple(dict.fromkeys(text for text in texts if answer_tokens(text)))
    answerable = entry.get("answerable")
    if answerable is None:
        answerable = True if answers else False if isinstance(given, list) and not given else None
    if not isinstance(answerable, bool | None):
        raise UsageError(f"{where}: answerable is neither true nor false")
    return Gold(query, answers if answerable is not False else (), answerable)


def measure_answer(gold: Gold, given: Given | None, relevant: Collection[str] = ()) -> dict[str, float]:
    """The metrics of one question, those that it has; ``given`` is None where it failed."""
    found: dict[str, float] = {}
    refused = given is None or given.refused
    text = "" if given is None else given.text
    if gold.answers:
        found["f1"] = 0.0 if refused else token_f1(text, gold.answers)
        found["exact_match"] = 0.0 if refused else exact_match(text, gold.answers)
        texts = (text, *given.quotes) if given else ()
        found["contains"] = 0.0 if refused else contains(texts, gold.answers)
    if gold.answerable:
        found["answered"] = float(not refused)
    if gold.answerable is False:
        found["refusal"] = float(given is not None and given.refused)
    if given is None:
        return found
    if given.refused:
        if gold.answerable is not None:
            found["refusal_precision"] = float(not gold.answerable)
        return {**found, **(given.grades or {})}
    if given.verified:
        found["citation_precision"] = sum(given.verified) / len(given.verified)
    found["citation_recall"] = given.backed
    if relevant:
        cited = set(given.documents)
        if cited:
            found["document_precision"] = len(cited & set(relevant)) / len(cited)
        found["document_recall"] = len(cited & set(relevant)) / len(set(relevant))
    return {**found, **(given.grades or {})}


def read_answer_metrics(names: Sequence[str]) -> tuple[str, ...]:
    """Names of metrics as a user types them, each once. Raises ``UsageError`` for what is none."""
    found = [name.strip().lower() for name in names]
    for name in found:
        if name not in ANSWER_METRICS:
            raise UsageError(f"{name[:60]!r} is no metric of answers; write {', '.join(ANSWER_METRICS)}")
    return tuple(dict.fromkeys(found))


def report_answers(
    answered: Sequence[Answered], qrels: Mapping[str, Mapping[str, int]], metrics: Sequence[str] | None = None
) -> ModeReport:
    """Means over the questions that have each metric, in the order of ``metrics``; all there are by default.

    A question that failed is listed, and counts as zero where an answer was owed. Raises
    ``UsageError`` for a metric that no question has.
    """
    rows, failed = [], []
    for each in answered:
        grades = qrels.get(each.gold.query.id, {})
        relevant = [name for name, grade in grades.items() if grade > 0]
        values = measure_answer(each.gold, each.given, relevant)
        if each.error:
            failed.append(f"{each.gold.query.id}: {each.error}")
        given = each.given or Given()
        rows.append(
            Row(
                each.gold.query,
                values,
                given.documents,
                grades,
                each.took,
                gold=each.gold.answers,
                answer=given.text,
            )
        )
    times = sorted(each.took for each in answered if each.given is not None)
    report = ModeReport({}, percentile(times, 0.50), percentile(times, 0.95), failed, rows)
    for metric in metrics or ANSWER_METRICS:
        if each_value := report.values(metric):
            report.metrics[metric] = round(sum(each_value) / len(each_value), 6)
        elif metrics and not failed:
            raise UsageError(f"no question has what {metric} needs: {ANSWER_METRICS[metric]}")
    return report
