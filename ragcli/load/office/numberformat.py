"""Numbers as a sheet shows them: the codes of ECMA-376 part 1, 18.8.31, as far as they change the words.

Dates are written as ISO 8601 whatever order the code puts them in, so that they can be searched.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache

_BUILT_IN = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    14: "yyyy-mm-dd",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm",
    37: "#,##0;(#,##0)",
    38: "#,##0;(#,##0)",
    39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;(#,##0.00)",
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    48: "##0.0E+0",
} | dict.fromkeys([*range(27, 32), 36, *range(50, 59)], "yyyy-mm-dd")
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_.|\*.|\[\$(?P<money>[^\]-]*)[^\]]*\]|\[(?P<elapsed>h+|m+|s+)\]'
    r"|\[[^\]]*\]|(?P<general>general)|(?P<noon>am/pm|a/p|上午/下午)|(?P<date>[ymdhsgeb]+(?![+-]))"
    r"|(?P<digits>[#0?][#0?,. /]*(?:[eE][+-][#0?]+)?(?:/\s*\d+)?)|(?P<at>@)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_DAY = 86_400
_LAST_DAY = 2_958_465  # 9999-12-31
_MOST_DECIMALS = 15


def code_of(id_: int, custom: dict[int, str]) -> str:
    """The code of a number format by its id; empty for General."""
    return custom.get(id_) or _BUILT_IN.get(id_, "")


def shown(value: float, code: str, *, since_1904: bool = False) -> str:
    """The number as a cell with this code shows it."""
    if not code or code.lower() == "general" or code == "@":
        return plain(value)
    sections = _sections(code)
    if value < 0 and len(sections) > 1:
        section, value = sections[1], -value
    elif value == 0 and len(sections) > 2:
        section = sections[2]
    else:
        section = sections[0]
    parts = _parts(section)
    kinds = {kind for kind, _ in parts}
    if "date" in kinds or "elapsed" in kinds:
        return moment(value, parts, since_1904=since_1904)
    if not kinds & {"digits", "general", "at"}:
        # A code without any digit hides the number; what it says instead is all a reader sees.
        return "".join(text for _, text in parts).strip() or plain(value)
    return _number(value, parts)


def plain(value: float) -> str:
    """A number without a format: no ``3.0`` for 3, no digits that only binary fractions have."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.15g}"


def moment(value: float, parts: tuple[tuple[str, str], ...], *, since_1904: bool) -> str:
    """The date, time or both that a serial number stands for (days since 1900, or 1904)."""
    letters = "".join(text for kind, text in parts if kind in {"date", "elapsed"}).lower()
    if not 0 <= value <= _LAST_DAY:
        return plain(value)
    seconds = round(value * _DAY)
    if any(kind == "elapsed" for kind, _ in parts):
        hours, rest = divmod(seconds, 3600)
        return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
    has_date = any(letter in letters for letter in "ydge") or (
        "m" in letters and not set("hs") & set(letters)
    )
    has_time = "h" in letters or "s" in letters
    # A clock that hides its day still belongs to one.
    has_date = has_date or value >= 1
    clock = seconds % _DAY
    time = f"{clock // 3600:02d}:{clock // 60 % 60:02d}"
    if clock % 60 or "s" in letters:
        time += f":{clock % 60:02d}"
    if not has_date:
        return time
    return f"{_date(seconds // _DAY, since_1904)} {time}" if has_time else _date(seconds // _DAY, since_1904)


def _date(days: int, since_1904: bool) -> str:
    if since_1904:
        return (datetime(1904, 1, 1) + timedelta(days)).strftime("%Y-%m-%d")
    # Excel counts a 29 February 1900 that never was.
    return (datetime(1899, 12, 30) + timedelta(days + (days < 60))).strftime("%Y-%m-%d")


@lru_cache(maxsize=1000)
def _sections(code: str) -> tuple[str, ...]:
    out, at, quoted = [""], 0, False
    while at < len(code):
        char = code[at]
        if char == "\\" and not quoted:
            out[-1] += code[at : at + 2]
            at += 2
            continue
        quoted ^= char == '"'
        if char == ";" and not quoted:
            out.append("")
        else:
            out[-1] += char
        at += 1
    return tuple(out)


@lru_cache(maxsize=1000)
def _parts(section: str) -> tuple[tuple[str, str], ...]:
    """The section's pieces: ``digits``, ``date``, ``elapsed``, ``general``, ``at`` or literal ``text``."""
    found: list[tuple[str, str]] = []
    for token in _TOKEN.finditer(section):
        kind = token.lastgroup
        text = token[kind] if kind else ""
        if kind in {"digits", "date", "elapsed", "general", "at"}:
            found.append((kind, text))
        elif kind and kind != "noon":
            found.append(("text", text))
    return tuple(found)


def _number(value: float, parts: tuple[tuple[str, str], ...]) -> str:
    percents = sum(text.count("%") for kind, text in parts if kind == "text")
    value *= 100**percents
    out: list[str] = []
    said = False
    for kind, text in parts:
        if kind == "text":
            out.append(text)
        elif not said:
            said = True
            spaced = " " if text != text.rstrip() else ""
            out.append((_digits(value, text) if kind == "digits" else plain(value)) + spaced)
    return " ".join("".join(out).split())


def _digits(value: float, pattern: str) -> str:
    bare = pattern.strip()
    if "/" in bare:
        return _fraction(value, bare)
    mantissa, exponent, _ = (
        re.split(r"([eE][+-])", bare, maxsplit=1) if re.search("[eE]", bare) else (bare, "", "")
    )
    # Commas at the very end divide by a thousand each.
    scaled = len(mantissa) - len(mantissa.rstrip(","))
    whole, _, fraction = mantissa.rstrip(",").partition(".")
    value /= 1000**scaled
    decimals = min(len(re.sub(r"[^#0?]", "", fraction)), _MOST_DECIMALS)
    least = len(re.sub(r"[^0?]", "", fraction))
    if exponent:
        return f"{value:.{decimals}E}"
    grouped = "," in whole
    text = f"{_rounded(value, decimals):{',' if grouped else ''}.{decimals}f}"
    if "." in text:
        head, tail = text.split(".")
        tail = tail[:least] + tail[least:].rstrip("0")
        text = f"{head}.{tail}" if tail else head
    zeros = whole.count("0")
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    short = zeros - len(digits.split(".")[0])
    return f"{sign}{'0' * short if short > 0 and not grouped else ''}{digits}"


def _rounded(value: float, decimals: int) -> float:
    # Half away from zero, on the decimal digits that are shown and not on the binary ones.
    shifted = float(f"{abs(value) * 10**decimals:.15g}")
    if shifted >= 1e15:
        return value
    whole = int(shifted + 0.5)
    rounded: float = (whole if value >= 0 else -whole) / 10**decimals
    return rounded


def _fraction(value: float, pattern: str) -> str:
    below = pattern.rsplit("/", 1)[1].strip()
    whole = int(abs(value)) if "#" in pattern.split("/")[0] or " " in pattern else 0
    rest = abs(value) - whole
    if below.isdigit() and int(below):
        part = f"{round(rest * int(below))}/{below}" if rest else ""
    else:
        near = Fraction(rest).limit_denominator(10 ** max(1, min(len(below), 4)) - 1)
        if near == 1:
            whole, near = whole + 1, Fraction(0)
        part = f"{near.numerator}/{near.denominator}" if near else ""
    sign = "-" if value < 0 else ""
    return f"{sign}{' '.join(filter(None, (str(whole) if whole or not part else '', part)))}"
