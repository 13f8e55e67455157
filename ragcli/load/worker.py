"""The process in which files are read, one after the other, so that none can take the program down.

Requests come on its standard input, a JSON object a line; documents and failures go to its standard
output as frames (``wire``), each file's followed by an ``end``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

from ragcli.load.file import load_file
from ragcli.load.limits import (
    NO_MEMORY,
    bound_memory,
    bound_time,
    end_with_parent,
    leave_interrupts_to_parent,
    peak_memory,
    shut_in,
)
from ragcli.load.parsed import Means
from ragcli.load.wire import pack, write_frame
from ragcli.types import Document, Failure

_OFTEN = 0.02  # seconds between two messages


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    for line in requests:
        request = json.loads(line)
        bound_time(request["seconds"])
        path = request["path"]
        means = Means(tuple(request["passwords"]), request["ocr"], request["loaders"])
        told = _Telling(answers)
        try:
            for item in load_file(Path(request["file"]), path=path, means=means):
                told.add(item)
        except MemoryError:
            told.add(Failure(path, "too-large", NO_MEMORY))
        told.flush()
        write_frame(answers, {"end": peak_memory()})


class _Telling:
    """Items sent several at a time where they come fast: the records of a collection, say."""

    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers
        self._items: list[dict[str, Any]] = []
        self._last = 0.0

    def add(self, item: Document | Failure) -> None:
        """Send the item, soon."""
        self._items.append(pack(item))
        if time.monotonic() - self._last > _OFTEN:
            self.flush()

    def flush(self) -> None:
        """Send what waits."""
        if self._items:
            write_frame(self._answers, {"items": self._items})
            self._items = []
        self._last = time.monotonic()


def main() -> None:
    """Serve over standard input and output, which nothing else in this process can reach from here on."""
    leave_interrupts_to_parent()
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    bound_memory()
    end_with_parent()
    shut_in(programs="--programs" in sys.argv)
    with os.fdopen(requests, "rb") as asked, os.fdopen(answers, "wb") as told:
        try:
            serve(asked, told)
        except BrokenPipeError:
            os._exit(0)  # nobody listens any more


if __name__ == "__main__":
    main()
