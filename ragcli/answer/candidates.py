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
# A sentence ends in these; a name has no more words than that.
_ENDS = ".!?。！？…;；"
_NAME = 5
_WHITE = re.compile(r"[ \t]*")
_WORD = re.compile(r"[\u2e80-\U0003ffff]+|[^\W\u2e80-\U0003ffff]+")
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


def indentation(text: str, at: int) -> int:
    """White space that the line around a place begins with, a tab as four."""
    line = text.rfind("\n", 0, at) + 1
    white = _WHITE.match(text, line)
    return len(white[0].expandtabs(4)) if white else 0


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
    titles = _titles(text, units)
    above: list[tuple[int, str]] = []  # depth and words of the items that an item stands under
    for i, (start, end) in enumerate(units):
        if _HEADING.match(text, start) or start in titles:
            heading, label = text[start:end].lstrip("# "), ""
            above.clear()
            continue
        if _TABLE_HEAD.match(text, start):
            label = text[start:end]
            continue
        row, item = text.startswith("|", start), _ITEM.match(text, start) is not None
        if not row and not item and start >= led:
            label = ""
        depth = _depth(text, start)
        if depth is not None:
            while above and above[-1][0] >= depth:
                above.pop()
        under = item and _under(text, units, i)
        if text[end - 1] in _COLONS and not row and not under:
            label = text[start:end]
            end = _end_of_list(text, units, i)
        kind = "code" if _FENCE.match(text, start) else "row" if row else "item" if item else "sentence"
        mark = _MARK.match(text, start, end)
        begin = mark.end() if mark else start
        told = " › ".join([*([label.rstrip(_COLONS + " ")] if label else []), *(words for _, words in above)])
        if under and depth is not None:
            above.append((depth, text[begin:end].rstrip(_COLONS + " ")))
            if _is_name(text[begin:end]):
                continue
        if kind == "row":  # without its frame
            end = start + len(text[start:end].rstrip())
            end -= text.endswith("|", start, end)
            end = start + len(text[start:end].rstrip(" \t"))
            begin = end - len(text[start + 1 : end].lstrip(" \t"))
        if re.search(r"\w\W*\w", text[begin:end]) and not (
            kind == "code" and text.count("\n", begin, end) > _MOST_CODE_LINES
        ):
            yield Candidate(source, begin, end, heading, told if item else label, order, kind)
            order += 1


def _titles(text: str, units: Sequence[tuple[int, int]]) -> set[int]:
    """Starts of the lines that are headings by their looks: a few words by themselves, above prose."""
    titles: set[int] = set()
    below = False  # whether what follows is prose, or a heading
    for i in range(len(units) - 1, -1, -1):
        start, end = units[i]
        behind = text[end : units[i + 1][0]] if i + 1 < len(units) else ""
        before = text[units[i - 1][1] : start] if i else "\n\n"
        apart = before.count("\n") > 1 and behind.count("\n") > 1
        plain = not _ITEM.match(text, start) and text[start] not in "|#`~>"
        if apart and plain and below and _is_name(text[start:end]):
            titles.add(start)
        else:
            below = text[end - 1] in _ENDS
    return titles


def _is_name(words: str) -> bool:
    """Whether these are too few words, and none with an end, to say anything by themselves."""
    if "\n" in words or words[-1:] in _ENDS + "0123456789":
        return False
    return sum(1.0 if each[0] < "\u2e80" else len(each) / 2 for each in _WORD.findall(words)) <= _NAME


def _depth(text: str, start: int) -> int | None:
    """White space before what begins a line; None for what stands within one."""
    return None if text[text.rfind("\n", 0, start) + 1 : start].strip() else indentation(text, start)


def _under(text: str, units: Sequence[tuple[int, int]], i: int) -> bool:
    """Whether an item has items of its own."""
    depth = _depth(text, units[i][0])
    for start, _ in units[i + 1 :]:
        below = _depth(text, start)
        if below is not None:
            return depth is not None and below > depth and _ITEM.match(text, start) is not None
    return False


def _end_of_list(text: str, units: Sequence[tuple[int, int]], i: int) -> int:
    """Where the first items end of the list that a sentence announces; its own end where none or some lie deeper."""
    start, end = units[i]
    for at in range(i + 1, min(i + 1 + _MOST_ITEMS, len(units))):
        first, last = units[at]
        if not _ITEM.match(text, first) or last - start > _MOST_CHARACTERS:
            break
        if _under(text, units, at):
            return units[i][1]
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
        for at in _terms(text, start, end):
            yield start, start + len(text[start:at].rstrip())
            start = at
        yield start, end


def _terms(text: str, start: int, end: int) -> Iterator[int]:
    """Starts of the lines of what is taken for one sentence that begin something else: the next term of a list."""
    at = text.find("\n", start, end)
    while at >= 0:
        line, below = at + 1, text.find("\n", at + 1, end)
        before, depth = indentation(text, at - 1), indentation(text, line)
        deeper = below >= 0 and indentation(text, below + 1) > depth
        ended = text[at - 1] in _ENDS
        term = deeper and _is_name(text[line:below].strip())
        if (ended and (deeper or before != depth)) or (term and before > depth):
            yield line + len(text[line:end]) - len(text[line:end].lstrip())
        at = below


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
