"""``rag doctor``: every part of an index against the others and the files.

The catalogue is checked by itself, the projections against the catalogue, and the files against
what was read of them. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ragcli.analyze import analyze
from ragcli.catalog import Catalog, content_hash
from ragcli.disk import is_remote, is_writable
from ragcli.embed import find_model, open_embedder, weights_hash
from ragcli.errors import IndexDamaged, IndexMismatch, IndexMissing, ModelUnavailable, RagError
from ragcli.locks import reading
from ragcli.pipeline.editions import (
    CATALOG,
    CHROMA,
    LEXICAL,
    idle_editions,
)
from ragcli.pipeline.index import Index
from ragcli.pipeline.inspect import stale_files
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
_LEAST_RECALL = 0.95
# How far a stored value may lie from what it is compared with.
_SAME = 1e-3
WORTH_GIVING_BACK = 1_000_000  # bytes
_SCAN = 4096  # rows of vectors compared at a time

MEND = "rag doctor --repair"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. ``ok`` False is damage; ``mend`` names the command that helps, if one is needed."""

    check: str
    ok: bool
    message: str
    mend: str | None = None


@dataclass(slots=True)
class Examination:
    """All findings, and what a repair did."""

    findings: list[Finding] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is damaged."""
        return all(finding.ok for finding in self.findings)

    def note(self, check: str, message: str, *, ok: bool = True, mend: str | None = None) -> None:
        """Add a finding."""
        self.findings.append(Finding(check, ok, message, mend))


def examine(folder: Path, settings: Settings, *, tell: Callable[[str], None]) -> Examination:
    """Look at every part; nothing is changed. Raises ``IndexMissing`` where there is no index."""
    found = Examination()
    with ExitStack() as held:
        try:
            index = held.enter_context(Index.open(folder, settings))
        except (IndexDamaged, IndexMissing) as error:
            _check_lost(folder, found, error)
            return found
        tell("comparing catalogue, lexical index and Chroma")
        held.enter_context(reading(folder, settings.wait))
        _check_catalog(index, found)
        if found.ok:
            _check_vectors(index, found)
            _check_model(index, found)
            if is_writable(index.place):
                check_lexical(index, found)
                check_dense(index, found)
            else:
                found.note("stores", "not compared: they lie in a folder that cannot be written")
        _check_files(index, found)
        _check_room(index, found)
    return found


# -- checks ------------------------------------------------------------------------------------------


def _check_lost(folder: Path, found: Examination, error: RagError) -> None:
    """No catalogue can be opened: is there anything of an index at all?"""
    if isinstance(error, IndexMissing) and not has_remains(folder):
        raise error
    found.note("catalogue", str(error).split(";")[0], ok=False, mend=MEND)


def has_remains(folder: Path) -> bool:
    """Whether anything of an index lies in the folder."""
    return any((folder / name).exists() for name in ("editions", "editions.json", CATALOG, CHROMA, LEXICAL))


def _check_catalog(index: Index, found: Examination) -> None:
    for problem in index.catalog.problems():
        found.note("catalogue", problem, ok=False, mend=MEND)
    lost = wrong_chunks(index.catalog)
    if lost:
        found.note(
            "catalogue",
            f"{len(lost)} documents have chunks that are not in their text ({lost[0]} …)",
            ok=False,
            mend=f"{MEND}, then rag index",
        )
    if found.ok:
        counts = index.catalog.counts()
        found.note("catalogue", f"{counts['documents']} documents, {counts['chunks']} chunks, sound")


def wrong_chunks(catalog: Catalog) -> list[str]:
    """Documents with a chunk whose text is not the one that its vector was made of."""
    wrong = []
    for name, _, _ in catalog.document_names():
        for stored, content in catalog.contents_of(name):
            if not stored.chunk.text or content_hash(stored.chunk.embedded_text) != content:
                wrong.append(name)
                break
    return wrong


def _check_vectors(index: Index, found: Examination) -> None:
    note = index.model()
    if note is None:
        return
    lacking, bad = _unusable(index)
    if lacking or bad:
        found.note(
            "vectors",
            f"{lacking} chunks have no vector and {bad} one that cannot be",
            ok=False,
            mend=f"{MEND}, then rag index, which embeds {lacking + bad} texts",
        )
    else:
        found.note("vectors", f"one for every chunk, of {note.dimensions} dimensions and unit length")


def _unusable(index: Index) -> tuple[int, int]:
    """Numbers of chunks without a vector, and with one of another length or norm."""
    note = index.model()
    lacking = bad = 0
    for _, _, blob in index.catalog.vector_blobs(note.signature if note else ""):
        if blob is None:
            lacking += 1
        elif not is_vector(blob, note.dimensions if note else 0):
            bad += 1
    return lacking, bad


def is_vector(blob: bytes, dimensions: int) -> bool:
    import numpy as np

    if len(blob) != 4 * dimensions:
        return False
    return abs(float(np.linalg.norm(np.frombuffer(blob, dtype=np.float32))) - 1) < _SAME


def _check_model(index: Index, found: Examination) -> None:
    note = index.model()
    if note is None:
        return
    try:
        files = find_model(note.spec)
        if files.folder is not None and weights_hash(files.folder)[:16] not in note.signature:
            raise IndexMismatch(f"{note.spec} has other weights than those the index was made with")
        embedder = open_embedder(note.spec, offline=index.settings.offline)
        if embedder.signature != note.signature:
            raise IndexMismatch(
                f"the index was made with {note.signature}; {note.spec} is {embedder.signature}"
            )
        index.prove(embedder)
    except IndexMismatch as error:
        mend = f"rag index --model {note.spec}"
        found.note("model", str(error).split(";")[0], ok=False, mend=mend)
    except ModelUnavailable as error:
        found.note("model", str(error).split(";")[0], ok=False, mend=f"bring {note.spec} back")
    else:
        found.note("model", f"{note.spec} makes the vectors that are stored")


def check_lexical(index: Index, found: Examination) -> None:
    """A ranked query for each of a sample of chunks, here and in an index made for the purpose."""
    lexical = LexicalStore(index.place / LEXICAL)
    try:
        if not _stands(lexical, index.catalog, found, "lexical"):
            return
        names = lexical.names()
        chunks = set(index.catalog.all_chunk_ids())
        if names != chunks:
            told = f"it lacks {len(chunks - names)} chunks and has {len(names - chunks)} too many"
            found.note("lexical", told, ok=False, mend=MEND)
            return
        with TemporaryDirectory(prefix="rag-", ignore_cleanup_errors=True) as scratch:
            plain = LexicalStore(Path(scratch))
            plain.apply(index.catalog, 0, 0)
            exact = not (marker := read_marker(lexical.folder)) or not marker.deleted
            for terms in _sample_terms(index.catalog):
                if not _alike(
                    lexical.search(terms, _NEIGHBOURS), plain.search(terms, _NEIGHBOURS), exact=exact
                ):
                    found.note("lexical", "a ranked query gives other hits than it must", ok=False, mend=MEND)
                    return
            plain.close()
        found.note("lexical", f"{len(names)} chunks, ranked as they must be")
    except RagError as error:
        found.note("lexical", str(error).split(";")[0], ok=False, mend=MEND)
    finally:
        lexical.close()


def _sample_terms(catalog: Catalog) -> Iterator[list[str]]:
    ids = catalog.all_chunk_ids()
    step = max(1, len(ids) // _SAMPLE)
    for stored in catalog.chunks(ids[::step]).values():
        yield analyze(stored.chunk.embedded_text)[:8]


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
    found.note(check, f"it is {told}", ok=False, mend=f"{MEND}, or the next search")
    return False


def check_dense(index: Index, found: Examination) -> None:
    """Every row against the catalogue's vector and text; then approximate against exact neighbours."""
    note = index.model()
    dense = DenseStore(index.place / CHROMA, note.signature if note else "")
    try:
        if note is None or not _stands(dense, index.catalog, found, "chroma"):
            return
        if not dense.can_be_read():
            found.note("chroma", "its rows cannot all be read", ok=False, mend=MEND)
            return
        ids, vectors = index.catalog.all_vectors(note.signature)
        wrong = _wrong_rows(index.catalog, dense, ids, vectors)
        if wrong:
            found.note(
                "chroma",
                f"{wrong} rows are missing, too many or other than the catalogue's",
                ok=False,
                mend=MEND,
            )
            return
        recall = _recall(index.catalog, dense, ids, vectors)
        told = f"{len(ids)} rows as in the catalogue; recall@{_NEIGHBOURS} {recall:.3f} against exact search"
        found.note("chroma", told, ok=recall >= _LEAST_RECALL, mend=None if recall >= _LEAST_RECALL else MEND)
    except RagError as error:
        found.note("chroma", str(error).split(";")[0], ok=False, mend=MEND)
    finally:
        dense.close()


def _wrong_rows(catalog: Catalog, dense: DenseStore, ids: list[str], vectors: NDArray[np.float32]) -> int:
    import numpy as np

    place = {name: row for row, name in enumerate(ids)}
    seen: set[str] = set()
    wrong = 0
    for names, rows, texts in dense.rows():
        known = [i for i, name in enumerate(names) if name in place]
        wrong += len(names) - len(known)
        stored = catalog.chunks([names[i] for i in known])
        far = np.abs(rows[known] - vectors[[place[names[i]] for i in known]]).max(axis=1, initial=0.0) > _SAME
        other = [stored[names[i]].chunk.text != texts[i] for i in known]
        wrong += int(np.sum(far | np.asarray(other, dtype=bool)))
        seen.update(names[i] for i in known)
    return wrong + len(ids) - len(seen)


def _recall(catalog: Catalog, dense: DenseStore, ids: list[str], vectors: NDArray[np.float32]) -> float:
    """Share of the exact nearest neighbours of a sample of chunks that an approximate search finds."""
    import numpy as np

    if not ids:
        return 1.0
    k = min(_NEIGHBOURS, len(ids))
    hits = total = 0
    for row in range(0, len(ids), max(1, len(ids) // _SAMPLE)):
        cosines = np.concatenate(
            [vectors[first : first + _SCAN] @ vectors[row] for first in range(0, len(ids), _SCAN)]
        )
        least = np.partition(cosines, len(ids) - k)[len(ids) - k] - 1e-5
        found = dense.search(catalog, vectors[row], k)
        hits += sum(cosine >= least for _, cosine in found)
        total += k
    return float(hits / total)


def _check_files(index: Index, found: Examination) -> None:
    stale = stale_files(index)
    if stale:
        told = f"{len(stale)} files changed or vanished since they were read ({stale[0]} …)"
        found.note("files", told, mend="rag index")
    else:
        found.note("files", "as they were read")
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
        found.note("room", f"{idle} vectors wait for their documents", mend="rag index")
    elif idle:
        told.append(f"{idle} vectors that no chunk uses now")
    if free > WORTH_GIVING_BACK:
        told.append(f"{free // 1_000_000} MB of empty space")
    if told:
        found.note("room", ", ".join(told), mend=f"{MEND} gives it back")
