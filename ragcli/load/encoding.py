"""Which encoding a file is in, and whether it is text at all.

The order of evidence: byte order mark, NULs in every other byte (UTF-16), strict UTF-8, UTF-8 with
a few broken bytes, then the legacy encoding whose decoded text is the most plausible, and at last
ASCII with some bytes lost.
"""

from __future__ import annotations

import codecs
import re

from ragcli.load import codepages
from ragcli.load.parsed import CannotRead
from ragcli.load.plausible import CANDIDATES, plausibility

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHARSET = re.compile(
    rb"""<(?:meta\b|\?xml)[^>]*?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE
)
_CHARSET_WITHIN = 4096
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\x0b\x0c\x1b\x08")) + b"\x7f"
_ASCII = bytes(range(128))
_ASCII_SHARE = 0.95  # where no encoding fits: a few foreign bytes are not worth a whole file
_FEW = 4  # foreign bytes; fewer give no ground for a guess
_HEAD = 8192
_SAMPLE = 16_384
_PLAUSIBLE = 0.4  # of 1.0: what a legacy decoding must reach to be believed
_BROKEN_SHARE = 0.1  # broken bytes among the non-ASCII ones that UTF-8 is forgiven
_CONTROL_SHARE = 0.1
_NUL_SHARE = 0.2


def decode(data: bytes) -> tuple[str, str]:
    """The text of ``data`` without its byte order mark, and the name of the encoding.

    Raises CannotRead("encoding") where no encoding gives plausible text. A mark, and UTF-8, are
    believed even where some bytes are broken; those become U+FFFD.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace"), name
    wide = _utf16_without_mark(data)
    if wide:
        return data.decode(wide, "replace"), wide
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    if _is_nearly_utf8(data):
        return data.decode("utf-8", "replace"), "utf-8"
    found = _legacy(data) or _guess_of_charset_normalizer(data)
    if found is None and _is_mostly_ascii(data):
        found = "utf-8"
    if found is None:
        raise CannotRead(
            "encoding", "the text is in no encoding that could be recognised; convert it to UTF-8"
        )
    return data.decode(found, "replace"), found


def decode_declared(data: bytes) -> str:
    """The text of a page or an XML file, which may say what encoding it is in.

    A byte order mark and valid UTF-8 beyond ASCII are surer than what is said, what is said surer
    than a guess, where the content can be decoded so.
    """
    declared = _CHARSET.search(data[:_CHARSET_WITHIN])
    if has_mark(data) or not declared:
        return decode(data)[0]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        name = codepages.of_label(declared[1].decode("ascii", "replace"))
    try:
        return data.decode(name)
    except (LookupError, UnicodeError):
        return decode(data)[0]


def has_mark(data: bytes) -> bool:
    """Begins with a Unicode byte order mark."""
    return any(data.startswith(mark) for mark, _ in _BOMS)


def looks_binary(data: bytes, *, named_as_text: bool) -> bool:
    """No text, judged by the first 8 kB.

    NUL bytes (outside UTF-16 and UTF-32) or more than one control character in ten bytes. A file
    ``named_as_text`` may hold NULs where the rest is valid UTF-8.
    """
    head = data[:_HEAD]
    if not head or has_mark(head) or _utf16_without_mark(head):
        return False
    controls = len(head) - len(head.translate(None, _CONTROL))
    if controls > _CONTROL_SHARE * len(head):
        return True
    return b"\0" in head and not (named_as_text and _is_nearly_utf8(head))


def _is_mostly_ascii(data: bytes) -> bool:
    return len(data) - len(data.translate(None, _ASCII)) >= _ASCII_SHARE * len(data)


def _utf16_without_mark(data: bytes) -> str | None:
    head = data[: _HEAD // 2 * 2]
    half = len(head) // 2
    if half < 2 or b"\0" not in head:
        return None
    even, odd = head[0 : 2 * half : 2].count(0), head[1 : 2 * half : 2].count(0)
    if odd > _NUL_SHARE * half and even == 0:
        name = "utf-16-le"
    elif even > _NUL_SHARE * half and odd == 0:
        name = "utf-16-be"
    else:
        return _wide_beyond_latin(head[: 2 * half])
    return name if _is_texty(head[: 2 * half].decode(name, "replace")) else None


def _wide_beyond_latin(head: bytes) -> str | None:
    # Chinese or Russian in UTF-16 has NULs only beside its few ASCII characters.
    scores = {
        name: plausibility(head.decode(name, "replace"), "utf-16") for name in ("utf-16-le", "utf-16-be")
    }
    best = max(scores, key=lambda name: scores[name])
    if scores[best] < _PLAUSIBLE:
        return None
    controls = len(head) - len(head.translate(None, _CONTROL))
    return best if controls > _CONTROL_SHARE * len(head) or not _is_nearly_utf8(head) else None


def _is_texty(text: str) -> bool:
    bad = sum(char == "\ufffd" or (ord(char) < 32 and char not in "\t\n\r\f") for char in text)
    upper_latin = sum("\x80" <= char <= "\xff" for char in text)
    return bad <= 0.02 * len(text) and upper_latin <= len(text) / 3


def _is_nearly_utf8(data: bytes) -> bool:
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    good = sum(char > "\x7f" for char in text) - broken
    tail_only = broken == 1 and text[-1] == "\ufffd" and len(data) >= _HEAD
    return broken == 0 or (tail_only and good > 0) or broken <= _BROKEN_SHARE * good


def _sample(data: bytes) -> bytes:
    """Whole lines around the first bytes that are not ASCII."""
    if len(data) <= _SAMPLE:
        return data
    first = len(data) - len(data.lstrip(_ASCII))
    start = data.rfind(b"\n", 0, first) + 1
    if first - start > _SAMPLE // 2:
        start = first
    return data[start : start + _SAMPLE]


def _legacy(data: bytes) -> str | None:
    sample = _sample(data)
    whole = len(sample) == len(data)
    scores: dict[str, float] = {}
    for name in CANDIDATES:
        decoder = codecs.getincrementaldecoder(name)()
        try:
            text = decoder.decode(sample, final=whole)
        except UnicodeDecodeError:
            # One bad byte in a long file is damage, not another encoding.
            text = sample.decode(name, "replace")
        scores[name] = plausibility(text, name)
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] >= _PLAUSIBLE else None


def _guess_of_charset_normalizer(data: bytes) -> str | None:
    import charset_normalizer

    sample = _sample(data)
    if len(sample.translate(None, _ASCII)) < _FEW:
        return None
    found = charset_normalizer.from_bytes(sample).best()
    if found is None:
        return None
    text = sample.decode(found.encoding, "replace")
    letters = sum(char.isalpha() for char in text if char > "\x7f")
    others = sum(char > "\x7f" and not char.isalpha() for char in text)
    return found.encoding if letters > 3 * others and _is_texty(text) else None
