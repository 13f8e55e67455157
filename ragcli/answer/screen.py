"""What a model sends, made fit for checking, piece by piece as it comes.

Its class takes text in any pieces (``feed``, then ``close`` once) and gives the same text in
all however the pieces were cut.
"""

from __future__ import annotations

from dataclasses import dataclass

from ragcli.plain import Plain, one_line

__all__ = ["Plain", "Thoughts", "one_line"]


@dataclass(slots=True)
class Thoughts:
    """Drops white space and ``<think>…</think>`` from the head of an answer.

    Local servers send the reasoning of some open models so, in front of the answer itself.
    """

    _held: str = ""
    _inside: bool = False
    _done: bool = False

    def feed(self, piece: str) -> str:
        """The part of ``piece`` that belongs to the answer."""
        if self._done:
            return piece
        self._held += piece
        while not self._done:
            if self._inside:
                _, end, rest = self._held.partition("</think>")
                if not end:
                    self._held = self._held[-len("</think>") :]
                    return ""
                self._held, self._inside = rest, False
            self._held = self._held.lstrip()
            if self._held.startswith("<think>"):
                self._held, self._inside = self._held[len("<think>") :], True
            elif "<think>".startswith(self._held):
                return ""
            else:
                self._done = True
        piece, self._held = self._held, ""
        return piece

    def close(self) -> str:
        """What was held back and turned out to be no thought."""
        piece, self._held = "" if self._inside else self._held, ""
        return piece
