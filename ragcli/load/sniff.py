"""What the first bytes of a file say about its format, where that is surer than its name."""

from __future__ import annotations

from ragcli.load.code.shebang import language_of_shebang

_MAGIC = ((b"%PDF-", "pdf"),)


def sniff(data: bytes, named: str | None) -> str | None:
    """The format that the content tells, else ``named``, what the name told (None: nothing)."""
    for magic, format_ in _MAGIC:
        if data.startswith(magic):
            return format_
    return named or language_of_shebang(data)
