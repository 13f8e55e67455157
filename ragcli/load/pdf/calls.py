"""pdfium's functions, called often: without the conversions that ctypes otherwise makes at each call."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def plain(function: Any, result: Any, *arguments: Any) -> Callable[..., Any]:
    """A function of the library that takes addresses as numbers, the first argument always being one."""
    address = ctypes.cast(function, ctypes.c_void_p).value or 0
    return ctypes.CFUNCTYPE(result, ctypes.c_void_p, *arguments)(address)
