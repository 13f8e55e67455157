"""Decoded text made safe and uniform, with the source line of every line kept.

A source line ends where ``grep -n`` and editors end it: at LF or CRLF, and at a lone CR only in
a file that has no LF at all (old Macs). Other breaks (form feed, NEL, U+2028, a lone CR among
LFs) also break the text, without counting as lines of the source.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.types import PlaceMap

if TYPE_CHECKING:
    from collections.abc import Sequence

# Invisible characters that can hide or reorder words: C0, DEL, C1, soft hyphen, bidi embeddings,
# overrides and isolates, byte order marks, Unicode tags, non-characters.
_DROPPED = (
    r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad"
    r"\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\U000e0000-\U000e007f"
)
_BROKEN = r"\r\x0b\x0c\x85\u2028\u2029"
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_DROP = re.compile(f"[{_DROPPED}]+")
_BREAK = re.compile(f"[{_BROKEN}]")
_SPECIAL = re.compile(f"[{_DROPPED}{_BROKEN}\ud800-\udfff]")
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS …
    r"|\x1b[ -/]*[0-~]"
)


@dataclass(frozen=True, slots=True)
class Source:
    """Clean text; ``numbers[i]`` is the 1-based source line of the text's ``i``-th line, ascending."""

    text: str
    numbers: Sequence[int]

    def places(self, skipped: int = 0) -> PlaceMap:
        """The place map of the text without its first ``skipped`` lines."""
        starts, places, offset = [0], [self.numbers[skipped]], 0
        rest = self.text.split("\n")[skipped:]
        for line, number in zip(rest[:-1], self.numbers[skipped + 1 :], strict=True):
            offset += len(line) + 1
            starts.append(offset)
            places.append(number)
        return PlaceMap(tuple(starts), tuple(places))


def unify_line_ends(raw: str) -> str:
    """CRLF becomes LF, and so does CR where the text has no LF."""
    text = raw.replace("\r\n", "\n")
    return text if "\n" in text else text.replace("\r", "\n")


def clean(raw: str) -> Source:
    """Text with LF ends, in NFC, without control and terminal sequences; lone surrogates are U+FFFD."""
    text = unify_line_ends(raw)
    numbers: Sequence[int] = range(1, text.count("\n") + 2)
    if _SPECIAL.search(text):
        text, numbers = _without_specials(text)
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return Source(text, numbers)


def _without_specials(text: str) -> tuple[str, list[int]]:
    lines: list[str] = []
    numbers: list[int] = []
    for number, line in enumerate(text.split("\n"), 1):
        parts = [line]
        if _SPECIAL.search(line):
            visible = _SURROGATE.sub("\ufffd", _ANSI.sub("", line))
            parts = [_DROP.sub("", part) for part in _BREAK.split(visible)]
            while len(parts) > 1 and not parts[-1]:
                parts.pop()
        lines += parts
        numbers += [number] * len(parts)
    return "\n".join(lines), numbers


def inline(raw: str) -> str:
    """The clean words of ``raw`` on one line, white space collapsed: for titles, labels, messages."""
    return " ".join(clean(raw).text.split())
