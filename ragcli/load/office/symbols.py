"""Characters of the fonts Symbol and Wingdings, which have places of their own for letters and signs."""

from __future__ import annotations

_PRIVATE = 0xF000
_SYMBOL = dict(
    zip(
        "ABGDEZHQIKLMNXOPRSTUFCYWabgdezhqiklmnxoprstufcyw",
        "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρστυφχψω",
        strict=True,
    )
) | {
    "\xa3": "≤",
    "\xb3": "≥",
    "\xb9": "≠",
    "\xbb": "≈",
    "\xa5": "∞",
    "\xb1": "±",
    "\xb4": "×",
    "\xb8": "÷",
    "\xb0": "°",
    "\xb7": "•",
    "\xae": "→",
    "\xac": "←",
    "\xde": "⇒",
    "\xdb": "⇔",
    "\xce": "∈",
    "\xe5": "∑",
    "\xd5": "∏",
    "\xd6": "√",
    "\xf2": "∫",
    "\xb6": "∂",
    "\xd1": "∇",
    "\xc7": "∩",
    "\xc8": "∪",
    "\xcc": "⊂",
    "\xe3": "©",
    "\xe2": "®",
    "\xe4": "™",
}
_WINGDINGS = {
    "\xfc": "✓",
    "\xfb": "✗",
    "\xfe": "☑",
    "\xfd": "☒",
    "\xa8": "☐",
    "\x6f": "☐",
    "\x71": "☐",
    "\x78": "☒",
    "\xe0": "→",
    "\xdf": "←",
    "\xf0": "→",
    "\x4a": "☺",
    "\x4c": "☹",
    "\x6c": "●",
    "\x6e": "■",
    "\xa7": "▪",
    "\xd8": "➢",
    "\x28": "☎",
    "\x2a": "✉",
}


def symbol(font: str, code: str) -> str:
    """The character that a font shows at a place (hexadecimal); of other signs, nothing."""
    try:
        place = int(code, 16)
    except ValueError:
        return ""
    char = chr(place - _PRIVATE) if _PRIVATE <= place <= _PRIVATE + 0xFF else ""
    if font.lower().startswith("wingdings"):
        return _WINGDINGS.get(char, "")
    if font.lower() == "symbol" and char:
        return _SYMBOL.get(char, char if char < "\x7f" else "")
    if char:
        return char if char.isprintable() else ""
    return chr(place) if 0 < place < 0xD800 or 0xF900 <= place < 0x110000 else ""
