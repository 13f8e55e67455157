"""Where sentences begin and end, in English and its kin, in Chinese and Japanese, and in Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# A line that stands by itself whatever its last character: a heading, a table row, a fence, a row of named cells.
_ALONE = re.compile(r"[ \t]*(?:#{1,6}\s|\||```|~~~|[^:;\n]{1,40}: [^;\n]*; [^:;\n]{1,40}: )")
# A line that begins something new: the above, a list item, a quotation.
_OPENS = re.compile(r"[ \t]*(?:#{1,6}\s|\||```|~~~|[-*+•>]\s|\d{1,3}[.)、]\s)")
_CITED = r"(?:[ \t\u3000]*\[\d{1,3}\])*"
_STOP = re.compile(
    rf"(?:(?<![.!?…])[.!?…]+[\"'”’)\]*_`]*{_CITED}(?=\s)|[。！？；…]+[”’」』）*_`]*{_CITED})",
)
# Only what is common in prose and hardly ever ends a sentence.
_SHORT = re.compile(
    r"(?:^|[\s(\"'“‘])(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|e\.g|i\.e|cf|al|No|Nos|Fig|Figs|Eq|Vol|pp|Inc|Ltd|Co|approx|[A-Z])\.$"
)


def sentence_spans(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """The sentences of ``text[start:end]`` as spans of ``text``, without the white space around them.

    Citations ``[n]`` after a full stop belong to the sentence before. Lines of wrapped prose are
    joined; headings, list items and table rows stand by themselves.
    """
    for first, last in _paragraphs(text, start, len(text) if end is None else end):
        begin = first
        for stop in _STOP.finditer(text, first, last):
            if _ends(text, begin, stop, last):
                yield from _trimmed(text, begin, stop.end())
                begin = stop.end()
        yield from _trimmed(text, begin, last)


def _ends(text: str, begin: int, stop: re.Match[str], end: int) -> bool:
    """Whether a sentence ends at ``stop``: not after an abbreviation or before a small letter."""
    words = stop.group()
    if text[begin : stop.start()].strip().isdigit():  # the number of a list item
        return False
    if words[0] not in ".…" or "[" in words:
        return True
    after = text[stop.end() : min(end, stop.end() + 20)].lstrip()
    if after[:1].islower() and after[:1].isascii():
        return False
    return words != "." or not _SHORT.search(text, max(0, stop.end() - 10), stop.end())


def _paragraphs(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans of ``text[start:end]`` that no line break divides into sentences."""
    at = start
    while at < end:
        stop = text.find("\n", at, end)
        stop = end if stop < 0 else stop + 1
        blank = not text[at:stop].strip()
        if (blank or _OPENS.match(text, at, stop) or _ALONE.match(text, at, stop)) and at > start:
            yield start, at
            start = at
        at = stop
        if blank or _ALONE.match(text, start, stop):
            yield start, at
            start = at
    if at > start:
        yield start, at


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span without the white space at its ends, unless nothing is left."""
    words = text[start:end]
    if stripped := words.strip():
        begin = start + len(words) - len(words.lstrip())
        yield begin, begin + len(stripped)
