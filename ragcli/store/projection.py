"""What is derived from the catalogue and can be thrown away: projections and their markers.

A marker, written last into a projection's folder, says which generation of which catalogue the
projection shows. A sealed one also holds size, time and checksum of every file that only a
change touches, so that a search notices what was damaged or deleted by a look at the folder.
"""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol

from ragcli.catalog import Catalog
from ragcli.disk import flush_file, is_writable, replace_text, share_like
from ragcli.errors import IndexDamaged
from ragcli.jsontext import parse_json
from ragcli.store.beside import Beside, begin

MARKER = "projection.json"
_PIECE = 1 << 20
# Chunks of which it pays to have a process of its own begun.
_MANY = 10_000


@dataclass(frozen=True, slots=True)
class Marker:
    """What a projection was made from, and how.

    ``deleted`` counts entries that are dead but not yet taken out. ``files`` holds size in bytes,
    time in nanoseconds and CRC-32 of each file, by name; None in a projection that was not sealed.
    """

    catalog: str
    generation: int
    form: str
    deleted: int = 0
    files: dict[str, tuple[int, int, int]] | None = None


class Projection(Protocol):
    """Something derived from the catalogue in a folder of its own.

    ``form`` names how it is made (analyser, model, version); another form is made anew.
    """

    folder: Path

    @property
    def form(self) -> str:
        """What the marker must say for the projection to be of use."""
        ...

    @property
    def recipe(self) -> tuple[str, ...] | None:
        """Python that makes it anew in another process, given its folder, the catalogue and the words that follow.

        None where it is made in this one.
        """
        ...

    def apply(self, catalog: Catalog, since: int, deleted: int) -> int | None:
        """Follow every change after generation ``since`` (0: make it whole).

        ``deleted`` entries were dead before; returns how many are now, or None where so many are
        that it is better made anew. Raises ``IndexDamaged`` where what was made up to ``since``
        cannot be gone on with.
        """
        ...

    def settle(self, catalog: Catalog) -> list[Path]:
        """Bring the files to rest; those that no reader changes from now on."""
        ...

    def is_whole(self, catalog: Catalog) -> bool:
        """A quick look at whether what the marker promises is there; a doubt costs making it anew."""
        ...

    def close(self) -> None:
        """Let go of files, so that the folder can be removed."""
        ...


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look at the files of a sealed projection told: whether they are what they were, and since when."""

    same: bool
    stamps: dict[str, tuple[int, int, int]] = field(default_factory=dict)


def read_marker(folder: Path) -> Marker | None:
    """The marker of a projection; None where it is missing or not one."""
    try:
        told = parse_json((folder / MARKER).read_text("utf-8"))
        files = told.pop("files", None)
        return Marker(
            **told, files=None if files is None else {name: (a, b, c) for name, (a, b, c) in files.items()}
        )
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def marker_stamp(folder: Path) -> tuple[int, int] | None:
    """What tells this marker from one that was written later, of the same generation too."""
    try:
        found = (folder / MARKER).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def is_current(projection: Projection, catalog: Catalog, *, thorough: bool = False) -> bool:
    """Whether the projection shows the catalogue's present generation, and its files are those sealed.

    Files are compared by size and time, and by checksum where the time is another or ``thorough``.
    """
    folder = projection.folder
    marker = read_marker(folder)
    if (
        marker is None
        or (marker.catalog, marker.form) != (catalog.get("uid"), projection.form)
        or marker.generation != catalog.generation
    ):
        return False
    if marker.files is not None:
        look = _look(folder, marker.files, thorough=thorough)
        if not look.same:
            projection.close()
            return False
        if look.stamps != marker.files and is_writable(folder):
            # A copy: the next look is quick again.
            _write(folder, replace(marker, files=look.stamps), catalog)
    return projection.is_whole(catalog)


def bring_up_to_date(
    projections: Iterable[Projection], catalog: Catalog, *, seal: bool = True, thorough: bool = False
) -> list[Path]:
    """Make projections show the catalogue's present generation; the folders of those that changed.

    Called by the one writer. The marker is written last: whatever stops the work before, the
    next call does all of it again. What is damaged, or was made of an empty catalogue, is made
    anew. ``seal`` is left out between the portions of one run, because it reads every file.
    """
    wanted = list(projections)
    stale = [each for each in wanted if not is_current(each, catalog, thorough=thorough)]
    with _made_beside(stale, catalog) as beside:
        for projection in sorted(wanted, key=lambda each: each in beside):
            marker = read_marker(projection.folder)
            if projection in beside and beside[projection].wait():
                projection.close()
                marker = Marker(catalog.get("uid") or "", catalog.generation, projection.form)
            elif projection in stale:
                marker = _follow(projection, catalog, marker)
            if seal and marker is not None and marker.files is None:
                marker = replace(marker, files=_stamps(projection.folder, projection.settle(catalog)))
                share_like(catalog.path, projection.folder)
                _write(projection.folder, marker, catalog)
            elif projection in stale and marker is not None:
                _write(projection.folder, marker, catalog)
    return [projection.folder for projection in stale]


@contextmanager
def _made_beside(stale: Sequence[Projection], catalog: Catalog) -> Iterator[dict[Projection, Beside]]:
    """Those of several that are to be made anew of many chunks, begun by other processes, but for one."""
    begun: dict[Projection, Beside] = {}
    try:
        if len(stale) > 1 and catalog.chunk_count >= _MANY and all(_is_anew(each, catalog) for each in stale):
            for projection in stale:
                if projection.recipe is not None and len(begun) < len(stale) - 1:
                    _empty(projection)
                    process = begin(projection, catalog)
                    if process is not None:
                        begun[projection] = process
        yield begun
    finally:
        for process in begun.values():
            process.end()


def _is_anew(projection: Projection, catalog: Catalog) -> bool:
    """Whether nothing of a projection that is not current can be gone on with."""
    marker = read_marker(projection.folder)
    return (
        marker is None
        or (marker.catalog, marker.form) != (catalog.get("uid") or "", projection.form)
        or not 0 < marker.generation < catalog.generation
        # Chroma's engine changes the files of a collection that was emptied when it next opens them.
        or not catalog.chunk_count
    )


def _empty(projection: Projection) -> None:
    projection.close()
    clear(projection.folder)
    projection.folder.mkdir(parents=True, exist_ok=True)


def _follow(projection: Projection, catalog: Catalog, marker: Marker | None) -> Marker:
    """Do what the projection lacks, from where it stands or from the beginning."""
    folder = projection.folder
    deleted = None
    if (
        marker is not None
        and not _is_anew(projection, catalog)
        and (marker.files is None or _look(folder, marker.files, thorough=False).same)
    ):
        # From here on the files are no longer those that were sealed.
        _write(folder, replace(marker, files=None), catalog)
        try:
            deleted = projection.apply(catalog, marker.generation, marker.deleted)
        except IndexDamaged:
            deleted = None
    if deleted is None:
        _empty(projection)
        deleted = projection.apply(catalog, 0, 0) or 0
    return Marker(catalog.get("uid") or "", catalog.generation, projection.form, deleted)


def clear(folder: Path) -> None:
    """Remove a projection's folder, or what lies in its place, the marker first."""
    (folder / MARKER).unlink(missing_ok=True) if folder.is_dir() else folder.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def discard(projections: Iterable[Projection]) -> None:
    """Declare projections useless: the next call of :func:`bring_up_to_date` makes them anew."""
    for projection in projections:
        (projection.folder / MARKER).unlink(missing_ok=True)


def _write(folder: Path, marker: Marker, catalog: Catalog) -> None:
    replace_text(folder / MARKER, json.dumps(asdict(marker)), like=catalog.path)


def _stamps(folder: Path, files: Iterable[Path]) -> dict[str, tuple[int, int, int]]:
    """Size, time and checksum of files, which are made durable."""
    stamps = {}
    for path in files:
        flush_file(path)
        told = path.stat()
        stamps[path.relative_to(folder).as_posix()] = (told.st_size, told.st_mtime_ns, _checksum(path))
    return stamps


def _look(folder: Path, files: dict[str, tuple[int, int, int]], *, thorough: bool) -> _Look:
    stamps = {}
    for name, (size, moment, checksum) in files.items():
        path = folder / name
        try:
            told = path.stat()
            if told.st_size != size:
                return _Look(same=False)
            if (thorough or told.st_mtime_ns != moment) and _checksum(path) != checksum:
                return _Look(same=False)
        except OSError:
            return _Look(same=False)
        stamps[name] = (size, told.st_mtime_ns, checksum)
    return _Look(same=True, stamps=stamps)


def _checksum(path: Path) -> int:
    """CRC-32 of a file: enough against damage, and quick enough for gigabytes."""
    value = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            value = zlib.crc32(piece, value)
    return value
