"""Text out of pictures, by the program ``tesseract`` where it is installed; its words keep their places."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ragcli.load.parsed import CannotRead
from ragcli.load.pdf.geometry import Frame, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragcli.load.pdf.geometry import Page

_DPI = 300  # what tesseract is trained for
_MOST_PIXELS = 40_000_000
_SECONDS = 120  # for a picture
_LANGUAGES = re.compile(r"[A-Za-z][A-Za-z_/]*(?:\+[A-Za-z][A-Za-z_/]*)*")
_COLUMNS = 12  # of tesseract's TSV
_LINE_HEIGHT = 1.0  # of a line's box to the font size that is put down for it
HINT = "--ocr eng reads it, where the program tesseract is installed"


def words_in(picture: bytes, languages: str, dpi: int = _DPI) -> list[list[Word]]:
    """The words of each page of a picture file, in points from its upper left corner.

    Raises CannotRead ``no-text``: no such program, no such language, too slow, not a picture.
    """
    if not _LANGUAGES.fullmatch(languages):
        raise CannotRead("no-text", f"no name of languages for OCR: {languages!r}; eng or eng+deu is one")
    program = shutil.which("tesseract")
    if program is None:
        raise CannotRead("no-text", "OCR needs the program tesseract, which is not on the PATH")
    command = [program, "stdin", "stdout", "-l", languages, "--dpi", str(dpi), "tsv"]
    try:
        done = subprocess.run(  # noqa: S603 -- the program is the user's own; no shell, no words of the file
            command,
            input=picture,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
    except subprocess.TimeoutExpired:
        raise CannotRead("no-text", f"OCR took more than {_SECONDS} seconds") from None
    if done.returncode:
        told = done.stderr.decode("utf-8", "replace").strip().split("\n")
        reason = next((line for line in told if "rror" in line), told[0])[:200]
        raise CannotRead("no-text", f"OCR failed: {reason}")
    return _pages(done.stdout.decode("utf-8", "replace"), 72 / dpi)


def _pages(tsv: str, scale: float) -> list[list[Word]]:
    lines: dict[tuple[int, ...], list[tuple[list[int], str]]] = {}
    for row in tsv.split("\n")[1:]:
        cells = row.rstrip("\r").split("\t")
        if len(cells) == _COLUMNS and cells[0] == "5" and cells[11].strip():
            *numbers, text = [*map(int, cells[1:10]), cells[11]]
            page, block, paragraph, line, _, *box = numbers
            lines.setdefault((page, block, paragraph, line), []).append((box, text))
    pages: dict[int, list[Word]] = {}
    for (page, *_), words in lines.items():
        pages.setdefault(page, []).extend(_line(words, scale, len(pages.get(page, []))))
    return [pages[page] for page in sorted(pages)]


def _line(words: Sequence[tuple[list[int], str]], scale: float, order: int) -> list[Word]:
    """Words with the baseline and size of their line: those of single words vary with their letters."""
    tops = sorted(box[1] for box, _ in words)
    bottoms = sorted(box[1] + box[3] for box, _ in words)
    top, bottom = tops[len(tops) // 4], bottoms[3 * len(bottoms) // 4]
    size = max(_LINE_HEIGHT * (bottom - top), 1) * scale
    base = bottom * scale - 0.2 * size
    return [
        Word(text, box[0] * scale, (box[0] + box[2]) * scale, base, size, False, order + number)
        for number, (box, text) in enumerate(words)
    ]


@dataclass(slots=True)
class PageOcr:
    """Reads the pages that have no text; what it could not read is told in ``failed``: page, reason."""

    languages: str
    failed: dict[int, str] = field(default_factory=dict)

    def __call__(self, page: Any, out: Page) -> None:
        """Fill the page with the words on its picture."""
        try:
            picture = _rendered(page)
            found = words_in(picture, self.languages)
        except CannotRead as error:
            self.failed[out.number] = error.message
            return
        words = [word for words in found for word in words]
        out.read = True
        if words:
            out.frames.append(Frame(words, (), 0.0, page.get_height()))


def _rendered(page: Any) -> bytes:
    """The page in shades of grey, as a PGM file."""
    width, height = page.get_size()
    scale = _DPI / 72
    most = (_MOST_PIXELS / max(1.0, width * height)) ** 0.5
    if most < scale:
        raise CannotRead("no-text", "the page is too large for OCR")
    bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=False)
    array = bitmap.to_numpy()
    rows, columns = array.shape[:2]
    return b"P5 %d %d 255\n" % (columns, rows) + bytes(array.reshape(rows, columns).tobytes())
