"""``rag doctor``: every part of an index against the others and the files.

The catalogue is checked by itself, the projections against the catalogue, and the files against
what was read of them. Nothing is changed.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ragcli.analyze import Analyzer
from ragcli.catalog import Catalog
from ragcli.disk import is_remote, is_writable
from ragcli.embed import Measure, closeness, is_sound, measure_of
from ragcli.errors import IndexDamaged, IndexMismatch, ModelUnavailable, RagError, UsageError
from ragcli.pipeline.editions import (
    CHROMA,
    LEXICAL,
    idle_editions,
    is_there,
    read_editions,
)
from ragcli.pipeline.freshness import stale_files
from ragcli.pipeline.index import Index, ModelNote
from ragcli.pipeline.model import open_model
from ragcli.pipeline.vetting import embedded_otherwise
from ragcli.settings import Settings
from ragcli.store import (
    DenseStore,
    LexicalStore,
    Projection,
    is_current,
    read_marker,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Chunks looked up again by their own words and their own vector.
_SAMPLE = 50
_NEIGHBOURS = 10
# Searches compare all vectors; the graph is for other clients of Chroma.
_LEAST_RECALL = 0.9
# How far a stored value may lie from what it is compared with.
_SAME = 1e-3
_ROUNDED = 1e-5  # how far rounding may move a score, as a share of it
WORTH_GIVING_BACK = 1_000_000  # bytes
_SCAN = 4096  # rows of vectors compared at a time

MEND = "rag doctor --repair"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    ``fault`` is the kind of error that it is, if it is one; ``mend`` holds the commands that help,
    each as it is typed and in their order.
    """

    check: str
    message: str
    fault: type[RagError] | None = None
    mend: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault is None

    @property
    def advice(self) -> str:
        """What to do, to be put behind the message."""
        return f"; run {', then '.join(f'`{command}`' for command in self.mend)}" if self.mend else ""


@dataclass(slots=True)
class Examination:
    """All findings, and what a repair did."""

    findings: list[Finding] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return all(finding.ok for finding in self.findings)

    def note(self, check: str, message: str, *mend: str) -> None:
        """Add what is no fault."""
        self.findings.append(Finding(check, message, None, mend))

    def fail(self, check: str, message: str, *mend: str, fault: type[RagError] = IndexDamaged) -> None:
        """Add a fault."""
        self.findings.append(Finding(check, message, fault, mend))

    def error(self) -> RagError | None:
        """The error that the worst fault is: damage before a model that cannot be had before another model."""
        faults = [(finding, finding.fault) for finding in self.findings if finding.fault is not None]
        if not faults:
            return None
        finding, fault = max(faults, key=lambda each: each[1].exit_code)
        return fault(f"{finding.check}: {finding.message}{finding.advice}")


def examine(folder: Path, settings: Settings, *, tell: Callable[[str], None]) -> Examination:
    """Look at every part; nothing is changed. Raises ``IndexMissing`` where there is no index."""
    found = Examination()
    try:
        index = Index.open(folder, settings)
    except IndexDamaged as error:
        _check_lost(folder, found, error)
        return found
    with index:
        tell("comparing catalogue, lexical index and Chroma")
        while True:
            # A model takes seconds to load, and a writer is not to wait for that.
            note = _model_of(index)
            model = Examination()
            _check_model(index, note, model)
            with index.reading():
                if _model_of(index) == note:  # else another edition answers since
                    _check_parts(index, model, found)
                    return found


# -- checks ------------------------------------------------------------------------------------------


def _check_lost(folder: Path, found: Examination, error: RagError) -> None:
    """No catalogue can be opened: what is there instead?"""
    told = str(error).split(";")[0]
    with suppress(RagError):
        editions = read_editions(folder)
        if not is_there(folder, editions.current):
            before = editions.previous is not None and is_there(folder, editions.previous)
            told += ", but the edition before it is there" if before else ""
    found.fail("catalogue", told, MEND)


def _model_of(index: Index) -> ModelNote | None:
    """The model of the index, as far as its catalogue can tell."""
    try:
        return index.model()
    except IndexDamaged:  # which a check of its own finds
        return None


def _check_parts(index: Index, model: Examination, found: Examination) -> None:
    """Everything but the model, of which it was found out before."""
    _check_catalog(index, found)
    if found.ok:
        _check_vectors(index, found)
        found.findings += model.findings
        if is_writable(index.place):
            check_lexical(index, found)
            check_dense(index, found)
        else:
            found.note("stores", "not compared: they lie in a folder that cannot be written")
    _check_editions(index, found)
    _check_files(index, found)
    _check_room(index, found)


def _check_editions(index: Index, found: Examination) -> None:
    previous = read_editions(index.folder).previous
    if previous is not None and not is_there(index.folder, previous):
        found.fail("editions", f"{previous}, which a rollback would return to, is gone", MEND)


def _check_catalog(index: Index, found: Examination) -> None:
    for problem in index.catalog.problems():
        found.fail("catalogue", problem, MEND)
    lost = wrong_chunks(index.catalog)
    if lost:
        told = f"{len(lost)} documents have chunks that are not in their text ({lost[0]} …)"
        found.fail("catalogue", told, MEND, "rag index")
    if found.ok:
        counts = index.catalog.counts("documents", "chunks")
        contexts = index.catalog.contexts.count()
        told = f", {contexts} written contexts" if contexts else ""
        found.note("catalogue", f"{counts['documents']} documents, {counts['chunks']} chunks{told}, sound")


def wrong_chunks(catalog: Catalog) -> list[str]:
    """Documents with a chunk whose text is not the one that its vector was made of."""
    wrong = []
    for name, _, _ in catalog.document_names():
        found = catalog.contents_of(name)
        empty = not all(stored.chunk.text for stored, _ in found)
        if empty or embedded_otherwise(found, catalog):
            wrong.append(name)
    return wrong


def _check_vectors(index: Index, found: Examination) -> None:
    note = index.model()
    if note is None:
        return
    lacking, bad = _unusable(index)
    if lacking or bad:
        told = f"{lacking} chunks have no vector and {bad} one that cannot be: {lacking + bad} texts to embed"
        found.fail("vectors", told, MEND, "rag index")
    else:
        length = " and unit length" if measure_of(note.signature) == "cosine" else ""
        found.note("vectors", f"one for every chunk, of {note.dimensions} dimensions{length}")


def _unusable(index: Index) -> tuple[int, int]:
    """Numbers of chunks without a vector, and with one that cannot be its."""
    note = index.model()
    lacking = bad = 0
    for _, _, blob in index.catalog.vector_blobs(note.signature if note else ""):
        if blob is None:
            lacking += 1
        elif note is None or not is_vector(blob, note.dimensions, note.signature):
            bad += 1
    return lacking, bad


def is_vector(blob: bytes, dimensions: int, signature: str) -> bool:
    """Whether stored bytes can be a vector of the model with a signature."""
    import numpy as np

    if len(blob) != 4 * dimensions:
        return False
    return is_sound(measure_of(signature), np.frombuffer(blob, dtype=np.float32))


def _check_model(index: Index, note: ModelNote | None, found: Examination) -> None:
    """Load the model and have it make again what it made when the index was made."""
    if note is None:
        return
    try:
        embedder = open_model(note.spec, index.settings, note.dims, note.dimensions)
        if embedder.signature != note.signature:
            raise IndexMismatch(
                f"the index was made with {note.signature}; {note.spec} is {embedder.signature}"
            )
        index.prove(embedder)
    except IndexMismatch as error:
        told = str(error).split(";")[0]
        found.fail("model", told, f"rag index --model {shlex.quote(note.spec)}", fault=IndexMismatch)
    except (ModelUnavailable, UsageError) as error:  # a service, and no connection is to be opened
        found.fail("model", str(error), fault=ModelUnavailable)
    except IndexDamaged:
        return  # of the catalogue, which a check of its own finds
    else:
        found.note("model", f"{note.spec} makes the vectors that are stored")


def check_lexical(index: Index, found: Examination) -> None:
    """A ranked query for each of a sample of chunks, here and in an index made for the purpose."""
    lexical = LexicalStore(index.place / LEXICAL, index.analyzer)
    try:
        if not _stands(lexical, index.catalog, found, "lexical"):
            return
        names = lexical.names()
        chunks = set(index.catalog.all_chunk_ids())
        if names != chunks:
            told = f"it lacks {len(chunks - names)} chunks and has {len(names - chunks)} too many"
            found.fail("lexical", told, MEND)
            return
        with TemporaryDirectory(prefix="rag-", ignore_cleanup_errors=True) as scratch:
            plain = LexicalStore(Path(scratch), lexical.analyze)
            plain.apply(index.catalog, 0, 0)
            exact = not (marker := read_marker(lexical.folder)) or not marker.deleted
            for terms in _sample_terms(index.catalog, lexical.analyze):
                if not _alike(
                    lexical.search(terms, _NEIGHBOURS), plain.search(terms, _NEIGHBOURS), exact=exact
                ):
                    found.fail("lexical", "a ranked query gives other hits than it must", MEND)
                    return
            plain.close()
        found.note("lexical", f"{len(names)} chunks, ranked as they must be")
    except RagError as error:
        found.fail("lexical", str(error).split(";")[0], MEND)
    finally:
        lexical.close()


def _sample_terms(catalog: Catalog, analyze: Analyzer) -> Iterator[dict[str, float]]:
    ids = catalog.all_chunk_ids()
    step = max(1, len(ids) // _SAMPLE)
    for stored in catalog.chunks(ids[::step]).values():
        yield dict.fromkeys(analyze(stored.chunk.embedded_text)[:8], 1.0)


def _alike(found: list[tuple[str, float]], wanted: list[tuple[str, float]], *, exact: bool) -> bool:
    """Equal hits and scores; with dead entries in the statistics, at least the same best hit."""
    if exact:
        return [name for name, _ in found] == [name for name, _ in wanted] and all(
            abs(a - b) < _SAME * max(1.0, b) for (_, a), (_, b) in zip(found, wanted, strict=True)
        )
    return {name for name, _ in found[:1]} <= {name for name, _ in wanted}


def _stands(projection: Projection, catalog: Catalog, found: Examination, check: str) -> bool:
    """Whether a projection shows the present generation and its files are those that were sealed."""
    if is_current(projection, catalog, thorough=True):
        return True
    marker = read_marker(projection.folder)
    behind = marker is not None and marker.generation < catalog.generation
    told = "behind the catalogue" if behind else "missing, damaged or made otherwise"
    found.fail(check, f"it is {told} (the next search makes it anew, too)", MEND)
    return False


def check_dense(index: Index, found: Examination) -> None:
    """Every row against the catalogue's vector and text; then approximate against exact neighbours."""
    note = index.model()
    dense = DenseStore(index.place / CHROMA, note.signature if note else "")
    try:
        if note is None or not _stands(dense, index.catalog, found, "chroma"):
            return
        if not dense.can_be_read():
            found.fail("chroma", "its rows cannot all be read", MEND)
            return
        ids, vectors = index.catalog.all_vectors(note.signature)
        wrong = _wrong_rows(dense, ids, vectors)
        if wrong:
            told = f"{wrong} rows are missing, too many or other than the catalogue's"
            found.fail("chroma", told, MEND)
            return
        recall = _recall(dense, ids, vectors, measure_of(note.signature))
        told = f"{len(ids)} rows as in the catalogue; recall@{_NEIGHBOURS} {recall:.3f} of its graph"
        if recall < _LEAST_RECALL:
            found.fail("chroma", told, MEND)
        else:
            found.note("chroma", told)
    except RagError as error:
        found.fail("chroma", str(error).split(";")[0], MEND)
    finally:
        dense.close()


def _wrong_rows(dense: DenseStore, ids: list[str], vectors: NDArray[np.float32]) -> int:
    import numpy as np

    place = {name: row for row, name in enumerate(ids)}
    seen: set[str] = set()
    wrong = 0
    for names, rows in dense.rows():
        known = [i for i, name in enumerate(names) if name in place]
        wrong += len(names) - len(known)
        wanted = vectors[[place[names[i]] for i in known]]
        far = np.linalg.norm(rows[known] - wanted, axis=1) > _SAME * np.linalg.norm(wanted, axis=1)
        wrong += int(np.sum(far))
        seen.update(names[i] for i in known)
    return wrong + len(ids) - len(seen)


def _recall(dense: DenseStore, ids: list[str], vectors: NDArray[np.float32], measure: Measure) -> float:
    """Share of the exact nearest neighbours of a sample of chunks that whoever asks Chroma finds."""
    import numpy as np

    if not ids:
        return 1.0
    k = min(_NEIGHBOURS, len(ids))
    place = {name: row for row, name in enumerate(ids)}
    hits = total = 0
    for row in range(0, len(ids), max(1, len(ids) // _SAMPLE)):
        scores = np.concatenate(
            [
                closeness(measure, vectors[first : first + _SCAN], vectors[row])
                for first in range(0, len(ids), _SCAN)
            ]
        )
        kth = np.partition(scores, len(ids) - k)[len(ids) - k]
        least = kth - _ROUNDED * max(1.0, abs(kth))
        near = [place[name] for name in dense.look(vectors[row], k)[1]]
        hits += int(np.sum(scores[near] >= least))
        total += k
    return float(hits / total)


def _check_files(index: Index, found: Examination) -> None:
    stale = stale_files(index)
    if stale:
        told = f"gone, or of another size or time than when they were read: {len(stale)} ({stale[0]} …)"
        found.note("files", told, "rag index")
    else:
        found.note("files", "as they were read")
    if unfinished := index.catalog.unfinished():
        told = f"the last run over {', '.join(unfinished)} is under way or was stopped: not everything is in the index"
        found.note("run", told, "rag index")
    if is_remote(index.folder):
        told = "on another machine's disk: locks are as good as its server; keep one writer, or a local index"
        found.note("disk", told)


def _check_room(index: Index, found: Examination) -> None:
    idle, free = index.catalog.idle_vectors(), index.catalog.free_bytes()
    left = idle_editions(index.folder)
    told = []
    if left:
        told.append(f"{len(left)} unfinished editions")
    if idle and index.catalog.awaits_documents():
        found.note("room", f"{idle} vectors wait for their documents", "rag index")
    elif idle:
        told.append(f"{idle} vectors that no chunk uses now")
    contexts = index.catalog.contexts.idle()
    if contexts and not index.catalog.awaits_documents():
        told.append(f"{contexts} written contexts that no chunk uses now")
    if free > WORTH_GIVING_BACK:
        told.append(f"{free // 1_000_000} MB of empty space")
    if told:
        found.note("room", f"{', '.join(told)} to be given back", MEND)
