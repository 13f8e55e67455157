"""Web pages saved with all that belongs to them in one file (RFC 2557)."""

from __future__ import annotations

import codecs
from dataclasses import replace
from typing import TYPE_CHECKING

from ragcli.load.mail.charset import text_in
from ragcli.load.mail.letter import iso_date, join
from ragcli.load.mail.mime import Part, parse
from ragcli.load.parsed import CannotRead, Content, Parsed
from ragcli.load.web.html import read_html

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragcli.types import Scalar

_HTML = frozenset(["text/html", "application/xhtml+xml"])


def read_mhtml(content: Content) -> Parsed:
    """The page that was saved; of a page of frames, all its frames.

    Images, styles and the frames within a page are left out, as in a page of its own.
    """
    message = parse(content.data)
    pages = [part for part in _leaves(message) if part.type in _HTML]
    if not pages:
        raise CannotRead("no-text", "there is no page in it")
    start = message.parameter("start")
    pages.sort(key=lambda part: not (start and part.value("content-id") == start))
    parsed = _page(pages[0])
    if not parsed.text.strip() and len(pages) > 1:
        text, blocks, _ = join([_page(part) for part in pages])
        parsed = replace(parsed, text=text, blocks=blocks)
    return replace(
        parsed,
        title=parsed.title or message.value("subject"),
        lines=None,
        metadata={**parsed.metadata, **_metadata(message, pages[0])},
    )


def _leaves(part: Part) -> Iterator[Part]:
    if not part.parts:
        yield part
    for child in part.parts:
        yield from _leaves(child)


def _page(part: Part) -> Parsed:
    data = part.body()
    if part.charset:
        data = codecs.BOM_UTF8 + text_in(data, part.charset).encode("utf-8", "replace")
    return read_html(Content(data))


def _metadata(message: Part, page: Part) -> dict[str, Scalar]:
    url = message.value("snapshot-content-location") or page.value("content-location")
    found = {"date": iso_date(message.value("date")), "url": url}
    return {name: value for name, value in found.items() if value}
