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
_HEAD = 16_384
_MBOX = re.compile(rb"From (?=[^\n]*\d\d:\d\d)[^\n]*\b\d{4}\b[^\n]*\r?\n(?:[!-9;-~]+:|\r?\n)")
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:|[ \t]")
_ENOUGH = 3
_KNOWN_FIELDS = """
From To Subject Date Sent Cc Received Message-ID Message-Id MIME-Version Mime-Version Return-Path
Delivered-To Newsgroups
"""


def sniff(data: bytes, named: str | None) -> str | None:
    """The format that the content tells, else ``named``, what the name told (None: nothing)."""
    for magic, format_ in _MAGIC:
        if data.startswith(magic):
            return format_
    if named == "unsupported":
        return named
    return _packed(data) or named or _mail(data)


def _mail(data: bytes) -> str | None:
    """Begins with the fields of a letter: all its lines are fields up to a blank one, and it is from someone.

    Settings in YAML and the heads of HTTP answers look alike, so only well-known fields count.
    """
    head = data[:_HEAD]
    if _MBOX.match(head):
        return "mbox"
    lines = head.partition(b"\n\n")[0].partition(b"\r\n\r\n")[0].split(b"\n")
    if len(head) == _HEAD:
        lines.pop()  # it may be cut in two
    if not lines or not all(_FIELD.match(line) for line in lines) or lines[0][:1].isspace():
        return None
    names = {line.split(b":")[0].strip().decode("ascii") for line in lines if not line[:1].isspace()}
    known = len(names.intersection(_KNOWN_FIELDS.split()))
    return "mail" if known >= _ENOUGH and "From" in names else None


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
