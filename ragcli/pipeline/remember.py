"""A setting written into the project's own file, which is otherwise left as it is."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ragcli.disk import is_writable, replace_text
from ragcli.errors import UsageError

_TABLE = re.compile(r"[ \t]*\[")


def settings_file(folder: Path, name: str, value: object) -> Path:
    """The file that a setting of the index in ``folder`` is written to; it may not exist yet.

    That is the one the settings are read from: ``rag.toml``, or a ``pyproject.toml`` that has
    ``[tool.rag]`` where there is none. Raises ``UsageError`` where it cannot be written.
    """
    own, project = folder.parent / "rag.toml", folder.parent / "pyproject.toml"
    path = own
    if not own.is_file() and not own.is_symlink() and project.is_file() and _tables(project):
        path = project
    told = f"`{name} = {value}`"
    if path.is_symlink():
        raise UsageError(f"{path} is a symbolic link; write {told} into the file it stands for")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no file; move it away to have {told} written there")
    try:
        shut = path.exists() and not (path.stat().st_mode & stat.S_IWUSR and is_writable(path))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
    if shut or not is_writable(path.parent):
        raise UsageError(f"{path} cannot be written; change its permissions or write {told} there")
    return path


def remember(path: Path, name: str, value: float) -> None:
    """Set one key of a settings file, found by :func:`settings_file`, and leave every other byte alone.

    The result is read back before it takes the file's place. Raises ``UsageError`` where the key
    cannot be set so.
    """
    try:
        # Bytes, so that line ends stay what they are.
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
        before = tomllib.loads(text)
        for candidate in _edits(text, path.name == "pyproject.toml", name, value):
            if _differs_so(candidate, before, path.name == "pyproject.toml", name, value):
                replace_text(path, candidate, like=path if path.exists() else None)
                return
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"cannot write {path}: {error}; write `{name} = {value}` there") from error
    raise UsageError(f"cannot edit {path} without changing more of it; write `{name} = {value}` there")


def _tables(project: Path) -> bool:
    """Whether a pyproject.toml has a table of ours."""
    try:
        tool = tomllib.loads(project.read_text("utf-8")).get("tool", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return False
    return isinstance(tool, dict) and "rag" in tool


def _edits(text: str, project: bool, name: str, value: float) -> Iterator[str]:
    """Texts with the key set that may be right, the neatest first."""
    lines = text.splitlines(keepends=True)
    end = "\r\n" if "\r\n" in text else "\n"
    spelled = re.escape(name).replace("_", "[-_]")
    key = re.compile(
        rf"([ \t]*[\"']?{spelled}[\"']?[ \t]*=[ \t]*)[^#\r\n]*?([ \t]*(?:#.*)?\r?\n?)", re.DOTALL
    )
    for at, line in enumerate(lines):
        if found := key.fullmatch(line):
            yield "".join([*lines[:at], f"{found[1]}{value}{found[2]}", *lines[at + 1 :]])
    new = f"{name} = {value}{end}"
    if project:
        for at, line in enumerate(lines):
            if re.match(r"[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*rag[ \t]*\]", line):
                yield "".join(
                    [*lines[:at], line if line.endswith("\n") else line + end, new, *lines[at + 1 :]]
                )
        return
    # Under what stands at the top, above the first table.
    head = next((at for at, line in enumerate(lines) if _TABLE.match(line)), len(lines))
    while head and not lines[head - 1].strip():
        head -= 1
    above = lines[:head]
    if above and not above[-1].endswith("\n"):
        above[-1] += end
    yield "".join([*above, new, *lines[head:]])
    yield new + text


def _differs_so(text: str, before: Mapping[str, Any], project: bool, name: str, value: float) -> bool:
    """Whether a text says what the file said, and that the key has this value."""
    try:
        after = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    was, now = (_own(read, project) for read in (before, after))
    keys = [key for key in now if key.replace("-", "_") == name]
    if len(keys) != 1 or now[keys[0]] != value:
        return False
    if project and {**after, "tool": {**after["tool"], "rag": was}} != before:
        return False
    return {key: said for key, said in now.items() if key != keys[0]} == {
        key: said for key, said in was.items() if key != keys[0]
    }


def _own(read: Mapping[str, Any], project: bool) -> Mapping[str, Any]:
    table: Mapping[str, Any] = read["tool"]["rag"] if project else read
    return table
