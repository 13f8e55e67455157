"""``rag index`` as a whole: the lock, the paths, the model, one run of the builder, and the switch.

Another model makes another edition of the index, beside the one that answers. It takes over in one
step once every document is in it and the gate, where one was asked for, is passed; the edition
before it is kept, and answers again after a rollback.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ragcli.catalog import Catalog
from ragcli.chunk import WRITTEN
from ragcli.disk import is_remote
from ragcli.errors import ModelUnavailable, PartlyDone, UsageError
from ragcli.locks import changing, writing
from ragcli.pipeline.batches import BatchRun, tell_of_batches
from ragcli.pipeline.build import Builder, drop_file
from ragcli.pipeline.choice import ModelChoice, choose_model
from ragcli.pipeline.editions import (
    CATALOG,
    Editions,
    has_remains,
    idle_editions,
    new_edition,
    read_editions,
    remove_edition,
    switch,
)
from ragcli.pipeline.gate import Gate, check_gate
from ragcli.pipeline.index import Index, prepare_folder
from ragcli.pipeline.report import BuildOptions, BuildReport, Progress
from ragcli.pipeline.survey import NOTHING, Root, choose_roots
from ragcli.settings import NONE, Settings
from ragcli.types import Failure

_Tell = Callable[[str], None]


def update(
    folder: Path,
    settings: Settings,
    paths: Sequence[Path],
    options: BuildOptions,
    progress: Progress,
    *,
    command: str,
    tell: _Tell,
    gate: Gate | None = None,
) -> tuple[BuildReport, bool]:
    """Run ``rag index``.

    Without paths, those the index remembers are taken. The second value says that documents were
    met which the model cannot read, and that this was not told before. ``tell`` hears who is
    waited for. Raises ``UsageError`` for a missing path, ``IndexBusy`` when another process
    writes, ``IndexMismatch`` for another model that was not asked for, ``GateFailed``.
    """
    for path in paths:
        if not path.exists() and not has_remains(folder):  # before a folder is made for it
            raise UsageError(f"no such file or folder: {path}")
    if not paths and not has_remains(folder):
        raise UsageError(NOTHING)
    if WRITTEN in (options.context or "").split(",") and settings.llm == NONE and not has_remains(folder):
        raise UsageError("--context llm needs an LLM that writes the contexts; name one with --llm")
    prepare_folder(folder)
    with writing(folder, command, settings.wait, tell):
        new = not has_remains(folder)  # nobody else can be making it now
        try:
            report = _update(folder, settings, paths, options, progress, gate, tell)
        except (UsageError, ModelUnavailable):
            if new:
                _take_back(folder, settings)
            raise
    with Index.open(folder, settings) as index:
        news = bool(report.unread) and index.catalog.get("unread_told") != report.model
        if news:
            with index.catalog.transaction():
                index.catalog.put("unread_told", report.model)
    return report, news


def _take_back(folder: Path, settings: Settings) -> None:
    """Leave no index behind whose model was never had: there is nothing in it."""
    if not has_remains(folder):
        return
    with Index.open(folder, settings) as index:
        blank = index.model() is None
    if blank:
        remove_edition(folder, read_editions(folder).current)


def _update(
    folder: Path,
    settings: Settings,
    paths: Sequence[Path],
    options: BuildOptions,
    progress: Progress,
    gate: Gate | None,
    tell: _Tell,
) -> BuildReport:
    """Bring the index up to date, or change it over to another model, under the writer's lock."""
    with Index.create(folder, settings) as index:
        note = index.model()
        again = note.spec if note is not None and options.rebuild else None
        choice = choose_model(index, options.model or again, options.dims)
        if note is None and is_remote(folder):
            tell(f"note: {folder} lies on another machine's disk: its locks are as good as its server")
        if note is not None and note.signature != choice.signature:
            return _change_over(index, choice, paths, options, progress, gate, tell)
        if gate is not None:
            raise UsageError("--gate is for a change of model; name another one with --model")
        return _refresh(index, choice, paths, options, progress, tell)


def plan(
    folder: Path, settings: Settings, paths: Sequence[Path], options: BuildOptions, progress: Progress
) -> BuildReport:
    """What :func:`update` would do; nothing is changed."""
    with _as_it_is(folder, settings) as index:
        choice = choose_model(index, options.model, options.dims, plan=True)
        note = index.model()
        other = note is not None and note.signature != choice.signature
        roots, missing = choose_roots(index, paths, options.selection, everything=other or options.rebuild)
        report = Builder(index, choice, options, progress, plan=True).run(roots)
        return _with_missing(report, missing, options)


def roll_back(folder: Path, settings: Settings, *, command: str, tell: _Tell) -> BuildReport:
    """Let the edition before answer again; once more returns. Raises ``UsageError`` where there is none."""
    Index.open(folder, settings).close()
    with writing(folder, command, settings.wait, tell):
        editions = read_editions(folder)
        if editions.previous is None:
            raise UsageError("there is nothing to go back to; only a change of --model keeps what was before")
        with (
            Index.open_edition(folder, settings, editions.previous) as new,
            Index.open(folder, settings) as old,
        ):
            counts, now = new.catalog.counts("documents", "chunks"), new.model()
            report = BuildReport(
                unchanged=counts["documents"],
                chunks_total=counts["chunks"],
                model=now.spec if now else "",
                change=_names(new, old),
            )
        with changing(folder, settings.wait):
            switch(folder, Editions(editions.previous, editions.current))
        return report


def _names(new: Index, old: Index) -> tuple[str, str]:
    """What to call two editions: their models, and of one model that which they differ in."""
    told = [(note.spec, note.signature) if note else ("no model", "") for note in (new.model(), old.model())]
    (spec, signature), (other, before) = told
    if spec != other:
        return spec, other
    for here, there in zip(signature.split(":"), before.split(":"), strict=False):
        if here != there:
            return f"{spec} ({here[:8]})", f"{other} ({there[:8]})"
    times = [index.catalog.get("updated") or "never updated" for index in (new, old)]
    return f"{spec} ({times[0]})", f"{other} ({times[1]})"


def _build(
    index: Index,
    choice: ModelChoice,
    roots: Sequence[Root],
    options: BuildOptions,
    progress: Progress,
    tell: _Tell,
) -> BuildReport:
    """One run of the builder; through a batch endpoint, one before the batch and one after it."""
    if not options.batch_api:
        warn = partial(tell_of_batches, index, choice, tell)
        return Builder(index, choice, options, progress, before=warn).run(roots)
    batches = BatchRun(index, choice, tell)
    batches.fetch()
    lacking: dict[str, str] = {}
    report = Builder(index, choice, options, progress, hand_in=lacking).run(roots)
    if not lacking:
        return report
    batches.submit(lacking)
    batches.fetch()
    failed: dict[str, str] = {}
    report = Builder(index, choice, options, progress, hand_in=failed).run(roots)
    if failed:
        raise PartlyDone(f"{len(failed)} texts of the batch failed; the same command hands them in again")
    return report


def _refresh(
    index: Index,
    choice: ModelChoice,
    paths: Sequence[Path],
    options: BuildOptions,
    progress: Progress,
    tell: _Tell,
) -> BuildReport:
    """Bring the edition that answers up to date."""
    roots, missing = choose_roots(index, paths, options.selection, everything=options.rebuild)
    report = _build(index, choice, roots, options, progress, tell)
    if options.prune:
        _prune(index, missing, report)
    return _with_missing(report, missing, options)


def _with_missing(report: BuildReport, missing: Sequence[str], options: BuildOptions) -> BuildReport:
    if not options.prune:
        for name in missing:
            # A disk that is not mounted is no deletion.
            told = "is not there; its documents are kept, and --prune takes them out"
            report.fail(Failure(name, "missing", told))
    return report


def _prune(index: Index, missing: Sequence[str], report: BuildReport) -> None:
    """Take out what lies under paths that are gone."""
    within = [index.under(name) for name in missing]
    gone = sorted(f for f in index.catalog.files() if any(lies(f) is not None for lies in within))
    with index.change() as generation:
        for name in gone:
            report.removed += len(index.catalog.documents_of(name))
            report.chunks_removed += drop_file(index.catalog, name, generation)
        for name in missing:
            index.catalog.drop_root(name)
    report.chunks_total = index.catalog.chunk_count


def _change_over(
    index: Index,
    choice: ModelChoice,
    paths: Sequence[Path],
    options: BuildOptions,
    progress: Progress,
    gate: Gate | None,
    tell: _Tell,
) -> BuildReport:
    """Make an edition of another model beside the one that answers, and let it take over."""
    folder, settings = index.folder, index.settings
    roots, missing = choose_roots(index, paths, options.selection, everything=True)
    if missing and not options.prune:
        raise UsageError(
            f"{missing[0]} is not there, so its documents cannot be embedded by another model; "
            f"bring it back, run `rag remove {missing[0]}` or add --prune"
        )
    name = _unfinished(folder, settings, choice.signature) or new_edition(folder)
    with Index.create(folder, settings, edition=name) as new:
        _take_over_settings(index.catalog, new.catalog)
        _forget_the_removed(index, new)
        with new.catalog.transaction():
            for gone in missing:
                new.catalog.drop_root(gone)
        report = _build(new, choice, roots, options, progress, tell)
        if report.left.texts:
            return report  # the next run carries on with it
        _check_whole(index, new, choice, prune=options.prune)
        if gate is not None:
            check_gate(gate, index, new, lambda _: None)
        with new.catalog.transaction():
            new.catalog.put("finished", datetime.now(UTC).isoformat())
        report.change = _names(new, index)
    before = read_editions(folder)
    with changing(folder, settings.wait):
        switch(folder, Editions(name, before.current))
    if before.previous is not None:
        remove_edition(folder, before.previous)
    return report


def _unfinished(folder: Path, settings: Settings, signature: str) -> str | None:
    """The edition of this model that an earlier run began; what is left of others is removed."""
    found = None
    for name in idle_editions(folder):
        if (folder / name / CATALOG).is_file():
            with Index.open_edition(folder, settings, name) as index:
                note = index.model()
            if note is not None and note.signature == signature:
                found = name
                continue
        remove_edition(folder, name)
    return found


def _take_over_settings(old: Catalog, new: Catalog) -> None:
    with new.transaction():
        for path, chosen in old.roots().items():
            new.add_root(path, chosen)
        for key in ("chunk_size", "overlap", "chunker", "context", "languages", "mask_secrets"):
            value = old.get(key)
            if value is not None and new.get(key) is None:
                new.put(key, value)
        for situation, writer, text in old.contexts.all():
            new.contexts.put(situation, writer, text)


def _forget_the_removed(old: Index, new: Index) -> None:
    """Take out of an edition that was begun before what the index does not hold any more."""
    known = set(old.catalog.files())
    gone = [name for name in new.catalog.files() if name not in known]
    if gone:
        with new.change() as generation:
            for name in gone:
                drop_file(new.catalog, name, generation)
    with new.catalog.transaction():
        for path in set(new.catalog.roots()) - set(old.catalog.roots()):
            new.catalog.drop_root(path)


def _check_whole(old: Index, new: Index, choice: ModelChoice, *, prune: bool) -> None:
    """Refuse a change that would lose documents: all are taken over but those whose files are gone.

    An empty folder may be the place of a disk that is not mounted.
    """
    there = {name for name, _, _ in new.catalog.document_names()}
    lost = []
    for name, (path, _) in sorted(old.catalog.document_origins().items()):
        if name in there:
            continue
        file = old.file_of(path)
        gone = (
            not file.exists()
            and file.parent.is_dir()
            and any(each != old.folder for each in file.parent.iterdir())
        )
        taken = name != path and bool(new.catalog.documents_of(path))  # a part of a file that left it
        if not (gone or taken or prune):
            lost.append(name)
    if lost:
        raise PartlyDone(
            f"{len(lost)} documents of the index could not be read again ({lost[0]} …), so {choice.spec} does not "
            f"take over; bring them back, `rag remove` them or add --prune, and run the same command again"
        )


def _as_it_is(folder: Path, settings: Settings) -> Index:
    """The index for a plan: the one that is there, or an empty one that is nowhere."""
    if has_remains(folder):
        return Index.open(folder, settings)
    return Index(folder, Catalog.in_memory(), settings)
