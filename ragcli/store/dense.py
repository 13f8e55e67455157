"""The dense projection: a Chroma collection of the chunks' vectors.

The collection is called ``chunks``, measures as the model asks (cosine, inner product or squared
Euclidean distance), and says of each chunk where it stands, so that any Chroma client can query it.
The texts stay in the catalogue: Chroma would index every three letters of them, which takes as long
as the graph and as much room again (``benchmarks/tried.md``). How it is opened lies in ``chroma``.
"""

from __future__ import annotations

import subprocess
import sys
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ragcli.aside import Answer, Aside
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
from ragcli.store.projection import marker_stamp
from ragcli.store.trouble import engine
from ragcli.types import place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]
    Vectors = NDArray[np.float32]

_T = TypeVar("_T")
# How many rows there are, and ids and distances of some.
Looked = tuple[int, list[str], list[float]]

COLLECTION = "chunks"
_NAME = "the Chroma collection"
_VERSION = 4
_BATCH = 2000
_WRITTEN = 400  # at once: meanwhile Chroma's engine holds Python's lock, and other threads wait
# One thread builds the graph the same way each time. A graph of twice the edges takes half as long
# again to make and to search; searched this widely, well over Chroma's default, which misses one exact
# neighbour in ten on hard vectors, one of these finds as much (``benchmarks.recall``).
_HNSW = {"ef_construction": 100, "max_neighbors": 16, "ef_search": 600, "num_threads": 1}
_SPACES: dict[Measure, str] = {"cosine": "cosine", "dot": "ip", "euclidean": "l2"}
# Rows that Chroma keeps in its log before it writes the graph: many while rows come in, and hardly
# any afterwards, because the log is replayed at each open and then written over by readers.
_WHILE_FILLING, _AT_REST = 1000, 2
# Deleted rows stay in Chroma's files for ever: with so many of them the collection is made anew.
_MOST_DELETED = 1000
# Among so many chunks at most a filtered search compares each with the question.
_COMPARED = 5000
# Chroma's distances come from the vectors it holds; further from the catalogue's, as a share of what
# lengths like theirs can give, they are others.
_SAME = 1e-3
_LAST_BITS = 1e-6  # of 1 less a product of short vectors


class DenseStore:
    """Chunks by their vectors."""

    def __init__(self, folder: Path, signature: str, ahead: Aside | None = None) -> None:
        self.folder = folder
        self._signature = signature
        self._measure = measure_of(signature)
        self._writer: Writer | None = None
        self._reader: Reader | None = None
        self._ahead = ahead  # see ``neighbours``
        self._first = True  # of what it is asked
        self._made: tuple[int, int] | None = None

    @property
    def form(self) -> str:
        return f"chroma:{_VERSION}:{self._signature}"

    @property
    def recipe(self) -> None:
        return None

    def close(self) -> None:
        """Make Chroma let go of the folder."""
        if self._ahead is not None:
            self._ahead.close()
        if isinstance(self._writer, ClientWriter) or isinstance(self._reader, ClientReader):
            forget_clients()
        self._writer = self._reader = self._ahead = None

    def is_whole(self, catalog: Catalog) -> bool:  # noqa: ARG002
        made = marker_stamp(self.folder)
        if self._made not in (None, made):
            self.close()  # what is open never sees what another process wrote
        self._made = made
        engine_file = self.folder / "chroma.sqlite3"
        try:
            with engine_file.open("rb") as file:
                return file.read(16) == b"SQLite format 3\0"
        except OSError:
            return False

    def apply(self, catalog: Catalog, since: int, deleted: int) -> int | None:
        self.close()  # what was opened before may show less than another process wrote since
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

    def settle(self) -> list[Path]:
        """Have the log written into the graph, whose files no reader touches then.

        Chroma's own database is left out: whoever opens it writes into it. Counts and distances
        tell, at each search, whether it is right.
        """
        with engine(_NAME, making=True):
            self._writing(create=False).write_graph_after(_AT_REST)
            reader = self._reading()
            for vector in reader.rows(1).vectors:
                reader.nearest(vector.tolist(), 1)
            self.close()
        # A graph that was never written (of one row or two) is made anew by whoever reads it.
        written = [path.parent for path in self.folder.glob("*/index_metadata.pickle")]
        return [path for folder in written for path in sorted(folder.iterdir())]

    def search(
        self, catalog: Catalog, vector: Vector, limit: int, within: Collection[str] | None = None
    ) -> list[tuple[str, float]]:
        """Ids and exact scores of the chunks nearest to a vector of shape (dim,), nearest first.

        A score is a cosine, a dot product or a distance below zero, as the model asks. Chroma finds
        the neighbours; the catalogue's vectors score them. ``within`` names the chunks that may be
        found: few are compared one by one, of many Chroma is asked for more. Raises
        ``IndexDamaged`` when Chroma cannot answer, or holds other rows or vectors than the
        catalogue.
        """
        if within is None:
            told = self._told(catalog, vector, limit)
            return self._nearest(catalog, vector, limit) if told is None else told
        if len(within) > _COMPARED:
            total, fetch = catalog.chunk_count, 2 * limit
            while fetch < total:
                kept = [hit for hit in self._nearest(catalog, vector, fetch) if hit[0] in within]
                if len(kept) >= limit:
                    return kept[:limit]
                fetch *= 4
        few = sorted(within)
        if not few:
            return []
        return in_order(few, closeness(self._measure, catalog.vectors_of(few, self._signature), vector))[
            :limit
        ]

    def _nearest(self, catalog: Catalog, vector: Vector, limit: int) -> list[tuple[str, float]]:
        return self._judged(catalog, vector, limit, self.look(vector.tolist(), limit))

    def look(self, vector: list[float], limit: int) -> Looked:
        """How many rows there are, and ids and distances of the nearest."""
        with engine(_NAME):
            reader = self._reading()
            count = reader.count
            near, distances = reader.nearest(vector, min(limit, count)) if count else ([], [])
            return count, near, distances

    def _judged(
        self, catalog: Catalog, vector: Vector, limit: int, looked: Looked
    ) -> list[tuple[str, float]]:
        """What Chroma found, held against the catalogue and scored by it."""
        total = catalog.chunk_count
        count, near, distances = looked
        if not count and not total:
            return []
        if count != total or len(near) != min(limit, count):
            raise _contradiction()
        try:
            vectors = catalog.vectors_of(near, self._signature)
        except IndexDamaged:
            if catalog.has_chunks(near):
                raise
            raise _contradiction() from None
        scores = closeness(self._measure, vectors, vector)
        if not _agree(self._measure, distances, scores, vectors, vector):
            raise _contradiction()
        return in_order(near, scores)

    def foresee(self, vector: Vector, limit: int) -> None:
        """Say that a search for a vector in all chunks comes next: another process may begin with it."""
        if self._ahead is not None and self._reader is None:
            self._ahead.foresee(self._asked(vector, limit))

    def _told(self, catalog: Catalog, vector: Vector, limit: int) -> list[tuple[str, float]] | None:
        """What another process finds that has the collection open; None where there is none.

        The first time it only looks: it is awaited, and would have to load what judges. Afterwards it
        judges, too.
        """
        if self._ahead is None or self._reader is not None:
            return None
        told = self._ahead.ask(self._asked(vector, limit))
        if told is None:
            return None
        first, self._first = self._first, False
        if first:
            return self._judged(catalog, vector, limit, (told[0], told[1], told[2]))
        return [(chunk, score) for chunk, score in told]

    def _asked(self, vector: Vector, limit: int) -> list[Any]:
        """A search as another process is asked for it: see ``neighbours``."""
        return [list(self._made or ()), self._signature, vector.tobytes().hex(), limit, self._first]

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


def neighbours(folder: Path, catalog: Path) -> Answer:
    """What a process beside this one answers of the collection in a folder, which nobody may be writing.

    It is asked for the marker and the signature that it should have seen, a vector as hexadecimal
    digits, a number of rows, and whether it is only to look. Its answer is that of ``look`` or of
    ``DenseStore.search``, or None where it has seen others.
    """
    made = list(marker_stamp(folder) or ())
    opened: list[Catalog] = []
    looking = DenseStore(folder, "")
    with engine(_NAME):
        _ = looking._reading().count  # reads the graph

    def answer(question: Any) -> Any:
        seen, signature, digits, limit, only_look = question
        if not made or seen != made:
            return None
        if only_look:
            return looking.look(array("f", bytes.fromhex(digits)).tolist(), limit)
        import numpy as np

        if not opened:
            opened.append(Catalog.open(catalog))
        if opened[0].get("signature") != signature:
            return None
        store = DenseStore(folder, signature)
        store._reader = looking._reader
        return store.search(opened[0], np.frombuffer(bytes.fromhex(digits), dtype=np.float32), limit)

    return answer


def read_everything(folder: str) -> None:
    """Read all rows of the collection in a folder, and search with the first."""
    store = DenseStore(Path(folder), "")
    for _, vectors in store.rows():
        store._reading().nearest(vectors[0].tolist(), 1)


class ScanStore:
    """Chunks by their vectors, straight from the catalogue: for an index that cannot be written.

    Chroma writes where it reads. A scan costs time in step with the number of chunks, and is exact.
    """

    def __init__(self, signature: str) -> None:
        self._signature = signature

    def foresee(self, vector: Vector, limit: int) -> None:
        """Nothing is to be gained by knowing a search before it is asked."""

    def search(
        self, catalog: Catalog, vector: Vector, limit: int, within: Collection[str] | None = None
    ) -> list[tuple[str, float]]:
        """Ids and exact scores of the chunks nearest to a vector of shape (dim,), nearest first."""
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
