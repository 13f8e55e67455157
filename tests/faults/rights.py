"""Rights as other users have them, where root runs the tests: the files' modes hold for it too."""

from __future__ import annotations

import ctypes
import os
import struct

# prctl(2), capabilities(7)
_DROP_FROM_BOUND = 24
_HEADER = struct.pack("=Ii", 0x20080522, 0)  # version 3, this thread
# change owners, pass over modes to write, pass over modes to read, pass over ownership
_ABOVE_THE_MODES = (0, 1, 2, 3)


class CannotGiveUp(Exception):
    """This system does not let us."""


def obey_the_modes() -> None:
    """Be bound by owners and modes from now on. Raises ``CannotGiveUp`` where root cannot be.

    Root stays the same user, so that it still reads the program wherever that was installed.
    """
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "capset"):
        raise CannotGiveUp("this system knows no capabilities")
    sets = ctypes.create_string_buffer(24)
    if libc.capget(_HEADER, sets) != 0:
        raise CannotGiveUp(os.strerror(ctypes.get_errno()))
    words = list(struct.unpack("=6I", sets.raw))
    for number in _ABOVE_THE_MODES:
        libc.prctl(_DROP_FROM_BOUND, ctypes.c_ulong(number), 0, 0, 0)  # for the programs it starts
        for place in range(3):  # effective, permitted, inheritable
            words[place] &= ~(1 << number)
    if libc.capset(_HEADER, struct.pack("=6I", *words)) != 0:
        raise CannotGiveUp(os.strerror(ctypes.get_errno()))
