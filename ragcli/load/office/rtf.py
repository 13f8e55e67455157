"""Rich Text Format, by the Rich Text Format Specification 1.9.1 (Microsoft, 2008)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ragcli.load import codepages
from ragcli.load.office.flow import Flow, Paragraph
from ragcli.load.office.oleobjects import ole1_file
from ragcli.load.office.rtftokens import CHARACTERS, TOKEN, Buffer
from ragcli.load.office.stylenames import style_level
from ragcli.load.office.symbols import is_private, symbol
from ragcli.load.parsed import CannotRead, Content, Item, Member
from ragcli.load.source import inline
from ragcli.load.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ragcli.types import Scalar

_SYMBOLS = {b"~": "\u00a0", b"_": "\u2011", b"\t": "\t"}
_UNKNOWN = "•"  # a sign of a symbol font
_BROKEN_LINES = (b"\r", b"\n")
# Destinations whose text is not the document's.
_DEAD = """
    colortbl filetbl listtable listoverridetable revtbl rsidtbl pict nonshppict shprslt operator
    generator keycode objname objalias objsect fldinst xe tc tcn rxe bkmkstart bkmkend
    datafield formfield template buptim creatim revtim printim hlinkbase themedata
    colorschememapping latentstyles datastore xmlnstbl wgrffmtfilter mmathPr mmathPict pn pnseclvl
    pntxtb pntxta nextfile factoidname atnref atndate atnid atnicn panose falt
    fontemb fontfile background defchp defpap nonesttables objdata upr xmlattrname xmlattrvalue
    docvar bliptag blipuid userprops propname staticval linkval company manager category doccomm
    mhtmltag htmltag pgptbl passwordhash nesttableprops protusertbl shpgrp_ picprop_ comment
    ftnsep ftnsepc ftncn aftnsep aftnsepc aftncn ffdeftext ffentrymcr ffexitmcr ffformat ffhelptext
    ffname ffstattext oleclsid
"""
_SKIPPED = frozenset(_DEAD.split())
# Destinations marked as ignorable (\*) whose text is the document's all the same.
_KNOWN = frozenset(["shpinst", "shppict", "moMath", "moMathPara", "mmath", "do", "ud", "fldrslt", "footnote"])
_HEADERS = frozenset(["header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf"])
_INFO = {
    "title": "title",
    "author": "author",
    "subject": "subject",
    "keywords": "keywords",
    "doccomm": "description",
}
_DESCRIPTION = "wzDescription"
_MOST_GROUPS = 20_000
_MULTI_BYTE = frozenset(["cp932", "gb18030", "cp949", "cp950", "johab"])
_BREAK = re.compile(rb"\\(?:page|sect|pagebb)(?![a-zA-Z])")


@dataclass(frozen=True, slots=True)
class _State:
    """What a group inherits and its end restores. ``sink`` is where the text goes: "" is nowhere."""

    sink: str = "body"
    uc: int = 1
    font: int = -1
    style: int = 0
    outline: int = -1
    in_table: bool = False
    depth: int = 0
    deleted: bool = False


@dataclass(slots=True)
class _Font:
    codec: str | None = None
    name: str = ""
    is_symbol: bool = False


def read_rtf(content: Content) -> Iterator[Item]:
    """The text with headings by style or outline level, lists by their marks, and tables.

    Footnotes, comments and text boxes stand after their paragraph, headers and footers once at the
    end; pages are those that the file itself begins (where it begins any). Embedded files are
    members. Left out are deleted revisions, field instructions, index entries and pictures.
    """
    if not content.data.lstrip().startswith(b"{\\rt"):
        raise CannotRead("damaged", "it does not begin as RTF does")
    reading = _Reading(content.data)
    reading.run()
    title, metadata = reading.properties()
    yield reading.writer.parsed(title, metadata)
    yield from reading.members


class _Reading:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.writer = Writer()
        self.members: list[Item] = []
        self._flow = Flow(self.writer)
        self._state = _State()
        self._stack: list[_State] = []
        self._buffers: dict[str, Buffer] = {"body": Buffer()}
        self._fonts: dict[int, _Font] = {}
        self._font_read = -1
        self._default_font = 0
        self._codec = "cp1252"
        self._styles: dict[int, int] = {}
        self._style_read = 0
        self._style_outline = -1
        self._info: dict[str, str] = {}
        self._mark: str | None = None
        self._skip = 0  # characters that stand in for a Unicode one
        self._at_group_start = False
        self._ignorable = False
        self._page = 0
        self._breaks = False  # a page ended, and nothing stands on the next yet
        self._margins: list[str] = []
        self._notes = 0
        self._author = ""
        self._property = ""
        self._header_row = False
        self._object_class = ""

    def run(self) -> None:
        if _BREAK.search(self._data):
            self._turn_page()
        data, at, end = self._data, 0, len(self._data)
        while at < end:
            token = TOKEN.match(data, at)
            if token is None:
                at += 1
                continue
            at = token.end()
            word, number, byte, sign, brace, text = token.groups()
            if brace == b"{":
                self._open()
            elif brace:
                self._close()
                if not self._stack:
                    break
            elif word:
                name = word.decode()
                value = int(number) if number else None
                if name == "bin":
                    at += max(0, value or 0)
                    self._skip = max(0, self._skip - 1)
                else:
                    self._word(name, value)
            elif byte:
                self._bytes(bytes([int(byte, 16)]))
            elif sign is not None:
                self._sign(sign)
            elif text:
                self._bytes(text)
        self._end_paragraph()
        self._flow.finish()
        for margin in dict.fromkeys(self._margins):
            self.writer.paragraph(margin)

    def properties(self) -> tuple[str, dict[str, Scalar]]:
        metadata: dict[str, Scalar] = {name: words for name, words in self._info.items() if words}
        return str(metadata.pop("title", "")), metadata

    # Groups

    def _open(self) -> None:
        if len(self._stack) >= _MOST_GROUPS:
            raise CannotRead("too-deep", "its groups are nested too deep")
        self._stack.append(self._state)
        self._at_group_start, self._skip = True, 0

    def _close(self) -> None:
        if not self._stack:
            return
        ended, self._state = self._state, self._stack.pop()
        self._at_group_start, self._ignorable, self._skip = False, False, 0
        if ended.sink != self._state.sink:
            self._leave(ended.sink)

    def _enter(self, sink: str) -> None:
        self._state = replace(self._state, sink=sink)
        if sink:
            self._buffers.setdefault(sink, Buffer())

    def _leave(self, sink: str) -> None:
        """The destination is complete."""
        if not sink or sink == "body" or sink not in self._buffers:
            return
        words = self._buffers.pop(sink).take()
        kind = sink.partition(" ")[0]
        if kind == "font":
            self._fonts.setdefault(self._font_read, _Font()).name = words.strip("; ")
        elif kind == "style":
            self._end_style(words)
        elif kind == "mark":
            self._mark = _mark(words)
        elif kind in ("footnote", "box"):
            self._flow.note(words.strip())
        elif kind == "annotation":
            told = words.strip()
            self._flow.note(f"{self._author}: {told}" if self._author and told else told)
            self._author = ""
        elif kind == "author":
            self._author = inline(words)
        elif kind == "margin":
            if any(char.isalnum() for char in words):
                self._margins.append(words.strip())
        elif kind == "info":
            self._info.setdefault(sink.partition(" ")[2], inline(words))
        elif kind == "property":
            self._property = words.strip()
        elif kind == "value":
            if self._property == _DESCRIPTION:
                self._flow.caption(words)
        elif kind == "class":
            self._object_class = words.strip()
        elif kind == "object":
            self._keep_object(words)

    def _keep_object(self, words: str) -> None:
        digits = re.sub(r"[^0-9a-fA-F]", "", words)
        number = sum(isinstance(item, Member) for item in self.members) + 1
        data = bytes.fromhex(digits[: len(digits) // 2 * 2])
        found = ole1_file(data, f"object {number}")
        if found is not None:
            self.members.append(found)

    # Control words

    def _word(self, name: str, value: int | None) -> None:
        if self._skip:
            self._skip -= 1
            if name not in ("par", "cell", "row"):
                return
        first, self._at_group_start = self._at_group_start, False
        ignorable, self._ignorable = self._ignorable, False
        if name == "ud":
            # The Unicode side of \upr, whose other side was skipped.
            outer = self._stack[-2].sink if len(self._stack) > 1 else "body"
            self._state = replace(self._state, sink=outer)
            return
        if self._state.sink == "" and name not in _ALWAYS:
            return
        if first and self._destination(name, value, ignorable=ignorable):
            return
        if name in CHARACTERS:
            self._text(CHARACTERS[name])
        elif name == "u" and value is not None:
            self._unicode(value)
        else:
            action = _ACTIONS.get(name)
            if action is not None:
                action(self, value)

    def _destination(self, name: str, value: int | None, *, ignorable: bool) -> bool:
        """Turn to the destination that the first word of a group names; whether it names one."""
        sink = _SINKS.get(name)
        if sink is not None:
            self._enter(sink)
            return True
        if name in _HEADERS:
            self._enter("margin")
            return True
        if name in _INFO and self._state.sink == "infos":
            self._enter(f"info {_INFO[name]}")
            return True
        if self._state.sink == "fonts" and name == "f":
            self._font_read = value or 0
            self._fonts[self._font_read] = _Font()
            self._enter("font")
            return True
        if self._state.sink == "styles":
            self._style_read = (value or 0) if name == "s" else (0 if not ignorable else -1)
            self._style_outline = -1
            self._enter("style")
            return name == "s"
        if name in _SKIPPED or (ignorable and name not in _KNOWN):
            self._enter("")
            return True
        return False

    def _end_style(self, words: str) -> None:
        level = style_level(words.strip("; "))
        if 0 <= self._style_outline <= 8:
            level = self._style_outline + 1
        if self._style_read >= 0 and level:
            self._styles[self._style_read] = level

    # Text

    def _sign(self, sign: bytes) -> None:
        if sign == b"*":
            self._ignorable = True
            return
        if self._skip:
            self._skip -= 1
            return
        self._at_group_start = False
        if sign in _BROKEN_LINES:
            self._end_paragraph()
        elif sign in _SYMBOLS:
            self._text(_SYMBOLS[sign])
        elif sign in b"\\{}":
            self._bytes(sign)

    def _bytes(self, data: bytes) -> None:
        self._at_group_start = False
        if self._skip:
            taken = min(self._skip, len(data))
            self._skip -= taken
            data = data[taken:]
        state = self._state
        if not data or not state.sink or state.deleted:
            return
        font = self._fonts.get(state.font if state.font >= 0 else self._default_font)
        buffer = self._buffers.get(state.sink)
        if buffer is None:
            return
        if font and font.is_symbol and state.sink in ("body", "mark"):
            buffer.add("".join(symbol(byte, font.name or "Symbol") or _UNKNOWN for byte in data))
        else:
            buffer.add_bytes(data, self._codec_of(font))

    def _codec_of(self, font: _Font | None) -> str:
        if font is None or font.codec is None:
            return self._codec
        # Fonts for Western text in a file of a multi-byte code page: their bytes come in pairs all the same.
        if font.codec == "cp1252" and self._codec in _MULTI_BYTE:
            return self._codec
        return font.codec

    def _text(self, text: str) -> None:
        state = self._state
        if state.sink in self._buffers and not state.deleted:
            self._buffers[state.sink].add(text)

    def _unicode(self, value: int) -> None:
        code = value & 0xFFFF if -0x8000 <= value <= 0xFFFF else 0xFFFD
        if is_private(code):
            font = self._fonts.get(self._state.font)
            self._text(symbol(code, font.name if font else "") or _UNKNOWN)
        elif code:
            self._text(chr(code))
        self._skip = self._state.uc

    # Paragraphs

    def _paragraph(self) -> Paragraph:
        state = self._state
        if self._breaks:
            self._breaks = False
            self._page += 1
            self._flow.page(self._page)
        mark, self._mark = self._mark, None
        level = self._styles.get(state.style, 0)
        if 0 <= state.outline <= 8:
            level = state.outline + 1
        words = self._buffers["body"].take().strip(" \n")
        return Paragraph(words, level if not state.in_table else 0, mark, state.depth)

    def _end_paragraph(self) -> None:
        sink = self._state.sink
        if sink == "body":
            self._flow.paragraph(self._paragraph(), in_cell=self._state.in_table)
        else:
            self._text("\n")

    def _end_cell(self) -> None:
        if self._state.sink == "body":
            self._flow.end_cell(self._paragraph())
        else:
            self._text("\t")

    def _end_nested(self, mark: str) -> None:
        if self._state.sink == "body":
            self._flow.paragraph(self._paragraph(), in_cell=True)
        else:
            self._text(mark)

    def _end_row(self) -> None:
        if self._state.sink == "body":
            self._flow.end_row(is_header=self._header_row)
        else:
            self._text("\n")

    def _turn_page(self) -> None:
        if self._state.sink != "body":
            return
        if self._page or self._breaks:
            self._end_paragraph()
        self._breaks = True

    def _break_before(self) -> None:
        """The paragraph begins a page."""
        if self._state.sink == "body" and self._page:
            self._breaks = True

    def _go_on(self) -> None:
        """The new section begins on the same page."""
        self._breaks = False

    def _number_note(self) -> None:
        sink = self._state.sink
        if sink == "body":
            self._notes += 1
            self._text(f"[{self._notes}]")
        elif sink == "footnote":
            self._text(f"[{self._notes}] ")

    def _reset_paragraph(self) -> None:
        self._state = replace(self._state, style=0, outline=-1, in_table=False, depth=0)

    def _reset_row(self) -> None:
        self._header_row = False

    def _mark_header(self) -> None:
        self._header_row = True

    def _set(self, **changes: int) -> None:
        self._state = replace(self._state, **changes)  # type: ignore[arg-type]

    def _set_style(self, value: int) -> None:
        self._state = replace(self._state, style=value)

    def _set_outline(self, value: int) -> None:
        if self._state.sink == "style":
            self._style_outline = value
        else:
            self._state = replace(self._state, outline=value)

    def _set_font(self, value: int) -> None:
        if self._state.sink == "fonts":  # a table without groups
            self._font_read = value
            self._fonts[value] = _Font()
        else:
            self._state = replace(self._state, font=value)

    def _set_charset(self, value: int) -> None:
        font = self._fonts.get(self._font_read)
        if font is not None and self._state.sink in ("font", "fonts"):
            font.codec = "cp1252" if value == 0 else codepages.of_charset(value)
            font.is_symbol = value == 2

    def _set_font_page(self, value: int) -> None:
        font = self._fonts.get(self._font_read)
        if font is not None and self._state.sink in ("font", "fonts") and value:
            font.codec = codepages.of_number(value)

    def _set_page_of_file(self, codec: str) -> None:
        self._codec = codec

    def _set_default_font(self, value: int) -> None:
        self._default_font = value


def _mark(words: str) -> str:
    """An item's mark as it was written, any bullet as a hyphen."""
    mark = inline(words)
    return mark if any(char.isalnum() for char in mark) and mark != "o" else "-"


_SINKS = {
    "fonttbl": "fonts",
    "stylesheet": "styles",
    "info": "infos",
    "listtext": "mark",
    "pntext": "mark",
    "footnote": "footnote",
    "annotation": "annotation",
    "atnauthor": "author",
    "shptxt": "box",
    "dptxbxtext": "box",
    "objdata": "object",
    "objclass": "class",
    "sn": "property",
    "sv": "value",
}
_ACTIONS: dict[str, Callable[[_Reading, int | None], None]] = {
    "par": lambda reading, _: reading._end_paragraph(),
    "sect": lambda reading, _: reading._turn_page(),
    "page": lambda reading, _: reading._turn_page(),
    "sbknone": lambda reading, _: reading._go_on(),
    "sbkcol": lambda reading, _: reading._go_on(),
    "pagebb": lambda reading, _: reading._break_before(),
    "cell": lambda reading, _: reading._end_cell(),
    "row": lambda reading, _: reading._end_row(),
    "nestcell": lambda reading, _: reading._end_nested("\t"),
    "nestrow": lambda reading, _: reading._end_nested("\n"),
    "trowd": lambda reading, _: reading._reset_row(),
    "trhdr": lambda reading, _: reading._mark_header(),
    "pard": lambda reading, _: reading._reset_paragraph(),
    "plain": lambda reading, _: reading._set(font=-1, deleted=False),
    "intbl": lambda reading, _: reading._set(in_table=True),
    "ilvl": lambda reading, value: reading._set(depth=max(0, min(value or 0, 8))),
    "s": lambda reading, value: reading._set_style(value or 0),
    "outlinelevel": lambda reading, value: reading._set_outline(value or 0),
    "uc": lambda reading, value: reading._set(uc=max(0, min(1 if value is None else value, 100))),
    "f": lambda reading, value: reading._set_font(value or 0),
    "deff": lambda reading, value: reading._set_default_font(value or 0),
    "fcharset": lambda reading, value: reading._set_charset(value or 0),
    "cpg": lambda reading, value: reading._set_font_page(value or 0),
    "ansicpg": lambda reading, value: reading._set_page_of_file(codepages.of_number(value or 1252)),
    "mac": lambda reading, _: reading._set_page_of_file("mac_roman"),
    "pc": lambda reading, _: reading._set_page_of_file("cp437"),
    "pca": lambda reading, _: reading._set_page_of_file("cp850"),
    "deleted": lambda reading, value: reading._set(deleted=value != 0),
    "chftn": lambda reading, _: reading._number_note(),
}
# Words that count even where the text is skipped: they set what lies deeper.
_ALWAYS = frozenset(["uc", "objdata", "objclass", "sn", "sv", "picprop"])
