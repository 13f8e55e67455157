"""Numbers as they are written in any way, so that 1,000 and 1000, five and 5, 百分之五 and 5 % are one."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ONES = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {word: number for number, word in enumerate(_ONES.split())} | {
    word: 10 * number for number, word in enumerate(_TENS.split(), 2)
}
_ORDINALS = {
    "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11,
    "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16, "seventeenth": 17,
    "eighteenth": 18, "nineteenth": 19, "twentieth": 20,
}  # fmt: skip
# Mostly no number is meant by them.
_LOOSE = {"one": 1, "first": 1, "second": 2, "third": 3}
_LARGE = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_MONTH_NAMES = """
January/Jan February/Feb March/Mar April/Apr May June/Jun July/Jul August/Aug September/Sep/Sept October/Oct
November/Nov December/Dec
"""
_MONTHS = {name: at for at, names in enumerate(_MONTH_NAMES.split(), 1) for name in names.split("/")}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_HAN_DIGITS = {char: number for number, char in enumerate("零一二三四五六七八九")} | {
    "〇": 0, "两": 2, "兩": 2, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5, "陆": 6, "柒": 7, "捌": 8, "玖": 9,
}  # fmt: skip
_HAN_TENS = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_HAN_LARGE = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_HAN = "".join([*_HAN_DIGITS, *_HAN_TENS, *_HAN_LARGE])
# What a lone Chinese numeral counts; elsewhere it is part of a word, as in 一般 or 万一.
_COUNTED = "年月日号號天周岁歲个個名人位次种種级届世代条條座所家部本章集楼樓层層米里公英吨噸斤元块塊美点點分秒时時倍度"
_WORD = "|".join(sorted({*_SMALL, *_LARGE, *_ORDINALS, *_LOOSE}, key=len, reverse=True))
_DIGITS = r"\d+(?:[,’' \u00a0\u202f]\d{3}(?!\d))+(?:\.\d+)?|\d+(?:[.,]\d+)*"
_FIGURE = re.compile(
    rf"(?P<iso>\b\d{{4}}-\d{{2}}-\d{{2}}\b)"
    rf"|(?P<month>\b(?:{_MONTH})\b\.?(?=,? *\d)|(?<=\d )\b(?:{_MONTH})\b|(?<=\d(?:st|nd|rd|th) )\b(?:{_MONTH})\b)"
    rf"|百分之(?P<share>{_DIGITS}|[{_HAN}]+(?:点[{_HAN}]+)?)"
    rf"|(?P<sign>(?<![\w.)%])[-−](?=\d))?(?<![A-Za-z_\d.])(?P<digits>{_DIGITS})"
    rf"(?P<han>[{''.join(_HAN_TENS)}]?[{''.join(_HAN_LARGE)}]+|[百千](?=[万亿萬億]))?"
    rf"(?: ?(?P<large>hundred|thousand|million|billion|trillion)\b)?"
    rf"(?P<suffix>st\b|nd\b|rd\b|th\b|s\b)?"
    rf"(?P<percent> ?%| ?percent\b| ?per cent\b)?"
    rf"|(?P<words>\b(?:{_WORD})(?:(?:-| and | )(?:{_WORD}))*\b)(?P<percent2> percent\b| per cent\b)?"
    rf"|(?P<cjk>[{_HAN}]{{2,}}|(?<=第)[{_HAN}]|[{_HAN}](?=[{_COUNTED}]))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in a text: its span, its value in one spelling, and whether it must be one (``one`` need not)."""

    start: int
    end: int
    value: str
    firm: bool = True


def figures(text: str) -> Iterator[Figure]:
    """The numbers of a text in NFKC, in order. A date gives its year, month (``m5``) and day."""
    for match in _FIGURE.finditer(text):
        start, end = match.span()
        kind = match.lastgroup
        if match["iso"]:
            year, month, day = match["iso"].split("-")
            for value, at, width in ((year, 0, 4), (f"m{int(month)}", 5, 2), (str(int(day)), 8, 2)):
                yield Figure(start + at, start + at + width, value)
        elif match["month"]:
            yield Figure(start, end, f"m{_month(match['month'])}")
        elif share := match["share"]:
            yield Figure(start, end, f"{_plain(share) if share[0].isdigit() else _han(share)}%")
        elif match["digits"]:
            yield _digits(match, text)
        elif words := match["words"]:
            yield from _words(words, start, end, bool(match["percent2"]))
        elif kind == "cjk":
            yield _chinese(match["cjk"], start, end, text)


def normal(text: str) -> str:
    """``text`` in NFKC: full-width digits and letters are as any other."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _month(word: str) -> int:
    return _MONTHS[word.rstrip(".").capitalize()]


def _digits(match: re.Match[str], text: str) -> Figure:
    start, end = match.span()
    value = _plain(match["digits"])
    if factor := _LARGE.get((match["large"] or "").lower(), 1) * _han_factor(match["han"] or ""):
        value = _scaled(value, factor)
    if match["suffix"] and match["suffix"].lower() == "s":
        value += "s"
    if match["percent"]:
        value += "%"
    if text.startswith("月", end) and value in {str(month) for month in range(1, 13)}:
        value = f"m{value}"
    return Figure(start, end, f"-{value}" if match["sign"] else value)


def _plain(digits: str) -> str:
    """Digits with thousands' separators and needless zeros away; versions (2.4.1) as they are."""
    if re.fullmatch(r"\d{1,3}(?:[,’' \u00a0\u202f]\d{3})+(?:\.\d+)?", digits):
        digits = re.sub(r"[^\d.]", "", digits)
    if digits.count(".") + digits.count(",") > 1:
        return digits
    whole, _, part = digits.replace(",", ".").partition(".")
    if len(whole) <= 2 or part:
        whole = whole.lstrip("0") or "0"
    part = part.rstrip("0")
    return f"{whole}.{part}" if part else whole


def _scaled(value: str, factor: int) -> str:
    if factor == 1:
        return value
    try:
        return f"{(Decimal(value) * factor).normalize():f}"
    except ArithmeticError:
        return value


def _han_factor(run: str) -> int:
    factor = 1
    for char in run:
        factor *= _HAN_TENS.get(char, 1) * _HAN_LARGE.get(char, 1)
    return factor


def _words(run: str, start: int, end: int, percent: bool) -> Iterator[Figure]:
    """English number words: those that make one number together, the others each by itself."""
    words = [word.lower() for word in re.findall(r"[A-Za-z]+", run)]
    if len(words) == 1 and words[0] in _LOOSE and not percent:
        yield Figure(start, end, str(_LOOSE[words[0]]), firm=False)
        return
    total, current, known = 0, 0, False
    for word in words:
        number = _SMALL.get(word, _ORDINALS.get(word, _LOOSE.get(word)))
        if number is not None:
            if current % 100 and not (current % 10 == 0 and current % 100 >= 20 and number < 10):
                yield Figure(start, end, str(total + current))  # three and four are no seven
                total = current = 0
            current += number
            known = True
        elif word in _LARGE:
            if word == "hundred":
                current = max(1, current) * 100
            else:
                total += max(1, current) * _LARGE[word]
                current = 0
            known = known or len(words) > 1
    if known:
        yield Figure(start, end, f"{total + current}{'%' if percent else ''}")


def _chinese(run: str, start: int, end: int, text: str) -> Figure:
    value = _han(run)
    if text.startswith("月", end) and value in {str(month) for month in range(1, 13)}:
        value = f"m{value}"
    return Figure(start, end, value, firm=len(run) > 1 or value not in ("1",))


def _han(run: str) -> str:
    """A Chinese numeral in digits: 二〇一九 is 2019, 三百五十 is 350, 一点五 is 1.5."""
    whole, _, part = run.partition("点")
    if part:
        return _plain(f"{_han(whole)}.{''.join(str(_HAN_DIGITS.get(char, 0)) for char in part)}")
    if all(char in _HAN_DIGITS for char in run):
        return _plain("".join(str(_HAN_DIGITS[char]) for char in run))
    total = section = digit = 0
    for char in run:
        if char in _HAN_DIGITS:
            digit = _HAN_DIGITS[char]
        elif char in _HAN_TENS:
            section += (digit or 1) * _HAN_TENS[char]
            digit = 0
        else:
            total = (total + (section + digit or 1)) * _HAN_LARGE[char]
            section = digit = 0
    return str(total + section + digit)
