"""The pieces that Rich Text Format is made of (specification 1.9.1, "RTF Syntax"), and its characters."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?"  # 1, 2: control word
    rb"|\\'([0-9a-fA-F]{1,2})"  # 3: byte
    rb"|\\([^a-zA-Z])"  # 4: control symbol
    rb"|([{}])"  # 5
    rb"|[\r\n\0]+"
    rb"|([^\\{}\r\n\0]+)",  # 6: text
    re.DOTALL,
)
CHARACTERS = {
    "tab": "\t",
    "line": "\n",
    "lbr": "\n",
    "emdash": "—",
    "endash": "–",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
    "emspace": "\u2003",
    "enspace": "\u2002",
    "qmspace": "\u2005",
    "zwj": "\u200d",
    "zwnj": "\u200c",
}
"""Control words that are a character."""


@dataclass(slots=True)
class Buffer:
    """Text on its way: bytes of one code page wait until another comes."""

    parts: list[str] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)
    codec: str = "cp1252"

    def add_bytes(self, data: bytes, codec: str) -> None:
        """Text in a code page."""
        if codec != self.codec:
            self._settle()
            self.codec = codec
        self.raw += data

    def add(self, text: str) -> None:
        """Text that is decoded."""
        self._settle()
        self.parts.append(text)

    def _settle(self) -> None:
        if self.raw:
            self.parts.append(self.raw.decode(self.codec, "replace"))
            self.raw.clear()

    def take(self) -> str:
        """All of it; from now on it is empty."""
        self._settle()
        text = "".join(self.parts)
        self.parts.clear()
        # Surrogates were written one by one.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
