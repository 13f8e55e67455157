"""A projection that a process of its own makes, while this one makes another.

Threads would not do: Chroma's engine holds Python's lock while it writes. The other process reads the
catalogue, writes into one folder, takes no lock and writes no marker: whoever began it does that,
once all is well.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ragcli.catalog import Catalog

if TYPE_CHECKING:
    from ragcli.store.projection import Projection


class Beside:
    """A process that runs ``code``, which is given ``words``."""

    def __init__(self, code: str, *words: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-c", code, *words],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def wait(self) -> bool:
        """Whether it did what it was begun for."""
        return self._process.wait() == 0

    def end(self) -> None:
        """End it, as it is of no use any more."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def begin(projection: Projection, catalog: Catalog) -> Beside | None:
    """Have a projection, whose folder is empty, made by another process; None where that cannot be done."""
    told = projection.recipe
    if told is None or not catalog.path.is_file():
        return None
    with suppress(OSError):  # no memory, or too many processes
        return Beside(told[0], str(projection.folder.absolute()), str(catalog.path.absolute()), *told[1:])
    return None


def fill(projection: Projection, catalog: str) -> None:
    """Make a projection anew, in the other process, which ends as soon as the first one does."""
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    with Catalog.open(Path(catalog)) as opened:
        projection.apply(opened, 0, 0)


def _end_with_the_first() -> None:
    while os.read(0, 1):  # not by sys.stdin, whose lock this thread would hold when Python ends
        pass
    os._exit(1)
