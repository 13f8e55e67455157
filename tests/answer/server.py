"""A chat server on 127.0.0.1 that plays a script: one act a request, the last one again and again.

It speaks as OpenAI's does, or as Anthropic's where it is asked at ``/v1/messages``.
"""

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
    body: dict[str, Any]  # of the request that is being answered

    @property
    def anthropic(self) -> bool:
        return self.path.partition("?")[0].endswith("/messages")

    def do_GET(self) -> None:
        """What a server tells of itself; nobody is counted who asks."""
        told = self.server.pages.get(self.path)
        self.head(404 if told is None else 200, "application/json")
        self.write(json.dumps(told or {}))
        self.close_connection = True

    def do_POST(self) -> None:
        body = self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path in self.server.pages:
            return self.do_GET()
        self.server.paths.append(self.path)
        self.server.headers.append(dict(self.headers))
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
        kind = f"event: {data['type']}\n" if self.anthropic and isinstance(data, dict) else ""
        self.write(f"{kind}data: {data if isinstance(data, str) else json.dumps(data)}\n\n")

    def word(self, text: str) -> None:
        """A piece of an answer."""
        if self.anthropic:
            self.event(block({"type": "text_delta", "text": text}))
        else:
            self.event(chunk(text))

    def thought(self, text: str) -> None:
        """A piece of what comes before an answer."""
        if self.anthropic:
            self.event({"type": "ping"})
            self.event(block({"type": "thinking_delta", "thinking": text}))
        else:
            self.write(": a comment to keep the line open\n\n")
            self.event({**chunk(), "choices": [{"index": 0, "delta": {"reasoning_content": text}}]})


class Server(ThreadingHTTPServer):
    """Remembers what it was asked."""

    daemon_threads = False  # so that server_close joins them and no thread outlives a test

    def __init__(self, acts: tuple[Act, ...]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.acts = acts
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.pages: dict[str, Any] = {}
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


def block(delta: dict[str, str]) -> dict[str, Any]:
    """A piece of an answer as Anthropic's server sends it."""
    return {"type": "content_block_delta", "index": 0, "delta": delta}


USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
_STOPS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}


@dataclass(frozen=True)
class Streams:
    """Streams ``pieces`` and ends as ``finish`` says, in OpenAI's words; ``cached`` tokens were sent before."""

    pieces: tuple[str, ...]
    usage: dict[str, int] | None = field(default_factory=lambda: dict(USAGE))
    finish: str | None = "stop"
    cached: int = 0

    def __call__(self, handler: Handler) -> None:
        handler.head(200, "text/event-stream; charset=utf-8")
        (self._anthropic if handler.anthropic else self._openai)(handler)

    def _openai(self, handler: Handler) -> None:
        handler.write(": a comment to keep the line open\n\n")
        handler.event({**chunk(), "choices": []})  # as Azure begins
        for piece in self.pieces:
            handler.word(piece)
        if self.finish:
            handler.event(chunk(finish=self.finish))
        if self.usage and "stream_options" in handler.server.requests[-1]:
            details = {"prompt_tokens_details": {"cached_tokens": self.cached}}
            handler.event({**chunk(), "choices": [], "usage": {**self.usage, **details}})
        if self.finish:
            handler.event("[DONE]")

    def _anthropic(self, handler: Handler) -> None:
        usage = self.usage or {"prompt_tokens": 0, "completion_tokens": 0}
        sent = {
            "input_tokens": usage["prompt_tokens"] - self.cached, "output_tokens": 1,
            "cache_read_input_tokens": self.cached, "cache_creation_input_tokens": 0,
        }  # fmt: skip
        message = {
            "id": "m", "type": "message", "role": "assistant", "model": "m", "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": sent,
        }  # fmt: skip
        handler.event({"type": "message_start", "message": message})
        text = {"type": "text", "text": ""}
        handler.event({"type": "content_block_start", "index": 0, "content_block": text})
        handler.event({"type": "ping"})
        for piece in self.pieces:
            handler.word(piece)
        handler.event({"type": "content_block_stop", "index": 0})
        if self.finish:
            delta = {"stop_reason": _STOPS[self.finish], "stop_sequence": None}
            counted = {"output_tokens": usage["completion_tokens"]}
            handler.event({"type": "message_delta", "delta": delta, "usage": counted})
            handler.event({"type": "message_stop"})


def replying(reply: Callable[[str, str], str]) -> Act:
    """Streams what ``reply`` makes of the system text and the user text."""

    def act(handler: Handler) -> None:
        system, user = (message["content"] for message in handler.server.requests[-1]["messages"])
        Streams((reply(system, user),))(handler)

    return act


@dataclass(frozen=True)
class Refuses:
    """Answers with an error status."""

    status: int
    message: str = "no"
    headers: dict[str, str] = field(default_factory=dict)
    code: str | None = None

    def __call__(self, handler: Handler) -> None:
        handler.head(self.status, "application/json", **self.headers)
        error = {"message": self.message, "code": self.code, "type": self.code}
        handler.write(
            json.dumps({"type": "error", "error": error} if handler.anthropic else {"error": error})
        )


def stalls(handler: Handler) -> None:
    """Sends two words and then nothing until the client or the test goes."""
    handler.head(200, "text/event-stream")
    handler.word("Two words")
    handler.server.over.wait(10)


def silent(handler: Handler) -> None:
    """Takes the request and says nothing."""
    handler.server.over.wait(10)


def thinks(handler: Handler) -> None:
    """Shows that it is at work, and never begins."""
    handler.head(200, "text/event-stream")
    while not handler.server.over.wait(0.02):
        handler.thought("hm")


def breaks_off(handler: Handler) -> None:
    """Announces more than it sends."""
    handler.head(200, "text/event-stream", Content_Length="100000")
    handler.word("Half an")


def hangs_up(handler: Handler) -> None:
    """Closes the connection without a word, as a server does that dies."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.shutdown(socket.SHUT_RDWR)


def babbles(handler: Handler) -> None:
    """Streams until the client hangs up."""
    handler.head(200, "text/event-stream")
    while not handler.server.over.is_set():
        handler.word("word " * 1000)


def never_ends_a_line(handler: Handler) -> None:
    """Sends one event without an end until the client hangs up."""
    handler.head(200, "text/event-stream")
    handler.write("data: ")
    while not handler.server.over.is_set():
        handler.write(b"x" * 2**20)


@dataclass(frozen=True)
class Late:
    """Thinks, visibly or not, and then plays ``act``."""

    seconds: float
    act: Streams

    def __call__(self, handler: Handler) -> None:
        handler.server.over.wait(self.seconds)
        self.act(handler)


@dataclass(frozen=True)
class Breaks:
    """Reports an error in the stream itself, before or after some words."""

    message: str
    words: tuple[str, ...] = ()
    code: str | None = None

    def __call__(self, handler: Handler) -> None:
        handler.head(200, "text/event-stream")
        for word in self.words:
            handler.word(word)
        error = {"message": self.message, "type": self.code}
        handler.event({"type": "error", "error": error} if handler.anthropic else {"error": error})


def raw(body: str, kind: str = "text/event-stream") -> Act:
    def act(handler: Handler) -> None:
        handler.head(200, kind)
        handler.write(body)

    return act
