"""What of the sources may be quoted: sentences, table rows, list items, code; and what each stands under."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ragcli.sentences import sentence_spans
from ragcli.types import Source

# A list is quoted with what announces it as far as this.
_MOST_ITEMS, _MOST_CHARACTERS = 4, 600
# Longer blocks of program text are no quotation.
_MOST_CODE_LINES = 15
_MARK = re.compile(r"(?:[-*+•>]\s+|\d{1,3}[.)、]\s+|#{1,6}\s+)+")
_ITEM = re.compile(r"[-*+•]\s+|\d{1,3}[.)、]\s+")
_HEADING = re.compile(r"#{1,6}\s")
_FENCE = re.compile(r"[ \t]*(```+|~~~+)")
_TABLE_HEAD = re.compile(r"\|.*\n\s*\|[\s:|-]+\|?[ \t]*(?:\n|$)")
_COLONS = ":："
# A sentence that begins so tells of what the one before it tells of.
_REFERS = re.compile(
    r"[\"'“‘(]?(?:He|She|It|They|His|Her|Hers|Its|Their|Theirs|This|That|These|Those|Both|The (?:latter|former|same)"
    r"|Such|Here|There|In (?:it|this|these|that|those)|At (?:this|that)|During (?:this|that)|After (?:this|that))\b"
    r"|[其该該此它他她這这]|同年|当时|當時|上述|前者|后者|後者|两者"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A slice of a source's text that may be quoted.

    ``heading`` is what it stands under; ``label`` what it cannot be understood without, a table's
    head or what announces a list; ``order`` counts the candidates of its source. ``kind`` tells
    how it is written down.
    """

    source: Source
    start: int
    end: int
    heading: str
    label: str
    order: int
    kind: str = "sentence"

    @property
    def text(self) -> str:
        """The words themselves."""
        return self.source.hit.text[self.start : self.end]

    @property
    def above(self) -> str:
        """All that it stands under."""
        return f"{self.heading} {self.label}".strip()

    @property
    def refers(self) -> bool:
        """Whether it begins with a word for something said before."""
        return self.kind == "sentence" and _REFERS.match(self.text) is not None


def candidates(sources: Sequence[Source]) -> list[Candidate]:
    """What may be quoted, in the order of the sources: no headings, no table heads, nothing without a word."""
    return [candidate for source in sources for candidate in _of_source(source)]


def _of_source(source: Source) -> Iterator[Candidate]:
    """The candidates of one source.

    A heading, the head of a table and the sentence that announces a list are kept beside what
    stands under them.
    """
    text, lead = source.hit.text, source.hit.lead
    heading = source.hit.heading[-1] if source.hit.heading else source.hit.title
    led = text.find("\n\n") % (len(text) + 1) if lead else 0  # as far as the lead's block goes
    label = lead
    order = 0
    units = _joined(text, _units(text))
    for i, (start, end) in enumerate(units):
        if _HEADING.match(text, start):
            heading, label = text[start:end].lstrip("# "), ""
            continue
        if _TABLE_HEAD.match(text, start):
            label = text[start:end]
            continue
        row, item = text.startswith("|", start), _ITEM.match(text, start) is not None
        if not row and not item and start >= led:
            label = ""
        if text[end - 1] in _COLONS and not row:
            label = text[start:end]
            end = _end_of_list(text, units, i)
        kind = "code" if _FENCE.match(text, start) else "row" if row else "item" if item else "sentence"
        mark = _MARK.match(text, start, end)
        begin = mark.end() if mark else start
        if kind == "row":  # without its frame
            end = start + len(text[start:end].rstrip())
            end -= text.endswith("|", start, end)
            end = start + len(text[start:end].rstrip(" \t"))
            begin = end - len(text[start + 1 : end].lstrip(" \t"))
        if re.search(r"\w\W*\w", text[begin:end]) and not (
            kind == "code" and text.count("\n", begin, end) > _MOST_CODE_LINES
        ):
            yield Candidate(source, begin, end, heading, label, order, kind)
            order += 1


def _end_of_list(text: str, units: Sequence[tuple[int, int]], i: int) -> int:
    """Where the first items end of the list that a sentence announces; the sentence's own end without one."""
    start, end = units[i]
    for first, last in units[i + 1 : i + 1 + _MOST_ITEMS]:
        if not _ITEM.match(text, first) or last - start > _MOST_CHARACTERS:
            break
        end = last
    return end


def _units(text: str) -> Iterator[tuple[int, int]]:
    """Sentences, with a fenced block as one of them."""
    fence, begin = "", 0
    for start, end in sentence_spans(text):
        opening = _FENCE.match(text, start)
        if fence:
            if opening and opening.group(1).startswith(fence) and not text[opening.end() : end].strip():
                yield begin, end
                fence = ""
            continue
        if opening:
            fence, begin = opening.group(1), start
            continue
        yield start, end


def _joined(text: str, sentences: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    """A sentence that ends in a colon goes with what it announces, unless that is a list, a table or code."""
    joined: list[tuple[int, int]] = []
    for start, end in sentences:
        alone = any(pattern.match(text, start) for pattern in (_HEADING, _FENCE, _ITEM)) or text.startswith(
            "|", start
        )
        if joined and not alone and text[joined[-1][1] - 1] in _COLONS:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
