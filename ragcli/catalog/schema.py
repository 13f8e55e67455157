"""The catalogue's schema as a list of numbered steps, and the way from one number to the next.

The format of a catalogue is the number of steps it has gone through. A new catalogue goes through
all of them; an older one goes through what it lacks, when it is opened by whoever may write it.
A step that was released is never changed: what follows from it is a further step.
"""

from __future__ import annotations

import sqlite3
import uuid

_STEPS = (
    """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE roots (path TEXT PRIMARY KEY, options TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, changed_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, recipe TEXT NOT NULL, failures TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE documents (
    id TEXT PRIMARY KEY, path TEXT NOT NULL, record TEXT, title TEXT NOT NULL, format TEXT NOT NULL,
    language TEXT NOT NULL, characters INTEGER NOT NULL, sha256 TEXT NOT NULL,
    modified TEXT NOT NULL, indexed TEXT NOT NULL, metadata TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX documents_by_path ON documents (path);
CREATE TABLE chunks (
    id TEXT PRIMARY KEY, document TEXT NOT NULL, ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, context TEXT NOT NULL, heading TEXT NOT NULL,
    page INTEGER, first_line INTEGER, last_line INTEGER, tokens INTEGER NOT NULL,
    content TEXT NOT NULL, generation INTEGER NOT NULL
);
CREATE INDEX chunks_by_document ON chunks (document, ordinal);
CREATE INDEX chunks_by_generation ON chunks (generation);
CREATE INDEX chunks_by_content ON chunks (content);
CREATE TABLE gone (chunk TEXT PRIMARY KEY, generation INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE vectors (
    content TEXT NOT NULL, model TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (content, model)
) WITHOUT ROWID;
""",
    """
ALTER TABLE chunks ADD COLUMN lead TEXT NOT NULL DEFAULT '';
ALTER TABLE chunks ADD COLUMN page_label TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN file TEXT NOT NULL DEFAULT '';
UPDATE documents SET file = path;
CREATE INDEX documents_by_file ON documents (file);
""",
    """
CREATE TABLE flags (
    chunk TEXT NOT NULL, kind TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    PRIMARY KEY (chunk, start, kind)
) WITHOUT ROWID;
""",
    """
CREATE TABLE contexts (
    situation TEXT NOT NULL, writer TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (situation, writer)
) WITHOUT ROWID;
ALTER TABLE chunks ADD COLUMN written TEXT NOT NULL DEFAULT '';
ALTER TABLE chunks ADD COLUMN situation TEXT NOT NULL DEFAULT '';
CREATE INDEX chunks_by_situation ON chunks (situation);
""",
    # In a table without rowids a row of more than a quarter of a page leaves most of another page empty.
    """
CREATE TABLE kept (content TEXT NOT NULL, model TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (content, model));
INSERT INTO kept SELECT content, model, vector FROM vectors;
DROP TABLE vectors;
ALTER TABLE kept RENAME TO vectors;
""",
)
FORMAT = len(_STEPS)


def fill(db: sqlite3.Connection) -> None:
    """Write schema and first notes of a new catalogue."""
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # so that space can be given back
    with db:
        db.executescript("\n".join(_STEPS))
        db.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [("format", str(FORMAT)), ("uid", uuid.uuid4().hex), ("generation", "0")],
        )


def migrate(db: sqlite3.Connection, steps: tuple[str, ...] = _STEPS) -> None:
    """Take an older catalogue through the steps it lacks: through all of them or none."""
    db.execute("BEGIN IMMEDIATE")  # another process may have been quicker
    try:
        done = int(db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()[0])
        for step in steps[done:]:
            for statement in step.split(";"):
                if statement.strip():
                    db.execute(statement)
        db.execute("UPDATE meta SET value = ? WHERE key = 'format'", (str(len(steps)),))
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def same_schema(db: sqlite3.Connection) -> bool:
    """Whether a catalogue holds the tables and indexes of its format and nothing besides.

    A catalogue that comes from elsewhere might bring triggers and views of its own.
    """
    told = db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    if told is None or str(told[0]) not in map(str, range(1, FORMAT + 1)):
        return False
    plain = sqlite3.connect(":memory:")
    try:
        plain.executescript("\n".join(_STEPS[: int(told[0])]))
        query = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
        return plain.execute(query).fetchall() == db.execute(query).fetchall()
    finally:
        plain.close()
