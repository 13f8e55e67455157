"""Which files belong to an index: the paths it was given, and what is found and missing there."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragcli.errors import UsageError
from ragcli.load import FoundFile, SkippedFile, walk
from ragcli.pipeline.index import Index
from ragcli.settings import SETTINGS_FILE


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files of a folder are wanted."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    ignore: bool = True


NOTHING = "nothing to index; name a file or a folder: rag index PATH"


@dataclass(frozen=True, slots=True)
class Root:
    """A file or folder that is indexed, and what of it is wanted."""

    path: Path
    selection: Selection


def choose_roots(
    index: Index, paths: Sequence[Path], selection: Selection, *, everything: bool
) -> tuple[list[Root], list[str]]:
    """The paths given, and where none is given or all is made anew, those the index remembers.

    The second value names paths that are indexed and not there now. Raises ``UsageError`` when
    nothing is left, or a given path does not exist or cannot be named.
    """
    given_paths = list(dict.fromkeys(map(_absolute, paths)))
    missing = [index.name_of(path) for path in given_paths if not path.exists()]
    missing = [name for name in missing if _is_known(index, name)]
    given_paths = [path for path in given_paths if index.name_of(path) not in missing]
    roots = [Root(_checked(path), selection) for path in given_paths]
    if not paths or everything:
        given = {index.name_of(root.path) for root in roots}
        for name, options in index.catalog.roots().items():
            if name in given or name in missing:
                continue
            path = index.file_of(name)
            if path.exists():
                roots.append(Root(_absolute(path), _narrowed(_selection(options), selection)))
            else:
                missing.append(name)
    if not roots and not missing:
        raise UsageError(NOTHING)
    return roots, missing


def _is_known(index: Index, name: str) -> bool:
    within = index.under(name)
    return any(within(file) is not None for file in index.catalog.files())


def remember(index: Index, roots: Sequence[Root]) -> None:
    """Keep the paths and what of them is wanted, for a later run that names none.

    A run that only looks at some files of a known path (``include``) or at a part of one changes
    nothing in that.
    """
    known = index.catalog.roots()
    for root in roots:
        name, chosen = index.name_of(root.path), root.selection
        if any(other != name and index.under(other)(name) is not None for other in known):
            continue
        options = {"include": list(chosen.include), "exclude": list(chosen.exclude), "ignore": chosen.ignore}
        if known.get(name) != options and not (name in known and chosen.include):
            with index.catalog.transaction():
                index.catalog.add_root(name, options)


def survey(
    index: Index, roots: Sequence[Root], max_bytes: int, also: Collection[str] = ()
) -> Iterator[tuple[str, FoundFile | SkippedFile]]:
    """Every file under the roots once, with its name in the index."""
    seen: set[str] = set()
    for root in roots:
        chosen = root.selection
        for found in walk(
            [root.path], include=chosen.include, exclude=chosen.exclude, ignore=chosen.ignore,
            leave_out=[index.folder], max_bytes=max_bytes, also=also,
        ):  # fmt: skip
            name = index.name_of(found.path)
            # The settings beside the index are no document, unless they are asked for.
            if name not in seen and (name != SETTINGS_FILE or found.path == root.path):
                seen.add(name)
                yield name, found


def vanished(
    index: Index, roots: Sequence[Root], known: Iterable[str], present: set[str], shut: set[str]
) -> list[str]:
    """Known files under the roots that are no longer there or no longer wanted, in order.

    ``present`` names the files that were found, ``shut`` files and folders that could not be looked
    into: of them, and of what lies under them, nothing is known.

    ``include`` narrows what is looked at: files it does not name are left as they are.
    """
    gone = set()
    for root in roots:
        base = index.name_of(root.path)
        if base in shut:
            continue
        within, wanted = index.under(base), _matcher(root.selection.include)
        for name in known:
            place = within(name)
            if place is None or not wanted(place):
                continue
            if name not in present and shut.isdisjoint([name, *_parents(name)]):
                gone.add(name)
    return sorted(gone)


def lies_under(name: str, root: str) -> bool:
    """Whether a path is ``root`` or goes on from it, as they are written: of names see ``Index.under``."""
    return name == root or name.startswith(root.rstrip("/") + "/")


def _parents(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def is_nameable(path: str) -> bool:
    """Whether a file's name can be kept: on Linux any bytes may be one."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _matcher(include: Sequence[str]) -> Callable[[str], bool]:
    if not include:
        return lambda _: True
    from pathspec import GitIgnoreSpec

    spec = GitIgnoreSpec.from_lines(include)
    return lambda relative: not relative or spec.match_file(relative)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


def _checked(path: Path) -> Path:
    if not path.exists():
        raise UsageError(f"no such file or folder: {path}")
    if not is_nameable(str(path)):
        raise UsageError(f"the name of {path} is not valid UTF-8; rename it")
    return path


def _narrowed(remembered: Selection, asked: Selection) -> Selection:
    """What is remembered of a path, as far as it is asked for now."""
    return Selection(
        asked.include or remembered.include,
        remembered.exclude + asked.exclude,
        remembered.ignore and asked.ignore,
    )


def _selection(options: dict[str, object]) -> Selection:
    include, exclude = options.get("include"), options.get("exclude")
    return Selection(
        tuple(include) if isinstance(include, list) else (),
        tuple(exclude) if isinstance(exclude, list) else (),
        bool(options.get("ignore", True)),
    )
