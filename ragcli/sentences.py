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
_CLOSERS = r"[\"'”’»›)\]*_`]*"
# Stops that need a space after them, and those that do not: full stops of Chinese and Japanese.
_STOP = re.compile(
    rf"(?:(?<![.!?…])[.!?…؟।]+{_CLOSERS}{_CITED}(?=\s|\Z)"
    rf"|[。！？；｡]+[。！？；｡…]*[”’」』）》】*_`]*{_CITED}|(?<=[\u3040-\u9fff])．(?=[\u3040-\u9fff「『（]){_CITED}"
    rf"|…+[”’」』）]+{_CITED})",
)
_BEFORE = r"(?:^|[\s(\[\"'“‘«—-])"
# Never the last word of a sentence.
_TITLE = re.compile(
    rf"{_BEFORE}(?:Mr|Mrs|Ms|Mx|Dr|Drs|Prof|St|Gen|Col|Maj|Lt|Sgt|Capt|Cmdr|Adm|Rev|Hon|Gov|Sen|Rep|Pres|Messrs|Mme|"
    rf"Mlle|vs|v|cf|viz|approx|ca|resp|incl|esp|e\.g|i\.e|eg|ie)\.$"
)
# Not its last word where a number follows.
_NUMBERED = re.compile(
    rf"{_BEFORE}(?:No|Nos|Nr|Fig|Figs|Eq|Eqs|Tab|Vol|Vols|Ch|Chap|Sec|Sect|App|Ex|Art|Par|Para|Ref|Refs|[Pp]p?|"
    rf"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|no|nos|fig|figs|eq|eqs|vol|ch|sec|art|ver)\.$"
)
# Mostly not: initials, letters with stops between them, firms, what a name ends in.
_MAYBE = re.compile(
    rf"{_BEFORE}(?:[A-Za-z]|(?:[A-Za-z]{{1,3}}\.)+[A-Za-z]{{1,3}}|Inc|Ltd|Co|Corp|Bros|Jr|Sr|Esq|al|Univ|Dept|Est|Ave|"
    rf"Blvd|Rd|Mt|Ft)\.$"
)
_NUMBER = re.compile(r"[(\[]?(?:\d|[A-Z]\.?\d|[IVXLC]+\b)")
# Words that a sentence begins with, and hardly ever a name.
_STARTER = re.compile(
    r"[\"'“‘(]?(?:The|A|An|This|That|These|Those|It|Its|He|She|They|We|You|His|Her|Their|Our|My|In|On|At|For|But|And|"
    r"So|However|If|When|While|There|Here|What|Why|How|Who|Then|After|Before|Also|As|By|From|With|Not|No|Yes|Some|"
    r"Many|Most|Each|Both|Is|Are|Was|Were|Do|Does|Did|Can|Could|Will|Would|Should)\b(?![.’'])"
)
# What goes on with a quotation in Japanese.
_GOES_ON = ("と", "って", "という", "なんて")


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
    if text[begin : stop.start()].strip().isdigit():  # the number of a list item
        return False
    words, cited, _ = stop.group().partition("[")
    words = words.rstrip()
    after = text[stop.end() : min(end, stop.end() + 20)].lstrip()
    if words[0] not in ".!?…؟।":
        return not (words[-1] in "”’」』" and after.startswith(_GOES_ON))
    if after.lstrip("—– ")[:1].islower() and not cited:
        return False
    if words != ".":
        return True
    place = max(0, stop.start() - 12), stop.start() + 1
    if _TITLE.search(text, *place):
        return False
    if _NUMBERED.search(text, *place) and _NUMBER.match(after):
        return False
    return not _MAYBE.search(text, *place) or bool(_STARTER.match(after))


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
