"""What a text holds that a model must not obey (``scan``), and what must not leave (``find_secrets``)."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ragcli.guard.flags import SCAN_VERSION, Flag

if TYPE_CHECKING:
    from ragcli.guard.fold import shown
    from ragcli.guard.injection import scan
    from ragcli.guard.mask import Masking
    from ragcli.guard.secrets import MASK_VERSION, Secret, find_secrets

__all__ = ["MASK_VERSION", "SCAN_VERSION", "Flag", "Masking", "Secret", "find_secrets", "scan", "shown"]

# Many expressions are compiled for these, which a search has no use for.
_LATER = {
    "MASK_VERSION": "secrets", "Masking": "mask", "Secret": "secrets", "find_secrets": "secrets",
    "scan": "injection", "shown": "fold",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f"ragcli.guard.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
