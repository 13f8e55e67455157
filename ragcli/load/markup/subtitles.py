"""Subtitles: SubRip, WebVTT (W3C, "The Web Video Text Tracks Format") and Advanced SubStation Alpha.

Cues that go on with a sentence are joined to one paragraph, which begins with the time of its first
cue (``00:01:14 …``). Left out: cue numbers, the times at which cues end, settings and styles.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.load.blocks import is_blank
from ragcli.load.markup.plain import read_text
from ragcli.load.parsed import Parsed
from ragcli.load.source import inline
from ragcli.types import Block, PlaceMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ragcli.load.source import Source

_TIMES = re.compile(r"\s*((?:\d+:)?\d{1,2}:\d{2})[.,]\d{1,3}\s*-->\s*((?:\d+:)?\d{1,2}:\d{2})")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^<>]+)>")
_TAG = re.compile(r"</?(?:[a-zA-Z][^<>]*|\d[\d:.]*)?>")
_OVERRIDE = re.compile(r"\{\\[^}]*\}")
_FIELDS = "layer,start,end,style,name,marginl,marginr,marginv,effect,text"
_ENDS = tuple(".!?…。！？\"'”’)」』♪")
_LONG = 400  # characters; a sentence that goes on longer is cut at a cue
_SHORT = 100  # characters; shorter paragraphs go on over the end of a sentence
_PAUSE = 5  # seconds without speech end a paragraph


@dataclass(frozen=True, slots=True)
class _Cue:
    """Words from ``start`` to ``end`` (seconds; None for a note); ``lines`` are (index, words)."""

    start: int | None
    end: int
    lines: list[tuple[int, str]]


def read_subtitles(source: Source) -> Parsed:
    """A file without cues is read as plain text."""
    lines = source.text.split("\n")
    cues = list(_script(lines) if _is_script(lines) else _timed(lines))
    if not any(cue.start is not None for cue in cues):
        return read_text(source)
    title = next((line[6:] for line in lines[:50] if line.lower().startswith("title:")), "")
    return _written(cues, source.numbers, inline(title) if _is_script(lines) else "")


def _timed(lines: Sequence[str]) -> Iterator[_Cue]:
    at = 1 if lines[0].startswith("WEBVTT") else 0
    if at:
        while at < len(lines) and not is_blank(lines[at]):
            at += 1
        header = [(0, lines[0][6:].strip(" -\t")), *((index, lines[index]) for index in range(1, at))]
        yield _Cue(None, 0, [(index, line) for index, line in header if line and not _is_setting(line)])
    while at < len(lines):
        if is_blank(lines[at]):
            at += 1
            continue
        end = at + 1
        while end < len(lines) and not is_blank(lines[end]):
            end += 1
        yield from _cues(lines, at, end)
        at = end


def _is_setting(line: str) -> bool:
    return bool(re.match(r"(?:Kind|Language|X-TIMESTAMP-MAP|Region|Style)\s*[:=]", line))


def _cues(lines: Sequence[str], at: int, end: int) -> Iterator[_Cue]:
    """The cues between two blank lines: one, or several where the blank lines are missing."""
    if re.match(r"(?:STYLE|REGION)\s*$", lines[at]):
        return
    if re.match(r"NOTE(?:\s|$)", lines[at]):
        note = [(at, lines[at][4:].strip()), *((index, lines[index]) for index in range(at + 1, end))]
        yield _Cue(None, 0, [(index, line) for index, line in note if line])
        return
    marks = [(index, found) for index in range(at, end) if (found := _TIMES.match(lines[index]))]
    first = marks[0][0] if marks else end
    before = [
        (index, lines[index].strip()) for index in range(at, first) if not lines[index].strip().isdigit()
    ]
    if not marks:
        # Words after a blank line within a cue, or numbers that are words.
        words = [(index, _words(lines[index])) for index in range(at, end)]
        yield _Cue(None, -1, [(index, line) for index, line in words if line])
        return
    nexts = [*(index for index, _ in marks[1:]), end]
    for (mark, found), after in zip(marks, nexts, strict=True):
        stop = after - 1 if after != end and lines[after - 1].strip().isdigit() else after
        words = [(index, _words(lines[index])) for index in range(mark + 1, stop)]
        yield _Cue(_seconds(found[1]), _seconds(found[2]), [(i, line) for i, line in before + words if line])
        before = []


def _words(line: str) -> str:
    voiced = _VOICE.sub(lambda match: f"{match[1].strip()}: ", _OVERRIDE.sub("", line))
    return inline(html.unescape(_TAG.sub("", voiced)))


def _seconds(stamp: str) -> int:
    total = 0
    for part in stamp.split(":"):
        total = 60 * total + int(part[:9])
    return total


def _is_script(lines: Sequence[str]) -> bool:
    return any(line.strip().lower() == "[script info]" for line in lines[:20])


def _script(lines: Sequence[str]) -> Iterator[_Cue]:
    """The dialogue of a SubStation file; its ``Format:`` line says which field is which."""
    names = _FIELDS.split(",")
    events = False
    for index, line in enumerate(lines):
        kind, _, rest = line.partition(":")
        if line.startswith("["):
            events = line.strip().lower() == "[events]"
        elif events and kind.strip().lower() == "format":
            names = [name.strip().lower() for name in rest.split(",")]
        elif events and kind.strip().lower() == "dialogue":
            fields = dict(zip(names, rest.split(",", len(names) - 1), strict=False))
            text = re.sub(r"\\[Nnh]", " ", fields.get("text", ""))
            words = _words(text)
            name = fields.get("name", "").strip()
            stamps = [fields.get(key, "").strip().split(".")[0] for key in ("start", "end")]
            if words and all(re.fullmatch(r"\d+:\d\d:\d\d", stamp) for stamp in stamps):
                line_ = [(index, f"{name}: {words}" if name else words)]
                yield _Cue(_seconds(stamps[0]), _seconds(stamps[1]), line_)


def _written(cues: Iterable[_Cue], numbers: Sequence[int], title: str) -> Parsed:
    parts: list[str] = []
    length = 0
    blocks: list[Block] = []
    starts: list[int] = []
    places: list[int] = []
    for paragraph in _paragraphs(cues):
        begin = length + (2 if parts else 0)
        text = _stamp(paragraph[0].start)
        for index, words in (line for cue in paragraph for line in cue.lines):
            text += " " if text else ""
            starts.append(begin + len(text) if places and starts[-1] >= begin else begin)
            places.append(max(numbers[index], places[-1] if places else 1))
            text += words
        parts.append(text)
        length = begin + len(text)
        blocks.append(Block("paragraph", begin, length))
    return Parsed(title, "\n\n".join(parts), tuple(blocks), PlaceMap((0, *starts[1:]), tuple(places)))


def _paragraphs(cues: Iterable[_Cue]) -> Iterator[list[_Cue]]:
    current: list[_Cue] = []
    length = 0
    for cue in cues:
        if not cue.lines:
            continue
        if current and not _goes_on(current[-1], cue, length):
            yield current
            current, length = [], 0
        current.append(cue)
        length += sum(len(words) + 1 for _, words in cue.lines)
    if current:
        yield current


def _goes_on(last: _Cue, cue: _Cue, length: int) -> bool:
    if cue.start is None:
        return cue.end < 0
    if last.start is None or cue.start - last.end > _PAUSE or length > _LONG:
        return False
    return length < _SHORT or not last.lines[-1][1].endswith(_ENDS)


def _stamp(seconds: int | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
