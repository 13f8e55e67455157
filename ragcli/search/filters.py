"""Filters: which documents a search may find, by path, kind, language, date or any field of their own.

A filter is ``KEY=VALUE``, with ``!=``, ``>``, ``>=``, ``<`` and ``<=`` beside ``=``. Several all
hold; values with commas between are alternatives. Filters are answered from the catalogue before
anything is searched, so that as many hits come back as there are.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath

from ragcli.errors import UsageError
from ragcli.search.dates import is_date, meets
from ragcli.types import Scalar

_SHAPE = re.compile(r"^\s*([^=!<>\s]+)\s*(!=|>=|<=|=|>|<)\s*(.*?)\s*$", re.DOTALL)
_DATES = ("date", "modified")
_REMEMBERED = 10_000  # values whose answer is kept
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?$")
# What every document has, by the names it may be asked by.
_BUILT_IN = {
    "path": "path",
    "ext": "ext",
    "extension": "ext",
    "language": "language",
    "lang": "language",
    "format": "format",
    "title": "title",
    "document": "document",
    "record": "record",
    "modified": "modified",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a document can be asked for."""

    document: str
    path: str
    record: str | None
    title: str
    format: str
    language: str
    modified: str
    metadata: Mapping[str, Scalar]

    def value(self, key: str) -> Scalar | None:
        """A field by the name it is asked by; its own fields go before those that every document has."""
        own = {name.lower(): value for name, value in self.metadata.items()} if self.metadata else {}
        name = key.lower().removeprefix("metadata.")
        if name in own:
            return own[name]
        if key.lower() == "date":  # of documents without a date of their own
            return self.modified
        if key.lower() in _BUILT_IN:
            return self._built_in(_BUILT_IN[key.lower()])
        return None

    def _built_in(self, name: str) -> str | None:
        if name == "ext":
            return PurePosixPath(self.path).suffix.lower().lstrip(".")
        value: str | None = getattr(self, name)
        return value


@dataclass(frozen=True)
class Filter:
    """One condition."""

    key: str
    operator: str
    value: str

    def holds(self, facts: Facts) -> bool:
        """Whether a document meets the condition. A field that it does not have is equal to nothing."""
        found = facts.value(self.key)
        if self.operator in ("=", "!="):
            met = found is not None and any(test(found) for test in self._tests)
            return met == (self.operator == "=")
        return found is not None and self._compares(found)

    def in_index(self, name_of: Callable[[Path], str], home: Path) -> Filter:
        """The filter with paths from the current folder, or whole ones, as the index has them.

        ``name_of`` tells a file's name in the index, ``home`` is the folder that holds it.
        """
        if self.key.lower() != "path":
            return self

        def named(part: str) -> str:
            whole = os.path.isabs(part) and Path(part).is_relative_to(home)
            if not whole and not part.startswith(("./", "../", ".\\", "..\\")):
                return part
            name = name_of(Path(part))
            return name if os.path.isabs(name) else f"/{name}"

        return replace(self, value=",".join(named(part.strip()) for part in self.value.split(",")))

    @cached_property
    def _tests(self) -> list[Callable[[Scalar], bool]]:
        # Asked once of each value: documents of one file share much.
        remember = lru_cache(_REMEMBERED, typed=True)
        return [remember(self._test(part.strip())) for part in self.value.split(",")]

    def _test(self, wanted: str) -> Callable[[Scalar], bool]:
        key = self.key.lower()
        if key == "path":
            from pathspec import GitIgnoreSpec

            # As in a .gitignore, but a pattern with a slash may begin at any folder.
            spec = GitIgnoreSpec.from_lines([wanted if wanted.startswith("/") else f"**/{wanted}"])
            return lambda found: spec.match_file(str(found).lstrip("/"))
        if key in ("ext", "extension"):
            wanted = wanted.lstrip(".")
        folded = wanted.casefold()
        if any(sign in wanted for sign in "*?["):
            return lambda found: fnmatchcase(_text(found).casefold(), folded)
        if key in _DATES:  # 2026-05 is the whole month
            if is_date(wanted):
                return lambda found: meets(_text(found), "=", wanted)
            return lambda found: _text(found).startswith(wanted)
        return lambda found: _text(found).casefold() == folded or _equal_numbers(found, wanted)

    def _compares(self, found: Scalar) -> bool:
        wanted = self.value
        if self.key.lower() in _DATES:  # 20260517 is a day, and no number
            return meets(_text(found), self.operator, wanted)
        if _NUMBER.match(wanted) and not isinstance(found, str):
            order = float(found) - float(wanted)
        elif _NUMBER.match(wanted) and _NUMBER.match(str(found)):
            order = float(str(found)) - float(wanted)
        elif is_date(wanted) and meets(_text(found), ">", "0001"):
            return meets(_text(found), self.operator, wanted)
        else:
            text = _text(found)
            order = (text > wanted) - (text < wanted)
        return {">": order > 0, ">=": order >= 0, "<": order < 0, "<=": order <= 0}[self.operator]


def parse_filters(words: Sequence[str]) -> list[Filter]:
    """Filters from the command line. Raises ``UsageError`` for what is none."""
    filters = []
    for word in words:
        match = _SHAPE.match(word)
        if match is None or not match[3]:
            raise UsageError(f"--filter {word}: write KEY=VALUE, as in path='notes/**' or date>=2026-05")
        if match[1].lower() in _DATES and match[2] not in ("=", "!=") and not is_date(match[3]):
            raise UsageError(
                f"--filter {word}: no date; write it as in {match[1]}{match[2]}2026-05 or 2026-05-31"
            )
        filters.append(Filter(match[1], match[2], match[3]))
    return filters


def choose(filters: Sequence[Filter], documents: Iterable[Facts]) -> set[str]:
    """Names of the documents that meet all conditions.

    Raises ``UsageError`` for a field that no document has, which is more often a slip than meant.
    """
    known: set[str] = set()
    chosen = set()
    for facts in documents:
        known.update(name.lower() for name in facts.metadata)
        if all(condition.holds(facts) for condition in filters):
            chosen.add(facts.document)
    for condition in filters:
        name = condition.key.lower()
        if name not in _BUILT_IN and name != "date" and name.removeprefix("metadata.") not in known:
            there = dict.fromkeys([*_BUILT_IN.values(), "date", *sorted(known)])
            fields = ", ".join([*there][:20])
            raise UsageError(f"--filter {condition.key}: no document has this field; there are {fields}")
    return chosen


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _equal_numbers(found: Scalar, wanted: str) -> bool:
    return not isinstance(found, str | bool) and bool(_NUMBER.match(wanted)) and float(found) == float(wanted)
