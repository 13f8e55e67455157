"""Character sets by what files call them: the numbers of Windows' code pages, and labels."""

from __future__ import annotations

import codecs

_CHARSETS = {
    77: "mac_roman",
    78: "cp932",
    79: "cp949",
    80: "gb18030",
    81: "cp950",
    83: "mac_greek",
    85: "mac_turkish",
    88: "mac_latin2",
    89: "mac_cyrillic",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "gb18030",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
    254: "cp437",
    255: "cp850",
}
# What browsers and mail programs take the names for (WHATWG Encoding Standard): the wider set of each.
_LABELS = {
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "big5": "big5hkscs",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-9": "cp1254",
    "unicode-1-1-utf-7": "utf-7",
    "cp-850": "cp850",
}
UTF_16 = 1200
"""A number that stands for text of two bytes a character; no code page of single bytes is meant."""
_PAGES = {
    708: "iso8859-6",
    936: "gb18030",
    1361: "johab",
    10000: "mac_roman",
    10001: "cp932",
    10006: "mac_greek",
    10007: "mac_cyrillic",
    10029: "mac_latin2",
    10081: "mac_turkish",
    32768: "mac_roman",  # in workbooks
    65000: "utf-7",
    65001: "utf-8",
}


def of_charset(number: int) -> str | None:
    """The code page of a Windows font's charset (\\\\fcharset, chs); None for ANSI, default and symbols."""
    return _CHARSETS.get(number)


def of_number(number: int, otherwise: str = "cp1252") -> str:
    """The codec of a Windows code page; ``otherwise`` where Python knows none."""
    name = _PAGES.get(number, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return otherwise


def of_label(label: str) -> str:
    """The codec for a declared charset; the label itself, in lower case, where it is no other's name."""
    name = label.lower().strip("\"' ")
    return _LABELS.get(name, name)


def of_language(number: int) -> str:
    """The ANSI code page of a Windows language identifier (LCID), as Word 6 and 95 write by it."""
    exact = {0x0404: "cp950", 0x0C04: "cp950", 0x0804: "gb18030", 0x1004: "gb18030", 0x0C1A: "cp1251"}
    main = {
        0x01: "cp1256",
        0x02: "cp1251",
        0x05: "cp1250",
        0x08: "cp1253",
        0x0D: "cp1255",
        0x0E: "cp1250",
        0x11: "cp932",
        0x12: "cp949",
        0x15: "cp1250",
        0x18: "cp1250",
        0x19: "cp1251",
        0x1A: "cp1250",
        0x1B: "cp1250",
        0x1E: "cp874",
        0x1F: "cp1254",
        0x22: "cp1251",
        0x24: "cp1250",
    }
    return exact.get(number, main.get(number & 0x3FF, "cp1252"))
