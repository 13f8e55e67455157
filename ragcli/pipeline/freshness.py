"""Whether files are still what they were when they were read."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from ragcli.catalog import FileState
from ragcli.pipeline.index import IMPORTED, Index

# A file of another time and no more bytes than that is read, to see whether it says the same.
_READ = 16 << 20
_NO_WAITING: int = getattr(os, "O_NONBLOCK", 0)


def stale_files(index: Index) -> list[str]:
    """Files that vanished or whose size or time is another than when they were read."""
    return [
        name for name, known in index.catalog.files().items() if _looks_changed(index.file_of(name), known)
    ]


def stale_among(index: Index, documents: Iterable[str]) -> list[str]:
    """Files of these documents that vanished or changed; none of an index whose files lie elsewhere."""
    if index.catalog.get(IMPORTED) == "1":
        return []
    known = index.catalog.files_of(documents)
    return [name for name, state in known.items() if _has_changed(index.file_of(name), state)]


def file_digest(path: Path) -> str | None:
    """sha256 of a file; None when it cannot be read, or has become something else than a file."""
    try:
        # What has become a pipe meanwhile must not be waited for.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _NO_WAITING)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _looks_changed(path: Path, known: FileState) -> bool:
    try:
        found = path.stat()
    except OSError:
        return True
    # A negative time was never trusted: only the size can be told apart.
    changed = max(found.st_mtime_ns, found.st_ctime_ns)
    return found.st_size != known.size or known.changed_ns not in (-1, changed)


def _has_changed(path: Path, known: FileState) -> bool:
    """Whether a file that looks changed, or was never trusted to look unchanged, says something else."""
    if not known.sha256:  # not yet all read
        return False
    try:
        size = path.stat().st_size
    except OSError:
        return True
    if not _looks_changed(path, known) and known.changed_ns != -1:
        return False
    if size != known.size:
        return True
    return size <= _READ and file_digest(path) not in (known.sha256, None)
