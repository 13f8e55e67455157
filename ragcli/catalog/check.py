"""Whether what stands in a catalogue's rows can be: kinds of values, spans, vectors, notes.

A file may have been damaged in place, or come from elsewhere: SQLite takes any value in any column.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator

from ragcli.jsontext import parse_json
from ragcli.settings import CHOICES, NONE, PARTS

# What each column must hold beside its schema, by table; what a row of another kind is called.
_KINDS = {
    "meta": ("key value", "", ""),
    "roots": ("path options", "", ""),
    "files": ("path sha256 recipe failures", "size changed_ns", ""),
    "documents": (
        "id path title format language sha256 modified indexed metadata text file", "characters", "record",
    ),
    "chunks": (
        "id document context heading content lead page_label written situation",
        "ordinal start end tokens generation", "",
    ),
    "contexts": ("situation writer text", "", ""),
    "gone": ("chunk", "generation", ""),
    "flags": ("chunk kind", "start end", ""),
    "vectors": ("content model", "", ""),
}  # fmt: skip
_SPANS = """
    SELECT count(*) FROM chunks JOIN documents ON documents.id = document
    WHERE NOT (0 <= start AND start < "end" AND "end" <= length(text))
"""
_PLACES = """
    SELECT count(*) FROM chunks WHERE NOT (
        (page IS NULL OR (typeof(page) = 'integer' AND page > 0))
        AND ((first_line IS NULL AND last_line IS NULL)
             OR (typeof(first_line) = 'integer' AND typeof(last_line) = 'integer'
                 AND 0 < first_line AND first_line <= last_line))
    )
"""
_NEXT = "(SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'generation')"
_ORDINALS = f"""
    SELECT count(*) FROM chunks
    WHERE ordinal < 0 OR tokens NOT BETWEEN 0 AND 1000000000 OR generation NOT BETWEEN 0 AND {_NEXT}
"""  # noqa: S608
_LENGTHS = "SELECT count(*) FROM documents WHERE characters != length(text)"
_FLAGS = """
    SELECT count(*) FROM flags LEFT JOIN chunks ON chunks.id = chunk LEFT JOIN documents ON documents.id = document
    WHERE text IS NULL OR NOT (0 <= flags.start AND flags.start <= flags."end" AND flags."end" <= length(text))
"""
_ORPHANS = "SELECT count(*) FROM chunks WHERE document NOT IN (SELECT id FROM documents)"
_NUMBERS = ("format", "generation", "dimensions", "max_tokens", "chunk_size", "overlap", "dims")


def contradictions(db: sqlite3.Connection) -> Iterator[str]:
    """What cannot be in the rows of a catalogue whose file is sound."""
    for table, (texts, numbers, optional) in _KINDS.items():
        tests = [f"typeof({name}) = 'text'" for name in texts.split()]
        tests += [f"typeof(\"{name}\") = 'integer'" for name in numbers.split()]
        tests += [f"typeof({name}) IN ('text', 'null')" for name in optional.split()]
        count = _count(db, f"SELECT count(*) FROM {table} WHERE NOT ({' AND '.join(tests)})")  # noqa: S608
        if count:
            yield f"{count} rows of {table} hold values of another kind"
    if orphans := _count(db, _ORPHANS):
        yield f"{orphans} chunks belong to no document"
    if wrong := _count(db, _SPANS) + _count(db, _PLACES) + _count(db, _ORDINALS):
        yield f"{wrong} chunks lie outside their text"
    if wrong := _count(db, _LENGTHS):
        yield f"{wrong} documents are not as long as noted"
    if wrong := _count(db, _FLAGS):
        yield f"{wrong} flags stand nowhere"
    if wrong := _count(db, "SELECT count(*) FROM files WHERE size < 0"):
        yield f"{wrong} files are smaller than nothing"
    if wrong := _count(db, "SELECT count(*) FROM vectors WHERE typeof(vector) != 'blob'"):
        yield f"{wrong} vectors are none"
    for table, column, fits in (
        ("documents", "metadata", _is_metadata),
        ("chunks", "heading", _is_heading),
        ("files", "failures", _is_failures),
        ("roots", "options", _is_options),
    ):
        if wrong := sum(not _holds(row[0], fits) for row in db.execute(f"SELECT {column} FROM {table}")):  # noqa: S608
            yield f"{wrong} rows of {table} hold a {column} that cannot be read"
    yield from _notes(dict(db.execute("SELECT key, value FROM meta").fetchall()))


def can_be_noted(key: str, value: str) -> bool:
    """Whether a value can be one of an index's own notes: those of some names are numbers."""
    if key in _NUMBERS:
        return value.isascii() and value.isdecimal() and len(value) < 18
    if key == "languages":
        return all(code.isascii() and code.isalpha() for code in value.split(","))
    if key == "chunker":
        return value in CHOICES["chunker"]
    if key == "context":
        return value == NONE or set(value.split(",")) <= set(PARTS["context"])
    if key == "probe":
        try:
            return all(math.isfinite(float(word)) for word in value.split())
        except ValueError:
            return False
    return True


def can_be_options(value: str) -> bool:
    """Whether a value can be the options a path was indexed with."""
    return _holds(value, _is_options)


def _notes(meta: dict[str, str]) -> Iterator[str]:
    for name, value in meta.items():
        if not can_be_noted(name, value):
            yield f"its note {name} cannot be"
    if not meta.get("uid"):
        yield "it has no name"
    probe, dimensions = meta.get("probe", "").split(), meta.get("dimensions", "")
    if probe and dimensions.isdecimal() and len(probe) != int(dimensions):
        yield "its probe has other dimensions than its vectors"
    if ("model" in meta) != ("signature" in meta):
        yield "its note of the model is cut"


def _count(db: sqlite3.Connection, query: str) -> int:
    return int(db.execute(query).fetchone()[0])


def _holds(text: object, fits: Callable[[object], bool]) -> bool:
    try:
        return isinstance(text, str) and fits(parse_json(text))
    except ValueError:
        return False


def _is_metadata(told: object) -> bool:
    return isinstance(told, dict) and all(isinstance(v, str | int | float | bool) for v in told.values())


def _is_heading(told: object) -> bool:
    return isinstance(told, list) and all(isinstance(part, str) for part in told)


def _is_options(told: object) -> bool:
    return isinstance(told, dict)


def _is_failures(told: object) -> bool:
    return isinstance(told, list) and all(
        isinstance(one, list) and len(one) in (2, 3) and all(isinstance(part, str) for part in one)
        for one in told
    )
