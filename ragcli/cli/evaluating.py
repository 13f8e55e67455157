"""What every evaluation of ``rag eval`` shares: its files, its gates, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from ragcli.cli.options import TableFormat, check_free, existing
from ragcli.cli.program import Context
from ragcli.errors import GateFailed, PartlyDone, UsageError
from ragcli.types import Mode

if TYPE_CHECKING:
    from ragcli.evaluate import Bound
    from ragcli.evaluate.rows import Baseline
    from ragcli.render.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class Evaluating:
    """The options that say what is measured, against what, and where it is told."""

    context: Context
    queries: Path
    qrels: Path | None
    spans: Path | None
    modes: str
    metrics: str | None
    gate: Sequence[str]
    rows: Path | None
    baseline: Path | None
    worst: int
    report: Path | None
    force: bool
    output: TableFormat

    def wanted(self) -> list[str]:
        """The modes, each once. Raises ``UsageError`` for what is none."""
        from ragcli.pipeline.judge import RERANKED

        wanted = list(dict.fromkeys(mode.strip() for mode in self.modes.split(",") if mode.strip()))
        unknown = [mode for mode in wanted if mode.removesuffix(RERANKED) not in get_args(Mode)]
        if unknown or not wanted:
            raise UsageError(f"--modes {self.modes}: use {', '.join(get_args(Mode))}, or one with {RERANKED}")
        return wanted

    def bounds(self, wanted: Sequence[str], read: Callable[[Sequence[str]], tuple[str, ...]]) -> list[Bound]:
        """The gates, whose metrics ``read`` reads. Raises ``UsageError`` for what is none."""
        from ragcli.evaluate import read_bound

        bounds = [read_bound(word, read) for word in self.gate]
        for bound in bounds:
            if bound.mode not in (None, *wanted):
                raise UsageError(f"--gate of {bound.mode}, which is not among --modes {self.modes}")
        return bounds

    def before(self) -> Baseline | None:
        """The run to compare with; what is to be written is found free first."""
        from ragcli.evaluate import read_rows

        before = read_rows(existing(self.baseline)) if self.baseline else None
        read = [file for file in (self.queries, self.qrels, self.spans) if file]
        if before is None or self.rows != self.baseline:  # the rows of now may take the place of those before
            check_free(self.rows, [*read, self.baseline], force=self.force)
        check_free(self.report, [*read, self.baseline, self.rows], force=self.force)
        return before

    def tell(self, found: Evaluation, *, title: str) -> None:
        """Write what is to be written and show the rest."""
        from ragcli.evaluate import write_rows

        if self.rows is not None:
            write_rows(self.rows, found.reports)
        if self.report is not None:
            self._write_page(self.report, found, title)
        self._show(found)
        compared = any(contrast.against == "baseline" for contrast in found.contrasts)
        if self.baseline is not None and not compared:
            self.context.terminal.note(f"note: {self.baseline} shares no question and mode with this run")

    def tell_missing(self, told: str, names: Sequence[str]) -> None:
        """What of the judgements the index does not hold."""
        if names:
            self.context.terminal.note(f"note: {len(names)} {told} ({', '.join(names[:3])} …)")

    def _write_page(self, file: Path, found: Evaluation, title: str) -> None:
        from datetime import UTC, datetime
        from importlib.metadata import version

        from ragcli.disk import replace_text
        from ragcli.render.page import report_page

        judgements = [file for file in (self.qrels, self.spans) if file]
        facts = [
            ("questions", f"{self.queries} ({found.queries} judged)"),
            *([("judgements", ", ".join(map(str, judgements)))] if judgements else []),
            ("index", str(self.context.folder())),
            *sorted((found.writers or {}).items()),
            ("made", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC by ragcli {version('ragcli')}"),
        ]
        try:
            replace_text(file, report_page(found, title=title, facts=facts))
        except OSError as error:
            raise UsageError(f"cannot write {file}: {error.strerror or error}") from error

    def _show(self, found: Evaluation) -> None:
        from ragcli.render.evaluation import github_lines, json_text, junit_text, print_evaluation

        terminal = self.context.terminal
        if self.output is TableFormat.json:
            terminal.out(json_text(found))
        elif self.output is TableFormat.junit:
            terminal.out(junit_text(found))
        elif self.output is TableFormat.github:
            for line in github_lines(found):
                terminal.out(line)
        else:
            last = list(found.reports.values())[-1]
            print_evaluation(terminal, found, last.worst(next(iter(last.metrics)), self.worst))


def tell_failures(found: Evaluation, *, told: str) -> None:
    """A missed gate outweighs questions that failed, which made it miss; ``told`` says how these count."""
    missed: Sequence[str] = [str(verdict) for verdict in found.verdicts if not verdict.passed]
    failed = (
        f"{len(found.failed)} questions failed{told}; the first: {found.failed[0]}" if found.failed else ""
    )
    if missed:
        raise GateFailed("; ".join([*missed, *([failed] if failed else [])]))
    if failed:
        raise PartlyDone(failed)
