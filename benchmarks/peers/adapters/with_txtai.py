"""txtai: sparse and dense index with the texts in its database, as its documentation has it."""

from __future__ import annotations

from pathlib import Path

from peer import FOUND, MODEL, Search, documents, run
from txtai import Embeddings


def index(corpus: str, folder: Path) -> None:
    embeddings = Embeddings(path=MODEL, hybrid=True, content=True)
    embeddings.index(documents(corpus))
    embeddings.save(str(folder))


def opened(folder: Path) -> Search:
    embeddings = Embeddings()
    embeddings.load(str(folder))
    return lambda question: [found["id"] for found in embeddings.search(question, FOUND)]


run(opened, index)
