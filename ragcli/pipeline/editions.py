"""The editions of an index: what answers now, what answered before, and what is being made.

An edition is a catalogue and what is derived from it, in one folder. The first one lies in the
index folder itself. Another model makes another edition beside it, in ``editions/``, while the
first goes on answering. Which one answers stands in one small file that is replaced whole.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ragcli.disk import replace_text
from ragcli.errors import IndexDamaged, IndexMissing, RagError, UsageError
from ragcli.jsontext import parse_json
from ragcli.store import clear

CATALOG = "catalog.sqlite3"
# A damaged catalogue while what can be read of it is being saved.
MENDING = "catalog.mending.sqlite3"
CHROMA, LEXICAL = "chroma", "lexical"
_POINTER = "editions.json"
_FOLDER = "editions"


@dataclass(frozen=True, slots=True)
class Editions:
    """Folders of the editions, relative to the index folder."""

    current: str = "."
    previous: str | None = None


def read_editions(folder: Path) -> Editions:
    """Which edition of the index answers. Raises ``IndexDamaged`` for a file that does not say."""
    try:
        told = parse_json((folder / _POINTER).read_text("utf-8"))
        editions = Editions(told["current"], told["previous"])
    except FileNotFoundError:
        if find_editions(folder) in ([], ["."]):
            return Editions()
        raise _unreadable(folder) from None
    except NotADirectoryError:
        raise UsageError(f"{folder} is no folder; name the index folder with --index DIR") from None
    except PermissionError:
        raise UsageError(f"{folder} cannot be read; are its permissions right?") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(folder) from error
    if not all(_is_edition(name) for name in (editions.current, editions.previous or ".")):
        raise _unreadable(folder)
    return editions


def switch(folder: Path, editions: Editions) -> None:
    """Let other editions answer from now on; at once for whoever asks after this."""
    replace_text(folder / _POINTER, json.dumps(asdict(editions)))


def new_edition(folder: Path) -> str:
    """A name that no edition has. Which edition answers meanwhile is written down first."""
    if not (folder / _POINTER).exists():
        switch(folder, Editions())
    # A name is not used again soon: a reader that stayed open must not take one edition for another.
    return f"{_FOLDER}/{time.time_ns() // 1000}"


def idle_editions(folder: Path) -> list[str]:
    """Editions that neither answer nor answered before: unfinished, or left by a crash."""
    editions = read_editions(folder)
    in_use = {editions.current, editions.previous}
    names = [f"{_FOLDER}/{path.name}" for path in sorted((folder / _FOLDER).glob("*")) if path.is_dir()]
    if (folder / CATALOG).exists():
        names.insert(0, ".")
    return [name for name in names if name not in in_use]


def find_editions(folder: Path) -> list[str]:
    """All editions that have a catalogue, the oldest first."""
    numbers = [path.name for path in (folder / _FOLDER).glob("*") if path.name.isdecimal()]
    names = [".", *(f"{_FOLDER}/{number}" for number in sorted(numbers, key=int))]
    return [name for name in names if (folder / name / CATALOG).is_file()]


def forget_editions(folder: Path) -> None:
    """Forget which edition answers: the first one does."""
    (folder / _POINTER).unlink(missing_ok=True)


def has_remains(folder: Path) -> bool:
    """Whether anything of an index lies in the folder."""
    return any((folder / name).exists() for name in (_FOLDER, _POINTER, CATALOG, MENDING, CHROMA, LEXICAL))


def is_there(folder: Path, name: str) -> bool:
    """Whether an edition has a catalogue, be it one that is just being mended."""
    return any((folder / name / file).is_file() for file in (CATALOG, MENDING))


def no_catalog(folder: Path, name: str) -> RagError:
    """The error where an edition has no catalogue: nothing was ever made here, or it was lost."""
    place = folder / name
    if has_remains(folder):
        return IndexDamaged(f"{place / CATALOG} is gone; run `rag doctor --repair`")
    return IndexMissing(f"no index at {place}; make one with `rag index PATH`")


def remove_edition(folder: Path, name: str) -> None:
    """Delete an edition's files; what another process still holds open stays until the next time."""
    place = folder / name
    for part in (CHROMA, LEXICAL):
        clear(place / part)
    for path in place.glob(f"{CATALOG}*"):
        try:
            path.unlink(missing_ok=True)
        except OSError:  # Windows keeps what is open
            continue
    if name != ".":
        shutil.rmtree(place, ignore_errors=True)


def _is_edition(name: object) -> bool:
    if not isinstance(name, str):
        return False
    return name == "." or (name.startswith(f"{_FOLDER}/") and name.removeprefix(f"{_FOLDER}/").isdecimal())


def _unreadable(folder: Path) -> IndexDamaged:
    return IndexDamaged(f"{folder / _POINTER} does not say which edition answers; run `rag doctor --repair`")
