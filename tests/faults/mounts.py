"""Disks of one's own: a file system in memory, of any size, that only this process and its children see."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_NEW_NAMESPACE, _NEW_USER = 0x20000, 0x10000000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 32, 4096, 16384, 1 << 18


class CannotMount(Exception):
    """This system does not let us."""


def leave_the_others() -> None:
    """Mount from now on where nobody else sees it. Raises ``CannotMount`` where that is not allowed."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare") or libc.unshare(_NEW_NAMESPACE | _NEW_USER) != 0:
        raise CannotMount(os.strerror(ctypes.get_errno()))
    for name, line in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        try:
            Path(f"/proc/self/{name}").write_text(line, "ascii")
        except OSError as error:
            raise CannotMount(f"{name}: {error}") from error
    _mount(None, "/", None, _RECURSIVE | _PRIVATE, None)


def mount_memory(folder: Path, size: int) -> None:
    """Put an empty disk of so many bytes over a folder."""
    _mount("tmpfs", folder, "tmpfs", 0, f"size={size}")


def resize(folder: Path, size: int) -> None:
    """Make that disk larger or smaller."""
    _mount("tmpfs", folder, "tmpfs", _REMOUNT, f"size={size}")


def make_read_only(folder: Path) -> None:
    """Let nobody write in a folder, root neither."""
    _mount(folder, folder, None, _BIND, None)
    _mount(folder, folder, None, _BIND | _REMOUNT | _READ_ONLY, None)


def _mount(source: object, target: object, kind: str | None, flags: int, options: str | None) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [None if word is None else os.fsencode(str(word)) for word in (source, target, kind)]
    told = None if options is None else options.encode()
    if libc.mount(*words, ctypes.c_ulong(flags), told) != 0:
        raise CannotMount(f"mount {target}: {os.strerror(ctypes.get_errno())}")
