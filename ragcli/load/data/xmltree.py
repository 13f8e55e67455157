"""XML of any kind: prose by what its elements are usually called, data as rows of names and values.

The names of DocBook, DITA, JATS, TEI and XHTML are known: paragraphs, lists, tables, code, titles.
An element that holds a few values only (a record) becomes one line, ``name: value; name: value``,
and records that follow one another become a table. Comments, processing instructions, namespaces
and, in prose, attributes that no reader would see are left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ragcli.load.data.feeds import is_feed, write_feed
from ragcli.load.data.xmlsource import SEVERAL, line_of, name_of, parse_xml, without_tags
from ragcli.load.encoding import decode_declared, looks_binary
from ragcli.load.markup.plain import read_text
from ragcli.load.parsed import CannotRead, Content, Item, Parsed
from ragcli.load.source import clean, inline
from ragcli.load.web.fragment import read_fragment
from ragcli.load.writer import Writer
from ragcli.load.xml import local_name, text_within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml.etree import _Element as Element

    from ragcli.types import Scalar

# Names of elements by what they hold, in lower case.
_NAMES = {
    "title": "title head heading headline titleabbrev article-title",
    "prose": "p para simpara paragraph formalpara shortdesc note abstract",
    "list": """ul ol dl sl list itemizedlist orderedlist simplelist variablelist steps steps-unordered choices
        parml def-list""",
    "numbered": "ol orderedlist steps",
    "item": "li item listitem step sli dlentry varlistentry member def-item choice plentry dt dd",
    "table": "table informaltable simpletable table-wrap tgroup",
    "row": "tr row strow sthead",
    "code": "programlisting codeblock pre screen literallayout code-block listing",
    "inline": """emphasis em strong b i u tt sub sup link xref ulink a code codeph literal filename quote phrase
        span ph term cite ref hi italic bold ext-link option command userinput uicontrol varname apiname
        keyword br""",
    "other": "section sect1 sect2 figure blockquote q",
}
_SETS = {kind: frozenset(names.split()) for kind, names in _NAMES.items()}
_TITLES, _PROSE, _LISTS, _NUMBERED = _SETS["title"], _SETS["prose"], _SETS["list"], _SETS["numbered"]
_ITEMS, _TABLES, _ROWS, _CODE = _SETS["item"], _SETS["table"], _SETS["row"], _SETS["code"]
_INLINE = _SETS["inline"]
_BLOCKS = _TITLES | _PROSE | _LISTS | _TABLES | _CODE | _SETS["other"]
_SEEN = ("alt", "title", "label", "caption", "summary", "text", "desc", "description")
_UNSAID = re.compile(r"\{http://www\.w3\.org/(?:2001/XMLSchema-instance|XML/1998/namespace)\}.*")
_RECORD = 600  # characters of a record that stands in one line
_VALUE = 300
_DEEPEST_HEADING = 6
_HTML = re.compile(r"</?(?:p|br|div|a|ul|li|b|strong|em|i|h[1-6]|table|span|img)\b[^<>]*>", re.IGNORECASE)
_AUTHORS = frozenset(["author", "creator"])


def read_xml(content: Content) -> Iterator[Item]:
    """Source lines are those at which elements begin. Broken XML gives what can be read of it."""
    if looks_binary(content.data, named_as_text=True):
        raise CannotRead("binary", "the content is not text")
    text = decode_declared(content.data).replace("\r\n", "\n")
    if not text.strip():
        raise CannotRead("empty", "no text in it")
    tree = parse_xml(text)
    if tree.root is None:
        yield read_text(clean(without_tags(text)))
        return
    yield _read(tree.root)
    if tree.broken:
        yield CannotRead("damaged", f"{tree.broken}; what could be read of it is kept")


def _read(root: Element) -> Parsed:
    if is_feed(root):
        return write_feed(root)
    prose = any(name_of(node) in _PROSE for node in root.iter("*"))
    walk = _Walk(prose=prose)
    walk.root(root)
    return walk.writer.parsed(_title(root), _metadata(root))


def _title(root: Element) -> str:
    """That of the element nearest to the root which has one."""
    level = [root]
    for _ in range(4):
        for node in level:
            for child in node:
                if name_of(child) in _TITLES and len(child) < 5 and text_within(child).strip():
                    return text_within(child)
        level = [child for node in level for child in node][:200]
    return ""


def _metadata(root: Element) -> dict[str, Scalar]:
    names = [
        inline(text_within(node)) for node in root.iter("*") if name_of(node) in _AUTHORS and len(node) < 10
    ]
    known = [name for name in dict.fromkeys(names) if name and len(name) < 200]
    return {"author": ", ".join(known[:20])} if known else {}


class _Walk:
    """Writes the elements of a tree in order."""

    def __init__(self, *, prose: bool) -> None:
        self.writer = Writer()
        self._prose = prose

    def root(self, root: Element) -> None:
        """The whole document."""
        if root.tag == SEVERAL:
            self._children(root, 0)
            return
        self._attributes(root)
        if len(root) == 0:
            self._text(root.text or "", line_of(root))
        elif self._is_record(root) and all(len(child) == 0 for child in root):
            self._records([root])
        elif self._is_mixed(root):
            self._element(root, 0)
        else:
            self._children(root, 0)

    def _children(self, node: Element, level: int) -> None:
        self._text(node.text or "", line_of(node))
        run: list[Element] = []
        for child in node:
            if run and (child.tag != run[0].tag or not self._is_record(child)):
                self._records(run)
                run = []
            if self._is_record(child):
                run.append(child)
            else:
                self._element(child, level)
            if (child.tail or "").strip():
                self._records(run)
                run = []
                self._text(child.tail or "", line_of(child))
        self._records(run)

    def _records(self, run: Sequence[Element]) -> None:
        """Elements of one name that follow one another: each a line."""
        rows = [(_record(node, named=len(run) == 1), line_of(node)) for node in run]
        kept = [(row, line) for row, line in rows if row.strip()]
        if len(kept) > 1:
            self.writer.rows([row for row, _ in kept], [line for _, line in kept])
        elif kept:
            self.writer.paragraph(*kept[0])

    def _element(self, node: Element, level: int) -> None:
        name, line = name_of(node), line_of(node)
        if not name:
            return
        if name in _TITLES and text_within(node).strip():
            self.writer.heading(text_within(node), min(max(1, level), _DEEPEST_HEADING), line)
        elif name in _CODE:
            self.writer.code(text_within(node), line)
        elif name in _LISTS and any(name_of(child) in _ITEMS for child in node):
            self._list(node, line)
        elif name in _TABLES and any(name_of(child) in _ROWS for child in node.iter("*")):
            self._table(node)
        elif name in _PROSE and not any(name_of(child) in _BLOCKS for child in node):
            self._attributes(node)
            self._text(text_within(node), line)
        elif self._is_mixed(node):
            self._mixed(node, level)
        else:
            self._container(node, level)

    def _container(self, node: Element, level: int) -> None:
        titled = any(name_of(child) in _TITLES for child in node)
        if not titled and not self._prose and name_of(node) not in _INLINE:
            self.writer.heading(local_name(node), min(level + 1, _DEEPEST_HEADING), line_of(node))
        self._attributes(node)
        self._children(node, level if self._prose and not titled else level + 1)

    def _mixed(self, node: Element, level: int) -> None:
        """Text with elements in it: those that are blocks by themselves stand apart."""
        self._attributes(node)
        pending = node.text or ""
        line = line_of(node)
        for child in node:
            if name_of(child) in _BLOCKS or any(name_of(inner) in _BLOCKS for inner in child.iter("*")):
                self._text(pending, line)
                pending = ""
                self._element(child, level)
                line = line_of(child)
            else:
                seen = [str(child.get(key) or "") for key in _SEEN] if not text_within(child).strip() else []
                pending += (
                    "\n" if name_of(child) == "br" else text_within(child) + " ".join(filter(None, seen))
                )
            pending += child.tail or ""
        self._text(pending, line)

    def _list(self, node: Element, line: int) -> None:
        items: list[tuple[int, str]] = []
        later: list[Element] = []
        _items(node, 0, items, later)
        self.writer.items(items, line)
        for inner in later:
            self._element(inner, 0)

    def _table(self, node: Element) -> None:
        for child in node:
            if name_of(child) in _TITLES | {"caption", "label"}:
                self.writer.caption(text_within(child), line_of(child))
        rows: list[list[str]] = []
        lines: list[int] = []
        heads = 0
        for row in node.iter("*"):
            if name_of(row) not in _ROWS:
                continue
            parent = row.getparent()
            in_head = name_of(row) == "sthead" or (parent is not None and name_of(parent) == "thead")
            header = in_head or all(name_of(cell) == "th" for cell in row)
            heads += header and heads == len(rows)
            rows.append([inline(text_within(cell)) for cell in row])
            lines.append(line_of(row))
        self.writer.table(rows, heads, lines)

    def _attributes(self, node: Element) -> None:
        said = _said(node, every=not self._prose)
        if said:
            self.writer.paragraph("; ".join(f"{key}: {value}" for key, value in said), line_of(node))

    def _text(self, text: str, line: int) -> None:
        """Words; a blank line parts paragraphs. Markup in them, as feeds have it, is read as a page."""
        if not text.strip():
            return
        if _HTML.search(text):
            self.writer.blocks(read_fragment(text), line)
            return
        line += len(text[: len(text) - len(text.lstrip())].split("\n")) - 1
        for part in re.split(r"\n[ \t]*\n\s*", text.strip()):
            self.writer.paragraph(" ".join(part.split()), line)

    def _is_mixed(self, node: Element) -> bool:
        """Words stand beside elements, or nothing but what stands within words."""
        if any((child.tail or "").strip() for child in node) or (len(node) and (node.text or "").strip()):
            return True
        return len(node) > 0 and self._prose and all(name_of(child) in _INLINE for child in node)

    def _is_record(self, node: Element) -> bool:
        """A few short values without any prose."""
        name = name_of(node)
        if not name or name in _BLOCKS | _ROWS or (len(node) == 0 and not self._is_value(node)):
            return False
        length = 0
        for count, inner in enumerate(node.iter("*")):
            length += len((inner.text or "").strip()) + sum(len(value) for value in inner.attrib.values())
            inner_name = name_of(inner)
            if inner_name in _PROSE | _LISTS | _TABLES | _CODE or count > _RECORD or length > _RECORD:
                return False
            if (inner is not node and (inner.tail or "").strip()) or _HTML.search(inner.text or ""):
                return False
            if len(inner) and (inner.text or "").strip():
                return False
        return True

    def _is_value(self, node: Element) -> bool:
        return name_of(node) not in _INLINE and len(text_within(node)) <= _VALUE


def _items(node: Element, depth: int, items: list[tuple[int, str]], later: list[Element]) -> None:
    number = 0
    for child in node:
        name = name_of(child)
        if name in _LISTS:
            _items(child, depth + 1, items, later)
            continue
        number += 1
        mark = f"{number}. " if name_of(node) in _NUMBERED else "" if name == "dt" else "- "
        inner = [part for part in child.iter("*") if part is not child and name_of(part) in _LISTS]
        among = set(inner)
        outer = [part for part in inner if among.isdisjoint(part.iterancestors())]
        items.append((depth, mark + " ".join(_without(child, frozenset(outer)).split())))
        for part in outer:
            _items(part, depth + 1, items, later)


def _without(node: Element, left_out: frozenset[Element]) -> str:
    words = [node.text or ""]
    for child in node:
        if child not in left_out:
            words.append(_without(child, left_out) if left_out else text_within(child))
            words.append(" " if name_of(child) in _BLOCKS else "")
        words.append(child.tail or "")
    return "".join(words)


def _record(node: Element, *, named: bool) -> str:
    """``name: value; name: value`` of all that an element holds; with its own name where it stands alone."""
    cells = list(_cells(node, ()))
    called = local_name(node)
    if named and len(cells) == 1 and not cells[0][0]:
        return f"{called}: {cells[0][1]}"
    row = "; ".join(f"{' / '.join(path) or called}: {value}" for path, value in cells)
    return f"{called}: {row}" if named and cells else row


def _cells(node: Element, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in _said(node, every=True):
        yield (*path, key), value
    if (node.text or "").strip():
        yield path, inline(node.text or "")
    for child in node:
        if name_of(child):
            yield from _cells(child, (*path, local_name(child)))


def _said(node: Element, *, every: bool) -> list[tuple[str, str]]:
    """Attributes as (name, value): ``every`` one, or those alone that a reader sees."""
    found: list[tuple[str, str]] = []
    for key, value in node.attrib.items():
        name = str(key).rpartition("}")[2]
        wanted = every and not _UNSAID.match(str(key))
        if (wanted or name.lower() in _SEEN) and inline(str(value)):
            found.append((name, inline(str(value))))
    return found
