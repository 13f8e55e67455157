"""What a text holds that a model must not obey (``scan``), and what must not leave (``find_secrets``)."""

from ragcli.guard.flags import SCAN_VERSION, Flag
from ragcli.guard.fold import shown
from ragcli.guard.mask import Masking
from ragcli.guard.secrets import MASK_VERSION, Secret, find_secrets

__all__ = ["MASK_VERSION", "SCAN_VERSION", "Flag", "Masking", "Secret", "find_secrets", "scan", "shown"]


def scan(text: str) -> tuple[Flag, ...]:
    """What of ``text`` reads like instructions to a model, in order; none of a kind overlap."""
    # A hundred expressions are compiled for it, which a search has no use for.
    from ragcli.guard.injection import scan as look_through

    return look_through(text)
