"""Text of strangers, made fit for a terminal and for the end of a message."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_State = Literal["text", "escape", "control", "string", "string-escape"]

# Bidi overrides turn a line's words around; tags (U+E00xx) are unseen ASCII; U+FEFF is a stray
# byte order mark; lone surrogates cannot be written to a file.
_UNWANTED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)


@dataclass(slots=True)
class Plain:
    """Drops control characters (but tab and LF) and whole terminal sequences (ECMA-48).

    A string sequence (OSC, DCS …) that nobody ends is taken to end with its line, so that one
    stray byte does not swallow the answer.
    """

    _state: _State = "text"

    def feed(self, piece: str) -> str:
        """The part of ``piece`` that is text."""
        if self._state == "text" and not _UNWANTED.search(piece):
            return piece
        return "".join(char for char in piece if self._keeps(char))

    def close(self) -> str:
        """Nothing: what has begun as a sequence is dropped."""
        self._state = "text"
        return ""

    def _keeps(self, char: str) -> bool:
        match self._state:
            case "text":
                return self._text(char)
            case "escape":
                return self._escape(char)
            case "control":
                if "\x20" <= char <= "\x3f":
                    return False
                self._state = "text"
                return not "\x40" <= char <= "\x7e" and self._text(char)
            case "string":
                if char == "\n":
                    self._state = "text"
                    return True
                if char in "\x07\x9c":
                    self._state = "text"
                elif char == "\x1b":
                    self._state = "string-escape"
                return False
            case "string-escape":
                self._state = "text"
                return char != "\\" and self._escape(char)

    def _escape(self, char: str) -> bool:
        if char == "[":
            self._state = "control"
        elif char in "]PX^_":
            self._state = "string"
        elif "\x20" <= char <= "\x2f":
            self._state = "escape"
        else:
            self._state = "text"
            return not "\x30" <= char <= "\x7e" and self._text(char)
        return False

    def _text(self, char: str) -> bool:
        if char == "\x1b":
            self._state = "escape"
        elif char == "\x9b":
            self._state = "control"
        elif char in "\x90\x98\x9d\x9e\x9f":
            self._state = "string"
        elif not _UNWANTED.match(char):
            return True
        return False


def one_line(text: str, limit: int = 200) -> str:
    """``text`` as the end of an error message: one plain line of at most ``limit`` characters."""
    flat = " ".join(Plain().feed(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
