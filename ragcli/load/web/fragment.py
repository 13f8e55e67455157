"""A piece of HTML within another format: a feed's entry, a notebook's output."""

from __future__ import annotations

from ragcli.load.parsed import Content, Parsed
from ragcli.load.web.html import read_html


def read_fragment(markup: str) -> Parsed:
    """The blocks of a piece of a page."""
    return read_html(Content(b"\xef\xbb\xbf" + markup.encode("utf-8", "replace")))
