"""A chat server on 127.0.0.1 that plays a script: one act a request, the last one again and again."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

Act = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Reads the request, notes it, and lets the next act answer."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        acts = self.server.acts
        number = len(self.server.requests)
        self.server.requests.append(body)
        self.server.keys.append(self.headers.get("Authorization", ""))
        try:
            acts[min(number, len(acts) - 1)](self)
        except OSError:
            self.server.hung_up.set()
        finally:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def head(self, status: int, kind: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def write(self, text: str | bytes) -> None:
        self.wfile.write(text.encode() if isinstance(text, str) else text)
        self.wfile.flush()

    def event(self, data: Any) -> None:
        self.write(f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n")


class Server(ThreadingHTTPServer):
    """Remembers what it was asked."""

    daemon_threads = False  # so that server_close joins them and no thread outlives a test

    def __init__(self, acts: tuple[Act, ...]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.acts = acts
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.hung_up = threading.Event()
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *_: object) -> None:
        self.hung_up.set()


@cache
def has_loopback() -> bool:
    """Whether 127.0.0.1 can be reached; in a network namespace of our own the interface is first raised."""
    if _reaches_itself():
        return True
    if sys.platform == "linux":
        import fcntl

        request = struct.pack("16sh14x", b"lo", 0x41)  # up and running
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control, suppress(OSError):
            fcntl.ioctl(control, 0x8914, request)  # SIOCSIFFLAGS
    return _reaches_itself()


def _reaches_itself() -> bool:
    with socket.socket() as listening, socket.socket() as calling:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        calling.settimeout(2)
        try:
            calling.connect(listening.getsockname())
        except OSError:
            return False
        return True


@contextmanager
def serving(*acts: Act) -> Iterator[Server]:
    if not has_loopback():
        pytest.skip("no loopback interface: the network is cut off even within this machine")
    server = Server(acts)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def chunk(text: str | None = None, *, finish: str | None = None) -> dict[str, Any]:
    delta = {} if text is None else {"content": text}
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


@dataclass(frozen=True)
class Streams:
    """Streams ``pieces`` and ends as ``finish`` says."""

    pieces: tuple[str, ...]
    usage: dict[str, int] | None = field(default_factory=lambda: dict(USAGE))
    finish: str | None = "stop"

    def __call__(self, handler: Handler) -> None:
        handler.head(200, "text/event-stream; charset=utf-8")
        handler.write(": a comment to keep the line open\n\n")
        handler.event({**chunk(), "choices": []})  # as Azure begins
        for piece in self.pieces:
            handler.event(chunk(piece))
        if self.finish:
            handler.event(chunk(finish=self.finish))
        if self.usage and "stream_options" in handler.server.requests[-1]:
            handler.event({**chunk(), "choices": [], "usage": self.usage})
        if self.finish:
            handler.event("[DONE]")


@dataclass(frozen=True)
class Refuses:
    """Answers with an error status."""

    status: int
    message: str = "no"
    headers: dict[str, str] = field(default_factory=dict)
    code: str | None = None

    def __call__(self, handler: Handler) -> None:
        handler.head(self.status, "application/json", **self.headers)
        handler.write(json.dumps({"error": {"message": self.message, "code": self.code, "type": None}}))


def stalls(handler: Handler) -> None:
    """Sends two words and then nothing until the client or the test goes."""
    handler.head(200, "text/event-stream")
    handler.event(chunk("Two words"))
    handler.server.over.wait(10)


def silent(handler: Handler) -> None:
    """Takes the request and says nothing."""
    handler.server.over.wait(10)


def breaks_off(handler: Handler) -> None:
    """Announces more than it sends."""
    handler.head(200, "text/event-stream", Content_Length="100000")
    handler.event(chunk("Half an"))


def babbles(handler: Handler) -> None:
    """Streams until the client hangs up."""
    handler.head(200, "text/event-stream")
    while not handler.server.over.is_set():
        handler.event(chunk("word " * 1000))


def raw(body: str, kind: str = "text/event-stream") -> Act:
    def act(handler: Handler) -> None:
        handler.head(200, kind)
        handler.write(body)

    return act
