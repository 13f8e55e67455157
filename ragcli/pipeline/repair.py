"""``rag doctor --repair``: what is wrong is mended without embedding.

What is derived is made anew from the catalogue, space is given back, and of a catalogue that is
damaged itself the vectors are saved, with which ``rag index`` makes the rest for the price of
reading.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

from ragcli.catalog import Catalog, drop_log, salvage
from ragcli.disk import flush_file, flush_folder
from ragcli.errors import IndexDamaged, RagError
from ragcli.locks import changing, writing
from ragcli.pipeline.editions import (
    CATALOG,
    CHROMA,
    LEXICAL,
    MENDING,
    Editions,
    find_editions,
    forget_editions,
    has_remains,
    idle_editions,
    is_there,
    read_editions,
    remove_edition,
    switch,
)
from ragcli.pipeline.examine import (
    WORTH_GIVING_BACK,
    Examination,
    check_dense,
    check_lexical,
    examine,
    is_vector,
    wrong_chunks,
)
from ragcli.pipeline.index import Index
from ragcli.pipeline.vetting import flag_all
from ragcli.settings import Settings
from ragcli.store import bring_up_to_date, clear, read_marker


def repair(folder: Path, settings: Settings, *, tell: Callable[[str], None]) -> Examination:
    """Mend what can be mended without embedding, and look again."""
    if not has_remains(folder):
        Index.open(folder, settings).close()  # tells that there is none, before a lock is made
    with writing(folder, "rag doctor --repair", settings.wait, tell):
        repaired = _mend_editions(folder, settings)
        repaired += _mend_catalog(folder, settings)
        with Index.open(folder, settings) as index:
            repaired += _mend_contents(index)
            if flag_all(index.catalog) is not None:
                repaired.append("passages that look like instructions to a model were looked for")
            # What was taken out, or of which only the vectors were saved, comes back with the vectors it had.
            waits = bool(repaired) or index.catalog.awaits_documents()
            tell("making anew what is damaged")
            repaired += _mend_projections(index)
            repaired += _give_back(index, keep=waits)
        # Before another writer may come: what is told is what was mended.
        found = examine(folder, settings, tell=lambda _: None)
    found.repaired = repaired
    return found


def _mend_editions(folder: Path, settings: Settings) -> list[str]:
    """Find out again which edition answers, where the note of it is lost or the edition is."""
    try:
        editions = read_editions(folder)
    except IndexDamaged:
        return _settle_editions(folder, settings)
    current, previous = editions.current, editions.previous
    if is_there(folder, current):
        if previous is None or is_there(folder, previous):
            return []
        switch(folder, Editions(current))
        return ["the edition that a rollback would return to is gone, and was forgotten"]
    if previous is None or not is_there(folder, previous):
        return _settle_editions(folder, settings)
    with changing(folder, settings.wait):
        switch(folder, Editions(previous))
    return [f"{current} is gone: the edition before it answers again, and `rag index` brings it up to date"]


def _settle_editions(folder: Path, settings: Settings) -> list[str]:
    """Let the last edition answer that was finished."""
    # The first edition has no date, and one that was never finished has never answered.
    dated = []
    for name in find_editions(folder):
        with suppress(RagError), Index.open_edition(folder, settings, name) as index:
            finished = index.catalog.get("finished")
            if finished is not None or name == ".":
                dated.append((finished or "", name))
    names = [name for _, name in sorted(dated)]
    with changing(folder, settings.wait):
        if names:
            switch(folder, Editions(names[-1], names[-2] if len(names) > 1 else None))
        else:
            forget_editions(folder)
    return ["which edition answers was settled anew"] if names else []


def _mend_catalog(folder: Path, settings: Settings) -> list[str]:
    """Put an empty catalogue with everything that could be saved in place of a damaged one.

    Whenever this is killed, either there is no catalogue and the damaged one waits to be saved, or
    what was saved is in its place: the next repair goes on from there.
    """
    path = folder / read_editions(folder).current / CATALOG
    damaged, partial = path.with_name(MENDING), path.with_name("catalog.saved.sqlite3")
    if path.exists():
        if damaged.exists():
            _keep_aside(damaged)
        if _is_sound(folder, settings):
            return []
    with changing(folder, settings.wait):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not damaged.exists():
            drop_log(damaged if path.exists() else path)  # that of another one, which is gone
        _move(path, damaged)
        for left in path.parent.glob(f"{partial.name}*"):
            left.unlink()
        with Catalog.create(partial) as catalog:
            if damaged.exists():
                salvage(damaged, catalog)
            saved = catalog.counts()["vectors"]
            catalog.close_log()
        flush_file(partial)
        partial.replace(path)
        flush_folder(path.parent)
        if damaged.exists():
            _keep_aside(damaged)
    return [
        f"the catalogue was damaged: {saved} vectors were saved, and `rag index PATH` reads the documents again"
    ]


def _is_sound(folder: Path, settings: Settings) -> bool:
    try:
        with Index.open(folder, settings) as index:
            return not index.catalog.problems()
    except IndexDamaged:
        return False


def _move(path: Path, target: Path) -> None:
    """Move a catalogue and its log. The file goes first: without its log it might pass for a sound one."""
    for ending in ("", "-wal", "-shm"):
        part = path.with_name(f"{path.name}{ending}")
        if part.exists():
            part.replace(target.with_name(f"{target.name}{ending}"))
    flush_folder(target.parent)


def _keep_aside(damaged: Path) -> None:
    """Give a damaged catalogue that was mended the next name that none before it has."""
    for number in count(1):
        ending = "" if number == 1 else f".{number}"
        target = damaged.with_name(f"catalog.damaged{ending}.sqlite3")
        if not any(target.parent.glob(f"{target.name}*")):
            _move(damaged, target)
            return


def _mend_contents(index: Index) -> list[str]:
    """Take out what is wrong in the catalogue, so that the next run of ``rag index`` makes it again."""
    told = []
    note = index.model()
    wrong = wrong_chunks(index.catalog)
    bad = [
        content
        for _, content, blob in index.catalog.vector_blobs(note.signature if note else "")
        if blob is not None and note is not None and not is_vector(blob, note.dimensions, note.signature)
    ]
    if bad and note is not None:
        with index.catalog.transaction():
            index.catalog.drop_vectors(bad, note.signature)
    lacking = {
        document
        for document, _, blob in index.catalog.vector_blobs(note.signature if note else "")
        if blob is None
    }
    again = sorted(lacking | set(wrong))
    if again:
        with changing(index.folder, index.settings.wait), index.catalog.transaction():
            generation = index.catalog.begin_generation()
            origins = index.catalog.document_origins()
            for document in again:
                index.catalog.drop_document(document, generation)
                index.catalog.forget_state(origins[document][0])
        told.append(f"{len(again)} documents were taken out; `rag index` brings them back")
    return told


def _mend_projections(index: Index) -> list[str]:
    names = {index.place / LEXICAL: "the lexical index", index.place / CHROMA: "the Chroma collection"}
    with changing(index.folder, index.settings.wait):
        found = Examination()
        if index.model() is not None:
            check_lexical(index, found)
            check_dense(index, found)
        for finding in found.findings:
            if not finding.ok:
                clear(index.place / (LEXICAL if finding.check == "lexical" else CHROMA))
        for projection in index.projections():
            marker = read_marker(projection.folder)
            if marker is not None and marker.deleted:
                clear(projection.folder)  # dead entries take room
        made = bring_up_to_date(index.projections(), index.catalog, thorough=True)
    return [f"{names[folder]} was made anew from the catalogue" for folder in made]


def _give_back(index: Index, *, keep: bool) -> list[str]:
    told = []
    left = idle_editions(index.folder)
    for name in left:
        remove_edition(index.folder, name)
    if left:
        told.append(f"{len(left)} unfinished editions were removed")
    with index.catalog.transaction():
        idle = index.catalog.drop_idle_vectors(keep=keep)
        contexts = 0 if keep else index.catalog.contexts.drop_idle()
    free = index.catalog.give_back()
    if idle or free > WORTH_GIVING_BACK:
        told.append(f"{idle} idle vectors were dropped and {free / 1e6:.1f} MB given back")
    if contexts:
        told.append(f"{contexts} written contexts that no chunk used were dropped")
    return told
