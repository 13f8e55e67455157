"""The tensors of a safetensors file, mapped into memory: what is not used is not read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcli.jsontext import parse_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A header is some hundred bytes a tensor.
_LONGEST_HEADER = 100_000_000


class Weights(Mapping[str, "NDArray[np.float32]"]):
    """Tensors by name, as float32; those stored as float16 are widened when they are asked for.

    Raises ``ValueError`` at construction for a file that is no whole safetensors file or holds
    tensors of another type (https://github.com/huggingface/safetensors, "Format"), OSError for one
    that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        import numpy as np

        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= min(size - 8, _LONGEST_HEADER):
                raise ValueError(f"{path.name} is no safetensors file")
            header = parse_json(file.read(length))
        if not isinstance(header, dict):
            raise ValueError(f"{path.name} is no safetensors file")
        header.pop("__metadata__", None)
        self._bytes = np.memmap(path, dtype=np.uint8, mode="r")
        self._begin = 8 + length
        self._tensors = {str(name): self._checked(told, size, path) for name, told in header.items()}

    def _checked(self, told: Any, size: int, path: Path) -> tuple[str, tuple[int, ...], int, int]:
        try:
            kind, shape = str(told["dtype"]), tuple(int(extent) for extent in told["shape"])
            start, end = (self._begin + int(offset) for offset in told["data_offsets"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path.name} is no safetensors file") from error
        width = {"F32": 4, "F16": 2, "I64": 8}.get(kind)
        if width is None:
            raise ValueError(f"{path.name} holds {kind} numbers")
        if not self._begin <= start <= end <= size or min(shape, default=0) < 0:
            raise ValueError(f"{path.name} is not whole")
        if end - start != width * math.prod(shape):
            raise ValueError(f"{path.name} is not whole")
        return kind, shape, start, end

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        import numpy as np

        kind, shape, start, end = self._tensors[name]
        types: dict[str, Any] = {"F32": "<f4", "F16": "<f2", "I64": "<i8"}
        values = self._bytes[start:end]
        # A header of odd length would leave the numbers where some processors cannot read them.
        found = np.frombuffer(values, dtype=types[kind]).reshape(shape)
        return found if kind == "F32" else found.astype(np.float32)

    def shape(self, name: str) -> tuple[int, ...]:
        """The extents of a tensor. KeyError where there is none of that name."""
        return self._tensors[name][1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)
