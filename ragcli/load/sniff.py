"""What the first bytes of a file say about its format, where that is surer than its name."""

from __future__ import annotations

import re

_MAGIC = ((b"%PDF-", "pdf"), (b"{\\rtf", "rtf"))
_HEAD = 4096
# The roots of office files that are a single XML; their prefix may be any.
_ROOTS = (
    (re.compile(rb"<\w+:wordDocument\b"), "wordml"),
    (re.compile(rb"<(?:\w+:)?Workbook\b[^>]*urn:schemas-microsoft-com:office:spreadsheet"), "spreadsheetml"),
)
_FLAT = re.compile(rb"<office:document\b[^>]*office:mimetype\s*=\s*[\"']([\w./+-]+)")
_FLAT_KINDS = {b"text": "odt", b"spreadsheet": "ods", b"presentation": "odp", b"graphics": "odg"}


def sniff(data: bytes, named: str | None) -> str | None:
    """The format that the content tells, else ``named``, what the name told (None: nothing)."""
    for magic, format_ in _MAGIC:
        if data.startswith(magic):
            return format_
    return _office_xml(data[:_HEAD]) or named


def _office_xml(head: bytes) -> str | None:
    """The format of an office file in one XML: Word or Excel 2003, or flat OpenDocument."""
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return None
    for root, format_ in _ROOTS:
        if root.search(head):
            return format_
    flat = _FLAT.search(head)
    kind = flat[1].rpartition(b".")[2].removesuffix(b"-template") if flat else b""
    return _FLAT_KINDS.get(kind)
