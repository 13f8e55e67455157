"""An evaluation for readers of every kind: a terminal, a script, a test runner, GitHub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from ragcli.evaluate import FOLDS, Contrast, ModeReport, Row, Tuning, Verdict, contains, interval, of_spans
from ragcli.render.records import dump
from ragcli.render.tables import print_table
from ragcli.render.terminal import Terminal, one_line


@dataclass(frozen=True, slots=True)
class Tuned:
    """What judged questions say of the dense weight; ``file`` is where it was written, if it was."""

    found: Tuning
    file: str | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that was measured in one run of ``rag eval``; ``lost`` tells of references left out.

    ``writers`` says, where answers were measured, who wrote them (``llm``) and who graded them
    (``judge``).
    """

    queries: int
    reports: Mapping[str, ModeReport]
    contrasts: Sequence[Contrast]
    verdicts: Sequence[Verdict]
    lost: Sequence[str] = ()
    tuned: Tuned | None = None
    writers: Mapping[str, str] | None = None

    @property
    def failed(self) -> list[str]:
        """Questions that could not be asked, each with the reason."""
        return sorted({line for report in self.reports.values() for line in report.failed})


def evaluation_record(found: Evaluation) -> dict[str, Any]:
    """An evaluation as ``rag eval --format json`` gives it."""
    record: dict[str, Any] = {
        "queries": found.queries,
        "modes": {
            mode: {
                **report.metrics,
                "latency_ms": {"p50": round(report.p50, 3), "p95": round(report.p95, 3)},
                "interval95": {metric: list(interval(report.values(metric))) for metric in report.metrics},
                "questions": {metric: len(report.values(metric)) for metric in report.metrics},
            }
            for mode, report in found.reports.items()
        },
        "comparisons": [
            {
                "metric": contrast.metric,
                "mode": contrast.mode,
                "against": contrast.against,
                "queries": contrast.questions,
                "difference": contrast.difference.mean,
                "interval95": list(contrast.difference.interval),
                "p": round(contrast.difference.p, 4),
                "wins": contrast.difference.wins,
                "losses": contrast.difference.losses,
            }
            for contrast in found.contrasts
        ],
        "gates": [
            {
                "mode": verdict.mode,
                "metric": verdict.metric,
                "least": verdict.least,
                "found": verdict.found,
                "passed": verdict.passed,
            }
            for verdict in found.verdicts
        ],
        "failed": found.failed,
        "lost_references": list(found.lost),
    }
    if found.writers is not None:
        record.update(found.writers)
    if found.tuned is not None:
        record["tuning"] = _tuning_record(found.tuned)
    return record


def _tuning_record(tuned: Tuned) -> dict[str, Any]:
    found = tuned.found
    return {
        "setting": "dense_weight",
        "metric": found.metric,
        "queries": found.queries,
        "folds": FOLDS,
        "fold_weights": list(found.by_fold),
        "weights": [{"weight": weight, "mean": mean} for weight, mean in found.means.items()],
        "current": found.current,
        "best": found.best,
        "cross_validated": {
            "best": found.tuned,
            "current": found.before,
            "difference": found.difference.mean,
            "interval95": list(found.difference.interval),
            "p": round(found.difference.p, 4),
            "wins": found.difference.wins,
            "losses": found.difference.losses,
        },
        "taken": tuned.file is not None,
        "weight": found.weight,
        "file": tuned.file,
    }


def print_evaluation(terminal: Terminal, found: Evaluation, worst: Sequence[Row] = ()) -> None:
    """Metrics by mode, how they compare, and the questions that did worst."""
    if found.writers is not None:
        _print_answers(terminal, found)
    else:
        _print_modes(terminal, found)
    if found.contrasts:
        terminal.out()
        print_contrasts(terminal, found.contrasts)
    if found.tuned is not None:
        terminal.out()
        _print_tuning(terminal, found.tuned.found)
    for row in worst:
        terminal.out()
        _print_worst(terminal, row)
    for verdict in found.verdicts:
        terminal.note(f"{'passed' if verdict.passed else 'missed'}: {verdict}")
    terminal.note(f"{found.queries} judged questions")


def _print_modes(terminal: Terminal, found: Evaluation) -> None:
    metrics = list(next(iter(found.reports.values())).metrics)
    rows = [
        [
            mode,
            *(f"{report.metrics[metric]:.4f}" for metric in metrics),
            f"{report.p50:.0f}",
            f"{report.p95:.0f}",
        ]
        for mode, report in found.reports.items()
    ]
    header = ["mode", *metrics, "p50 ms", "p95 ms"]
    print_table(terminal, header, rows, set(range(1, len(header))))


def _print_answers(terminal: Terminal, found: Evaluation) -> None:
    """A row a metric: there are many, and each has its own number of questions."""
    rows = []
    for mode, report in found.reports.items():
        for metric, value in report.metrics.items():
            low, high = interval(report.values(metric))
            count = str(len(report.values(metric)))
            rows.append([mode, metric, f"{value:.4f}", f"{low:.4f} … {high:.4f}", count])
    print_table(terminal, ["mode", "metric", "mean", "95 % interval", "questions"], rows, {2, 3, 4})


def print_contrasts(terminal: Terminal, contrasts: Sequence[Contrast]) -> None:
    """One comparison a row."""
    header = ["metric", "mode", "against", "difference", "95 % interval", "p", "better", "worse"]
    rows = [
        [
            contrast.metric,
            contrast.mode,
            contrast.against,
            f"{contrast.difference.mean:+.4f}",
            "{:+.4f} … {:+.4f}".format(*contrast.difference.interval),
            f"{contrast.difference.p:.4f}",
            str(contrast.difference.wins),
            str(contrast.difference.losses),
        ]
        for contrast in contrasts
    ]
    print_table(terminal, header, rows, {3, 4, 5, 6, 7})


def _print_tuning(terminal: Terminal, found: Tuning) -> None:
    """The mean at each weight, marked at the one in force and the one that all questions chose."""
    marks = {found.current: "in force", found.best: "best"}
    if found.best == found.current:
        marks = {found.best: "in force, best"}
    rows = [[f"{weight:g}", f"{mean:.4f}", marks.get(weight, "")] for weight, mean in found.means.items()]
    print_table(terminal, ["dense_weight", found.metric, ""], rows, {0, 1})


def tuning_lines(tuned: Tuned) -> list[str]:
    """What cross-validation says of the tuned weight, and what was done about it."""
    found, difference = tuned.found, tuned.found.difference
    low, high = difference.interval
    said = (
        f"tuning: {found.metric} {found.tuned:.4f} with the weight tuned on the other folds, {found.before:.4f} "
        f"with {found.current:g} (difference {difference.mean:+.4f}, 95 % interval {low:+.4f} … {high:+.4f}, "
        f"p {difference.p:.4f}; {found.queries} questions in {FOLDS} folds)"
    )
    if tuned.file is not None:
        return [
            said,
            f"tuning: dense_weight was {found.current:g} and is {found.weight:g} now, in {tuned.file}",
        ]
    if found.sure:
        return [said, f"tuning: dense_weight stays {found.current:g}, the best over all questions"]
    why = (
        "the gain may well be chance"
        if difference.mean > 0
        else "no other weight does better on new questions"
    )
    return [said, f"tuning: dense_weight stays {found.current:g}; {why}"]


def _print_worst(terminal: Terminal, row: Row) -> None:
    metric, value = next(iter(row.metrics.items()))
    terminal.out(f"{one_line(row.query.id)}  {metric} {value:.4f}  {one_line(row.query.text)}")
    wanted, found = wanted_and_found(row, metric)
    for name, place in wanted[:3]:
        terminal.out(f"   wanted {one_line(name)}, {f'found at {place}' if place else 'not found'}")
    for place, (name, good) in enumerate(found[:3], 1):
        terminal.out(f"  {'+' if good else ' '} {place} {one_line(name)}")


def wanted_and_found(row: Row, metric: str) -> tuple[list[tuple[str, int]], list[tuple[str, bool]]]:
    """What a question should find, each with its first rank (0: none), and what it found, each with whether it is good.

    Documents; characters where the metric looks at these, of which some may be all that was found;
    answers where answers were asked for.
    """
    if row.answer is not None:
        there = [(gold, int(contains([row.answer], [gold]))) for gold in row.gold or ("no answer",)]
        return there, [(row.answer or "no answer", False)]
    if not of_spans(metric):
        ranks = {name: rank for rank, name in enumerate(row.found, 1)}
        wanted = [(name, ranks.get(name, 0)) for name, grade in row.grades.items() if grade > 0]
        return wanted, [(name, row.grades.get(name, 0) > 0) for name in row.found]
    spans = []
    for span in row.references:
        touching = (rank for rank, passage in enumerate(row.passages, 1) if passage.overlaps(span))
        spans.append((str(span), next(touching, 0)))
    return spans, [
        (str(passage), any(passage.overlaps(span) for span in row.references)) for passage in row.passages
    ]


def json_text(found: Evaluation) -> str:
    """The record on one line."""
    return dump(evaluation_record(found))


def junit_text(found: Evaluation) -> str:
    """The gates and the failed questions as JUnit XML; a suite a mode, its metrics as properties."""
    suites = []
    for mode, report in found.reports.items():
        cases = [
            _case(mode, f"{verdict.metric} >= {verdict.least:g}", None if verdict.passed else str(verdict))
            for verdict in found.verdicts
            if verdict.mode == mode
        ]
        cases.append(_case(mode, "every question is answered", "; ".join(report.failed[:5]) or None))
        failures = sum("<failure" in case for case in cases)
        properties = "".join(
            f'<property name={quoteattr(metric)} value="{value:.6f}"/>'
            for metric, value in report.metrics.items()
        )
        seconds = sum(row.milliseconds for row in report.rows) / 1000
        suites.append(
            f'<testsuite name={quoteattr(f"rag eval {mode}")} tests="{len(cases)}" failures="{failures}" '
            f'errors="0" time="{seconds:.3f}"><properties>{properties}</properties>{"".join(cases)}</testsuite>'
        )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>{"".join(suites)}</testsuites>'


def _case(mode: str, name: str, failure: str | None) -> str:
    opening = f"<testcase classname={quoteattr(f'rag.eval.{mode}')} name={quoteattr(name)}"
    if failure is None:
        return f"{opening}/>"
    told = one_line(failure)
    return f"{opening}><failure message={quoteattr(told)}>{escape(told)}</failure></testcase>"


def github_lines(found: Evaluation) -> list[str]:
    """Workflow commands: an error a missed gate, a warning a failed question, a notice a mode."""
    lines = [
        _annotation("notice" if verdict.passed else "error", "rag eval gate", str(verdict))
        for verdict in found.verdicts
    ]
    for mode, report in found.reports.items():
        told = ", ".join(f"{metric} {value:.4f}" for metric, value in report.metrics.items())
        lines.append(_annotation("notice", f"rag eval {mode}", f"{told} over {found.queries} questions"))
    lines.extend(_annotation("warning", "rag eval", line) for line in found.failed[:10])
    return lines


def _annotation(level: str, title: str, message: str) -> str:
    """One workflow command; what would end it, or begin another, is escaped as GitHub has it."""
    for character, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        message = message.replace(character, code)
        title = title.replace(character, code)
    for character, code in ((":", "%3A"), (",", "%2C")):
        title = title.replace(character, code)
    return f"::{level} title={title}::{message}"
