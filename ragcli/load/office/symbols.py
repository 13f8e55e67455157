"""Characters of the fonts Symbol and Wingdings, which have places of their own for letters and signs."""

from __future__ import annotations

# After Adobe's Symbol encoding; places below U+007F that are not named are those of ASCII.
_SYMBOL = {
    **dict(zip(range(0x41, 0x5B), "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", strict=True)),
    **dict(zip(range(0x61, 0x7B), "αβχδεφγηιϕκλμνοπθρστυϖωξψζ", strict=True)),
    **dict(zip(range(0xA3, 0xB8), "≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•", strict=True)),
    **dict(zip(range(0xB8, 0xBD), "÷≠≡≈…", strict=True)),
    **dict(zip(range(0xC4, 0xD2), "⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇", strict=True)),
    **dict(zip(range(0xD5, 0xDF), "∏√⋅¬∧∨⇔⇐⇑⇒", strict=True)),
    **dict(zip(range(0xE2, 0xE6), "®©™∑", strict=True)),
    0x22: "∀",
    0x24: "∃",
    0xF2: "∫",
}
_WINGDINGS = {
    0xFC: "✓",
    0xFB: "✗",
    0xFE: "☑",
    0xFD: "☒",
    0xA8: "☐",
    0x6F: "☐",
    0x71: "☐",
    0x78: "☒",
    0xE0: "→",
    0xDF: "←",
    0xF0: "→",
    0x4A: "☺",
    0x4C: "☹",
    0x6C: "●",
    0x6E: "■",
    0xA7: "▪",
    0xD8: "➢",
    0x28: "☎",
    0x2A: "✉",
}


def symbol(code: int, font: str) -> str | None:
    """What a symbol font shows for a byte, or for U+F000 and the byte; None where that is not known."""
    byte = code & 0xFF
    if font.lower() == "symbol":
        return _SYMBOL.get(byte, chr(byte) if 0x20 <= byte < 0x7F else None)
    return _WINGDINGS.get(byte) if font.lower().startswith("wingdings") else None


def is_private(code: int) -> bool:
    """In the part of Unicode's private area where programs put the characters of symbol fonts."""
    return 0xF020 <= code <= 0xF0FF
