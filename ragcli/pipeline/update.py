"""``rag index`` as a whole: the folder, the lock, the paths, and one run of the builder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ragcli.catalog import Catalog
from ragcli.errors import UsageError
from ragcli.locks import writing
from ragcli.pipeline.build import Builder
from ragcli.pipeline.index import CATALOG, Index, prepare_folder
from ragcli.pipeline.report import BuildOptions, BuildReport, Progress
from ragcli.pipeline.survey import choose_roots
from ragcli.settings import Settings
from ragcli.types import Failure


def update(
    folder: Path,
    settings: Settings,
    paths: Sequence[Path],
    options: BuildOptions,
    progress: Progress,
    *,
    command: str,
    plan: bool = False,
) -> tuple[BuildReport, bool]:
    """Run ``rag index``; with ``plan`` only say what it would do.

    Without paths, those the index remembers are taken. The second value says that documents were
    met which the model cannot read, and that this was not told before. Raises ``UsageError`` for
    a missing path, ``IndexBusy`` when another process writes, ``IndexMismatch`` for another model.
    """
    if plan:
        with _planned(folder, settings) as index:
            return _run(index, paths, options, progress, plan=True), False
    for path in paths:
        if not path.exists():  # before a folder is made for it
            raise UsageError(f"no such file or folder: {path}")
    prepare_folder(folder)
    with writing(folder, command, settings.wait), Index.create(folder, settings) as index:
        report = _run(index, paths, options, progress, plan=False)
        news = bool(report.unread) and index.catalog.get("unread_told") != report.model
        if news:
            with index.catalog.transaction():
                index.catalog.put("unread_told", report.model)
        return report, news


def _run(
    index: Index, paths: Sequence[Path], options: BuildOptions, progress: Progress, *, plan: bool
) -> BuildReport:
    roots, missing = choose_roots(index, paths, options.selection, everything=options.rebuild)
    builder = Builder(index, options, progress, plan=plan)
    if missing and builder.changes_model:
        raise UsageError(
            f"{missing[0]} is not there, so its documents cannot be embedded by another model; "
            f"bring it back or run `rag remove {missing[0]}`"
        )
    report = builder.run(roots)
    for name in missing:
        # A disk that is not mounted is no deletion.
        told = "is not there; its documents are kept, and `rag remove` takes them out"
        report.fail(Failure(name, "missing", told))
    return report


def _planned(folder: Path, settings: Settings) -> Index:
    """The index for a plan: the one that is there, or an empty one that is nowhere."""
    if (folder / CATALOG).is_file():
        return Index.open(folder, settings)
    return Index(folder, Catalog.in_memory(), settings)
