"""What the processor can do."""

from __future__ import annotations

import functools
import sys
from contextlib import suppress
from pathlib import Path


@functools.cache
def multiplies_bfloat16() -> bool:
    """Whether it multiplies bfloat16 in hardware; elsewhere that is slower than float32."""
    if sys.platform != "linux":
        return False
    with suppress(OSError):
        told = Path("/proc/cpuinfo").read_text("ascii", "replace")
        flags = next((line.split() for line in told.splitlines() if line.startswith("flags")), [])
        return not {"amx_bf16", "avx512_bf16"}.isdisjoint(flags)
    return False
