"""A provider's batch endpoint: many texts in one file, embedded within a day for less.

Written after OpenAI's reference of ``/v1/files`` and ``/v1/batches``. A line's ``custom_id`` says
whose vector its answer holds, so that what comes back needs nothing else to be understood.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ragcli.embed.requests import Passing, Requests, TooLarge, TooManyRequests
from ragcli.errors import ModelUnavailable, UsageError
from ragcli.jsontext import parse_json
from ragcli.plain import one_line
from ragcli.service.patience import back_off

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

MOST = 50_000  # requests of a batch
_MOST_BYTES = 190_000_000  # of its file
_OVER = frozenset({"completed", "expired", "cancelled", "failed"})


@dataclass(frozen=True, slots=True)
class BatchState:
    """How far a batch is; ``over`` where nothing more will come of it, ``files`` hold what came."""

    status: str
    files: tuple[str, ...] = ()
    reason: str = ""

    @property
    def over(self) -> bool:
        return self.status in _OVER


class Batches:
    """The batch endpoint of one service. Raises ``UsageError`` where it has none that is known."""

    def __init__(self, requests: Requests, patience: float) -> None:
        service = requests.address.service
        if service.speaks not in ("openai", "azure") or service.name == "ollama":
            raise UsageError(
                f"{service.name} has no batch endpoint that is known here; leave out --batch-api"
            )
        self._requests = requests
        self._base = requests.wire.url.removesuffix("/embeddings")
        self._patience = patience
        requests.open()

    def submit(self, texts: Mapping[str, str]) -> Iterator[tuple[str, int]]:
        """Send texts by their names; the id of each batch and how many it holds, as soon as it was made."""
        for part in self._parts(texts):
            yield self._submit(part), len(part)

    def look(self, batch: str) -> BatchState:
        """How far a batch is; one that the service does not know has failed."""
        try:
            told = self._call("GET", f"{self._base}/batches/{batch}")
        except ModelUnavailable as error:
            if "has no model" in str(error):  # 404
                return BatchState("failed", reason="the service does not know it")
            raise
        files = tuple(str(told[key]) for key in ("output_file_id", "error_file_id") if told.get(key))
        try:
            reason = str(told["errors"]["data"][0]["message"] or "")
        except (KeyError, IndexError, TypeError):
            reason = ""
        return BatchState(str(told.get("status")), files, one_line(reason))

    def results(self, file: str) -> Iterator[tuple[str, Vectors | str, int]]:
        """Name, vector of shape (1, dim) or what went wrong, and tokens, of each line of a file."""
        text = self._text("GET", f"{self._base}/files/{file}/content")
        for line in text.splitlines():
            try:
                told = parse_json(line)
                name, answer = str(told["custom_id"]), told.get("response") or {}
                if answer.get("status_code") != 200:
                    error = told.get("error") or (answer.get("body") or {}).get("error") or {}
                    yield name, one_line(str(error.get("message") or "no reason given")), 0
                    continue
                try:
                    reply = self._requests.read(json.dumps(answer["body"]), 1, {})
                except ModelUnavailable as error:  # of this text alone
                    yield name, str(error), 0
                    continue
            except (KeyError, TypeError, ValueError, AttributeError):
                continue
            yield name, reply.vectors, reply.tokens or 0

    def _parts(self, texts: Mapping[str, str]) -> Iterator[list[bytes]]:
        """The lines of files that are not too large."""
        wire, model = self._requests.wire, self._requests.address.model
        lines: list[bytes] = []
        size = 0
        for name, text in texts.items():
            body = wire.body(model, [text.encode(errors="replace").decode()], "document")
            asked = {"custom_id": name, "method": "POST", "url": "/v1/embeddings", "body": body}
            line = json.dumps(asked, ensure_ascii=False).encode()
            if lines and (len(lines) == MOST or size + len(line) > _MOST_BYTES):
                yield lines
                lines, size = [], 0
            lines.append(line)
            size += len(line) + 1
        if lines:
            yield lines

    def _submit(self, lines: list[bytes]) -> str:
        content = ("texts.jsonl", b"\n".join(lines) + b"\n", "application/jsonl")
        sent = self._call("POST", f"{self._base}/files", data={"purpose": "batch"}, files={"file": content})
        asked = {"input_file_id": sent.get("id"), "endpoint": "/v1/embeddings", "completion_window": "24h"}
        made = self._call("POST", f"{self._base}/batches", json=asked)
        if not isinstance(made.get("id"), str):
            raise ModelUnavailable(f"{self._requests.address.host} made no batch")
        return str(made["id"])

    def _call(self, method: str, url: str, **content: Any) -> dict[str, Any]:
        try:
            told = parse_json(self._text(method, url, **content))
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise ModelUnavailable(
                f"{self._requests.address.host} sent no JSON object; has it a batch endpoint?"
            )
        return told

    def _text(self, method: str, url: str, **content: Any) -> str:
        """The body of an answer, asked for again while failures pass."""
        since, failures = time.monotonic(), 0
        while True:
            try:
                return self._requests.call(method, url, **content).text
            except TooLarge as error:
                raise ModelUnavailable(str(error)) from None
            except (TooManyRequests, Passing) as error:
                failures += 1
                wait = max(error.wait or 0.0, back_off(failures, longest=30.0))
                if time.monotonic() + wait - since > self._patience:
                    raise ModelUnavailable(f"{error}; the same command carries on") from None
                time.sleep(wait)
