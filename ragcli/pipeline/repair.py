"""``rag doctor --repair``: what is wrong is mended without embedding.

What is derived is made anew from the catalogue, space is given back, and of a catalogue that is
damaged itself the vectors are saved, with which ``rag index`` makes the rest for the price of
reading.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ragcli.catalog import Catalog, salvage
from ragcli.errors import IndexDamaged, IndexMissing, RagError
from ragcli.locks import changing, writing
from ragcli.pipeline.editions import (
    CATALOG,
    CHROMA,
    LEXICAL,
    Editions,
    find_editions,
    forget_editions,
    idle_editions,
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
    has_remains,
    is_vector,
    wrong_chunks,
)
from ragcli.pipeline.index import Index
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
            # What was taken out, or of which only the vectors were saved, comes back with the vectors it had.
            waits = bool(repaired) or index.catalog.awaits_documents()
            tell("making anew what is damaged")
            repaired += _mend_projections(index)
            repaired += _give_back(index, keep=waits)
    found = examine(folder, settings, tell=lambda _: None)
    found.repaired = repaired
    return found


def _mend_editions(folder: Path, settings: Settings) -> list[str]:
    """Find out again which edition answers, where the note of it is lost."""
    try:
        read_editions(folder)
    except IndexDamaged:
        # The first edition has no date, and one that was never finished has never answered.
        dated = []
        for name in find_editions(folder):
            with suppress(RagError), Index.open_edition(folder, settings, name) as index:
                finished = index.catalog.get("finished")
                if finished is not None or name == ".":
                    dated.append((finished or "", name))
        names = [name for _, name in sorted(dated)]
        forget_editions(folder)
        if names:
            switch(folder, Editions(names[-1], names[-2] if len(names) > 1 else None))
        return ["which edition answers was settled anew"]
    return []


def _mend_catalog(folder: Path, settings: Settings) -> list[str]:
    """Put an empty catalogue with everything that could be saved in place of a damaged one."""
    place = folder / read_editions(folder).current
    path = place / CATALOG
    try:
        with Index.open(folder, settings) as index:
            if not index.catalog.problems():
                return []
    except IndexMissing:
        if not has_remains(folder):
            raise
    except IndexDamaged:
        pass
    aside = place / "catalog.damaged.sqlite3"
    saved = 0
    with changing(folder, settings.wait):
        for ending in ("", "-wal", "-shm"):
            part = place / f"{CATALOG}{ending}"
            if part.exists():
                part.replace(place / f"{aside.name}{ending}")
        with Catalog.create(path) as catalog:
            if aside.exists():
                with suppress(Exception):  # a damaged file raises whatever its bytes lead to
                    saved = salvage(aside, catalog)
        for name in (CHROMA, LEXICAL):
            clear(place / name)
    return [
        f"the catalogue was damaged: {saved} vectors were saved, and `rag index` reads the documents again"
    ]


def _mend_contents(index: Index) -> list[str]:
    """Take out what is wrong in the catalogue, so that the next run of ``rag index`` makes it again."""
    told = []
    note = index.model()
    wrong = wrong_chunks(index.catalog)
    bad = [
        content
        for _, content, blob in index.catalog.vector_blobs(note.signature if note else "")
        if blob is not None and note is not None and not is_vector(blob, note.dimensions)
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
    free = index.catalog.give_back()
    if idle or free > WORTH_GIVING_BACK:
        told.append(f"{idle} idle vectors were dropped and {free / 1e6:.1f} MB given back")
    return told
