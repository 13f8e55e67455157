"""The connections of one HTTP client: what may be sent over them and how much may come, and how to cut them."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2

CONNECT = 10.0  # seconds
LONGEST_LINE = 16 * 2**20  # bytes of one event
LONGEST_ERROR = 2**20  # bytes of a reply that is no success
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)  # struct linger: at once
# All that a server of somebody else's is told: the packages add what the environment says of their own.
_NEEDED = frozenset(
    {"host", "accept", "accept-encoding", "connection", "user-agent", "authorization", "api-key"}
    | {"x-api-key", "content-type", "content-length", "anthropic-version", "transfer-encoding"}
)


class TooLong(Exception):
    """A server sent more than anything it was asked for can be."""


@dataclass(slots=True)
class Line:
    """Settings for an HTTP client whose connections ``cut`` ends, also from another thread.

    No redirect is followed: passages and keys go to the address that was named and to no other.
    """

    _sockets: list[Any] = field(default_factory=list)
    _over: bool = False

    def options(self) -> Mapping[str, Any]:
        """Arguments for ``httpx2.Client`` and what is made of it. Reads may take for ever: see ``feed``."""
        import httpx2

        return {
            "follow_redirects": False,
            "timeout": httpx2.Timeout(None, connect=CONNECT),
            "event_hooks": {"request": [self._request], "response": [self._response]},
        }

    def cut(self) -> None:
        """End every connection, and so whatever waits for it."""
        self._over = True
        for each in self._sockets:
            with suppress(OSError):  # closed already, or handed over to TLS
                # A reset when it is closed: of a mere end, a server that waits for room to write
                # learns only when its system gives up, a minute later.
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                # Not TLS's own shutdown, which is not meant for a socket that another thread reads.
                socket.socket.shutdown(each, socket.SHUT_RDWR)

    def _request(self, request: httpx2.Request) -> None:
        request.extensions = {**request.extensions, "trace": self._trace}
        for name in set(request.headers) - _NEEDED:
            del request.headers[name]
        request.headers["accept-encoding"] = "identity"

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Learn of a connection's socket, as httpcore tells of what it does."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            found = info["return_value"].get_extra_info("socket")
            if isinstance(found, socket.socket):
                self._sockets.append(found)
                if self._over:
                    self.cut()

    def _response(self, response: httpx2.Response) -> None:
        response.stream = _measured(response.stream, error=response.status_code >= 300)


def _measured(stream: Any, *, error: bool) -> httpx2.SyncByteStream:
    import httpx2

    class Measured(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            length = 0
            for piece in stream:
                newline = -1 if error else piece.rfind(b"\n")
                length = length + len(piece) if newline < 0 else len(piece) - newline - 1
                if length > (LONGEST_ERROR if error else LONGEST_LINE):
                    raise TooLong
                yield piece

        def close(self) -> None:
            stream.close()

    return Measured()
