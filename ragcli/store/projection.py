"""What is derived from the catalogue and can be thrown away: projections and their markers."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from ragcli.catalog import Catalog
from ragcli.errors import IndexDamaged

_MARKER = "projection.json"


@dataclass(frozen=True, slots=True)
class Marker:
    """Written last into a projection's folder: what it was made from, and how."""

    catalog: str
    generation: int
    form: str
    deleted: int = 0


class Projection(Protocol):
    """Something derived from the catalogue in a folder of its own.

    ``form`` names how it is made (analyser, model, version); another form is made anew.
    """

    folder: Path

    @property
    def form(self) -> str:
        """What the marker must say for the projection to be of use."""
        ...

    def apply(self, catalog: Catalog, since: int) -> int:
        """Follow every change after generation ``since`` (0: make it whole); dead entries left.

        Raises ``IndexDamaged`` where what was made up to ``since`` cannot be gone on with.
        """
        ...

    def is_whole(self, catalog: Catalog) -> bool:
        """A quick look at whether what the marker promises is there; a doubt costs making it anew."""
        ...

    def close(self) -> None:
        """Let go of files, so that the folder can be removed."""
        ...


def read_marker(folder: Path) -> Marker | None:
    """The marker of a projection; None where it is missing or not one."""
    try:
        return Marker(**json.loads((folder / _MARKER).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def marker_stamp(folder: Path) -> tuple[int, int] | None:
    """What tells this marker from one that was written later, of the same generation too."""
    try:
        found = (folder / _MARKER).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def is_current(projection: Projection, catalog: Catalog) -> bool:
    """Whether the projection shows the catalogue's present generation."""
    marker = read_marker(projection.folder)
    return (
        marker is not None
        and (marker.catalog, marker.form) == (catalog.get("uid"), projection.form)
        and marker.generation == catalog.generation
        and projection.is_whole(catalog)
    )


def bring_up_to_date(projections: Iterable[Projection], catalog: Catalog) -> None:
    """Make projections show the catalogue's present generation. Called by the one writer.

    The marker is written last: whatever stops the work before, the next call does all of it
    again. What is damaged, or was made of an empty catalogue, is made anew.
    """
    for projection in projections:
        if is_current(projection, catalog):
            continue
        folder = projection.folder
        marker = read_marker(folder)
        uid = catalog.get("uid") or ""
        usable = (
            marker is not None
            and (marker.catalog, marker.form) == (uid, projection.form)
            and 0 < marker.generation < catalog.generation
        )
        try:
            deleted = projection.apply(catalog, marker.generation) if usable and marker else None
        except IndexDamaged:
            deleted = None
        if deleted is None:
            projection.close()
            if folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)
            else:
                folder.unlink(missing_ok=True)
            folder.mkdir(parents=True, exist_ok=True)
            deleted = projection.apply(catalog, 0)
        _write_marker(folder, Marker(uid, catalog.generation, projection.form, deleted))


def discard(projections: Iterable[Projection]) -> None:
    """Declare projections useless: the next call of :func:`bring_up_to_date` makes them anew."""
    for projection in projections:
        (projection.folder / _MARKER).unlink(missing_ok=True)


def _write_marker(folder: Path, marker: Marker) -> None:
    partial = folder / f"{_MARKER}.partial"
    with partial.open("w", encoding="utf-8") as file:
        json.dump(asdict(marker), file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / _MARKER)
