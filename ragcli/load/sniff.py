"""What the first bytes of a file say about its format, where that is surer than its name."""

from __future__ import annotations

import re

_MAGIC = ((b"%PDF-", "pdf"),)
# What is packed this way may be a format of its own, which a name that is not read tells.
_PACKED = (
    (b"\x1f\x8b\x08", "gz"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
)
_USTAR_AT = 257
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")


def sniff(data: bytes, named: str | None) -> str | None:
    """The format that the content tells, else ``named``, what the name told (None: nothing)."""
    for magic, format_ in _MAGIC:
        if data.startswith(magic):
            return format_
    return named if named == "unsupported" else _packed(data) or named


def _packed(data: bytes) -> str | None:
    for magic, format_ in _PACKED:
        if data.startswith(magic):
            return format_
    if _BZIP2.match(data):
        return "bz2"
    if data[_USTAR_AT : _USTAR_AT + 5] == b"ustar":
        from ragcli.load.archive.tar import is_tar

        return "tar" if is_tar(data) else None
    return None
