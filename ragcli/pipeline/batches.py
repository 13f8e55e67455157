"""``rag index --batch-api``: texts handed to a service's batch endpoint, and fetched when they are ready.

What was handed in is noted in the catalogue before it is waited for: whatever ends the command,
the same command fetches it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping

from ragcli.embed import Batches, ServiceEmbedder
from ragcli.errors import PartlyDone, UsageError
from ragcli.pipeline.choice import ModelChoice
from ragcli.pipeline.index import Index
from ragcli.pipeline.model import open_model

_NOTE = "embed_batches"
_LOOK = 5.0  # most seconds between two looks


class BatchRun:
    """The batches of one index. Raises ``UsageError`` for a model that has no batch endpoint."""

    def __init__(self, index: Index, choice: ModelChoice, tell: Callable[[str], None]) -> None:
        embedder = choice.embedder or open_model(choice.spec, index.settings, choice.dims)
        if not isinstance(embedder, ServiceEmbedder):
            raise UsageError(f"{choice.spec} runs here and has no batch endpoint; leave out --batch-api")
        self._index, self._embedder, self._tell = index, embedder, tell
        self._signature = choice.signature
        self._patience = index.settings.embed_patience
        self._batches = Batches(embedder.requests, self._patience)

    def submit(self, texts: Mapping[str, str]) -> None:
        """Hand in texts by their content hashes."""
        ids = []
        for batch in self._batches.submit(texts):
            self._note([*self._noted(), batch])
            ids.append(batch)
        self._tell(f"note: {len(texts)} texts were handed in as {', '.join(ids)}")

    def fetch(self) -> None:
        """Keep what has come of the batches that were handed in before.

        Raises ``PartlyDone`` for one that is not over within the patience that is set.
        """
        deadline = time.monotonic() + self._patience
        wait = 0.2
        for batch in self._noted():
            while not (state := self._batches.look(batch)).over:
                if time.monotonic() > deadline:
                    raise PartlyDone(
                        f"the batch {batch} is under way ({state.status}); the same command fetches it"
                    )
                time.sleep(wait)
                wait = min(_LOOK, wait * 1.5)
            failed: list[str] = []
            for file in state.files:
                failed += self._keep(file)
            self._note([other for other in self._noted() if other != batch])
            if state.status != "completed":
                self._tell(
                    f"note: the batch {batch} {state.status}{': ' if state.reason else ''}{state.reason}"
                )
            if failed:
                self._tell(f"note: {len(failed)} texts of the batch {batch} failed: {failed[0]}")

    def _keep(self, file: str) -> list[str]:
        """Store the vectors of a file; what went wrong with the others."""
        failed: list[str] = []
        with self._index.catalog.transaction():
            for name, found, tokens in self._batches.results(file):
                if isinstance(found, str):
                    failed.append(found)
                else:
                    self._index.catalog.put_vectors([name], self._signature, self._embedder.cut(found))
                    self._embedder.spent += tokens
        return failed

    def _noted(self) -> list[str]:
        """Ids of the batches of this model that were handed in and not fetched."""
        told = json.loads(self._index.catalog.get(_NOTE) or "{}")
        return [str(each) for each in told.get(self._signature, [])]

    def _note(self, ids: list[str]) -> None:
        with self._index.catalog.transaction():
            told = json.loads(self._index.catalog.get(_NOTE) or "{}")
            self._index.catalog.put(_NOTE, json.dumps({**told, self._signature: ids}))
