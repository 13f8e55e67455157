"""The rich text of Outlook's letters: compressed RTF, which may hold the HTML it was made from."""

from __future__ import annotations

import re
import struct

_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_RING = 4096
_COMPRESSED, _STORED = b"LZFu", b"MELA"
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n]+|([^\\{}\r\n]+)"
)
_CODEPAGE = re.compile(rb"\\ansicpg(\d{1,5})")
_SKIPPED = frozenset(
    b"fonttbl colortbl stylesheet info pict object header footer headerl headerr footerl footerr listtable"
    b" listoverridetable rsidtbl generator themedata datastore xmlnstbl fldinst mmathPr latentstyles".split()
)
_MEANING = {
    b"par": "\n",
    b"line": "\n",
    b"tab": "\t",
    b"cell": " | ",
    b"row": "\n",
    b"lquote": "\u2018",
    b"rquote": "\u2019",
    b"ldblquote": "\u201c",
    b"rdblquote": "\u201d",
    b"bullet": "\u2022",
    b"endash": "\u2013",
    b"emdash": "\u2014",
}
_SYMBOLS = {b"~": "\xa0", b"_": "-", b"-": "", b"{": "{", b"}": "}", b"\\": "\\", b"\n": "\n", b"\r": "\n"}


def decompressed(data: bytes) -> bytes:
    """The RTF in a compressed body (MS-OXRTFCP); as far as it goes where it is cut short."""
    if len(data) < 16:
        return b""
    size, kind = struct.unpack_from("<I4s", data, 4)
    if kind == _STORED:
        return data[16 : 16 + size]
    if kind != _COMPRESSED:
        return b""
    ring = bytearray(_DICTIONARY.ljust(_RING, b" "))
    out = bytearray()
    write, at = len(_DICTIONARY), 16
    while at < len(data) and len(out) < size:
        flags = data[at]
        at += 1
        for bit in range(8):
            if not flags >> bit & 1:
                run = data[at : at + 1]
                at += 1
            elif at + 1 < len(data):
                offset, length = data[at] << 4 | data[at + 1] >> 4, (data[at + 1] & 15) + 2
                at += 2
                if offset == write:
                    return bytes(out[:size])
                run = b""
                for step in range(length):
                    run += ring[(offset + step) % _RING : (offset + step) % _RING + 1]
                    ring[write] = run[-1]
                    write = (write + 1) % _RING
                out += run
                continue
            else:
                return bytes(out[:size])
            ring[write : write + 1] = run
            write = (write + len(run)) % _RING
            out += run
    return bytes(out[:size])


def html_in(rtf: bytes) -> str:
    """The HTML that the RTF was made from (MS-OXRTFEX); empty where it was not."""
    return _read(rtf, html=True) if b"\\fromhtml" in rtf[:4096] else ""


def text_of(rtf: bytes) -> str:
    """The plain words of RTF."""
    return _read(rtf, html=False)


def _read(rtf: bytes, *, html: bool) -> str:
    """Its visible words; with ``html`` those between ``htmltag`` groups, and what these hold."""
    page = _CODEPAGE.search(rtf[:4096])
    codec = f"cp{page[1].decode()}" if page else "cp1252"
    out: list[str] = []
    held = bytearray()  # bytes of a character set that may need several
    stack: list[tuple[bool, bool, int]] = []
    hidden = silent = False  # by its group, by \htmlrtf
    skip, unicode_skip = 0, 1
    starred = False

    def flush() -> None:
        if held:
            try:
                out.append(held.decode(codec, "replace"))
            except LookupError:
                out.append(held.decode("cp1252", "replace"))
            held.clear()

    for token in _TOKEN.finditer(rtf.rstrip(b"\0")):
        word, number, octet, symbol, brace, plain = token.groups()
        if brace == b"{":
            stack.append((hidden, silent, unicode_skip))
        elif brace == b"}":
            if stack:
                hidden, silent, unicode_skip = stack.pop()
            starred = False
        elif symbol == b"*":
            starred = True
        elif word is not None:
            if starred:
                hidden = word != b"htmltag" or not html
                starred = False
            elif word in _SKIPPED:
                hidden = True
            elif word == b"htmlrtf":
                silent = html and number != b"0"
            elif word == b"uc":
                unicode_skip = int(number or 1)
            elif not hidden and not silent:
                if word == b"u" and number:
                    flush()
                    out.append(chr(int(number) & 0xFFFF))
                    skip = unicode_skip
                elif word in _MEANING:
                    flush()
                    out.append(_MEANING[word])
        elif hidden or silent:
            continue
        elif octet:
            if skip:
                skip -= 1
            else:
                held += bytes([int(octet, 16)])
        elif symbol in _SYMBOLS:
            flush()
            out.append(_SYMBOLS[symbol])
        elif plain:
            dropped, skip = min(skip, len(plain)), max(0, skip - len(plain))
            held += plain[dropped:]
    flush()
    return "".join(out).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
