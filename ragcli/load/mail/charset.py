"""The text of mail: bytes whose declared character set may be missing or wrong, and encoded words."""

from __future__ import annotations

import binascii
import codecs
import re

from ragcli.load import codepages
from ragcli.load.encoding import decode
from ragcli.load.parsed import CannotRead

_WORD = re.compile(r"=\?([^?\s]*)\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?[^?\s]*\?[bBqQ]\?)")
# Sets whose bytes are all ASCII, so that nothing but the declaration tells them.
_ESCAPED = ("iso-2022", "hz", "utf-7", "utf-16", "utf-32")
_EAST_ASIAN = frozenset(["gb18030", "cp949", "cp932", "big5", "big5hkscs", "euc-jp", "euc-tw"])


def text_in(data: bytes, charset: str | None) -> str:
    """The text of ``data``: as UTF-8 where it is that, else as declared, else as it looks."""
    name = codepages.of_label(charset or "")
    declared = _strictly(data, name)
    if declared is not None and name.startswith(_ESCAPED):
        return declared
    utf8 = _strictly(data, "utf-8")
    # Two bytes of an East Asian set may look like one letter of UTF-8, three hardly do.
    if utf8 is not None and (declared is None or name not in _EAST_ASIAN or max(utf8, default="") > "\u07ff"):
        return _encoded_once(utf8.removeprefix("\ufeff"))
    if declared is not None:
        return declared
    try:
        return decode(data)[0]
    except CannotRead:
        return data.decode(name if _is_known(name) else "cp1252", "replace")


def _encoded_once(text: str) -> str:
    """Text that was taken for Latin-1 when it was UTF-8 already, set right; any other as it is."""
    if text.isascii():
        return text
    for name in ("latin-1", "cp1252"):
        try:
            return text.encode(name).decode("utf-8")
        except UnicodeError:
            continue
    return text


def _strictly(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name) if _is_known(name) else None
    except (UnicodeError, ValueError):
        return None


def _is_known(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding  # what bytes.decode asks, too
    except (LookupError, ValueError):
        return False


def words(raw: bytes | str) -> str:
    """A header's value with its encoded words (RFC 2047) read; words of one character may be cut in two."""
    text = raw if isinstance(raw, str) else text_in(raw, None)
    if "=?" not in text:
        return " ".join(text.split())
    text = _BETWEEN_WORDS.sub(r"\1", text)
    out: list[str] = []
    at, charset, held = 0, "", b""
    for word in _WORD.finditer(text):
        if word.start() > at or word[1].lower() != charset:
            out.append(text_in(held, charset))
            held = b""
            out.append(text[at : word.start()])
        charset = word[1].lower().split("*")[0]  # a language may follow (RFC 2231)
        held += _of_word(word[2], word[3])
        at = word.end()
    out += [text_in(held, charset), text[at:]]
    return " ".join("".join(out).split())


def _of_word(how: str, word: str) -> bytes:
    data = word.encode("utf-8", "replace")
    return from_base64(data) if how in "bB" else binascii.a2b_qp(data, header=True)


def from_base64(data: bytes) -> bytes:
    """What can be had of base64, whatever stands between its characters."""
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    return binascii.a2b_base64(kept[: len(kept) - (len(kept) % 4 == 1)] + b"==")
