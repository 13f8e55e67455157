"""The sha256 of a model's files, remembered: reading a hundred megabytes takes as long as a search."""

from __future__ import annotations

import hashlib
import os
import re
import time
from pathlib import Path

from ragcli.cache import keep, recall

# Smaller files are read each time.
_SMALL = 1_000_000
# Seconds: what was written so lately may have been written again without its time telling.
_FRESH = 3.0
_MOST = 200
_MEMORY = "digests.json"
_DIGEST = re.compile("[0-9a-f]{64}")


def sha256_of(path: Path, *, afresh: bool = False) -> str:
    """A file's digest, read ``afresh`` or where size, time or inode are not as they were. Raises OSError."""
    found = path.stat()
    if found.st_size < _SMALL:
        return _read(path)
    stamp = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino} {found.st_dev}"
    name, known = os.path.abspath(path), recall(_MEMORY)
    told = known.get(name)
    if (
        not afresh
        and isinstance(told, list)
        and len(told) == 2
        and told[0] == stamp
        and _DIGEST.fullmatch(str(told[1]))
    ):
        return str(told[1])
    digest = _read(path)
    if time.time() - max(found.st_mtime, found.st_ctime) > _FRESH:
        known.pop(name, None)
        known[name] = [stamp, digest]
        keep(_MEMORY, dict(list(known.items())[-_MOST:]))
    return digest


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
