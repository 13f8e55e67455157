"""An embedding server on 127.0.0.1 that speaks as OpenAI, Azure, Cohere, Voyage and Ollama do, and misbehaves.

Vectors are sums of a vector for each word, so that texts with words in common are near. It plays
its acts, one a request, and then answers rightly; or it limits requests and tokens a minute and
refuses a share of them at random. Each text that it was paid for is noted, in a file too:

    python -m tests.embed.server --port 8080 --log FILE --rpm 600 --tpm 100000 --refuse 0.3
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

Act = Callable[["Handler", list[str]], None]
DIMENSIONS = 32


@lru_cache(maxsize=100_000)
def _word(word: str) -> np.ndarray[Any, Any]:
    return np.frombuffer(hashlib.sha256(word.encode()).digest(), dtype=np.int8).astype(np.float64)


def vector_of(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """The vector of a text, of no particular length."""
    total = sum((_word(word.strip(".,?!:#").lower()) for word in text.split()), np.full(32, 0.5))
    return [round(float(x), 4) for x in np.resize(total, dimensions)]


def tokens_of(text: str) -> int:
    """One for each word."""
    return len(text.split())


class Handler(BaseHTTPRequestHandler):
    """Answers one request after another on a connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        server = self.server
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path in ("/v1/files", "/v1/batches") or self.path.endswith("/cancel"):
            self.batch_api(raw)
            return
        body = json.loads(raw)
        texts = body.get("input") or body.get("texts")
        texts = [texts] if isinstance(texts, str) else texts
        with server.lock:
            server.requests.append((self.path, dict(self.headers), body))
            server.under_way += 1
            server.most_under_way = max(server.most_under_way, server.under_way)
            act = server.acts.popleft() if server.acts else server.otherwise
        try:
            act(self, texts)
        except OSError:
            self.close_connection = True
        finally:
            with server.lock:
                server.under_way -= 1

    def do_GET(self) -> None:
        self.batch_api(b"")

    def batch_api(self, raw: bytes) -> None:
        status, told = self.server.batches.answer(self.command, self.path, raw, self.server)
        self.reply(status, told)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def reply(self, status: int, told: Any, **headers: str) -> None:
        data = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def vectors(self, rows: list[Any], tokens: int, **headers: str) -> None:
        """Vectors as the service whose path was asked gives them."""
        if self.path == "/api/embed":
            self.reply(200, {"model": "m", "embeddings": rows, "prompt_eval_count": tokens}, **headers)
        elif self.path == "/v2/embed":
            told = {"embeddings": {"float": rows}, "meta": {"billed_units": {"input_tokens": tokens}}}
            self.reply(200, told, **headers)
        else:
            data = [{"object": "embedding", "index": n, "embedding": row} for n, row in enumerate(rows)]
            data.reverse()  # the index says which is whose
            self.reply(
                200, {"data": data, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}, **headers
            )


class Server(ThreadingHTTPServer):
    """Remembers what it was asked and what it was paid for."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, acts: Sequence[Act] = (), *, port: int = 0, otherwise: Act | None = None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.acts = deque(acts)
        self.otherwise: Act = otherwise or good
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.paid: Counter[str] = Counter()
        self.log: Path | None = None
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.under_way = self.most_under_way = 0
        self.batches = BatchApi()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def bodies(self) -> list[Any]:
        return [body for _, _, body in self.requests]

    def pay(self, texts: Sequence[str]) -> None:
        """Note texts that were embedded."""
        with self.lock:
            self.paid.update(texts)
            if self.log is not None:
                lines = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
                with self.log.open("a") as file:
                    file.write("".join(f"{line} {time.time():.3f} {tokens_of(text)}\n"
                                       for line, text in zip(lines, texts, strict=True)))  # fmt: skip

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is none."""


# -- what it may do ----------------------------------------------------------------------------------


def good(handler: Handler, texts: list[str]) -> None:
    """Embeds."""
    rows = [vector_of(text) for text in texts]
    handler.server.pay(texts)
    handler.vectors(rows, sum(map(tokens_of, texts)))


def fails(status: int, message: str = "no", code: str = "", **headers: str) -> Act:
    """Answers with an error as OpenAI words it."""

    def act(handler: Handler, _: list[str]) -> None:
        handler.reply(status, {"error": {"message": message, "code": code, "type": code}}, **headers)

    return act


def reads_at_most(words: int, texts: int = 10_000) -> Act:
    """Refuses a text of more words, and a request of more texts."""

    def act(handler: Handler, given: list[str]) -> None:
        if len(given) > texts:
            fails(413, "too many inputs")(handler, given)
        elif any(tokens_of(text) > words for text in given):
            fails(400, f"This model's maximum context length is {words} tokens")(handler, given)
        else:
            good(handler, given)

    return act


def sends(rows: Callable[[list[str]], list[Any]]) -> Act:
    """Sends other vectors than those asked for."""
    return lambda handler, texts: handler.vectors(rows(texts), 1)


def raw(data: bytes) -> Act:
    """Sends something that need be no JSON."""
    return lambda handler, _: handler.reply(200, data)


def cuts(handler: Handler, _: list[str]) -> None:
    """Announces more than it sends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b'{"data": [')
    handler.close_connection = True


def hangs_up(handler: Handler, _: list[str]) -> None:
    """Closes the connection without a word."""
    handler.close_connection = True


def stalls(handler: Handler, _: list[str]) -> None:
    """Says nothing until the test is over."""
    handler.server.over.wait(20)
    handler.close_connection = True


def slow(seconds: float) -> Act:
    """Embeds after a while."""

    def act(handler: Handler, texts: list[str]) -> None:
        handler.server.over.wait(seconds)
        good(handler, texts)

    return act


def limited(
    rpm: float, tpm: float, refuse: float, *, latency: float = 0.0, retry_after: float = 0.5, seed: int = 1
) -> Act:
    """Lets so many requests and tokens a minute pass (a bucket of ten seconds' worth) and refuses a share of all.

    Every other of those that are refused at random is told when to come back.
    """
    rng, lock = random.Random(seed), threading.Lock()
    buckets = {"requests": (rpm / 60, rpm / 6), "tokens": (tpm / 60, tpm / 6)}
    levels = {name: rate for name, (rate, _) in buckets.items()}
    seen = [time.monotonic()]

    def act(handler: Handler, texts: list[str]) -> None:
        needs = {"requests": 1.0, "tokens": float(sum(map(tokens_of, texts)))}
        with lock:
            now = time.monotonic()
            for name, (rate, size) in buckets.items():
                levels[name] = min(size, levels[name] + rate * (now - seen[0]))
            seen[0] = now
            wait = max((needs[name] - levels[name]) / buckets[name][0] for name in buckets)
            chance = rng.random()
            if wait <= 0 and chance >= refuse:
                for name in buckets:
                    levels[name] -= needs[name]
        if chance < refuse:
            told = {"Retry_After": f"{retry_after:g}"} if chance < refuse / 2 else {}
            fails(429, "Rate limit reached", "rate_limit_exceeded", **told)(handler, texts)
        elif wait > 0:
            fails(429, "Rate limit reached", "rate_limit_exceeded", Retry_After=f"{wait:.3f}")(handler, texts)
        else:
            handler.server.over.wait(latency)
            good(handler, texts)

    return act


# -- the batch endpoint -------------------------------------------------------------------------------


class BatchApi:
    """OpenAI's ``/v1/files`` and ``/v1/batches``, as far as embeddings need them.

    A batch is looked at ``looks`` times before it is completed. ``fate`` is the status it ends with;
    custom ids in ``broken`` fail, those in ``zero`` get no vector, ``errors`` are what a failed one tells.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.made: dict[str, dict[str, Any]] = {}
        self.looks = 1
        self.fates: deque[str] = deque()
        self.broken: set[int] = set()
        self.zero: set[int] = set()
        self.errors: object = {"data": [{"message": "the file is not right"}]}

    def answer(self, method: str, path: str, raw: bytes, server: Server) -> tuple[int, Any]:
        with server.lock:
            if method == "POST" and path == "/v1/files":
                name = f"file-{len(self.files)}"
                self.files[name] = raw.split(b"\r\n\r\n")[-1].rsplit(b"\r\n--", 1)[0]
                if b'{"custom_id"' not in self.files[name]:
                    parts = [part for part in raw.split(b"\r\n\r\n") if b'"custom_id"' in part]
                    self.files[name] = parts[0].rsplit(b"\r\n--", 1)[0]
                return 200, {"id": name, "object": "file", "purpose": "batch"}
            if method == "POST" and path == "/v1/batches":
                asked = json.loads(raw)
                name = f"batch_{len(self.made)}"
                self.made[name] = {"id": name, "object": "batch", "status": "validating", "looks": 0, **asked}
                return 200, self.made[name]
            if path.startswith("/v1/batches/"):
                batch = self.made.get(path.rsplit("/", 1)[-1])
                if batch is None:
                    return 404, {"error": {"message": "No such batch"}}
                batch["looks"] += 1
                if batch["status"] not in ("validating", "in_progress"):
                    return 200, batch
                batch["status"] = "in_progress"
                if batch["looks"] > self.looks:
                    self._end(batch, server)
                return 200, batch
            if path.startswith("/v1/files/") and path.endswith("/content"):
                found = self.files.get(path.split("/")[3])
                return (200, found) if found is not None else (404, {"error": {"message": "No such file"}})
        return 404, {"error": {"message": "no such path"}}

    def _end(self, batch: dict[str, Any], server: Server) -> None:
        batch["status"] = self.fates.popleft() if self.fates else "completed"
        if batch["status"] == "failed":
            batch["errors"] = self.errors
            return
        good_lines, bad_lines = [], []
        for number, line in enumerate(self.files[batch["input_file_id"]].splitlines()):
            asked = json.loads(line)
            texts = asked["body"]["input"]
            if number in self.broken or (batch["status"] == "expired" and number % 2):
                told = {
                    "custom_id": asked["custom_id"],
                    "response": None,
                    "error": {"message": "line failed"},
                }
                bad_lines.append(told)
                continue
            server.paid.update(texts)
            data = [{"index": n, "embedding": vector_of(text)} for n, text in enumerate(texts)]
            if number in self.zero:
                data[0]["embedding"] = [0.0] * len(vector_of(texts[0]))
            body = {"data": data, "usage": {"total_tokens": sum(map(tokens_of, texts))}}
            told = {
                "custom_id": asked["custom_id"],
                "response": {"status_code": 200, "body": body},
                "error": None,
            }
            good_lines.append(told)
        for kind, lines in (("output_file_id", good_lines), ("error_file_id", bad_lines)):
            if lines:
                name = f"file-{len(self.files)}"
                self.files[name] = "\n".join(map(json.dumps, lines)).encode()
                batch[kind] = name
        self.broken = set()


@contextmanager
def serving(*acts: Act, otherwise: Act | None = None, port: int = 0) -> Iterator[Server]:
    """A running server."""
    server = Server(acts, otherwise=otherwise, port=port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    for name, default in (
        ("rpm", 1e9),
        ("tpm", 1e12),
        ("refuse", 0.0),
        ("latency", 0.0),
        ("retry-after", 0.5),
    ):
        parser.add_argument(f"--{name}", type=float, default=default)
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    act = limited(
        words.rpm, words.tpm, words.refuse,
        latency=words.latency, retry_after=words.retry_after, seed=words.seed,
    )  # fmt: skip
    server = Server(otherwise=act, port=words.port)
    server.log = words.log
    with suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
