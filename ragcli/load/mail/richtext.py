"""The rich text of Outlook's letters: compressed RTF, which may hold the HTML it was made from."""

from __future__ import annotations

import re
import struct

from ragcli.load import codepages
from ragcli.load.office.rtftokens import CHARACTERS, TOKEN, Buffer

_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_RING = 4096
_COMPRESSED, _STORED = b"LZFu", b"MELA"
_CODEPAGE = re.compile(rb"\\ansicpg(\d{1,5})")
_SKIPPED = frozenset(
    b"fonttbl colortbl stylesheet info pict object header footer headerl headerr footerl footerr listtable"
    b" listoverridetable rsidtbl generator themedata datastore xmlnstbl fldinst mmathPr latentstyles".split()
)
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
    """The HTML that the RTF was made from (MS-OXRTFEX); empty where it was not.

    It is what its ``htmltag`` groups hold, and the visible words between them.
    """
    if b"\\fromhtml" not in rtf[:4096]:
        return ""
    page = _CODEPAGE.search(rtf[:4096])
    codec = codepages.of_number(int(page[1])) if page else "cp1252"
    out = Buffer()
    stack: list[tuple[bool, bool, int]] = []
    hidden = silent = False  # by its group, by \htmlrtf
    skip, unicode_skip = 0, 1
    starred = False
    for token in TOKEN.finditer(rtf.rstrip(b"\0")):
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
                hidden, starred = word != b"htmltag", False
            elif word in _SKIPPED:
                hidden = True
            elif word == b"htmlrtf":
                silent = number != b"0"
            elif word == b"uc":
                unicode_skip = int(number or 1)
            elif not hidden and not silent:
                if word == b"u" and number:
                    out.add(chr(int(number) & 0xFFFF))
                    skip = unicode_skip
                elif word == b"par":
                    out.add("\n")
                elif word.decode() in CHARACTERS:
                    out.add(CHARACTERS[word.decode()])
        elif hidden or silent:
            continue
        elif octet:
            if skip:
                skip -= 1
            else:
                out.add_bytes(bytes([int(octet, 16)]), codec)
        elif symbol in _SYMBOLS:
            out.add(_SYMBOLS[symbol])
        elif plain:
            dropped, skip = min(skip, len(plain)), max(0, skip - len(plain))
            out.add_bytes(plain[dropped:], codec)
    return out.take()
