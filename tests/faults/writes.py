"""Every write to a folder, seen before it happens, whichever library makes it.

SQLite, Chroma and tantivy write by themselves, so that no hook in Python sees it. The kernel does:
a seccomp filter hands each system call that changes a file to the process that watches, which lets
it go on or kills the caller in its place. Linux alone has this, and only the two machines whose
numbers are listed here.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from .forkserver import end_with

_BY_FILE = {
    "x86_64": (1, 18, 20, 296, 328, 77, 285, 74, 75),
    "aarch64": (64, 68, 66, 70, 287, 46, 47, 82, 83),
}  # write, pwrite64, writev, pwritev, pwritev2, ftruncate, fallocate, fsync, fdatasync
_BY_NAME = {
    "x86_64": (82, 264, 316, 87, 263, 83, 258, 84, 76),
    "aarch64": (38, 276, 35, 34, 45),
}  # rename, renameat, renameat2, unlink, unlinkat, mkdir, mkdirat, rmdir, truncate
_OPENS = {
    "x86_64": {2: 1, 257: 2, 85: None},
    "aarch64": {56: 2},
}  # open, openat, creat: where their flags are
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SECCOMP = {"x86_64": 317, "aarch64": 277}

_NO_NEW_PRIVILEGES = 38
_SET_FILTER, _NEW_LISTENER = 1, 8
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_NOTICE = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")
_CONTINUE = 1

_MACHINE = platform.machine()


def can_be_watched() -> bool:
    """Whether this system can do it."""
    return sys.platform == "linux" and _MACHINE in _AUDIT


def count_writes(folder: Path, work: Callable[[], None], last: int | None = None) -> tuple[int, int]:
    """Do ``work`` in a child and count its writes under ``folder``, killing it instead of the one after ``last``.

    The number of writes, and the child's exit status.
    """
    here, there = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        here.close()
        listener = _install()
        socket.send_fds(there, [b"x"], [listener])
        os.close(listener)
        end_with(work)
    there.close()
    _, (listener,), _, _ = socket.recv_fds(here, 1, 1)
    here.close()
    count = 0
    for notice in _notices(listener):
        if _changes(folder, notice):
            if count == last:
                os.kill(pid, signal.SIGKILL)
                break
            count += 1
        _let_go_on(listener, notice[0])
    os.close(listener)
    return count, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _install() -> int:
    """Ask the kernel to hand the calls of this process, and of its threads to come, to a listener."""
    watched = (*_BY_FILE[_MACHINE], *_BY_NAME[_MACHINE], *_OPENS[_MACHINE])
    load, jump_if, give_back = 0x20, 0x15, 0x06
    program = [(load, 0, 0, 0)]
    for place, number in enumerate(watched):
        program.append((jump_if, len(watched) - place, 0, number))
    program += [(give_back, 0, 0, _ALLOW), (give_back, 0, 0, _NOTIFY)]
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code)
    told = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(buffer)))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    assert libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
    listener: int = libc.syscall(_SECCOMP[_MACHINE], _SET_FILTER, _NEW_LISTENER, told)
    if listener < 0:
        raise OSError(ctypes.get_errno(), "no seccomp listener")
    return listener


Notice = tuple[int, ...]


def _notices(listener: int) -> Iterator[Notice]:
    """Calls as they come, until nobody is left who could make one."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    while True:
        [(_, event)] = poll.poll()
        if event & select.POLLIN:
            try:
                yield _NOTICE.unpack(fcntl.ioctl(listener, _RECEIVE, bytes(_NOTICE.size)))
            except FileNotFoundError:  # the caller was killed in between
                continue
        elif event & (select.POLLHUP | select.POLLERR):
            return


def _let_go_on(listener: int, notice: int) -> None:
    try:
        fcntl.ioctl(listener, _SEND, _ANSWER.pack(notice, 0, 0, _CONTINUE))
    except FileNotFoundError:
        return


def _changes(folder: Path, notice: Notice) -> bool:
    """Whether a call changes something under the folder. Names are taken to be there without a look."""
    _, pid, _, call, _, _, *arguments = notice
    if call in _OPENS[_MACHINE]:
        place = _OPENS[_MACHINE][call]
        return place is None or bool(arguments[place] & (os.O_CREAT | os.O_TRUNC) and arguments[place] & 3)
    if call in _BY_NAME[_MACHINE]:
        return True
    try:
        return os.readlink(f"/proc/{pid}/fd/{arguments[0]}").startswith(str(folder))
    except OSError:
        return False
