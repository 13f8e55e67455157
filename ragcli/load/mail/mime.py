"""The parts of a message (RFC 5322, RFC 2045), with where each stands in the file.

The parser of the standard library does not tell where a part stands, and recurses with its depth.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from email.message import Message

from ragcli.load.mail.charset import from_base64, text_in, words

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_DEEPEST = 30
_MOST_FIELDS = 2000
_MOST_PARTS = 5000  # of one part
_LONGEST_PARAMETERS = 4000  # bytes; the standard library's time grows with their square
_PARAMETERS = frozenset(["content-type", "content-disposition"])
_TRANSPARENT = frozenset(["message/rfc822", "message/global", "message/news"])


@dataclass(slots=True)
class Part:
    """A message or a part of one: its fields and its body ``data[start:end]``, or the parts of that.

    ``fields`` are (lower-case name, value with its folds, offset of the line it begins on).
    ``is_cut`` says that it has more parts than were taken.
    """

    data: bytes
    start: int
    end: int
    fields: list[tuple[str, bytes, int]]
    parameters: Message = field(default_factory=Message)
    parts: list[Part] = field(default_factory=list)
    is_cut: bool = False

    def raw(self, name: str) -> bytes | None:
        """The first field of that name as it stands."""
        return next((value for found, value, _ in self.fields if found == name), None)

    def value(self, name: str) -> str:
        """The first field of that name, readable; empty without one."""
        return words(self.raw(name) or b"")

    def values(self, name: str) -> list[str]:
        """All fields of that name, readable."""
        return [words(value) for found, value, _ in self.fields if found == name]

    @property
    def type(self) -> str:
        """``main/sub`` in lower case; text/plain where nothing, or nonsense, is declared."""
        return self.parameters.get_content_type()

    @property
    def is_message(self) -> bool:
        """A whole message."""
        return self.type in _TRANSPARENT

    @property
    def charset(self) -> str | None:
        """As declared."""
        return self.parameter("charset") or None

    @property
    def disposition(self) -> str:
        """``inline``, ``attachment`` or empty."""
        return self.parameters.get_content_disposition() or ""

    @property
    def filename(self) -> str:
        """The name it is to be kept under, without folders; empty without one."""
        name = words(self.parameters.get_filename("") or "").replace("\\", "/")
        return name.rsplit("/", 1)[-1].strip()

    def parameter(self, name: str) -> str:
        """A parameter of Content-Type; empty without it."""
        found = self.parameters.get_param(name, "")
        value = found[2] if isinstance(found, tuple) else found
        return str(value or "").strip()

    @property
    def coding(self) -> str:
        """How the body is encoded: ``base64``, ``quoted-printable``, ``uuencode`` or empty (as it is)."""
        told = self.value("content-transfer-encoding").lower().strip("\"' ;")
        if told in ("base64", "quoted-printable"):
            return told
        return "uuencode" if told in ("uuencode", "x-uuencode", "x-uue", "uue") else ""

    def body(self) -> bytes:
        """The body, decoded."""
        raw = self.data[self.start : self.end]
        if self.coding == "base64":
            return from_base64(raw)
        if self.coding == "quoted-printable":
            return binascii.a2b_qp(raw)
        if self.coding == "uuencode":
            return b"".join(from_uuencode(raw.splitlines()))
        return raw


def parse(data: bytes, start: int = 0, end: int | None = None, depth: int = 0) -> Part:
    """The message, or part, that stands in ``data[start:end]``; lines end with LF or CRLF."""
    end = len(data) if end is None else end
    fields, at = _fields(data, start, end)
    part = Part(data, at, end, fields)
    for name, value, _ in fields:
        if name in _PARAMETERS and name not in part.parameters:
            part.parameters[name] = " ".join(text_in(value[:_LONGEST_PARAMETERS], None).split())
    if depth < _DEEPEST and part.type.startswith("multipart/"):
        spans = _spans(part, part.parameter("boundary"))
        part.is_cut = len(spans) > _MOST_PARTS
        part.parts = [parse(data, first, last, depth + 1) for first, last in spans[:_MOST_PARTS]]
    return part


def _fields(data: bytes, start: int, end: int) -> tuple[list[tuple[str, bytes, int]], int]:
    """The fields, and where the body begins: after a blank line, or at a line that is no field."""
    found: list[tuple[str, list[bytes], int]] = []
    at = start
    while at < end:
        after = data.find(b"\n", at, end) + 1 or end
        line = data[at:after].rstrip(b"\r\n")
        if not line:
            at = after
            break
        named = _FIELD.match(line)
        if line[:1] in b" \t" and found:
            found[-1][1].append(line)
        elif named and len(found) < _MOST_FIELDS:
            found.append((named[1].decode("ascii").lower(), [named[2]], at))
        elif not line.startswith((b"From ", b">From ")) or at != start:
            break
        at = after
    return [(name, b"\n".join(lines), first) for name, lines, first in found], at


def _spans(part: Part, boundary: str) -> list[tuple[int, int]]:
    """Where the parts of a multipart stand; what stands before and after them is for no one to see."""
    if not boundary:
        return []
    delimiter = re.compile(
        rb"^--" + re.escape(boundary.encode("utf-8", "replace")) + rb"(--)?[ \t]*\r?$", re.M
    )
    spans: list[tuple[int, int]] = []
    first: int | None = None
    for found in delimiter.finditer(part.data, part.start, part.end):
        if first is not None:
            last = max(first, found.start() - 1)
            spans.append((first, last - (part.data[last - 1 : last] == b"\r" and last > first)))
        first = min(found.end() + 1, part.end)
        if found[1]:
            return spans
    if first is not None:  # cut short, or closed carelessly
        spans.append((first, part.end))
    return spans


def from_uuencode(lines: list[bytes]) -> list[bytes]:
    """What the lines of a uuencoded file hold; those that are none are left out."""
    out: list[bytes] = []
    for line in lines:
        if not line or line.startswith((b"begin ", b"end")):
            continue
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            count = ((line[0] - 32 & 63) * 4 + 5) // 3  # some encoders write too much
            try:
                out.append(binascii.a2b_uu(line[:count]))
            except binascii.Error:
                continue
    return out
