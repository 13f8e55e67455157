"""Numbers as lists and notes show them."""

from __future__ import annotations

_ROMAN = (
    (1000, "m"),
    (900, "cm"),
    (500, "d"),
    (400, "cd"),
    (100, "c"),
    (90, "xc"),
    (50, "l"),
    (40, "xl"),
    (10, "x"),
    (9, "ix"),
    (5, "v"),
    (4, "iv"),
    (1, "i"),
)
_LARGEST_ROMAN = 3999
_LONGEST = 30  # letters: the 27th item is aa, the 53rd aaa
_CHINESE = "〇一二三四五六七八九"


def numeral(count: int, kind: str) -> str:
    """A number as a list shows it; ``kind`` is a value of ST_NumberFormat (ECMA-376 part 1, 17.18.59)."""
    if kind in {"lowerRoman", "upperRoman"} and 0 < count <= _LARGEST_ROMAN:
        return _roman(count) if kind == "lowerRoman" else _roman(count).upper()
    if kind in {"lowerLetter", "upperLetter"} and count > 0:
        letters = chr(ord("a") + (count - 1) % 26) * min((count - 1) // 26 + 1, _LONGEST)
        return letters if kind == "lowerLetter" else letters.upper()
    if kind == "decimalZero":
        return f"{count:02d}"
    if kind == "none":
        return ""
    if kind.startswith(("chinese", "ideograph", "japaneseCounting", "taiwaneseCounting")) and 0 < count < 100:
        return _chinese(count)
    return str(count)


def _roman(count: int) -> str:
    out = ""
    for worth, letters in _ROMAN:
        out += letters * (count // worth)
        count %= worth
    return out


def _chinese(count: int) -> str:
    tens, ones = divmod(count, 10)
    if not tens:
        return _CHINESE[ones]
    return ("" if tens == 1 else _CHINESE[tens]) + "十" + (_CHINESE[ones] if ones else "")
