"""``rag eval --tune``: the dense weight fitted to judged questions, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ragcli.cli.program import Context
from ragcli.errors import UsageError
from ragcli.settings import Settings

if TYPE_CHECKING:
    from ragcli.evaluate import Qrels, Query
    from ragcli.render.evaluation import Tuned

_SETTING = "dense_weight"


class Tuner:
    """Fits the weight in force under ``settings`` and writes a better one to the project's file.

    Raises ``UsageError`` at once where it could not be written, or was ``given`` on the command
    line: before anything is measured.
    """

    def __init__(self, context: Context, settings: Settings, *, given: float | None) -> None:
        from ragcli.pipeline.remember import settings_file

        if given is not None:
            raise UsageError("--tune finds the weight by itself; leave out --dense-weight")
        self._context = context
        self._settings = settings
        self._file = settings_file(context.folder(), _SETTING, "VALUE")

    def tune(self, queries: Sequence[Query], qrels: Qrels, metric: str) -> Tuned:
        """Fit the weight and, where that is sure to be better, write it."""
        from ragcli.pipeline.remember import remember
        from ragcli.pipeline.tune import tune_index
        from ragcli.render.evaluation import Tuned

        with self._context.terminal.progress("tuning") as bar:
            bar.begin(len(queries))
            found = tune_index(
                self._context.folder(),
                self._settings,
                queries,
                qrels,
                metric,
                lambda done: bar.advance(done, ""),
            )
        if found.weight == found.current:
            return Tuned(found, None)
        remember(self._file, _SETTING, found.weight)
        return Tuned(found, str(self._file))

    def tell(self, tuned: Tuned) -> None:
        """Say what came of it, and what still overrules it."""
        from ragcli.render.evaluation import tuning_lines

        for line in tuning_lines(tuned):
            self._context.terminal.note(line)
        origin = self._context.resolved().origins[_SETTING]
        if tuned.file is not None and origin.startswith("RAG_"):
            self._context.terminal.note(f"note: {origin} is set and overrules it")
