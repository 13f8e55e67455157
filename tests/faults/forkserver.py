"""A process that has imported all that is slow, and from which each run of the program is forked.

It is told what to start by lines of JSON on its standard input, and tells by lines on its standard
output what began and ended. Only imports are made here: no tensor is touched and no file of an
index is opened, so that a child is as good as a process that was started anew.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO, NoReturn

_SLOW = (
    "numpy",
    "torch",
    "sentence_transformers",
    "chromadb",
    "chromadb.api.rust",
    "tantivy",
    "safetensors.torch",
    "rjieba",
    "Stemmer",
    "tests.faults.children",
)


def main() -> None:
    """Serve until standard input ends."""
    requests, events = os.dup(0), os.fdopen(os.dup(1), "wb", buffering=0)
    with open(os.devnull, "r+b", buffering=0) as nothing:
        for stream in (0, 1):
            os.dup2(nothing.fileno(), stream)
    import ragcli

    for module in pkgutil.walk_packages(ragcli.__path__, "ragcli."):
        if module.name != "ragcli.__main__":
            importlib.import_module(module.name)
    for name in _SLOW:
        importlib.import_module(name)
    gc.freeze()
    _Server(requests, events).serve()


class _Server:
    def __init__(self, requests: int, events: BinaryIO) -> None:
        self._requests = requests
        self._events = events
        self._children: dict[int, int] = {}  # pid to the number that the client gave it

    def serve(self) -> None:
        woken, waker = socket.socketpair()
        woken.setblocking(False)
        waker.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno())
        self._tell(ready=os.getpid())
        unread = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._requests, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is woken:
                        with contextlib.suppress(BlockingIOError):
                            woken.recv(4096)
                        self._reap()
                        continue
                    data = os.read(self._requests, 65536)
                    if not data:
                        signal.set_wakeup_fd(-1)
                        for pid in self._children:
                            os.kill(pid, signal.SIGKILL)
                        return
                    *lines, unread = (unread + data).split(b"\n")
                    for line in lines:
                        self._do(json.loads(line))

    def _do(self, request: dict[str, Any]) -> None:
        if "signal" in request:
            # Sent by us, who have not reaped it yet, it cannot reach another process of that number.
            for pid, number in self._children.items():
                if number == request["child"]:
                    os.kill(pid, request["signal"])
            return
        pid = os.fork()
        if pid == 0:
            os.close(self._requests)
            self._events.close()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            live(**request)
        self._children[pid] = request["child"]
        self._tell(child=request["child"], pid=pid)

    def _reap(self) -> None:
        for pid, number in list(self._children.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._children[pid]
                self._tell(child=number, ended=os.waitstatus_to_exitcode(status))

    def _tell(self, **event: int) -> None:
        self._events.write(json.dumps(event).encode() + b"\n")


def live(
    *, call: str, arguments: list[Any], cwd: str, env: dict[str, str], out: str, err: str, **_: object
) -> NoReturn:
    """Be a process that calls one function (``module:name``), in a forked child."""

    def work() -> None:
        for stream, path in ((1, out), (2, err)):
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(opened, stream)
            os.close(opened)
        os.environ.update(env)
        os.chdir(cwd)
        module, name = call.split(":")
        getattr(importlib.import_module(module), name)(*arguments)

    end_with(work)


def end_with(work: Callable[[], None]) -> NoReturn:
    """Do the last thing that a forked child does, and end as Python would."""
    status = 1
    try:
        work()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
