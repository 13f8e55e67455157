"""Pictures: the words on them, where OCR is asked for, and what their maker wrote into the file about them."""

from __future__ import annotations

from ragcli.load.parsed import CannotRead, Content, Parsed
from ragcli.load.pdf.geometry import Frame, Page
from ragcli.load.pdf.layer import write_pages
from ragcli.load.pdf.ocr import HINT, words_in
from ragcli.load.picture import described, pixels
from ragcli.load.writer import Writer

_MOST_PIXELS = 100_000_000


def read_image(content: Content) -> Parsed:
    """Title, description and comments of the file, then the words on it, a page for each picture in it.

    Raises CannotRead: ``no-text`` where there are none.
    """
    told = described(content.data)
    writer = Writer()
    title = told.pop("title", "")
    author = told.pop("author", "")
    for words in told.values():
        writer.paragraph(words)
    if content.ocr:
        if pixels(content.data) > _MOST_PIXELS:
            raise CannotRead(
                "too-large", f"a picture of more than {_MOST_PIXELS // 1_000_000} million pixels"
            )
        found = words_in(content.data, content.ocr)
        pages = [Page(number, frames=[Frame(words)]) for number, words in enumerate(found, 1)]
        write_pages(writer, pages, {})
    if writer.is_empty and title:
        writer.paragraph(title)
    if writer.is_empty:
        found_none = "OCR found no words on it" if content.ocr else HINT
        raise CannotRead("no-text", f"a picture without a description; {found_none}")
    return writer.parsed(title, {"author": author} if author else {})
