"""The dense projection: a Chroma collection of the chunks' vectors.

The collection is called ``chunks``, measures as the model asks (cosine, inner product or squared
Euclidean distance), and says of each chunk where it stands, so that any Chroma client can query it.
The texts stay in the catalogue: Chroma would index every three letters of them, which takes as long
as the graph and as much room again (``benchmarks/tried.md``). How it is opened lies in ``chroma``, how
its vectors are searched without opening it in ``segment``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ragcli.catalog import Catalog, StoredChunk
from ragcli.embed import Measure, closeness, measure_of
from ragcli.errors import IndexDamaged
from ragcli.store.chroma import (
    ClientReader,
    ClientWriter,
    Reader,
    Writer,
    forget_clients,
    open_reader,
    open_writer,
)
from ragcli.store.projection import is_current, marker_stamp
from ragcli.store.segment import ORDER, Segment, open_segment, write_order
from ragcli.store.trouble import engine
from ragcli.types import place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]
    Vectors = NDArray[np.float32]
    Rows = NDArray[np.int64]

_T = TypeVar("_T")
Looked = tuple[int, list[str], list[float]]

COLLECTION = "chunks"
_NAME = "the Chroma collection"
_VERSION = 5
_BATCH = 2000
_WRITTEN = 400  # at once: meanwhile Chroma's engine holds Python's lock, and other threads wait
# Whoever searches through Chroma uses the graph. One thread builds it the same way each time. One of
# twice the edges takes half as long again to make and to search; searched this widely, well over Chroma's
# default, which misses one exact neighbour in ten on hard vectors, this finds as much (``benchmarks.recall``).
_HNSW = {"ef_construction": 100, "max_neighbors": 16, "ef_search": 600, "num_threads": 1}
_SPACES: dict[Measure, str] = {"cosine": "cosine", "dot": "ip", "euclidean": "l2"}
# Rows that Chroma keeps in its log before it writes the graph: many while rows come in, and hardly
# any afterwards, because the log is replayed at each open and then written over by readers.
_WHILE_FILLING, _AT_REST = 1000, 2
# Deleted rows stay in Chroma's files for ever: with so many of them the collection is made anew.
_MOST_DELETED = 1000
# So many chunks at most a filtered search reads one by one.
_COMPARED = 5000
# Questions whose vectors are compared with all others in one go.
_TOGETHER = 64
# Rows whose vectors are held against the catalogue's: of those found, and of all when they were written.
_PROVEN, _TRIED = 10, 2000
# Chroma's vectors may be rounded otherwise than the catalogue's; further from them, as a share of their
# length, they are others, and so are distances, as a share of what lengths like theirs can give.
_SAME = 1e-3
_LAST_BITS = 1e-6  # of 1 less a product of short vectors


class DenseStore:
    """Chunks by their vectors."""

    def __init__(self, folder: Path, signature: str) -> None:
        self.folder = folder
        self._signature = signature
        self._measure = measure_of(signature)
        self._writer: Writer | None = None
        self._reader: Reader | None = None
        self._segment: Segment | None = None
        self._ahead: dict[tuple[bytes, int], Rows] = {}  # what was found for questions to come
        self._within: tuple[Collection[str], Rows] | None = None  # some chunks, and their rows
        self._made: tuple[int, int] | None = None

    @property
    def form(self) -> str:
        return f"chroma:{_VERSION}:{self._signature}"

    @property
    def recipe(self) -> None:
        return None

    def close(self) -> None:
        """Make Chroma let go of the folder."""
        if isinstance(self._writer, ClientWriter) or isinstance(self._reader, ClientReader):
            forget_clients()
        self._writer = self._reader = self._segment = None
        self._within = None
        self._ahead.clear()

    def is_whole(self, catalog: Catalog) -> bool:  # noqa: ARG002
        made = marker_stamp(self.folder)
        if made != self._made:
            self.close()  # what is open never sees what another process wrote
        self._made = made
        if made is None:  # discarded just now
            return False
        engine_file = self.folder / "chroma.sqlite3"
        try:
            with engine_file.open("rb") as file:
                return file.read(16) == b"SQLite format 3\0"
        except OSError:
            return False

    def apply(self, catalog: Catalog, since: int, deleted: int) -> int | None:
        self.close()  # what was opened before may show less than another process wrote since
        (self.folder / ORDER).unlink(missing_ok=True)
        gone = catalog.gone_since(since) if since else []
        deleted += len(gone)
        if deleted > catalog.chunk_count + _MOST_DELETED:
            return None
        with engine(_NAME, making=not since):
            writer = self._writing(create=not since)
            if since:
                writer.write_graph_after(_WHILE_FILLING)
            for ids in _batches(gone):
                writer.delete(ids)
            for batch in _batches(catalog.chunks_since(since), _WRITTEN):
                ids = [stored.chunk.id for stored in batch]
                vectors = catalog.vectors_of(ids, self._signature)
                writer.put(ids, vectors, [_metadata(stored) for stored in batch])
        # A process that stays open must not go on with what it read before.
        self.close()
        return deleted

    def settle(self, catalog: Catalog) -> list[Path]:
        """Have the log written into the graph, whose files no reader touches then.

        Chroma's own database is left out: whoever opens it writes into it. Counts and distances
        tell, at each search, whether it is right.
        """
        with engine(_NAME, making=True):
            writer = self._writing(create=False)
            writer.write_graph_after(_AT_REST)
            some = catalog.chunks_by_prefix("", 1)
            # What is left in the log may be less than makes Chroma write: a row is put there again.
            for vector in catalog.vectors_of(some, self._signature) if some else ():
                for _ in range(_AT_REST):
                    writer.put(some, vector[None])
            self.close()
            order = write_order(self.folder)
            if order is not None and not self._is_told_right(catalog):
                order.unlink()
        graphs = [path.parent for path in self.folder.glob("*/index_metadata.pickle")]
        files = [path for graph in graphs for path in sorted(graph.iterdir())]
        return [*files, *self.folder.glob(ORDER)]

    def _is_told_right(self, catalog: Catalog) -> bool:
        """Whether the rows as they were noted are the catalogue's chunks, and a sample has their vectors."""
        segment = open_segment(self.folder, self._measure)
        if segment is None:
            return False
        names = segment.names(segment.alive)
        if len(names) != catalog.chunk_count or not catalog.has_chunks(names):
            return False
        some = segment.alive[:: max(1, len(names) // _TRIED)]
        return not len(some) or _alike(
            segment.vectors(some), catalog.vectors_of(segment.names(some), self._signature)
        )

    def search(
        self,
        catalog: Catalog,
        vector: Vector,
        limit: int,
        within: Collection[str] | None = None,
        upcoming: Sequence[Vector] = (),
    ) -> list[tuple[str, float]]:
        """Ids and exact scores of the chunks nearest to a vector of shape (dim,), nearest first.

        A score is a cosine, a dot product or a distance below zero, as the model asks. All of Chroma's
        vectors are compared; where its files are not at rest, or not known, its engine is asked for
        neighbours, which the catalogue's vectors score. ``within`` names the chunks that may be found,
        ``upcoming`` are vectors of searches that come next. Raises ``IndexDamaged`` when Chroma cannot
        answer, or holds other rows or vectors than the catalogue.
        """
        if (segment := self.segment()) is not None:
            return self._compared(segment, catalog, vector, limit, within, upcoming)
        if within is None:
            return self._judged(catalog, vector, limit, self.look(vector, limit))
        if len(within) > _COMPARED:
            total, fetch = catalog.chunk_count, 2 * limit
            while fetch < total:
                found = self._judged(catalog, vector, fetch, self.look(vector, fetch))
                kept = [hit for hit in found if hit[0] in within]
                if len(kept) >= limit:
                    return kept[:limit]
                fetch *= 4
        few = sorted(within)
        if not few:
            return []
        scores = closeness(self._measure, catalog.vectors_of(few, self._signature), vector)
        return in_order(few, scores)[:limit]

    def segment(self) -> Segment | None:
        """Chroma's vectors, to be compared without its engine; None where they cannot be."""
        if self._segment is None and self._reader is None:
            with engine(_NAME):
                self._segment = open_segment(self.folder, self._measure)
        return self._segment

    def look(self, vector: Vector, limit: int) -> Looked:
        """What Chroma's engine finds in its graph: how many rows there are, and ids and distances of some."""
        with engine(_NAME):
            reader = self._reading()
            count = reader.count
            near, distances = reader.nearest(vector.tolist(), min(limit, count)) if count else ([], [])
            return count, near, distances

    def _compared(
        self,
        segment: Segment,
        catalog: Catalog,
        vector: Vector,
        limit: int,
        within: Collection[str] | None,
        upcoming: Sequence[Vector],
    ) -> list[tuple[str, float]]:
        """What comparing the vector with Chroma's finds, those that come next with it."""
        import numpy as np

        there = len(segment.alive if within is None else within)
        with engine(_NAME):
            if within is None:
                rows = self._nearest_of(segment, vector, limit, upcoming)
            else:
                if self._within is None or self._within[0] is not within:  # a batch asks for the same ones
                    self._within = within, segment.rows_of(within)
                rows = self._within[1]
                if len(rows) > _COMPARED:
                    rows = segment.nearest(vector[None], limit, rows)[0]
            vectors, names = segment.vectors(rows), segment.names(rows)
        with np.errstate(all="ignore"):  # damage may look like any number
            scores = closeness(self._measure, vectors, vector)
            if not np.isfinite(scores).all():
                raise _contradiction()
            best = in_order(names, scores)[:limit]
            # What stands first is held against the catalogue; all was when it was written, and is sealed.
            first = [name for name, _ in best[:_PROVEN]]
            place = {name: row for row, name in enumerate(names)}
            proven = vectors[[place[name] for name in first]]
            whole = len(segment.alive) == catalog.chunk_count and len(best) >= min(limit, there)
            if not whole or (first and not _alike(proven, self._vectors_of(catalog, first))):
                raise _contradiction()
        return best

    def _nearest_of(self, segment: Segment, vector: Vector, limit: int, upcoming: Sequence[Vector]) -> Rows:
        """The rows nearest to a vector of all; those of vectors that come next are found with it."""
        import numpy as np

        key = vector.tobytes(), limit
        if key not in self._ahead:
            together = [vector, *upcoming[: _TOGETHER - 1]]
            found = segment.nearest(np.stack(together), limit)
            self._ahead = {(each.tobytes(), limit): rows for each, rows in zip(together, found, strict=True)}
        return self._ahead[key]

    def _vectors_of(self, catalog: Catalog, names: list[str]) -> Vectors:
        """The catalogue's vectors of chunks that Chroma names."""
        try:
            return catalog.vectors_of(names, self._signature)
        except IndexDamaged:
            if catalog.has_chunks(names):
                raise
            raise _contradiction() from None

    def _judged(
        self, catalog: Catalog, vector: Vector, limit: int, looked: Looked
    ) -> list[tuple[str, float]]:
        """What Chroma's engine found, held against the catalogue and scored by it."""
        total = catalog.chunk_count
        count, near, distances = looked
        if not count and not total:
            return []
        if count != total or len(near) != min(limit, count):
            raise _contradiction()
        vectors = self._vectors_of(catalog, near)
        scores = closeness(self._measure, vectors, vector)
        if not _agree(self._measure, distances, scores, vectors, vector):
            raise _contradiction()
        return in_order(near, scores)

    def rows(self) -> Iterator[tuple[list[str], Vectors]]:
        """Everything that the collection holds, in batches: ids, and vectors of shape (n, dim)."""
        with engine(_NAME):
            reader = self._reading()
            for offset in range(0, reader.count, _BATCH):
                yield reader.rows(_BATCH, offset)

    def can_be_read(self) -> bool:
        """Whether a process of its own can read every row and search: damage may end whoever meets it."""
        code = "import sys; from ragcli.store.dense import read_everything; read_everything(sys.argv[1])"
        silent: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        done = subprocess.run([sys.executable, "-c", code, str(self.folder)], check=False, **silent)  # noqa: S603  # ourselves
        return done.returncode == 0

    def _reading(self) -> Reader:
        """The collection, to be read."""
        with engine(_NAME):
            if self._writer is not None:
                self.close()
            if self._reader is None:
                self._reader = open_reader(self.folder, COLLECTION)
            return self._reader

    def _writing(self, *, create: bool) -> Writer:
        """The collection, to be written."""
        with engine(_NAME, making=create):
            if self._reader is not None:
                self.close()
            if self._writer is None:
                made = _HNSW | {"space": _SPACES[self._measure], "sync_threshold": _WHILE_FILLING}
                self._writer = open_writer(self.folder, COLLECTION, made if create else None)
            return self._writer


def read_everything(folder: str) -> None:
    """Read all rows of the collection in a folder, and search with the first."""
    store = DenseStore(Path(folder), "")
    for _, vectors in store.rows():
        store._reading().nearest(vectors[0].tolist(), 1)


class ScanStore:
    """Chunks by their vectors, for an index that cannot be written: Chroma's engine writes where it reads.

    Chroma's vectors are compared as they lie, or else, which takes longer, the catalogue's.
    """

    def __init__(self, folder: Path, signature: str) -> None:
        self._signature = signature
        self._dense = DenseStore(folder, signature)

    def search(
        self,
        catalog: Catalog,
        vector: Vector,
        limit: int,
        within: Collection[str] | None = None,
        upcoming: Sequence[Vector] = (),
    ) -> list[tuple[str, float]]:
        """Ids and exact scores of the chunks nearest to a vector of shape (dim,), nearest first."""
        if is_current(self._dense, catalog) and self._dense.segment() is not None:
            return self._dense.search(catalog, vector, limit, within, upcoming)
        ids, vectors = catalog.all_vectors(self._signature)
        found = in_order(ids, closeness(measure_of(self._signature), vectors, vector)) if ids else []
        return [hit for hit in found if within is None or hit[0] in within][:limit]


def _agree(
    measure: Measure, distances: Sequence[float], scores: Vector, vectors: Vectors, vector: Vector
) -> bool:
    """Whether Chroma's distances to a vector are those that the catalogue's vectors give."""
    import numpy as np

    lengths, length = np.linalg.norm(vectors, axis=1), np.linalg.norm(vector)
    if measure == "euclidean":
        wanted, most = scores**2, lengths**2 + length**2
    else:
        wanted, most = 1 - scores, lengths * length
    return bool(np.all(np.abs(np.asarray(distances) - wanted) <= _SAME * most + _LAST_BITS))


def _alike(vectors: Vectors, wanted: Vectors) -> bool:
    """Whether vectors (n, dim) are those that are wanted."""
    import numpy as np

    far = np.linalg.norm(vectors - wanted, axis=1)
    return bool(np.all(far <= _SAME * np.linalg.norm(wanted, axis=1) + _LAST_BITS))


def in_order(ids: Sequence[str], scores: Vector) -> list[tuple[str, float]]:
    """Pairs of id and score, best first, ties in the order of ids.

    Six decimals are kept, and seven digits of long numbers: single precision tells no more.
    """
    import numpy as np

    rounded = np.round(np.asarray(scores, dtype=np.float64), 6)
    if len(rounded) and np.abs(rounded).max() >= 10:
        rounded = np.array([float(f"{score:.7g}") for score in rounded.tolist()])
    return sorted(zip(ids, rounded.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))


def _contradiction() -> IndexDamaged:
    return IndexDamaged(f"{_NAME} does not hold what the catalogue holds; run `rag doctor --repair`")


def _batches(items: Iterable[_T], size: int = _BATCH) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _metadata(stored: StoredChunk) -> dict[str, str | int]:
    """What a Chroma client is told of a chunk: one value, as each takes about as long to write as the vector."""
    chunk = stored.chunk
    return {"source": place(chunk.document, chunk.page, chunk.lines, chunk.page_label)}
