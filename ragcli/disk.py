"""What is asked of a disk: a file replaced whole, who may read it, whether it can be written, whose it is."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

# File systems of other machines: SQLite's write-ahead log needs memory that all processes share,
# which they do not have, and their locks are as good as their server.
_REMOTE = frozenset({
    "9p", "afs", "ceph", "cifs", "davfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs",
    "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs", "virtiofs",
})  # fmt: skip


def replace_text(path: Path, text: str, *, like: Path | None = None, private: bool = False) -> None:
    """Put ``text`` in place of a file: whoever reads it, even after a power cut, sees the old or the new.

    Whoever may read the file ``like`` may read this one; nobody but its owner a ``private`` one. Of
    a link it is the file that it leads to.
    """
    path = Path(os.path.realpath(path))
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "w", encoding="utf-8", opener=_open_private if private else None) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if like is not None:
            share_like(like, partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def read_small(path: Path, most: int) -> bytes:
    """A file of at most so many bytes. Raises OSError for a larger one, and for what is no file and may have no end."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is no file")
    with path.open("rb") as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise OSError(f"{path} is larger than {most} bytes")
    return found


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def share_like(pattern: Path, path: Path) -> None:
    """Let a file, or a folder and all that lies in it, be read and written by those who may the file ``pattern``.

    Some libraries make files for their owner alone, whatever the umask says. The owner keeps the
    right to write. On Windows rights come from the folder above, and nothing is done.
    """
    if sys.platform == "win32" or not pattern.is_file():
        return
    file_mode = pattern.stat().st_mode & 0o666 | 0o600
    folder_mode = file_mode | (file_mode & 0o444) >> 2  # who may read may enter
    for each in (path, *path.rglob("*")):
        # Another user's, where several may write; or gone since it was listed.
        with suppress(PermissionError, FileNotFoundError):
            found = each.lstat().st_mode
            if stat.S_ISLNK(found):
                continue
            wanted = found & 0o7000 | (folder_mode if stat.S_ISDIR(found) else file_mode)
            if stat.S_IMODE(found) != wanted:
                each.chmod(wanted)


def flush_folder(folder: Path) -> None:
    """Make names that came and went in a folder durable, where the system can."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_file(path: Path) -> None:
    """Make a file's content durable."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def is_writable(path: Path) -> bool:
    """Whether a file or folder that exists can be written by this process."""
    return os.access(path, os.W_OK)


def is_remote(path: Path) -> bool:
    """Whether a path lies on another machine's disk, as far as the system tells."""
    text = str(path.resolve())
    if sys.platform == "win32":
        return text.startswith("\\\\") and not text.startswith("\\\\?\\")
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "replace").splitlines()
    except OSError:  # only Linux lists its mounts in a file
        return False
    best, kind = -1, ""
    for fields in (line.split(" ") for line in mounts):
        if len(fields) < 3:
            continue
        place = fields[1].replace("\\040", " ")
        if Path(text).is_relative_to(place) and len(place) >= best:
            best, kind = len(place), fields[2]
    return kind in _REMOTE
