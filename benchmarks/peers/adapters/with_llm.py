"""llm in one process, by the Python interface of its collections; else its own command is run."""

from __future__ import annotations

from pathlib import Path

import llm
import sqlite_utils
from peer import FOUND, Search, run


def opened(folder: Path) -> Search:
    collection = llm.Collection("corpus", db=sqlite_utils.Database(folder / "embeddings.db"), create=False)
    return lambda question: [entry.id for entry in collection.similar(question, number=FOUND)]


run(opened)
