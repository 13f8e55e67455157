"""All that an index holds and answers, so that two can be compared; and what readers saw."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .corpus import EVERYWHERE, Folder
from .processes import Family

# Every chunk, and then the best of each list.
_QUESTIONS = (
    (f"heron at {EVERYWHERE}", "lexical"),
    ("amber juniper kettle", "lexical"),
    (f"heron at {EVERYWHERE}", "dense"),
    ("lantern and willow of quarry", "hybrid"),
)


@contextmanager
def catalogue(home: Path) -> Iterator[sqlite3.Connection]:
    """The catalogue of an index, only to be read."""
    with closing(sqlite3.connect(f"file:{home}/.rag/catalog.sqlite3?mode=ro", uri=True, timeout=30)) as db:
        yield db


def known_vectors(home: Path) -> set[str]:
    """Contents that have a vector."""
    with catalogue(home) as db:
        return {row[0] for row in db.execute("SELECT content FROM vectors")}


def used_vectors(home: Path) -> set[str]:
    """Contents that a chunk has."""
    with catalogue(home) as db:
        return {row[0] for row in db.execute("SELECT content FROM chunks")}


def chunks_by_document(home: Path) -> dict[str, frozenset[str]]:
    """Ids of the chunks of every document."""
    with catalogue(home) as db:
        return {
            document: frozenset(chunks.split())
            for document, chunks in db.execute(
                "SELECT document, group_concat(id, ' ') FROM chunks GROUP BY document"
            )
        }


@dataclass(frozen=True)
class Answers:
    """What two indexes of the same documents must have in common, whatever happened to one of them."""

    documents: list[Any]
    chunks: list[Any]
    vectors: list[Any]
    files: list[Any]
    hits: dict[str, list[dict[str, Any]]]


def answers_of(family: Family, home: Path) -> Answers:
    """Everything but what tells when files and index were written, and how often.

    The index must be sound, as the program itself finds it.
    """
    examined = family.rag("doctor", cwd=home).wait()
    assert examined.exit == 0, examined
    assert "bad " not in examined.out
    searches = [
        family.rag("search", question, "--mode", mode, "-k", "2000", "--format", "jsonl", cwd=home)
        for question, mode in _QUESTIONS
    ]
    hits = {}
    for (question, mode), search in zip(_QUESTIONS, searches, strict=True):
        ran = search.wait()
        assert ran.exit in (0, 1), ran
        hits[f"{mode}: {question}"] = ran.lines
    with catalogue(home) as db:

        def rows(query: str) -> list[Any]:
            return db.execute(query).fetchall()

        return Answers(
            rows(
                """SELECT id, path, record, title, format, language, characters, sha256, metadata, text
                   FROM documents ORDER BY id"""
            ),
            rows(
                """SELECT id, document, ordinal, start, "end", context, heading, page, first_line, last_line,
                          tokens, content, lead, page_label FROM chunks ORDER BY id"""
            ),
            rows(
                """SELECT DISTINCT content, model, vector FROM vectors JOIN chunks USING (content)
                   ORDER BY content, model"""
            ),
            rows("SELECT path, size, sha256, recipe, failures FROM files ORDER BY path"),
            hits,
        )


def check_same(mended: Answers, fresh: Answers) -> None:
    """Fail unless an index answers like one that was made in one go, and say what differs."""
    assert mended.documents == fresh.documents
    assert mended.chunks == fresh.chunks
    assert mended.vectors == fresh.vectors
    assert mended.files == fresh.files
    for question, hits in fresh.hits.items():
        assert mended.hits[question] == hits, question


def check_readers(logs: list[Path], folder: Folder) -> Counter[str]:
    """Fail when a reader was ever shown what was not there; counts of what they met."""
    counts: Counter[str] = Counter()
    for log in logs:
        passages: dict[str, tuple[str, str]] = {}
        for line in log.read_text("utf-8").splitlines():
            entry = json.loads(line)
            counts[f"{log.stem} exit {entry['exit']}"] += 1
            assert entry["exit"] in (0, 5), entry["message"]
            counts.update(f"{log.stem} was told: {note}" for note in entry["notes"])
            for chunk, document, text in entry["new"]:
                assert chunk not in passages, "an id stands for another passage than before"
                assert folder.has_held(document, text), (document, text)
                passages[chunk] = document, text
            assert len(set(entry["ids"])) == len(entry["ids"]), "a passage was found twice"
            if entry["exit"] == 0 and entry["before"] == entry["after"]:
                counts[f"{log.stem} compared with the catalogue"] += 1
                assert sorted(entry["ids"]) == entry["after"][1]
        assert passages, "the reader saw nothing at all"
    return counts
