"""Numbers as binary workbooks pack them into four bytes ([MS-XLS] 2.5.217, RkNumber)."""

from __future__ import annotations

import struct


def rk_number(packed: int) -> float:
    """The number: an integer of 30 bits or the upper 30 bits of a double, perhaps a hundredfold."""
    if packed & 2:
        number: float = (packed >> 2) - (1 << 30 if packed & 0x80000000 else 0)
    else:
        (number,) = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))
    return number / 100 if packed & 1 else number
