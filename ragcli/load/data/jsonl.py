"""JSON Lines collections: every line a document, or a reason why it is none."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from ragcli.jsontext import parse_json
from ragcli.load.encoding import decode, has_mark
from ragcli.load.markup.frontmatter import scalars
from ragcli.load.markup.markdown import read_light
from ragcli.load.parsed import CannotRead, Parsed
from ragcli.load.source import clean, inline
from ragcli.types import PlaceMap, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 50_000_000  # bytes of one line
_OWN = frozenset({"_id", "title", "text", "metadata"})


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a collection; ``sha256`` is that of the line's bytes without its end."""

    id: str
    sha256: str
    parsed: Parsed


def is_collection(file: BinaryIO) -> bool:
    """Whether any line is an object with ``text``; reads up to the first that is.

    Raises CannotRead("damaged") where fewer than half of the lines are JSON at all.
    """
    good = bad = 0
    for _, line in _lines(file):
        try:
            value = _load(line)
        except CannotRead:
            bad += 1
            continue
        if isinstance(value, dict) and "text" in value:
            return True
        good += 1
    if bad > good:
        raise CannotRead("damaged", "not JSON Lines: most lines are not JSON")
    return False


def records(file: BinaryIO) -> Iterator[Record | CannotRead]:
    """The records in order, one line in memory at a time; a line that is none gives its reason.

    The id is ``_id``, else the line number. An id that came before makes its line a bad one.
    """
    seen: set[str] = set()
    for number, line in _lines(file):
        try:
            record = _record(number, line)
            if record.id in seen:
                raise CannotRead("bad-line", f"_id {record.id[:80]} came before")
        except CannotRead as error:
            yield CannotRead("bad-line", f"line {number}: {error.message}")
        else:
            seen.add(record.id)
            yield record


def as_utf8(file: BinaryIO) -> BinaryIO:
    """The same lines in UTF-8, for what Windows shells write as UTF-16; only then read whole."""
    head = file.read(4)
    file.seek(0)
    if not has_mark(head) or head.startswith(b"\xef\xbb\xbf"):
        return file
    return io.BytesIO(decode(file.read())[0].encode("utf-8", "replace"))


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Line numbers and lines that are not blank, without ends and without a mark; too long ones are cut."""
    file.seek(0)
    number = 0
    while line := file.readline(_LONGEST):
        number += 1
        whole = line
        while len(whole) == _LONGEST and not whole.endswith(b"\n"):
            whole = file.readline(_LONGEST)
        line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if line.strip():
            yield number, line.rstrip(b"\r\n")


def _load(line: bytes) -> object:
    try:
        text = decode(line)[0]
        value: object = parse_json(text)
    except json.JSONDecodeError as error:
        raise CannotRead("bad-line", f"not JSON: {inline(error.msg)} (column {error.colno})") from None
    except ValueError:  # undecodable, an integer of thousands of digits, nested too deep
        raise CannotRead("bad-line", "not JSON that can be read") from None
    return value


def _record(number: int, line: bytes) -> Record:
    value = _load(line)
    if not isinstance(value, dict):
        raise CannotRead("bad-line", "not an object")
    text = value.get("text")
    if text is not None and not isinstance(text, str):
        raise CannotRead("bad-line", '"text" is not a string')
    title = value.get("title")
    name = inline(str(title)) if isinstance(title, str | int | float) and not isinstance(title, bool) else ""
    source = clean(text or "")
    if not source.text.strip():
        source = clean(name)
    if not source.text.strip():
        raise CannotRead("bad-line", "no text" if text is not None else 'no "text"')
    body = read_light(source)
    lines = PlaceMap((0,), (number,))
    parsed = Parsed(name, body.text, body.blocks, lines, metadata=_metadata(value))
    return Record(_id_of(value, number), hashlib.sha256(line).hexdigest(), parsed)


def _id_of(value: dict[str, object], number: int) -> str:
    given = value.get("_id")
    if given is None:
        return str(number)
    if isinstance(given, bool) or not isinstance(given, str | int) or not inline(str(given)):
        raise CannotRead("bad-line", '"_id" is neither an integer nor a string with letters')
    return inline(str(given))


def _metadata(value: dict[str, object]) -> dict[str, Scalar]:
    nested = value.get("metadata")
    own: dict[object, object] = {key: item for key, item in value.items() if key not in _OWN}
    return scalars({**own, **nested} if isinstance(nested, dict) else own)
