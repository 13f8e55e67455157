"""ragcli in one process; it indexes and searches by its own command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from peer import Search, run

from ragcli.pipeline.ask import Asker
from ragcli.pipeline.index import Index
from ragcli.settings import Settings


def opened(folder: Path) -> Search:
    asker = Asker(Index.open(folder, replace(Settings(), offline=True)))
    return lambda question: [str(hit.record) for hit in asker.search(question).hits]


run(opened)
