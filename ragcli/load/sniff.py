"""What the first bytes of a file say about its format, where that is surer than its name."""

from __future__ import annotations

_MAGIC = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
)


def sniff(data: bytes, named: str | None) -> str | None:
    """The format that the content tells, else ``named``, what the name told (None: nothing)."""
    for magic, format_ in _MAGIC:
        if data.startswith(magic):
            return format_
    return named
