"""The vectors of a Chroma collection, read where its engine keeps them, and all of them compared.

The engine reads a graph as a whole before it answers, which takes longer than everything else of a
search in a fresh process, and what it then finds is not quite the nearest. One look at every vector
takes a fraction of that, is exact, and holds one block in memory. The file is hnswlib's level 0
(``saveIndex`` in its ``hnswalg.h``), one row a vector: links, vector, label. Which chunk a label is
stands in a pickle of the engine's, whose entries are picked out and never run; their order is kept
in a file of ours once nothing is written any more. Whoever searches holds what is found against the
catalogue: a wrong row is noticed.
"""

from __future__ import annotations

import os
import re
import struct
import sys
from collections.abc import Container, Iterator
from dataclasses import dataclass
from io import FileIO
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from ragcli.cores import usable_cores
from ragcli.embed import Measure
from ragcli.errors import IndexDamaged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]
    Vectors = NDArray[np.float32]
    Rows = NDArray[np.int64]

ORDER = "order.bin"
_WIDTH = 16  # bytes of a chunk's id
# Version, offset of level 0, most rows, rows, bytes a row, offset of label and of vector, top level and its
# entrance, links a row on the levels above, on level 0 and as set, a factor, ``ef_construction``.
_HEADER = struct.Struct("<i6QiI3QdQ")
_KNOWN = 1
_LABEL = 8
_MARKS = 2  # the byte of a row whose first bit says that it was deleted
# The entries of the engine's map from ids to labels, which come in groups: a string and a number each.
_GROUP = re.compile(rb"\(((?:X\x10\0\0\0[0-9a-f]{16}J.{4})+)u", re.DOTALL)
_BEGIN, _END = b"X\x0b\0\0\0id_to_label}", b"X\x0b\0\0\0label_to_id"
_BLOCK = 2 << 20  # bytes read at once: what a core keeps near
_SHARED = 20_000  # rows from which on two threads are sooner done than one
_MOST_THREADS = 4
_TIE = 1e-6  # scores as near as this, as a share of their size, may be each other's
_SLACK = 4  # candidates kept for each that is wanted, before the worst are let go


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things stand in the rows of a file."""

    rows: int
    size: int
    label: int
    vector: int

    @property
    def dimensions(self) -> int:
        return (self.label - self.vector) // 4


def write_order(folder: Path) -> Path | None:
    """Note which chunk each row of the collection in a folder is, and where that is noted.

    None where the engine's files are other than they are known to be, or not yet written.
    """
    import numpy as np

    files = _graph_of(folder)
    layout = files and _layout_of(files)
    if not files or not layout:
        return None
    told = (files / "index_metadata.pickle").read_bytes()
    told = told[told.find(_BEGIN) + len(_BEGIN) : told.find(_END)]
    entry = np.dtype([("sign", "S5"), ("id", f"S{_WIDTH}"), ("kind", "S1"), ("label", "<i4")])
    groups = [np.frombuffer(group, dtype=entry) for group in _GROUP.findall(told)]
    known = np.concatenate(groups) if groups else np.empty(0, dtype=entry)
    labels = np.empty(layout.rows, dtype=np.int64)
    gone = np.empty(layout.rows, dtype=bool)
    for first, block in _blocks(files / "data_level0.bin", layout, 0, layout.rows):
        last = first + len(block)
        labels[first:last] = block[:, layout.label :].copy().view("<u8")[:, 0]
        gone[first:last] = block[:, _MARKS] & 1
    place = np.argsort(labels)
    at = np.searchsorted(labels, known["label"], sorter=place)
    if len(known) != layout.rows - gone.sum() or (at == layout.rows).any():
        return None
    rows = place[at]
    if (labels[rows] != known["label"]).any() or gone[rows].any() or len(np.unique(rows)) != len(rows):
        return None
    order = np.zeros(layout.rows, dtype=f"S{_WIDTH}")
    order[rows] = known["id"]
    path = folder / ORDER
    path.write_bytes(order.tobytes())
    return path


def open_segment(folder: Path, measure: Measure) -> Segment | None:
    """The vectors of the collection in a folder; None where its rows were not noted.

    Raises ``IndexDamaged`` where they were, and the engine's files are others: it would not survive all of them.
    """
    import numpy as np

    try:
        order = np.frombuffer((folder / ORDER).read_bytes(), dtype=f"S{_WIDTH}")
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise _other() from None
    files = _graph_of(folder)
    layout = files and _layout_of(files)
    if not files or not layout or layout.rows != len(order):
        raise _other()
    return Segment(files / "data_level0.bin", layout, order, measure)


class Segment:
    """All vectors of a collection that nobody is writing; ``alive`` are the rows that were not deleted."""

    def __init__(self, path: Path, layout: _Layout, order: NDArray[np.bytes_], measure: Measure) -> None:
        self._path = path
        self._layout = layout
        self._order = order
        self._measure = measure
        there = order != b""
        self._there: NDArray[np.bool_] | None = None if there.all() else there
        self.alive: Rows = there.nonzero()[0]

    def nearest(self, vectors: Vectors, limit: int, within: Rows | None = None) -> list[Rows]:
        """Rows nearest to each of ``vectors`` (n, dim), best first; what ties with the last is there, too.

        ``within`` are the rows that may be found. Raises ``IndexDamaged`` where the file is not as it was.
        """
        import numpy as np

        if vectors.shape[1] != self._layout.dimensions:
            raise _other()
        there = self._there
        if within is not None:
            there = np.zeros(self._layout.rows, dtype=bool)
            there[within] = True
        return self._best(np.ascontiguousarray(vectors.T), limit, there)

    def rows_of(self, names: Container[str]) -> Rows:
        """The rows of some chunks."""
        import numpy as np

        every = self._order[self.alive].astype(str).tolist()
        meant: Rows = self.alive[np.fromiter((name in names for name in every), bool, len(every))]
        return meant

    def names(self, rows: Rows) -> list[str]:
        """The chunks that rows are."""
        names: list[str] = self._order[rows].astype(str).tolist()
        return names

    def vectors(self, rows: Rows) -> Vectors:
        """Vectors of rows as they stand there, shape (n, dim)."""
        import numpy as np

        size = 4 * self._layout.dimensions
        starts = (rows * self._layout.size + self._layout.vector).tolist()
        with self._path.open("rb", buffering=0) as file:
            joined = b"".join([_read_at(file, size, start) for start in starts])
        if len(joined) != size * len(rows):
            raise _other()
        return np.frombuffer(joined, dtype="<f4").reshape(len(rows), self._layout.dimensions)

    def _best(self, asked: Vectors, limit: int, there: NDArray[np.bool_] | None) -> list[Rows]:
        """The best rows for each column of ``asked`` (dim, n)."""
        import numpy as np

        total = self._layout.rows
        # Where numpy's products have threads of their own, as the program has them not, ours would be in their way.
        alone = os.environ.get("OPENBLAS_NUM_THREADS") == "1"
        threads = min(usable_cores(), _MOST_THREADS) if alone and total >= _SHARED else 1
        edges = [total * part // threads for part in range(threads + 1)]
        parts = [_Best(asked.shape[1], limit, self._order) for _ in range(threads)]
        errors: list[BaseException] = []

        def work(number: int) -> None:
            try:  # what is no number is nobody's neighbour
                with np.errstate(all="ignore"):
                    self._compare(asked, there, edges[number], edges[number + 1], parts[number])
            except BaseException as error:
                errors.append(error)

        others = [Thread(target=work, args=(number,)) for number in range(1, threads)]
        for thread in others:
            thread.start()
        work(0)
        for thread in others:
            thread.join()
        if errors:
            raise errors[0]
        for part in parts[1:]:
            parts[0].join(part)
        return parts[0].taken()

    def _compare(
        self, asked: Vectors, there: NDArray[np.bool_] | None, first: int, last: int, best: _Best
    ) -> None:
        """Compare some rows with what is asked."""
        import numpy as np

        begin = self._layout.vector
        for row, block in _blocks(self._path, self._layout, first, last):
            vectors = block[:, begin : self._layout.label].view("<f4")
            scores = vectors @ asked
            if self._measure == "euclidean":
                scores = 2 * scores - np.einsum("ij,ij->i", vectors, vectors)[:, None]
            if there is not None:
                scores[~there[row : row + len(block)]] = -np.inf
            best.add(row, scores)


class _Best:
    """The best rows for each of several questions, as they come by."""

    def __init__(self, questions: int, limit: int, order: NDArray[np.bytes_]) -> None:
        import numpy as np

        self._limit = limit
        self._order = order
        self._floor = np.full(questions, -np.inf, dtype=np.float32)
        self._rows: list[Rows] = []
        self._questions: list[NDArray[np.uint16]] = []
        self._scores: list[Vector] = []
        self._held = 0
        self._room = _SLACK * limit * questions

    def add(self, first: int, scores: Vectors) -> None:
        """Scores (rows, questions) of rows from ``first`` on."""
        import numpy as np

        if not self._rows and len(scores) > self._limit:
            last = len(scores) - self._limit
            self._floor = _below(np.partition(scores.T.copy(), last, axis=1)[:, last])
        rows, questions = np.nonzero(scores > self._floor)
        self._rows.append(rows + first)
        self._questions.append(questions.astype(np.uint16))  # which are sorted sooner
        self._scores.append(scores[rows, questions])
        self._held += len(rows)
        if self._held > self._room:
            self._let_go()

    def join(self, other: _Best) -> None:
        """Take what another one holds for the same questions."""
        self._rows += other._rows
        self._questions += other._questions
        self._scores += other._scores

    def taken(self) -> list[Rows]:
        """Rows for each question, best first."""
        import numpy as np

        found = []
        for rows, scores in self._parted():
            order = np.lexsort((rows, -scores))
            rows, scores = rows[order], scores[order]
            if len(rows) > self._limit:
                least = _below(scores[self._limit - 1])
                rows = rows[: int(np.searchsorted(-scores, -least, side="right"))]
            found.append(rows)
        return found

    def _parted(self) -> Iterator[tuple[Rows, Vector]]:
        """Rows and scores by question."""
        import numpy as np

        rows, questions = np.concatenate(self._rows), np.concatenate(self._questions)
        scores = np.concatenate(self._scores)
        order = np.argsort(questions, kind="stable")
        rows, scores = rows[order], scores[order]
        edges = np.searchsorted(questions[order], np.arange(len(self._floor) + 1))
        for begin, end in pairwise(edges.tolist()):
            yield rows[begin:end], scores[begin:end]

    def _let_go(self) -> None:
        """Keep what is as good as the last that is wanted; of what is alike, some."""
        import numpy as np

        kept: list[tuple[Rows, Vector]] = []
        for number, (rows, scores) in enumerate(self._parted()):
            if len(rows) > self._limit:
                last = len(rows) - self._limit
                self._floor[number] = least = _below(np.partition(scores, last)[last])
                good = np.flatnonzero(scores >= least)
                if len(good) > _SLACK * self._limit:
                    # So much is alike: ids decide, as they do in the end.
                    alike = np.round(scores[good].astype(np.float64), 6)
                    good = good[np.lexsort((self._order[rows[good]], -alike))[: _SLACK * self._limit]]
                rows, scores = rows[good], scores[good]
            kept.append((rows, scores))
        self._rows = [np.concatenate([rows for rows, _ in kept])]
        self._scores = [np.concatenate([scores for _, scores in kept])]
        sizes = [len(rows) for rows, _ in kept]
        self._questions = [np.repeat(np.arange(len(kept), dtype=np.uint16), sizes)]
        self._held = len(self._rows[0])


def _below(scores: Vector) -> Vector:
    """What is less than any score that ties with these."""
    import numpy as np

    margin = np.float32(_TIE) * np.maximum(np.abs(scores), np.float32(1))
    return np.subtract(scores, margin, dtype=np.float32)


def _graph_of(folder: Path) -> Path | None:
    """The folder of the one graph that was written in a folder of Chroma's."""
    found = [path.parent for path in folder.glob("*/index_metadata.pickle")]
    return found[0] if len(found) == 1 else None


def _layout_of(files: Path) -> _Layout | None:
    """The layout of a graph's rows; None where it is not one that is known."""
    told = (files / "header.bin").read_bytes()
    if len(told) != _HEADER.size:
        return None
    version, start, _, rows, size, label, vector, _, _, _, links, *_ = _HEADER.unpack(told)
    layout = _Layout(rows, size, label, vector)
    known = version == _KNOWN and start == 0 and vector == 4 + 4 * links and label + _LABEL == size
    if not known or label <= vector or (label - vector) % 4:
        return None
    return layout if (files / "data_level0.bin").stat().st_size >= rows * size else None


def _blocks(path: Path, layout: _Layout, first: int, last: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Rows ``[first, last)`` of a file as bytes of shape (rows, bytes a row), which the next block writes over.

    They are read and not mapped: a mapped file that is cut short meanwhile would end the process.
    """
    import numpy as np

    step = max(1, _BLOCK // layout.size)
    room = bytearray(min(step, last - first) * layout.size)
    with path.open("rb", buffering=0) as file:
        file.seek(first * layout.size)
        for row in range(first, last, step):
            wanted = min(step, last - row) * layout.size
            _fill(file, memoryview(room)[:wanted])
            yield row, np.frombuffer(room, dtype=np.uint8, count=wanted).reshape(-1, layout.size)


def _read_at(file: FileIO, size: int, start: int) -> bytes:
    if sys.platform == "win32":
        file.seek(start)
        return file.read(size)
    return os.pread(file.fileno(), size, start)


def _fill(file: FileIO, room: memoryview) -> None:
    """Read as many bytes as there is room for."""
    while room:
        read = file.readinto(room)
        if not read:
            raise _other()
        room = room[read:]


def _other() -> IndexDamaged:
    return IndexDamaged("the Chroma collection is not as it was written; run `rag doctor --repair`")
