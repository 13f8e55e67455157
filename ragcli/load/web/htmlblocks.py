"""The blocks of an HTML page, written from the stream of its tags and words."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right

from ragcli.load.source import clean, inline
from ragcli.types import Block, BlockKind, PlaceMap

_HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
_LISTS = frozenset(["ul", "ol", "dl", "menu", "dir"])
_PARTS = """
address article aside blockquote body center details dialog div dd dt fieldset figcaption figure
footer form header hgroup hr legend li main nav option p section select summary tr td th caption
thead tbody tfoot
"""
_BLOCKS = frozenset(_PARTS.split()) | _HEADINGS | _LISTS
_OUTER: dict[str, BlockKind] = {
    **dict.fromkeys(_HEADINGS, "heading"),
    **dict.fromkeys(_LISTS, "list"),
    "table": "table",
    "pre": "code",
    "listing": "code",
    "xmp": "code",
}
_GAPS = frozenset(["label", "button", "input", "select", "textarea"])  # stand apart without a break
_SPACE = re.compile(r"\s+")
_NEEDLE = 40
_SHORT = 6  # letters; a shorter needle is looked for nearby only
_NEAR = 3000
_FAR = 1_000_000


class BlockWriter:
    """Collects the words of one block at a time; the outermost heading, list, table or pre rules.

    ``source`` is the text of the page with LF line ends: the words are looked up in it, always
    onward from the last find, so that source lines never go back.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._cursor = 0
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._places: list[tuple[int, int]] = []  # offset in the text, offset in the source
        self._outer = ""  # the tag that rules the current block, "" in running text
        self._nested = 0  # open tags of the same name within it
        self._counters: list[int | None] = []
        self._pieces: list[tuple[str, int | None]] = []
        self._verbatim = 0
        self._cells = 0
        self._headers = 0  # rows of the current table that name its columns
        self._after_mark = False  # an item's mark waits for its words

    def is_empty(self) -> bool:
        """Nothing was written yet."""
        return not self._blocks

    def open(self, tag: str, number: int = 0) -> None:
        """A tag opens; ``number`` is how many rows of a table name its columns, or a list's first number."""
        if tag in _GAPS:
            self._break(" ")
        if tag == "table" and not self._outer:
            self._headers = number
        if not self._outer and (tag in _BLOCKS or tag in _OUTER):
            self._flush("paragraph")
        if tag in _OUTER and (not self._outer or tag == self._outer):
            self._outer, self._nested = tag, self._nested + 1
        self._verbatim += _OUTER.get(tag) == "code"
        if tag == "br":
            self._break("\n" if self._kind() in ("paragraph", "code", "list") else " ")
        elif self._kind() == "list":
            self._open_in_list(tag, number)
        elif self._kind() == "table":
            self._open_in_table(tag)
        elif self._outer and tag in _BLOCKS:
            self._break(" ")

    def close(self, tag: str) -> None:
        """A tag closes."""
        if tag in _GAPS:
            self._break(" ")
        self._verbatim -= _OUTER.get(tag) == "code"
        if tag in _LISTS and self._counters:
            self._counters.pop()
        if tag == self._outer:
            self._nested -= 1
            if self._nested == 0:
                self._flush(_OUTER[tag], int(tag[1]) if tag in _HEADINGS else 0)
                self._outer = ""
                self._counters.clear()
        elif not self._outer and tag in _BLOCKS:
            self._flush("caption" if tag == "figcaption" else "paragraph")
        elif tag == "caption" and self._outer == "table" and self._nested == 1 and not self._cells:
            self._flush("caption")
        elif tag in _BLOCKS:
            self._break(" ")

    def text(self, raw: str) -> None:
        """Words between two tags."""
        if not raw:
            return
        if raw.isspace():
            self._break(raw if self._verbatim else " ")
            return
        self._after_mark = False
        if self._verbatim:
            at = self._find(raw)
            self._pieces.append((raw, at if at is None else at - len(raw) + len(raw.lstrip())))
        else:
            self._pieces.append((_SPACE.sub(" ", raw), self._find(raw)))

    def finish(self) -> tuple[str, tuple[Block, ...], PlaceMap]:
        """The text, its blocks and their source lines."""
        self._flush("paragraph")
        ends = [found.start() for found in re.finditer("\n", self._source)]
        starts: list[int] = [0]
        lines: list[int] = [1]
        for offset, at in self._places:
            line = bisect_right(ends, at) + 1
            if line > lines[-1]:
                if offset == starts[-1]:
                    lines[-1] = line
                else:
                    starts.append(offset)
                    lines.append(line)
        return "".join(self._parts), tuple(self._blocks), PlaceMap(tuple(starts), tuple(lines))

    def _kind(self) -> BlockKind:
        return _OUTER[self._outer] if self._outer else "paragraph"

    def _break(self, white: str) -> None:
        if not self._pieces:
            return
        last = self._pieces[-1][0]
        if self._verbatim or not (last.isspace() if white == "\n" else last[-1:].isspace()):
            self._pieces.append((white, None))
        elif white == "\n" and last == " ":
            self._pieces[-1] = (white, None)

    def _open_in_list(self, tag: str, number: int) -> None:
        if tag in _LISTS:
            self._counters.append(max(0, number - 1) if tag == "ol" else None)
        elif tag in ("li", "dt", "dd"):
            indent = "  " * max(0, len(self._counters) - 1)
            mark = {"dt": "", "dd": "  "}.get(tag, "- ")
            if tag == "li" and self._counters and self._counters[-1] is not None:
                self._counters[-1] += 1
                mark = f"{self._counters[-1]}. "
            self._break("\n")
            self._pieces.append((f"{indent}{mark}", None))
            self._after_mark = True
        elif tag in ("tr", "p", "pre") and not self._after_mark:
            self._break("\n")
        elif tag in _BLOCKS:
            self._break(" ")

    def _open_in_table(self, tag: str) -> None:
        if tag == "tr":
            self._break("\n")
            self._cells = 0
        elif tag in ("td", "th"):
            if self._cells:
                self._pieces.append((" | ", None))
            self._cells += 1
        elif tag in _BLOCKS:
            self._break(" ")

    def _flush(self, kind: BlockKind, level: int = 0) -> None:
        pieces, self._pieces = self._pieces, []
        text, places = _layout(pieces, self._source, verbatim=kind == "code")
        if not any(char.isalnum() for char in text) and not (text and kind in ("paragraph", "code")):
            return
        if self._parts:
            self._parts.append("\n\n")
            self._length += 2
        label = inline(text) if kind == "heading" else ""
        head = _lines_end(text, self._headers) if kind == "table" else 0
        self._cells = 0
        head = self._length + head if head else 0
        self._blocks.append(Block(kind, self._length, self._length + len(text), level, label, head))
        if places:
            self._places.append((self._length, places[0][1]))
        self._places += [(self._length + offset, at) for offset, at in places]
        self._parts.append(text)
        self._length += len(text)

    def _find(self, raw: str) -> int | None:
        needle = re.split(r"[&\n<>\xa0]", raw.strip(), maxsplit=1)[0][:_NEEDLE].strip()
        if not needle:
            return None
        limit = self._cursor + (_FAR if len(needle) > _SHORT else _NEAR)
        at = self._source.find(needle, self._cursor, limit)
        while at > 0 and self._source[max(0, at - 20) : at].rstrip()[-1:] not in (">", ";", ""):
            at = self._source.find(needle, at + 1, limit)  # words of an attribute or a script
        if at < 0:
            return None
        self._cursor = at + len(needle)
        return at


def _lines_end(text: str, count: int) -> int:
    """Where the first ``count`` lines end, if there are more."""
    at = 0
    for _ in range(count):
        at = text.find("\n", at) + 1
        if not at:
            return 0
    return at


def _layout(
    pieces: list[tuple[str, int | None]], source: str, *, verbatim: bool
) -> tuple[str, list[tuple[int, int]]]:
    """The text of a block and (offset in it, offset in the source) of its pieces, ascending."""
    done: list[str] = []
    places: list[tuple[int, int]] = []
    length = 0
    for raw, at in pieces:
        piece = clean(raw).text
        if not verbatim and (not length or done[-1][-1:] in (" ", "\n")):
            piece = piece.lstrip(" ") if at is not None or piece == " " else piece
        if not piece:
            continue
        if not verbatim and done and piece.startswith(("\n", " |")):
            length -= len(done[-1]) - len(done[-1].rstrip(" "))
            done[-1] = done[-1].rstrip(" ")
        if at is not None:
            places.append((length, at))
            for newline in re.finditer("\n", piece):
                at = source.find("\n", at) + 1 or at
                places.append((length + newline.end(), at))
        done.append(piece)
        length += len(piece)
    text = "".join(done)
    text = text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
    front = len(text) - len(text.lstrip("\n" if verbatim else None))
    text = text.strip("\n").rstrip() if verbatim else text.strip()
    return text, [(max(0, offset - front), at) for offset, at in places if offset - front < len(text)]
