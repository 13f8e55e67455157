"""News feeds: RSS 0.9x and 2.0, RSS 1.0 (RDF) and Atom (RFC 4287), entry by entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragcli.load.data.xmlsource import line_of, name_of
from ragcli.load.source import inline
from ragcli.load.web.fragment import read_fragment
from ragcli.load.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element as Element

    from ragcli.load.parsed import Parsed

_ENTRIES = frozenset(["item", "entry"])
_DATES = ("pubdate", "published", "updated", "date")
_AUTHORS = ("creator", "author", "managingeditor")
_BODIES = ("encoded", "content", "description", "summary", "subtitle")
_OWN = frozenset([*_DATES, *_AUTHORS, *_BODIES, *_ENTRIES, "title", "link", "guid", "id", "items"])


def is_feed(root: Element) -> bool:
    """RSS or Atom."""
    name = name_of(root)
    return name in ("rss", "feed") or (name == "rdf" and any(name_of(node) == "item" for node in root))


def write_feed(root: Element) -> Parsed:
    """The channel, then each entry under its title: date, author, link, categories, text.

    A summary that its text repeats is left out, and so is what serves programs alone (guid, ttl …).
    """
    channel = next((node for node in root if name_of(node) == "channel"), root)
    writer = Writer()
    title = _first(channel, ("title",))
    writer.heading(title, 1, line_of(channel))
    _about(channel, writer, 1)
    entries = [node for node in root.iter("*") if name_of(node) in _ENTRIES]
    for entry in entries:
        writer.heading(_first(entry, ("title",)) or _link(entry) or "-", 2, line_of(entry))
        _about(entry, writer, 2)
    author = _first(channel, _AUTHORS)
    return writer.parsed(title, {"author": author} if author else {})


def _about(node: Element, writer: Writer, level: int) -> None:
    facts = [_first(node, _DATES), _first(node, _AUTHORS), _link(node)]
    writer.paragraph("; ".join(fact for fact in facts if fact), line_of(node))
    categories = [
        _text(child) or inline(child.get("term") or "") for child in node if name_of(child) == "category"
    ]
    if any(categories):
        writer.paragraph(", ".join(filter(None, categories)), line_of(node))
    bodies = [read_fragment(body) for body in _bodies(node)]
    for index, body in enumerate(bodies):
        longer = [other.text for place, other in enumerate(bodies) if place != index]
        words = " ".join(body.text.split())
        later = any(words == " ".join(text.split()) for text in longer[index:])
        if (
            words
            and not later
            and not any(len(t) > len(words) and words in " ".join(t.split()) for t in longer)
        ):
            writer.blocks(body, line_of(node), level)
    for child in node:
        if name_of(child) not in _OWN and name_of(child) in (
            "image",
            "enclosure",
            "comments",
            "copyright",
            "rights",
        ):
            words = _first(child, ("title",)) if len(child) else _text(child)
            if words and words != _first(node, ("title",)):
                writer.paragraph(words, line_of(child))


def _bodies(node: Element) -> Iterator[str]:
    from lxml import etree

    for name in _BODIES:
        for child in node:
            if name_of(child) != name:
                continue
            if len(child):
                yield etree.tostring(child, encoding="unicode", with_tail=False)
            else:
                yield child.text or ""


def _first(node: Element, names: tuple[str, ...]) -> str:
    for name in names:
        for child in node:
            if name_of(child) == name and _text(child):
                return _text(child)
    return ""


def _link(node: Element) -> str:
    links = [child for child in node if name_of(child) == "link"]
    with_text = next((_text(link) for link in links if _text(link)), "")
    plain = [link.get("href") or "" for link in links if (link.get("rel") or "alternate") == "alternate"]
    return with_text or inline(next(filter(None, plain), ""))


def _text(node: Element) -> str:
    words = inline(" ".join(str(part) for part in node.itertext()))
    return inline(read_fragment(words).text) if "<" in words or "&" in words else words
