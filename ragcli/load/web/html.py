"""HTML: what a reader of the page sees, block by block."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ragcli.load.encoding import decode_declared, looks_binary
from ragcli.load.markup.plain import read_text
from ragcli.load.parsed import CannotRead, Content, Parsed
from ragcli.load.source import clean, inline, unify_line_ends
from ragcli.load.web.htmlblocks import BlockWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborHTMLParser, LexborNode

    from ragcli.types import Scalar

_UNSEEN = "head script style template noscript svg math iframe object canvas audio video"
_DROPPED = frozenset(_UNSEEN.split())
_FURNITURE = frozenset(["nav", "header", "footer", "aside"])
_LINKS = 0.6  # share of a part's letters in links that makes it navigation
_NESTED_TAG = re.compile(
    r"<(/?)(div|span|font|b|i|u|em|strong|a|center|blockquote|section|ul|ol|table)\b", re.IGNORECASE
)
_DEEPEST = 2000  # lexbor's time grows with the square of the depth
_ANY_TAG = re.compile(r"<[^<>]*>")
_NOT_CONTENT = frozenset(["headerlink", "anchor-link", "anchorjs-link", "linenos"])


def read_html(content: Content) -> Parsed:
    """The page's title, text and blocks; source lines are those where each piece of text stands.

    ``nav``, ``header``, ``footer`` and ``aside`` are left out where the page has a ``main`` or
    ``article`` and they stand outside of it, or where they hold mostly links; if nothing is left
    then, they count.
    """
    from selectolax.lexbor import LexborHTMLParser

    if looks_binary(content.data, named_as_text=True):
        raise CannotRead("binary", "the content is not text")
    source = unify_line_ends(decode_declared(content.data))
    if _is_too_deep(source):
        return read_text(clean(_ANY_TAG.sub(" ", source)))
    tree = LexborHTMLParser(source.encode("utf-8", "replace").decode())
    body = tree.body or tree.root
    writer = BlockWriter(source)
    has_main = tree.css_first("main, article, [role=main]") is not None
    if body is not None:
        _write(body, writer, has_main=has_main)
        if writer.is_empty():
            _write(body, writer, has_main=None)
    text, blocks, lines = writer.finish()
    title = _head_text(tree, "title") or next((b.label for b in blocks if b.level == 1), "")
    return Parsed(title, text, blocks, lines, metadata=_metadata(tree))


def _is_too_deep(source: str) -> bool:
    depth = 0
    for tag in _NESTED_TAG.finditer(source):
        depth = max(0, depth - 1) if tag[1] else depth + 1
        if depth > _DEEPEST:
            return True
    return False


def _write(body: LexborNode, writer: BlockWriter, *, has_main: bool | None) -> None:
    for event, tag, text in _events(body, has_main):
        if event == "text":
            writer.text(text)
        elif event == "open":
            writer.open(tag)
        elif event == "layout":
            writer.open("div")
        else:
            writer.close(tag)


def _events(body: LexborNode, has_main: bool | None) -> Iterator[tuple[str, str, str]]:
    """("open" | "layout" | "close" | "text", tag, text) in document order, without what is dropped."""
    stack: list[tuple[LexborNode | None, str]] = [(body, "")]
    mains = 0
    while stack:
        node, closing = stack.pop()
        if node is None:
            mains -= closing in ("main", "article")
            yield "close", closing, ""
            continue
        if node.is_text_node:
            yield "text", "", node.text_content or ""
            continue
        tag = node.tag or ""
        if not node.is_element_node or _is_dropped(node, tag, has_main if not mains else False):
            continue
        layout = tag == "table" and _is_layout(node)
        mains += tag in ("main", "article")
        yield ("layout" if layout else "open"), tag, ""
        stack.append((None, "div" if layout else tag))
        stack += [(child, "") for child in reversed(list(node.iter(include_text=True)))]


def _is_dropped(node: LexborNode, tag: str, has_main: bool | None) -> bool:
    if tag in _DROPPED:
        return True
    attributes = node.attributes
    if "hidden" in attributes or "display:none" in (attributes.get("style") or "").replace(" ", "").lower():
        return True
    if _NOT_CONTENT.intersection((attributes.get("class") or "").split()):
        return True
    return tag in _FURNITURE and has_main is not None and (has_main or _is_mostly_links(node))


def _is_mostly_links(node: LexborNode) -> bool:
    whole = len("".join((node.text() or "").split()))
    links = sum(len("".join((link.text() or "").split())) for link in node.css("a"))
    return links > _LINKS * whole


def _is_layout(table: LexborNode) -> bool:
    """A table that arranges a page: one with other structure in its cells, or of one cell."""
    inside = table.css_first("td table, td h1, td h2, td h3, td h4, td pre, td article, td form")
    return inside is not None or len(table.css("td, th")) <= 1


def _head_text(tree: LexborHTMLParser, selector: str) -> str:
    node = tree.css_first(selector)
    return inline(node.text() or "") if node is not None else ""


def _metadata(tree: LexborHTMLParser) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for node in tree.css("meta[name]"):
        name = (node.attributes.get("name") or "").lower()
        content = inline(node.attributes.get("content") or "")
        if name in ("author", "description", "keywords") and content:
            found[name] = content
    return found
