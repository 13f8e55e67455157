"""Judged questions: the files they come in, and which document a judged id means."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ragcli.errors import UsageError
from ragcli.jsontext import parse_json

Grades = Mapping[str, int]
Qrels = Mapping[str, Grades]

_HIGHEST_GRADE = 1_000_000


@dataclass(frozen=True, slots=True)
class Query:
    """A question with its id."""

    id: str
    text: str


def read_queries(path: Path) -> list[Query]:
    """Read ``queries.jsonl``: objects with ``_id`` and ``text``. Raises ``UsageError`` with the line."""
    queries: list[Query] = []
    seen: set[str] = set()
    place = "standard input" if str(path) == "-" else path
    for number, line in enumerate(lines_of(path), 1):
        if not line.strip():
            continue
        try:
            entry = parse_json(line)
            name, text = entry["_id"], entry["text"]
            f"{name}{text}".encode()  # halves of surrogate pairs cannot be written again
        except (ValueError, KeyError, TypeError):
            name = text = None
        if not isinstance(name, str | int) or not isinstance(text, str):
            raise UsageError(
                f'{place}:{number}: not an object with _id and text, as in {{"_id": "1", "text": "…"}}'
            )
        if not text.strip():
            raise UsageError(
                f"{place}:{number}: the question {name} has no words; write some, or take it out"
            )
        if str(name) in seen:
            raise UsageError(f"{place}:{number}: a second question with the _id {name}")
        seen.add(str(name))
        queries.append(Query(str(name), text))
    if not queries:
        raise UsageError(f"{place}: no questions in it")
    return queries


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Read ``qrels.tsv`` (query-id, corpus-id, score, with or without a header) or TREC's four columns."""
    qrels: dict[str, dict[str, int]] = {}
    for number, line in enumerate(lines_of(path), 1):
        row = line.rstrip("\r").split("\t")
        cells = row if len(row) > 1 else line.split()
        if not cells or (number == 1 and not cells[-1].strip()[-1:].isdigit()):
            continue
        if len(cells) == 4:
            cells = [cells[0], cells[2], cells[3]]
        try:
            query, document, grade = cells
            value = float(grade)
            if value != int(value) or abs(value) > _HIGHEST_GRADE:
                raise ValueError(grade)
            qrels.setdefault(query, {})[document] = int(value)
        except (ValueError, OverflowError):
            raise UsageError(f"{path}:{number}: not query-id, corpus-id, score") from None
    if not qrels:
        raise UsageError(f"{path}: no judgements in it")
    return qrels


def lines_of(path: Path) -> list[str]:
    """The lines of a UTF-8 file, or of standard input where it is ``-``. Raises ``UsageError``."""
    try:
        raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        # Not splitlines: a record may hold U+2028 and its kin.
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8") from None


def judged_names(judged: Iterable[str], documents: Iterable[tuple[str, str, str | None]]) -> dict[str, str]:
    """Map documents, given as (id, path, record), to the judged id that means each.

    A judged id means the records that have it as ``_id``; else the file of that path, or the only
    one whose path ends in it; else the only file of that name without its ending.
    """
    wanted = set(judged)
    by_record: dict[str, list[str]] = {}
    by_path: dict[str, list[str]] = {}
    by_tail: dict[str, list[str]] = {}
    by_stem: dict[str, list[str]] = {}
    for document, path, record in documents:
        if record is not None:
            by_record.setdefault(record, []).append(document)
            continue
        by_path[path] = [document]
        parts = path.split("/")
        for start in range(1, len(parts)):
            by_tail.setdefault("/".join(parts[start:]), []).append(document)
        by_stem.setdefault(Path(path).stem, []).append(document)
    names: dict[str, str] = {}
    for name in sorted(wanted):
        found = by_record.get(name)
        if not found:
            found = next(
                (hits for known in (by_path, by_tail, by_stem) if len(hits := known.get(name, [])) == 1), []
            )
        for document in found:
            names[document] = name
    return names
