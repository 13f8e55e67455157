"""Which files there are to read, and which were passed over for a reason worth telling."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ragcli.errors import UsageError
from ragcli.load.encoding import looks_binary
from ragcli.load.formats import format_of
from ragcli.load.ignore import Globs, Rules, no_rules, rules_for_root

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_NEVER = frozenset({"__pycache__", ".rag"})
_HEAD = 8192


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to read. ``root`` is the folder it was found under, or its parent where it was named.

    ``explicit`` says that the user named this very file.
    """

    path: Path
    root: Path
    size: int
    changed_ns: int
    explicit: bool


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A path passed over: ``binary``, ``too-large``, ``outside``, ``unsupported`` or ``unreadable``."""

    path: Path
    root: Path
    reason: str


def walk(
    paths: Sequence[Path],
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    ignore: bool = True,
    leave_out: Sequence[Path] = (),
    max_bytes: int = 50_000_000,
    also: Collection[str] = (),
) -> Iterator[FoundFile | SkippedFile]:
    """The files under ``paths``, each once, sorted by path.

    In folders, hidden and ignored files are left out without a word, and so are ``__pycache__``,
    folders named ``.rag`` and those in ``leave_out``. Links that stay within their root are
    followed to what is not found there anyway; others are skipped as ``outside``. A file named in
    ``paths`` is taken even when hidden, ignored or not matched by the globs. ``max_bytes`` does
    not hold for .jsonl collections, which are read line by line. ``also`` are suffixes that are read
    though their format is not known here. Special files are never opened.

    Raises UsageError, before anything is yielded, for a path that does not exist or a bad glob.
    """
    for path in paths:
        if not os.path.exists(path):
            raise UsageError(f"no such file or folder: {path}")
    globs = Globs(include, exclude)
    out = frozenset(os.path.realpath(path) for path in leave_out)
    found: dict[str, FoundFile | SkippedFile] = {}
    for path in sorted(path for path in paths if not os.path.isdir(path)):
        item = _look_at(path, path.parent, max_bytes, also)
        if isinstance(item, FoundFile):
            item = replace(item, explicit=True)
        found.setdefault(os.path.realpath(path), item)
    # Shortest first: of a folder and its child, the outer one is the root.
    for path in sorted(
        (path for path in paths if os.path.isdir(path)), key=lambda path: (len(_absolute(path).parts), path)
    ):
        _Tree(path, globs, out, max_bytes, also, found).walk(ignore=ignore)
    return iter(sorted(found.values(), key=lambda item: item.path))


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # Path.absolute keeps ".."


class _Tree:
    """One root being walked; ``found`` maps real paths, shared with the other roots."""

    def __init__(
        self,
        root: Path,
        globs: Globs,
        out: frozenset[str],
        max_bytes: int,
        also: Collection[str],
        found: dict[str, FoundFile | SkippedFile],
    ) -> None:
        self._root = root
        self._top = _absolute(root)
        self._real = os.path.realpath(root)
        self._globs = globs
        self._out = out
        self._max_bytes = max_bytes
        self._also = also
        self._found = found
        self._folders: set[str] = set()
        self._links: list[tuple[Path, Rules]] = []

    def walk(self, *, ignore: bool) -> None:
        """Real files and folders first, so that a link never takes the place of what it points to."""
        if self._real in self._out or self._top.name == ".rag":
            return
        self._ignore = ignore
        self._folder(self._root, self._rules_of_root())
        while self._links:
            links, self._links = sorted(self._links, key=lambda link: link[0]), []
            for path, rules in links:
                self._link(path, rules)

    def _rules_of_root(self) -> Rules:
        return rules_for_root(self._top) if self._ignore else no_rules(self._top)

    def _folder(self, folder: Path, rules: Rules) -> None:
        pending = [(folder, rules)]
        while pending:
            here, in_force = pending.pop()
            real = os.path.realpath(here)
            if real in self._folders or real in self._out:
                continue
            self._folders.add(real)
            try:
                with os.scandir(here) as entries:
                    children = sorted(entries, key=lambda entry: entry.name)
            except OSError:
                self._skip(here, "unreadable")
                continue
            for entry in children:
                path = here / entry.name
                is_link = entry.is_symlink()
                is_folder = not is_link and entry.is_dir(follow_symlinks=False)
                if self._is_unwanted(path, in_force, folder=is_folder, link=is_link):
                    continue
                if is_link:
                    self._links.append((path, in_force))
                elif is_folder:
                    pending.append((path, self._within(in_force, path)))
                else:
                    self._file(path)

    def _within(self, rules: Rules, folder: Path) -> Rules:
        return rules.within(self._apparent(folder)) if self._ignore else rules

    def _apparent(self, path: Path) -> Path:
        return self._top / path.relative_to(self._root)

    def _is_unwanted(self, path: Path, rules: Rules, *, folder: bool, link: bool) -> bool:
        name = path.name
        if name.startswith(".") or name in _NEVER:
            return True
        if rules.ignores(self._apparent(path), folder=folder):
            return True
        # What a link is, file or folder, is known only when it is followed.
        return not link and self._globs.leave_out(path.relative_to(self._root).as_posix(), folder=folder)

    def _link(self, path: Path, rules: Rules) -> None:
        real = os.path.realpath(path)
        relative = path.relative_to(self._root).as_posix()
        is_folder = os.path.isdir(real)
        if self._globs.leave_out(relative, folder=is_folder):
            return
        if not os.path.exists(real):  # a dangling link, or a loop of links
            self._skip(path, "unreadable")
        elif real != self._real and not real.startswith(self._real.rstrip(os.sep) + os.sep):
            self._skip(path, "outside")
        elif not is_folder:
            self._file(path)
        elif os.path.basename(real) not in _NEVER:
            self._folder(path, self._within(rules, path))

    def _file(self, path: Path) -> None:
        real = os.path.realpath(path)
        if real not in self._found:
            self._found[real] = _look_at(path, self._root, self._max_bytes, self._also)

    def _skip(self, path: Path, reason: str) -> None:
        self._found.setdefault(f"{os.path.abspath(path)}\0", SkippedFile(path, self._root, reason))


def _look_at(path: Path, root: Path, max_bytes: int, also: Collection[str]) -> FoundFile | SkippedFile:
    """The file as it will be handed out; opened only where its name does not tell its format."""
    format_ = "other" if path.suffix.lower() in also else format_of(path)
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode) or format_ == "unsupported":
            return SkippedFile(path, root, "unsupported")
        if info.st_size > max_bytes and format_ != "jsonl":
            return SkippedFile(path, root, "too-large")
        if format_ is None and _is_binary(path):
            return SkippedFile(path, root, "binary")
    except OSError:
        return SkippedFile(path, root, "unreadable")
    return FoundFile(path, root, info.st_size, max(info.st_mtime_ns, info.st_ctime_ns), explicit=False)


def _is_binary(path: Path) -> bool:
    with path.open("rb") as opened:
        return looks_binary(opened.read(_HEAD), named_as_text=False)
