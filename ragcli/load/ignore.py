"""Which paths of a tree are left out: ignore files with git's semantics, and globs of the caller."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ragcli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pathspec

_FOLDER_MARK = "ps_d"  # pathspec's name for the slash after a matched folder

IGNORE_FILES = (".gitignore", ".ragignore")
"""Read in every folder, in this order: of two matching rules the later one holds."""


class Rules:
    """The rules in force in one folder: its own ignore files' and those of the folders above.

    The innermost folder that has a matching rule decides, as gitignore(5) says.
    """

    def __init__(self, above: Rules | None, folder: Path, spec: pathspec.GitIgnoreSpec | None) -> None:
        self._above: Rules | None = above
        self._folder = folder
        self._spec: pathspec.GitIgnoreSpec | None = spec

    def within(self, folder: Path) -> Rules:
        """The rules in force in ``folder``, a child of this one."""
        spec = _spec_of([line for name in IGNORE_FILES for line in _lines(folder / name)])
        return Rules(self, folder, spec)

    def ignores(self, path: Path, *, folder: bool) -> bool:
        """Whether ``path`` is ignored; its parents are taken not to be."""
        rules: Rules | None = self
        while rules is not None:
            if rules._spec is not None:
                relative = path.relative_to(rules._folder).as_posix() + ("/" if folder else "")
                verdict = _verdict(rules._spec, relative)
                if verdict is not None:
                    return verdict
            rules = rules._above
        return False


def _verdict(spec: pathspec.GitIgnoreSpec, relative: str) -> bool | None:
    """What the last rule that matches this very path says, None where none does.

    ``GitIgnoreSpec.check_file`` also counts rules that match a parent, and gives those less
    weight; here parents were asked before, folder by folder, as git does it.
    """
    for pattern in reversed(list(spec.patterns)):
        regex = getattr(pattern, "regex", None)
        if pattern.include is None or regex is None:
            continue
        # Git: "a/**" is what lies in a, not a itself.
        inside = str(getattr(pattern, "pattern", "")).rstrip().endswith("/**")
        path = relative.rstrip("/") if inside else relative
        for match in regex.finditer(path):
            if match.groupdict().get(_FOLDER_MARK) is None or match.end(_FOLDER_MARK) == len(path):
                return pattern.include
    return None


def no_rules(folder: Path) -> Rules:
    """Rules that ignore nothing."""
    return Rules(None, folder, None)


def rules_for_root(root: Path) -> Rules:
    """The rules in force in ``root`` (absolute), with those of its parents up to the repository's root.

    Where there is no repository, or the parents' rules ignore ``root`` itself, only its own count:
    a folder that is asked for by name is wanted.
    """
    parents = [root, *root.parents]
    top = next((index for index, folder in enumerate(parents) if os.path.exists(folder / ".git")), None)
    if top is None:
        return no_rules(root).within(root)
    repository = parents[top]
    rules = Rules(None, repository, _spec_of(_lines(repository / ".git" / "info" / "exclude")))
    for folder in reversed(parents[: top + 1]):
        if folder != repository and rules.ignores(folder, folder=True):
            return no_rules(root).within(root)
        rules = rules.within(folder)
    return rules


class Globs:
    """``include`` and ``exclude`` globs, gitignore-style, for paths relative to a root."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include = _checked(include)
        self._exclude = _checked(exclude)

    def leave_out(self, relative: str, *, folder: bool) -> bool:
        """Whether the file is not asked for; a folder is left out only where ``exclude`` names it."""
        if self._exclude is not None and self._exclude.match_file(relative + ("/" if folder else "")):
            return True
        return not folder and self._include is not None and not self._include.match_file(relative)


def _checked(globs: Sequence[str]) -> pathspec.GitIgnoreSpec | None:
    import pathspec

    try:
        return pathspec.GitIgnoreSpec.from_lines(globs) if globs else None
    except ValueError as error:
        raise UsageError(f"bad glob: {error}") from None


def _spec_of(lines: Sequence[str]) -> pathspec.GitIgnoreSpec | None:
    import pathspec

    if not lines:
        return None
    try:
        return pathspec.GitIgnoreSpec.from_lines(lines)
    except ValueError:
        # Git passes over a line it cannot read.
        return pathspec.GitIgnoreSpec.from_lines([line for line in lines if _is_pattern(line)])


def _is_pattern(line: str) -> bool:
    import pathspec

    try:
        pathspec.GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _lines(file: Path) -> list[str]:
    # Like git: neither a link nor a special file is an ignore file.
    if os.path.islink(file) or not os.path.isfile(file):
        return []
    try:
        text = file.read_bytes().removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    except OSError:
        return []
    return [line.removesuffix("\r") for line in text.split("\n")]
