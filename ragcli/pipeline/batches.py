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
from ragcli.service.addresses import parse_spec

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
        for batch, count in self._batches.submit(texts):
            self._note({**self._noted(), batch: count})
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
            self._note({other: count for other, count in self._noted().items() if other != batch})
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

    def _noted(self) -> dict[str, int]:
        return _noted(self._index, self._signature)

    def _note(self, batches: Mapping[str, int]) -> None:
        with self._index.catalog.transaction():
            told = json.loads(self._index.catalog.get(_NOTE) or "{}")
            self._index.catalog.put(_NOTE, json.dumps({**told, self._signature: batches}))


def tell_of_batches(index: Index, choice: ModelChoice, tell: Callable[[str], None]) -> None:
    """Say that batches of this model are under way, to whom is about to pay for texts without them."""
    noted = _noted(index, choice.signature)
    if not noted:
        return
    texts = sum(noted.values())
    batches = "a batch" if len(noted) == 1 else f"{len(noted)} batches"
    told = f"{batches} of {texts} texts" if texts else batches
    tell(
        f"note: {told} {'is' if len(noted) == 1 else 'are'} under way at {parse_spec(choice.spec).host}, which "
        f"--batch-api fetches; without it texts are embedded, and paid for, anew"
    )


def _noted(index: Index, signature: str) -> dict[str, int]:
    """The batches that were handed in and not fetched, with their texts; 0 where an older index did not count."""
    told = json.loads(index.catalog.get(_NOTE) or "{}").get(signature, {})
    return dict.fromkeys(told, 0) if isinstance(told, list) else told
