"""What LLMs wrote of where chunks belong: paid for once, kept as long as a chunk may use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

_IDLE = "situation NOT IN (SELECT situation FROM chunks)"


class Contexts:
    """The catalogue's table of written contexts, by the chunk's situation and by who wrote.

    An empty text says that the writer was asked and wrote nothing that can be used.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def known(self, situations: Iterable[str], writer: str, *, others: bool) -> dict[str, str]:
        """What is written of those situations of which something is: by this writer, else by another.

        Where not ``others``, by this one alone. Of several others the first in the order of their
        names that wrote something counts.
        """
        query = """SELECT text FROM contexts WHERE situation = ? AND (writer = ? OR ?)
                   ORDER BY writer != ?, text = '', writer LIMIT 1"""
        found = {}
        for situation in dict.fromkeys(situations):
            row = self._db.execute(query, (situation, writer, others, writer)).fetchone()
            if row is not None:
                found[situation] = str(row[0])
        return found

    def put(self, situation: str, writer: str, text: str) -> None:
        """Keep a text; durable at once outside a transaction."""
        self._db.execute("INSERT OR REPLACE INTO contexts VALUES (?, ?, ?)", (situation, writer, text))

    def all(self) -> Iterator[tuple[str, str, str]]:
        """Situation, writer and text of each."""
        yield from self._db.execute("SELECT situation, writer, text FROM contexts ORDER BY situation, writer")

    def count(self) -> int:
        """How many there are."""
        return int(self._db.execute("SELECT count(*) FROM contexts").fetchone()[0])

    def idle(self) -> int:
        """How many no chunk uses."""
        return int(self._db.execute(f"SELECT count(*) FROM contexts WHERE {_IDLE}").fetchone()[0])  # noqa: S608

    def of(self, document: str) -> list[str]:
        """The situations of a document's chunks."""
        query = "SELECT DISTINCT situation FROM chunks WHERE document = ? AND situation != ''"
        return [row[0] for row in self._db.execute(query, (document,))]

    def drop(self, situations: Iterable[str]) -> None:
        """Drop what is written of these situations, unless a chunk uses it."""
        query = f"DELETE FROM contexts WHERE situation = ? AND {_IDLE}"  # noqa: S608
        self._db.executemany(query, [(situation,) for situation in situations])

    def drop_idle(self, most: int = 0) -> int:
        """Drop those no chunk uses where they are more than ``most``; how many went."""
        count = self.idle()
        if count <= most:
            return 0
        self._db.execute(f"DELETE FROM contexts WHERE {_IDLE}")  # noqa: S608
        return count
