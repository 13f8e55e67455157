"""The characters of a page, as pdfium tells them, put together to words."""

from __future__ import annotations

import ctypes
import math
import re
import unicodedata
from collections import deque
from itertools import repeat
from typing import TYPE_CHECKING, Any

from ragcli.load.pdf.calls import plain
from ragcli.load.pdf.geometry import Frame, Rule, Word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

_FAR = 1.0  # font sizes between two characters: no word goes on over it
_TWICE = 0.12  # font sizes: the same glyph this near is struck twice, to look bold
_STEP = 4.0  # points: at most so far apart
_FORCE_BOLD = 600  # font weights from here on are bold
_TURN = 5  # degrees: directions that differ less are one
_BOLD_NAMES = ("bold", "black", "heavy", "cmbx", "sfbx", "ecbx", "-bd", "demi")
HYPHEN = "\xad"
"""A hyphen at the end of a line, whatever the file has there."""
# Private codes of the Symbol and Wingdings fonts, as word processors write their bullets.
_SYMBOLS = {0xF0B7: "•", 0xF0A7: "▪", 0xF0D8: "➢", 0xF076: "❖", 0xF0FC: "✓", 0xF06F: "□", 0xF0A8: "□"}
_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe]")
_HYPHENS = {0x2, 0xFFFE, 0xAD, 0x2010}
_SPACE, _PLAIN = 0x20, 0xAD  # characters from the one up to the other stand for themselves
_LEFTWARD = 0x590  # the first that is written from right to left
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}


def frames_of(
    textpage: Any, rules: Sequence[Rule], fonts: dict[int, bool], box: Sequence[float]
) -> list[Frame]:
    """The words of a page by their direction, that with the most characters first.

    ``rules`` and ``box`` (left, bottom, right, top: what is seen of the page) are in the page's own
    coordinates. ``fonts`` remembers which fonts are bold. What stands outside the box is left out,
    unless nothing stands within.
    """
    chars = _Chars(textpage)
    if not chars.count:
        return []
    starts, ends = chars.runs()
    angles, sizes = chars.angles(starts)
    bolds = chars.bolds(starts, fonts)
    found: dict[int, list[int]] = {}
    for run, angle in enumerate(angles):
        found.setdefault(angle, []).append(run)
    shown = chars.within(starts, box)
    frames = []
    for angle, runs in found.items():
        runs = [run for run in runs if shown[run]]
        spans = [starts[run] for run in runs], [ends[run] for run in runs]
        found_words = _View(chars, angle).words(
            runs, *spans, [sizes[run] for run in runs], [bolds[run] for run in runs]
        )
        words = _once([word for word in found_words if word.text])
        if words:
            frames.append(_framed(words, angle, rules, box))
    frames.sort(key=lambda frame: -sum(len(word.text) for word in frame.words))
    return frames


def _framed(words: list[Word], angle: int, rules: Sequence[Rule], box: Sequence[float]) -> Frame:
    edges = [_turned(x, y, angle)[1] for x in (box[0], box[2]) for y in (box[1], box[3])]
    turned = [] if angle % 90 else [_turned_rule(rule, angle) for rule in rules]
    return Frame(words, turned, min(edges), max(edges), angle)


def _turned(x: float, y: float, angle: int) -> tuple[float, float]:
    """From the page's coordinates, y upward, to those of text in a direction, y downward."""
    cos, sin = _cos_sin(angle)
    return x * cos + y * sin, x * sin - y * cos


def _cos_sin(angle: int) -> tuple[float, float]:
    if angle % 90 == 0:
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[angle // 90 % 4]
    return math.cos(math.radians(angle)), math.sin(math.radians(angle))


def _turned_rule(rule: Rule, angle: int) -> Rule:
    ax, ay = _turned(rule.x0, rule.y0, angle)
    bx, by = _turned(rule.x1, rule.y1, angle)
    return Rule(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))


class _Chars:
    """The characters of a text page in arrays: calls in bulk, since there are many."""

    def __init__(self, textpage: Any) -> None:
        import numpy as np
        import pypdfium2.raw as pdfium

        self._raw = ctypes.cast(textpage.raw, ctypes.c_void_p).value
        self.count = max(0, pdfium.FPDFText_CountChars(textpage))
        index = range(self.count)
        unicode_of = plain(pdfium.FPDFText_GetUnicode, ctypes.c_uint, ctypes.c_int)
        self.codes = list(map(unicode_of, repeat(self._raw), index))
        self.boxes = np.zeros((self.count, 4), np.float32)  # left, top, right, bottom
        self._tight: NDArray[np.float64] | None = None
        if not self.count:
            return
        self._fill(plain(pdfium.FPDFText_GetLooseCharBox, ctypes.c_int, ctypes.c_int, *_ADDRESS), self.boxes)
        self.origins = np.zeros((self.count, 2), np.float64)
        origin = plain(pdfium.FPDFText_GetCharOrigin, ctypes.c_int, ctypes.c_int, *_ADDRESS, *_ADDRESS)
        at = self.origins.ctypes.data
        end = at + 16 * self.count
        deque(map(origin, repeat(self._raw), index, range(at, end, 16), range(at + 8, end + 8, 16)), 0)

    def _fill(self, call: Callable[..., int], array: NDArray[np.float32]) -> None:
        at, step = array.ctypes.data, array.strides[0]
        deque(map(call, repeat(self._raw), range(self.count), range(at, at + step * self.count, step)), 0)

    @property
    def tight(self) -> NDArray[np.float64]:
        """Left, right, bottom and top of each glyph itself: true for turned text, too."""
        if self._tight is None:
            import numpy as np
            import pypdfium2.raw as pdfium

            self._tight = np.zeros((self.count, 4), np.float64)
            call = plain(pdfium.FPDFText_GetCharBox, ctypes.c_int, ctypes.c_int, *_ADDRESS * 4)
            at = self._tight.ctypes.data
            columns = [range(at + 8 * side, at + 8 * side + 32 * self.count, 32) for side in range(4)]
            deque(map(call, repeat(self._raw), range(self.count), *columns), 0)
        return self._tight

    def runs(self) -> tuple[list[int], list[int]]:
        """Where words start and end: at white space; gaps are looked at when their direction is known."""
        starts: list[int] = []
        ends: list[int] = []
        inside = False
        for at, code in enumerate(self.codes):
            blank = (code <= 32 and code != 2) or code in _BLANKS
            if blank and inside:
                ends.append(at)
            elif not blank and not inside:
                starts.append(at)
            inside = not blank
        if inside:
            ends.append(self.count)
        return self._split(starts, ends)

    def _split(self, starts: list[int], ends: list[int]) -> tuple[list[int], list[int]]:
        """Words cut where the pen leaps: to another line or column without any space between."""
        import numpy as np

        leaps = np.abs(np.diff(self.origins, axis=0)).max(axis=1, initial=0)
        heights = np.maximum(np.abs(self.boxes[:, 1] - self.boxes[:, 3]), 4.0)
        far = set((np.nonzero(leaps > 2.0 * np.maximum(heights[1:], heights[:-1]))[0] + 1).tolist())
        if not far:
            return starts, ends
        cut_starts: list[int] = []
        cut_ends: list[int] = []
        for start, end in zip(starts, ends, strict=True):
            cuts = [at for at in range(start + 1, end) if at in far]
            cut_starts += [start, *cuts]
            cut_ends += [*cuts, end]
        return cut_starts, cut_ends

    def angles(self, starts: Sequence[int]) -> tuple[list[int], list[float]]:
        """Direction in whole degrees and font size in points of the words that start there."""
        import numpy as np
        import pypdfium2.raw as pdfium

        matrices = np.zeros((len(starts), 6), np.float32)
        matrix = plain(pdfium.FPDFText_GetMatrix, ctypes.c_int, ctypes.c_int, *_ADDRESS)
        at = matrices.ctypes.data
        deque(map(matrix, repeat(self._raw), starts, range(at, at + 24 * len(starts), 24)), 0)
        size = plain(pdfium.FPDFText_GetFontSize, ctypes.c_double, ctypes.c_int)
        sizes = np.fromiter(map(size, repeat(self._raw), starts), np.float64, len(starts))
        a, b, c, d = (matrices[:, column] for column in range(4))
        scale = np.hypot(c, d)
        degrees = np.degrees(np.arctan2(b, a))
        whole = (np.round(degrees / _TURN) * _TURN % 360).astype(int)
        real = np.abs(sizes) * np.where(scale > 0, scale, 1.0)
        return whole.tolist(), np.clip(np.where(real > 0, real, 10.0), 0.5, 2000.0).tolist()

    def bolds(self, starts: Sequence[int], fonts: dict[int, bool]) -> list[bool]:
        """Which of the words that start there are bold."""
        import pypdfium2.raw as pdfium

        object_of = plain(pdfium.FPDFText_GetTextObject, ctypes.c_void_p, ctypes.c_int)
        font_of = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(
            ctypes.cast(pdfium.FPDFTextObj_GetFont, ctypes.c_void_p).value or 0
        )
        out = []
        for text_object in map(object_of, repeat(self._raw), starts):
            font = font_of(text_object) if text_object else None
            if font is None:
                out.append(False)
                continue
            if font not in fonts:
                fonts[font] = _is_bold(font)
            out.append(fonts[font])
        return out

    def within(self, starts: Sequence[int], box: Sequence[float]) -> list[bool]:
        """Which words start on what is seen of the page, or nearly; all where none does."""
        x, y = self.origins[list(starts)].T
        seen = (box[0] - 2 <= x) & (x <= box[2] + 2) & (box[1] - 2 <= y) & (y <= box[3] + 2)
        shown: list[bool] = (seen if seen.any() else ~seen).tolist()
        return shown


_ADDRESS = (ctypes.c_void_p,)
_BLANKS = {0x7F, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, *range(0x2000, 0x200C), 0xFEFF}


def _is_bold(font: int) -> bool:
    import pypdfium2.raw as pdfium

    handle = ctypes.cast(font, pdfium.FPDF_FONT)
    buffer = ctypes.create_string_buffer(256)
    pdfium.FPDFFont_GetBaseFontName(handle, buffer, 256)
    name = buffer.value.decode("latin-1").lower()
    return any(part in name for part in _BOLD_NAMES) or pdfium.FPDFFont_GetWeight(handle) >= _FORCE_BOLD


class _View:
    """The characters seen in one direction of writing."""

    def __init__(self, chars: _Chars, angle: int) -> None:
        self._chars = chars
        cos, sin = _cos_sin(angle)
        x, y = chars.origins[:, 0], chars.origins[:, 1]
        self._along = x * cos + y * sin
        self._base = x * sin - y * cos
        if angle == 0:
            self._x0, self._x1 = chars.boxes[:, 0], chars.boxes[:, 2]
        elif angle % 90 == 0:
            sides = chars.tight[:, 2:4] if angle % 180 else chars.tight[:, 0:2]
            turn = -1.0 if angle in (180, 270) else 1.0
            ends = sides * turn
            self._x0, self._x1 = ends.min(axis=1), ends.max(axis=1)
        else:
            self._x0 = self._x1 = self._along

    def words(
        self,
        orders: Sequence[int],
        starts: Sequence[int],
        ends: Sequence[int],
        sizes: Sequence[float],
        bolds: Sequence[bool],
    ) -> list[Word]:
        """The words of the characters from each start to its end; their text is empty where none is visible."""
        import numpy as np

        if not starts:
            return []
        # Pairs of start and end; the one character more lets the last word end with the page.
        edges = np.array([starts, ends]).T.ravel()
        lefts = np.minimum.reduceat(np.append(self._x0, np.inf), edges)[::2].tolist()
        rights = np.maximum.reduceat(np.append(self._x1, -np.inf), edges)[::2].tolist()
        bases = self._base[list(starts)].tolist()
        every = zip(orders, starts, ends, lefts, rights, bases, sizes, bolds, strict=True)
        return [
            Word(self._text(start, end), x0, max(x1, x0 + 0.2 * size), base, size, bold, order)
            for order, start, end, x0, x1, base, size, bold in every
        ]

    def _text(self, start: int, end: int) -> str:
        codes = self._chars.codes[start:end]
        highest = max(codes)
        if highest < _PLAIN and min(codes) >= _SPACE:
            return bytes(codes).decode("latin-1")
        if highest >= _LEFTWARD and self._along[start] < self._along[end - 1] and _from_right(codes):
            codes = _reversed(codes)
        return _spelled(codes)


def _spelled(codes: Sequence[int]) -> str:
    text = "".join(map(_char, codes[:-1])) + (HYPHEN if codes[-1] in _HYPHENS else _char(codes[-1]))
    if any(0xD800 <= code < 0xE000 for code in codes):  # two halves of one character
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _char(code: int) -> str:
    if code < 0x80 and code >= 32:
        return chr(code)
    if code in _HYPHENS:
        return "-" if code != 0xAD else ""
    if code < 32 or code > 0x10FFFF:
        return ""
    char = chr(code)
    if code in _SYMBOLS:
        return _SYMBOLS[code]
    if char in _LIGATURES:
        return _LIGATURES[char]
    if 0xFB1D <= code <= 0xFDFF or 0xFE70 <= code <= 0xFEFE:
        return unicodedata.normalize("NFKC", char)
    return char


def _from_right(codes: Sequence[int]) -> bool:
    right = len(_RTL.findall("".join(chr(code) for code in codes if code < 0x11000)))
    return right > 0 and 2 * right >= len(codes)


def is_rtl(text: str) -> bool:
    """There are letters of a script that is written from right to left."""
    return _RTL.search(text) is not None


def _reversed(codes: Sequence[int]) -> list[int]:
    """Characters in visual order put into logical order; numbers run from left to right in both."""
    out: list[int] = []
    digits: list[int] = []
    for code in reversed(codes):
        if chr(code).isdigit():
            digits.insert(0, code)
            continue
        out += [*digits, code]
        digits = []
    return out + digits


def _once(words: list[Word]) -> list[Word]:
    """Without those that are struck a second time at the same place."""
    places: dict[tuple[str, int], list[Word]] = {}
    out = []
    for word in words:
        near = min(_TWICE * word.size, _STEP)
        step = int(word.base // _STEP)
        same = [
            other
            for at in (step - 1, step, step + 1)
            for other in places.get((word.text, at), ())
            if abs(other.x0 - word.x0) < near and abs(other.base - word.base) < near
        ]
        if not same:
            places.setdefault((word.text, step), []).append(word)
            out.append(word)
    return out
