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

_UNSEEN = "head script style template noscript object canvas audio video rp"
_DROPPED = frozenset(_UNSEEN.split())
_FURNITURE = frozenset(["nav", "header", "footer", "aside"])
# Words in the class or id of a part, or its role, that say what it is for, where it holds mostly links.
_FURNITURE_NAMES = frozenset(
    ["nav", "navbar", "navigation", "menu", "sidebar", "breadcrumb", "breadcrumbs", "footer", "toc", "navbox"]
)
_NAMED_PART = re.compile(r"[\s_-]+")
_HIDDEN = 100  # letters; longer text that a page keeps hidden is unfolded by its reader
_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|svg|webp|bmp)", re.IGNORECASE)
_FURNITURE_ROLES = frozenset(["navigation", "banner", "contentinfo", "complementary", "search"])
_LINKS = 0.6  # share of a part's letters in links that makes it navigation
_NESTED_TAG = re.compile(
    r"<(/?)(div|span|font|b|i|u|em|strong|a|center|blockquote|section|ul|ol|table)\b", re.IGNORECASE
)
_DEEPEST = 2000  # lexbor's time grows with the square of the depth
_ANY_TAG = re.compile(r"<[^<>]*>")
_BEGINS_AS_PAGE = re.compile(rb"\s*<(?:!doctype|html|head|body|meta|\?xml|!--)", re.IGNORECASE)
_TEMPLATE = re.compile(r"^<template[^>]*>|</template>\s*$", re.IGNORECASE)
_MAINS = ("main", "article", "[role=main]")
_MAIN = ", ".join(_MAINS)
_REPLACED = frozenset(["iframe", "template", "ruby", "math", "svg", "img", "area"])
_NOT_CONTENT = frozenset(["headerlink", "anchor-link", "anchorjs-link", "linenos"])


def read_html(content: Content) -> Parsed:
    """The page's title, text and blocks; source lines are those where each piece of text stands.

    ``nav``, ``header``, ``footer`` and ``aside`` are left out where the page has a ``main`` or
    ``article`` and they stand outside of it, or where they hold mostly links, as do parts that are
    named so (``class="sidebar"``); if nothing is left then, they count, and ``noscript``. Hidden
    parts are left out where they are short, or controls. Alternative texts of images and formulas
    count, and so do the pages of ``srcdoc`` frames. A page without a body is its title and description.
    """
    from selectolax.lexbor import LexborHTMLParser

    source = unify_line_ends(decode_declared(_without_stray_nuls(content.data)))
    if _is_too_deep(source):
        return read_text(clean(_ANY_TAG.sub(" ", source)))
    tree = LexborHTMLParser(source.encode("utf-8", "replace").decode())
    body = tree.body or tree.root
    writer = BlockWriter(source)
    has_main = tree.css_first(_MAIN) is not None
    # A page whose article has no title of its own has it in the header.
    keep = "header" if has_main and tree.css_first(", ".join(f"{part} h1" for part in _MAINS)) is None else ""
    if body is not None:
        _write(body, writer, has_main=has_main, titled=keep)
        if writer.is_empty():
            _write(body, writer, has_main=None)
    metadata = _metadata(tree)
    if writer.is_empty():
        _write_head(_head_text(tree, "title"), str(metadata.get("description", "")), writer)
    text, blocks, lines = writer.finish()
    title = _head_text(tree, "title") or next((b.label for b in blocks if b.level == 1), "")
    return Parsed(title, text, blocks, lines, metadata=metadata)


def _is_too_deep(source: str) -> bool:
    depth = 0
    for tag in _NESTED_TAG.finditer(source):
        depth = max(0, depth - 1) if tag[1] else depth + 1
        if depth > _DEEPEST:
            return True
    return False


def _without_stray_nuls(data: bytes) -> bytes:
    """Bytes of a page into which a few NULs have fallen; raises CannotRead where it is no text."""
    if not looks_binary(data, named_as_text=True):
        return data
    rest = data.replace(b"\0", b"")
    if (
        _BEGINS_AS_PAGE.match(rest)
        and len(rest) > 0.9 * len(data)
        and not looks_binary(rest, named_as_text=True)
    ):
        return rest
    raise CannotRead("binary", "the content is not text")


def _write_head(title: str, description: str, writer: BlockWriter) -> None:
    for tag, words in (("h1", title), ("p", description)):
        writer.open(tag)
        writer.text(words)
        writer.close(tag)


def _write(body: LexborNode, writer: BlockWriter, *, has_main: bool | None, titled: str = "") -> None:
    for event, tag, text in _events(body, has_main, titled=titled):
        if event == "text":
            writer.text(text)
        elif event == "open":
            writer.open(tag, int(text or 0))
        elif event == "layout":
            writer.open("div")
        else:
            writer.close(tag)


def _events(
    body: LexborNode, has_main: bool | None, frames: int = 1, titled: str = ""
) -> Iterator[tuple[str, str, str]]:
    """("open" | "layout" | "close" | "text", tag, text) in document order, without what is dropped.

    The text of an opened table is the number of its header rows, that of a list its first number.
    ``has_main`` None: all is wanted.
    ``titled`` is the tag of furniture that stays if the page's title stands in it.
    """
    stack: list[tuple[LexborNode | None, str]] = [(body, "")]
    mains = 0
    while stack:
        node, closing = stack.pop()
        if node is None:
            mains -= closing == "main"
            yield "close", closing, ""
            continue
        if node.is_text_node:
            yield "text", "", node.text_content or ""
            continue
        tag = node.tag or ""
        outside = has_main if not mains else False
        if tag == titled and outside and node.css_first("h1") is not None:
            outside = False
        if not node.is_element_node or _is_dropped(node, tag, outside):
            continue
        if tag in _REPLACED:
            yield from _replaced(node, tag, frames)
            continue
        layout = tag in ("table", "dl") and _is_layout(node)
        is_main = tag in ("main", "article") or node.attributes.get("role") == "main"
        mains += is_main
        yield ("layout" if layout else "open"), tag, _number(node, tag)
        stack.append((None, "main" if is_main else "div" if layout else tag))
        stack += [(child, "") for child in reversed(list(node.iter(include_text=True)))]


def _replaced(node: LexborNode, tag: str, frames: int) -> Iterator[tuple[str, str, str]]:
    """What is read in the place of an element that is not made of words."""
    attributes = node.attributes
    if tag in ("iframe", "template"):
        page = attributes.get("srcdoc") if tag == "iframe" else _TEMPLATE.sub("", node.html or "")
        inner = _page_in(page or "") if frames else None
        if inner is not None:
            yield "open", "div", ""
            yield from _events(inner, None, frames - 1)
            yield "close", "div", ""
    elif tag == "ruby":
        bases = "".join(
            _words(child) for child in node.iter(include_text=True) if child.tag not in ("rt", "rp")
        )
        reading = "".join(_words(child) for child in node.css("rt"))
        yield "text", "", f"{bases.strip()}({reading.strip()})" if reading.strip() else bases
    elif tag == "math":
        formula = attributes.get("alttext") or ""
        if not formula:
            parts = (_words(part).strip() for part in node.css("mi, mo, mn, mtext, ms"))
            formula = " ".join(filter(None, parts)) or _words(node)
        yield from _apart(formula)
    elif tag == "svg":
        for part in node.css("text"):
            yield from _apart(_words(part))
    else:
        words = inline(attributes.get("alt") or "")
        if words and not _FILE_NAME.fullmatch(words) and not _is_said_nearby(node, words):
            yield from _apart(words)


def _apart(words: str) -> Iterator[tuple[str, str, str]]:
    for part in (" ", words, " "):
        yield "text", "", part


def _is_said_nearby(image: LexborNode, words: str) -> bool:
    """Its link or figure says the same."""
    near, steps = image.parent, 0
    while near is not None and steps < 4 and near.tag in ("a", "span", "figure", "picture"):
        if words.lower() in inline(near.text() or "").lower():
            return True
        near, steps = near.parent, steps + 1
    return False


def _page_in(markup: str) -> LexborNode | None:
    from selectolax.lexbor import LexborHTMLParser

    if not markup.strip() or _is_too_deep(markup):
        return None
    tree = LexborHTMLParser(markup)
    return tree.body or tree.root


def _words(node: LexborNode) -> str:
    return (node.text_content if node.is_text_node else node.text()) or ""


def _number(node: LexborNode, tag: str) -> str:
    if tag == "table":
        return str(_header_rows(node))
    start = (node.attributes.get("start") or "").strip() if tag == "ol" else ""
    return start if start.isdecimal() and len(start) < 7 else ""


def _header_rows(table: LexborNode) -> int:
    """How many rows at the top name the columns: those of ``thead``, else those made of ``th`` alone."""
    in_head = [row for row in table.css("thead tr") if _words(row).strip()]
    if in_head:
        return len(in_head)
    count = 0
    for row in table.css("tr")[:10]:
        cells = [child for child in row.iter() if child.tag in ("td", "th")]
        if not cells or any(cell.tag == "td" for cell in cells):
            break
        count += bool(_words(row).strip())
    return count


def _is_dropped(node: LexborNode, tag: str, has_main: bool | None) -> bool:
    attributes = node.attributes
    if tag in _DROPPED:
        seen = (tag == "template" and "shadowrootmode" in attributes) or (
            tag == "noscript" and has_main is None
        )
        return not seen
    if "hidden" in attributes or "display:none" in (attributes.get("style") or "").replace(" ", "").lower():
        return _is_nothing_to_unfold(node)
    names = attributes.get("class") or ""
    if _NOT_CONTENT.intersection(names.split()):
        return True
    if tag in _FURNITURE or attributes.get("role") in _FURNITURE_ROLES:
        return has_main is not None and (has_main or _is_mostly_links(node))
    if has_main is None or not (names or "id" in attributes or "role" in attributes):
        return False
    called = f"{names} {attributes.get('id') or ''} {attributes.get('role') or ''}".lower()
    named = _FURNITURE_NAMES.intersection(_NAMED_PART.split(called))
    return bool(named) and tag in ("div", "ul", "ol", "section", "table", "td") and _is_mostly_links(node)


def _is_nothing_to_unfold(node: LexborNode) -> bool:
    return (
        _letters(node) < _HIDDEN
        or node.css_first("input, button, select") is not None
        or _is_mostly_links(node)
    )


def _is_mostly_links(node: LexborNode) -> bool:
    """Beside its headings, which links stand under, and which may be links to where they stand."""
    headings = sum(map(_letters, node.css("h1, h2, h3, h4, h5, h6")))
    in_headings = ", ".join(f"h{level} a" for level in range(1, 7))
    links = sum(map(_letters, node.css("a"))) - sum(map(_letters, node.css(in_headings)))
    return links > 0 and links > _LINKS * (_letters(node) - headings)


def _letters(node: LexborNode) -> int:
    return len("".join(_words(node).split()))


def _is_layout(node: LexborNode) -> bool:
    """A table that arranges a page, or a list of definitions that is a chapter.

    It has other structure in its cells, or is a table of one cell.
    """
    if node.tag == "dl":
        return _holds(node, "dd pre, dd table, dd dl, dd h2, dd h3, dd h4, dd section")
    inside = "td table, td h1, td h2, td h3, td h4, td pre, td article, td form"
    return _holds(node, inside) or len(node.css("td, th")) <= 1


def _holds(node: LexborNode, selector: str) -> bool:
    # The library also finds the node itself, where what is around it fits.
    return any(found.mem_id != node.mem_id for found in node.css(selector))


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
