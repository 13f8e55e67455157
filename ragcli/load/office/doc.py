"""Word documents in the binary format: Word 97 to 2003, and Word 6 and 95."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ragcli.load.office.decrypt import EncryptedError, decrypted
from ragcli.load.office.doclists import Numbering
from ragcli.load.office.flow import Flow, Paragraph
from ragcli.load.office.numerals import numeral
from ragcli.load.office.ole import open_document
from ragcli.load.office.oleobjects import storage_file
from ragcli.load.office.summary import summary
from ragcli.load.office.symbols import is_private, symbol
from ragcli.load.office.wordfile import Piece, WordFile
from ragcli.load.office.wordprops import (
    Format,
    character_runs,
    format_of_paragraph,
    paragraph_runs,
    read_styles,
    sprms,
)
from ragcli.load.parsed import CannotRead, Content, Item
from ragcli.load.web.html import read_html
from ragcli.load.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import olefile

_FOOTNOTE_REFS, _FOOTNOTES = 2, 3
_COMMENT_REFS, _COMMENTS, _COMMENT_AUTHORS = 4, 5, 36
_SECTIONS, _HEADERS = 6, 11
_SHAPES = 40
_ENDNOTE_REFS, _ENDNOTES = 46, 47
_BOXES = 56
_ENDS = re.compile("[\r\x07\x0c]")
_DROPPED = dict.fromkeys([*range(0x09), 0x0F, *range(0x10, 0x1E), 0x1F], "")
_REPLACED = {0x07: " ", 0x0B: "\n", 0x0C: "\n", 0x0D: "\n", 0x0E: "\n", 0x1E: "\u2011"}
_CLEANING = {**_DROPPED, **_REPLACED}
_DELETED, _SYMBOL, _FONT = 0x0800, 0x6A09, 0x4A4F
_FONT_TABLE = 15
_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<!doctype html|<html)", re.IGNORECASE)
_MOST_OBJECTS = 2_000


def read_doc(content: Content) -> Iterator[Item]:
    """The text with headings by style or outline level, lists with their numbers, and tables.

    Footnotes, endnotes, comments and text boxes stand after the paragraph they belong to, headers
    and footers once at the end; pages are those that the text itself begins (where it begins any).
    Embedded files are members. Left out are deleted revisions, field instructions and pictures.
    """
    if _HTML.match(content.data[:1024]):  # a page saved under a name that Word opens
        yield read_html(content)
        return
    try:
        yield from _read(content)
    except EncryptedError:
        yield from _read(replace(content, data=decrypted(content)))


def _read(content: Content) -> Iterator[Item]:
    with open_document(content.data) as ole:
        if not ole.exists("WordDocument"):
            raise CannotRead("unsupported", "it is no Word document, though its container is of the kind")
        file = WordFile(ole)
        writer = Writer()
        _Reading(file, writer).run()
        title, metadata = summary(ole)
        yield writer.parsed(title, metadata)
        yield from _objects(ole)


def _objects(ole: olefile.OleFileIO) -> Iterator[Item]:
    pools = dict.fromkeys(path[1] for path in ole.listdir() if len(path) > 2 and path[0] == "ObjectPool")
    for number, name in enumerate(list(pools)[:_MOST_OBJECTS], 1):
        found = storage_file(ole, ("ObjectPool", name), f"object {number}")
        if found is not None:
            yield found


class _Reading:
    def __init__(self, file: WordFile, writer: Writer) -> None:
        self._file = file
        self._writer = writer
        self._flow = Flow(writer)
        self._styles = read_styles(file)
        self._paragraphs = paragraph_runs(file)
        self._characters = character_runs(file)
        self._numbering = Numbering(file)
        self._page = 0
        starts = [0]
        for count in file.counts:
            starts.append(starts[-1] + count)
        self._starts = starts
        self._hidden = _instructions(file.text)
        self._fonts = _font_names(file)
        self._looks: dict[bytes, tuple[bool, str, str]] = {}
        self._notes: dict[int, list[tuple[str, str]]] = {}
        self._boxes_left: list[str] = []
        self._notes = self._find_notes()
        self._section_ends, self._continuous = self._sections()

    def run(self) -> None:
        text, end = self._file.text, self._starts[1]
        breaks = any(
            at + 1 < end and at not in self._continuous
            for at in (found.start() for found in re.finditer("\x0c", text[:end]))
        )
        if breaks:
            self._turn_page()
        at = 0
        while at < end:
            found = _ENDS.search(text, at, end)
            last = found.start() if found else end
            self._paragraph(at, last, text[last] if last < len(text) else "\r")
            at = last + 1
        self._flow.finish()
        for words in dict.fromkeys([*self._boxes_left, *self._margins()]):
            self._writer.paragraph(words)

    # The main text

    def _paragraph(self, first: int, last: int, mark: str) -> None:
        if mark == "\x0c" and last not in self._section_ends:
            # A page break in the middle of a paragraph, which goes on after it.
            self._add(first, last, Format())
        else:
            self._add_formatted(first, last, mark)
        if mark == "\x0c" and last not in self._continuous and self._page:
            self._turn_page()

    def _add_formatted(self, first: int, last: int, mark: str) -> None:
        properties, style = self._paragraphs.at(self._file.offset(last))
        format_ = format_of_paragraph(properties, style, is_old=self._file.is_old)
        if format_.page_before and self._page:
            self._turn_page()
        if mark == "\x07" and format_.ends_row and format_.depth <= 1:
            self._flow.end_row(is_header=format_.is_header)
        else:
            self._add(first, last, format_, ends_cell=mark == "\x07")

    def _add(self, first: int, last: int, format_: Format, *, ends_cell: bool = False) -> None:
        words = self._words(first, last).strip(" \n")
        style = self._styles.style(format_.style)
        in_cell = format_.in_table or ends_cell
        level = style.level
        if format_.outline is not None:
            level = format_.outline + 1 if format_.outline < 9 else 0
        list_ = style.list_ if format_.list_ is None else format_.list_
        mark = None
        if words and list_ and list_ < 0x7FF:
            depth = format_.list_level or (style.list_level if format_.list_ is None else 0)
            mark = self._numbering.mark(list_, depth)
            paragraph = Paragraph(words, level if not in_cell else 0, mark, depth)
        else:
            paragraph = Paragraph(words, level if not in_cell else 0)
        if ends_cell:
            self._flow.end_cell(paragraph)
        else:
            self._flow.paragraph(paragraph, in_cell=in_cell)

    def _words(self, first: int, last: int) -> str:
        """The characters ``[first, last)`` that a reader sees; their notes are put aside."""
        text, hidden, notes = self._file.text, self._hidden, self._notes
        shown: list[str] = []
        for start, end, properties in self._formatted(first, min(last, len(text))):
            visible, sign, font = self._look(properties)
            if not visible:
                continue
            run: list[str] = []
            for at in range(start, end):
                if hidden[at]:
                    continue
                for mark, words in notes.get(at, ()):
                    run.append(mark)
                    self._flow.note(words)
                run.append(sign if sign and text[at] in "(\uf028" else text[at])
            shown += [_seen(ord(char), font) if is_private(ord(char)) else char for char in "".join(run)]
        joined = "".join(shown).translate(_CLEANING)
        if any("\ud800" <= char <= "\udfff" for char in joined):
            joined = joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return joined

    def _look(self, properties: bytes) -> tuple[bool, str, str]:
        """Whether characters of these properties are seen, the symbol they stand for, and their font."""
        known = self._looks.get(properties)
        if known is not None:
            return known
        visible, sign, font = True, "", ""
        for code, operand in () if self._file.is_old else sprms(properties, is_old=False):
            value = int.from_bytes(operand[:2], "little")
            if code == _DELETED:
                visible = not value
            elif code == _FONT:
                font = self._fonts.get(value, "")
            elif code == _SYMBOL and len(operand) >= 4:
                char = int.from_bytes(operand[2:4], "little")
                name = self._fonts.get(value, "")
                sign = _seen(char, name) if char >= 0xF000 or name == "Symbol" else chr(char)
        self._looks[properties] = visible, sign, font
        return self._looks[properties]

    def _formatted(self, first: int, last: int) -> Iterator[tuple[int, int, bytes]]:
        """Runs of characters, and their own properties."""
        at = first
        while at < last:
            piece = self._file.piece_at(at)
            end = min(last, piece.end) if piece.end > at else last
            start_offset = piece.at + (at - piece.first) * piece.width
            end_offset = start_offset + (end - at) * piece.width
            done = start_offset
            for run_start, run_end, properties in self._characters.within(start_offset, end_offset):
                if run_start > done:
                    yield self._span(piece, done, run_start, b"")
                yield self._span(piece, run_start, run_end, properties)
                done = run_end
            if done < end_offset:
                yield self._span(piece, done, end_offset, b"")
            at = end

    def _span(self, piece: Piece, start: int, end: int, properties: bytes) -> tuple[int, int, bytes]:
        first = piece.first + (start - piece.at) // piece.width
        return first, piece.first + (end - piece.at) // piece.width, properties

    def _turn_page(self) -> None:
        self._page += 1
        self._flow.page(self._page)

    # What hangs on the main text

    def _sections(self) -> tuple[set[int], set[int]]:
        """The positions of the marks that end sections, and of those after which the page goes on."""
        places, entries = self._file.positions(_SECTIONS, 12)
        ends = {place - 1 for place in places[1:]}
        going_on: set[int] = set()
        for place, entry in zip(places[1:-1], entries[1:], strict=False):
            at = int.from_bytes(entry[2:6], "little")
            length = int.from_bytes(self._file.main[at : at + 2], "little")
            for code, operand in sprms(self._file.main[at + 2 : at + 2 + length], is_old=False):
                if code == 0x3009 and operand[:1] in (b"\0", b"\1") and not self._file.is_old:
                    going_on.add(place - 1)
        return ends, going_on

    def _find_notes(self) -> dict[int, list[tuple[str, str]]]:
        """By the position of a reference: the mark to stand there, and the words of the note."""
        found: dict[int, list[tuple[str, str]]] = {}
        for refs, texts, start, kind in (
            (_FOOTNOTE_REFS, _FOOTNOTES, 1, "decimal"),
            (_ENDNOTE_REFS, _ENDNOTES, 5, "lowerRoman"),
        ):
            number = 0
            for at, entry, words in self._hanging(refs, 2, texts, start):
                number += entry != b"\0\0"
                mark = f"[{numeral(number, kind)}]" if entry != b"\0\0" else ""
                found.setdefault(at, []).append((mark, f"{mark} {words}".strip()))
        authors = _names(self._file.part(_COMMENT_AUTHORS))
        size = 20 if self._file.is_old else 30
        for at, entry, words in self._hanging(_COMMENT_REFS, size, _COMMENTS, 4):
            number = int.from_bytes(entry[20:22], "little") if size == 30 else len(authors)
            author = authors[number] if number < len(authors) else ""
            found.setdefault(at, []).append(("", f"{author}: {words}" if author and words else words))
        self._find_boxes(found)
        return found

    def _hanging(self, refs: int, size: int, texts: int, part: int) -> Iterator[tuple[int, bytes, str]]:
        """Each reference: its position, its data, and the words of what it refers to."""
        places, entries = self._file.positions(refs, size)
        bounds, _ = self._file.positions(texts, 0)
        first, last = self._starts[part], self._starts[part + 1]
        done = first  # nothing is said twice, however the bounds may lie
        for number, (at, entry) in enumerate(zip(places, entries, strict=False)):
            if number + 1 < len(bounds):
                start, end = max(done, first + bounds[number]), min(first + bounds[number + 1], last)
                yield at, entry, self._words(start, end).strip()
                done = max(done, end)

    def _find_boxes(self, found: dict[int, list[tuple[str, str]]]) -> None:
        first, last = self._starts[6], self._starts[7]
        if last <= first:
            return
        bounds, boxes = ([], []) if self._file.is_old else self._file.positions(_BOXES, 22)
        places, shapes = self._file.positions(_SHAPES, 26)
        anchors = {shape[:4]: at for at, shape in zip(places, shapes, strict=False)}
        if not boxes:
            self._boxes_left.append(self._words(first, last))
        done = first
        for number, box in enumerate(boxes):
            start, end = max(done, first + bounds[number]), min(first + bounds[number + 1], last)
            words = self._words(start, end).strip()
            done = max(done, end)
            at = anchors.get(box[14:18])
            if at is not None and words:
                found.setdefault(at, []).append(("", words))
            elif words:
                self._boxes_left.append(words)

    def _margins(self) -> Iterator[str]:
        """Headers and footers, and the text boxes in them."""
        bounds, _ = self._file.positions(_HEADERS, 0)
        first, last = self._starts[2], self._starts[3]
        stories = [(first + start, min(first + end, last)) for start, end in itertools.pairwise(bounds)]
        done = first
        for start, end in [*(stories or [(first, last)]), (self._starts[7], self._starts[8])]:
            words = self._words(max(done, start), end).strip()
            done = max(done, end)
            if any(char.isalpha() for char in words):
                yield words


def _seen(code: int, font: str) -> str:
    """The character of a symbol font; a bullet where it is not known."""
    return symbol(code, font) or "•"


def _instructions(text: str) -> bytearray:
    """1 for each character that is the instruction of a field, and not its result."""
    flags = bytearray(len(text) + 1)
    open_: list[list[int]] = []
    for found in re.finditer("[\x13\x14\x15]", text):
        at = found.start()
        if found[0] == "\x13":
            open_.append([at, -1])
        elif open_ and found[0] == "\x14":
            if open_[-1][1] < 0:
                open_[-1][1] = at
        elif open_:
            start, parted = open_.pop()
            end = parted if parted >= 0 else at
            flags[start:end] = b"\1" * (end - start)
    return flags


def _font_names(file: WordFile) -> dict[int, str]:
    data = file.part(_FONT_TABLE)
    names: dict[int, str] = {}
    at = 4
    while not file.is_old and at + 40 < len(data):
        length = data[at] + 1
        name = data[at + 40 : at + length].decode("utf-16-le", "replace")
        names[len(names)] = name.partition("\0")[0]
        at += length
    return names


def _names(data: bytes) -> list[str]:
    """Strings, each after its length."""
    found: list[str] = []
    at = 0
    while at + 2 <= len(data):
        length = int.from_bytes(data[at : at + 2], "little")
        found.append(data[at + 2 : at + 2 + 2 * length].decode("utf-16-le", "replace"))
        at += 2 + 2 * length
    return found
