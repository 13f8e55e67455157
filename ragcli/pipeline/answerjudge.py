"""An evaluation of the answers that an index gives: each question asked, and what came of it measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ragcli.answer import is_refusal
from ragcli.answer.grade import grade_answer
from ragcli.answer.marks import bare_text
from ragcli.errors import ModelUnavailable, UsageError
from ragcli.evaluate import Answered, Given, Gold, ModeReport, Qrels, judged_names, report_answers
from ragcli.pipeline.ask import Asker
from ragcli.pipeline.batch import MOST_FAILURES, Outcome, answer_each
from ragcli.pipeline.index import Index
from ragcli.pipeline.judge import RERANKED
from ragcli.pipeline.llm import open_llm
from ragcli.settings import Settings
from ragcli.types import Answer

if TYPE_CHECKING:
    from ragcli.answer import Generator


@dataclass(frozen=True, slots=True)
class AnswersJudged:
    """A report a mode, and the judged documents that the index does not hold."""

    reports: dict[str, ModeReport]
    missing: list[str]


def judge_answers(
    folder: Path,
    settings: Settings,
    golds: Sequence[Gold],
    qrels: Qrels | None,
    modes: Sequence[str],
    advance: Callable[[int], None],
    *,
    metrics: Sequence[str] | None = None,
    judge: str | None = None,
) -> AnswersJudged:
    """Ask every question in every mode and measure the answers; ``judge`` is the spec of an LLM that grades.

    Raises ``ModelUnavailable`` where three questions in a row fail because a service does: what is
    measured on the rest would say nothing.
    """
    grader = open_llm(replace(settings, llm=judge, foreign=())) if judge else None
    if judge and grader is None:
        raise UsageError("--judge none grades nothing; name an LLM, or leave out --judge")
    reports = {}
    done = 0
    with Index.open(folder, settings) as index:
        judged = {name for grades in (qrels or {}).values() for name in grades}
        names = judged_names(judged, index.catalog.document_names()) if judged else {}
        for mode in modes:
            index.settings = replace(
                settings, mode=mode.removesuffix(RERANKED), rerank=mode.endswith(RERANKED)
            )
            asker = Asker(index, fold=True)
            answered = []
            streak = 0
            queries = [gold.query for gold in golds]
            for gold, outcome in zip(golds, answer_each(asker, queries, note=lambda _: None), strict=False):
                answered.append(_measured(gold, outcome, names, grader))
                streak = streak + 1 if answered[-1].error and not isinstance(outcome.error, UsageError) else 0
                done += 1
                advance(done)
                if streak == MOST_FAILURES:
                    raise ModelUnavailable(
                        f"{MOST_FAILURES} questions in a row failed, the last {gold.query.id}: {answered[-1].error}"
                    )
            reports[mode] = report_answers(answered, qrels or {}, metrics)
    return AnswersJudged(reports, sorted(judged - set(names.values())))


def _measured(gold: Gold, outcome: Outcome, names: Mapping[str, str], grader: Generator | None) -> Answered:
    if outcome.answer is None:
        return Answered(gold, None, outcome.took, str(outcome.error))
    given = _given(outcome.answer, names)
    error = ""
    if grader is not None:
        try:
            given = replace(given, grades=_grades(grader, gold, outcome.answer, given))
        except ModelUnavailable as failure:
            error = str(failure)
    return Answered(gold, given, outcome.took, error)


def _given(answer: Answer, names: Mapping[str, str]) -> Given:
    """What is measured of an answer. A text that cites nothing is no refusal, unless it says so."""
    if not answer.answered and (not answer.text.strip() or is_refusal(answer.text)):
        return Given(refused=True)
    documents = dict.fromkeys(names.get(each.hit.document, each.hit.document) for each in answer.citations)
    return Given(
        text=bare_text(answer.text),
        quotes=tuple(citation.quote for citation in answer.citations if citation.quote),
        verified=tuple(citation.verified for citation in answer.citations),
        backed=sum(each.verified for each in answer.sentences) / max(1, len(answer.sentences)),
        documents=tuple(documents),
    )


def _grades(grader: Generator, gold: Gold, answer: Answer, given: Given) -> dict[str, float]:
    """A refusal needs no judge: it is wrong where an answer was to be had, and claims nothing."""
    if given.refused:
        return {"judge_correct": 0.0} if gold.answers else {}
    return {f"judge_{name}": grade for name, grade in grade_answer(grader, answer, gold.answers).items()}
