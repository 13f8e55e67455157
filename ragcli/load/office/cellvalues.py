"""Values of cells as binary workbooks write them ([MS-XLS], [MS-XLSB])."""

from __future__ import annotations

import struct

_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}


def rk_number(packed: int) -> float:
    """A number in four bytes (RkNumber): an integer of 30 bits or the upper 30 bits of a double, perhaps
    a hundredfold."""
    if packed & 2:
        number: float = (packed >> 2) - (1 << 30 if packed & 0x80000000 else 0)
    else:
        (number,) = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))
    return number / 100 if packed & 1 else number


def truth(value: int) -> str:
    """A boolean."""
    return "TRUE" if value else "FALSE"


def error(code: int) -> str:
    """An error, such as ``#REF!``."""
    return _ERRORS.get(code, "#N/A")
