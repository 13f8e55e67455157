"""Presentations (ECMA-376 part 1, 19): slide by slide, each a page.

Kept: the title as a heading, then all shapes in reading order (text, tables, charts, diagrams, alt
texts), speaker notes under a heading ``Notes``, comments; footers, dates and words of the slide
master once, on the first slide that shows them; hidden slides. Left out: slide numbers, the prompts
of empty placeholders, animations, handouts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragcli.load.office.drawing import A, R, alt_text, chosen, paragraph_text, write_graphics
from ragcli.load.office.numerals import numeral
from ragcli.load.office.properties import properties
from ragcli.load.office.readingorder import Box, reading_order
from ragcli.load.source import inline
from ragcli.load.writer import Writer
from ragcli.load.xml import local_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml.etree import _Element as Element

    from ragcli.load.office.package import Package
    from ragcli.load.parsed import Parsed

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
# What PowerPoint calls a presentation that nobody named.
_NO_TITLE = re.compile(
    r"(?:power ?point[ -]\S*(?: \S+)?|(?:présentation|presentación|presentazione|apresentação do) power ?point"
    r"|slide \d+|(?:幻灯片|スライド|投影片) ?\d+|no slide title|untitled)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(\d+)\.xml$")
_TITLES = frozenset(["title", "ctrTitle"])
_BODIES = frozenset(["body", "obj", ""])
_FURNITURE = frozenset(["ftr", "dt", "hdr"])
_SHAPES = frozenset(["sp", "grpSp", "graphicFrame", "pic", "cxnSp", "contentPart"])
_MARKS = {
    "arabicPeriod": ("decimal", "{}."),
    "arabicParenR": ("decimal", "{})"),
    "arabicParenBoth": ("decimal", "({})"),
    "arabicPlain": ("decimal", "{}"),
    "alphaLcPeriod": ("lowerLetter", "{}."),
    "alphaLcParenR": ("lowerLetter", "{})"),
    "alphaLcParenBoth": ("lowerLetter", "({})"),
    "alphaUcPeriod": ("upperLetter", "{}."),
    "alphaUcParenR": ("upperLetter", "{})"),
    "romanLcPeriod": ("lowerRoman", "{}."),
    "romanUcPeriod": ("upperRoman", "{}."),
}
_LONGEST_URL = 500
_FAR = 1e9  # where a shape without a place of its own is put


@dataclass(frozen=True, slots=True)
class _Place:
    left: float
    top: float
    width: float
    height: float


class _Deck:
    """What slides share: the words that were already said, and the places of placeholders."""

    def __init__(self, package: Package, writer: Writer) -> None:
        self.package, self.writer = package, writer
        self.said: set[str] = set()
        self._places: dict[str, dict[tuple[str, str], _Place]] = {}

    def places(self, part: str) -> Mapping[tuple[str, str], _Place]:
        """Where the placeholders of a layout or master stand, by type and by index."""
        if part not in self._places:
            found: dict[tuple[str, str], _Place] = {}
            root = self.package.xml(part)
            for shape in root.iter(f"{_P}sp") if root is not None else ():
                place, key = _place_of(shape), _placeholder(shape)
                if place and key:
                    found.setdefault(("type", key[0]), place)
                    if key[1]:
                        found[("idx", key[1])] = place
            self._places[part] = found
        return self._places[part]


def presentation(package: Package, main: str) -> Parsed:
    """The presentation whose main part is ``main``."""
    title, metadata = properties(package)
    writer = Writer()
    deck = _Deck(package, writer)
    for number, name in enumerate(_slides(package, main), 1):
        writer.page(number)
        _Slide(deck, name).write()
    return writer.parsed("" if _NO_TITLE.fullmatch(title) else title, metadata)


def _slides(package: Package, main: str) -> list[str]:
    """The slides in the order of the show; by their numbers where the presentation does not say."""
    root = package.xml(main)
    relations = package.relations(main)
    listed = [
        relations[node.get(f"{R}id", "")].target
        for node in (root.iter(f"{_P}sldId") if root is not None else ())
        if node.get(f"{R}id", "") in relations
    ]
    found = [name for name in listed if package.has(name)]
    if found:
        return found
    slides = [name for name in package.names if "/slides/slide" in name and _NUMBER.search(name)]
    return sorted(slides, key=lambda name: int(_NUMBER.search(name)[1]))  # type: ignore[index]


class _Slide:
    def __init__(self, deck: _Deck, name: str) -> None:
        self._deck, self._name = deck, name
        self._package, self._writer = deck.package, deck.writer
        self._layout = next(iter(self._package.related(name, "slideLayout")), "")
        self._master = next(iter(self._package.related(self._layout, "slideMaster")), "")
        self._furniture: list[str] = []

    def write(self) -> None:
        root = self._package.xml(self._name)
        tree = root.find(f"{_P}cSld/{_P}spTree") if root is not None else None
        if tree is not None:
            shapes = list(_shapes(tree))
            titles = [shape for shape in shapes if _kind(shape) in _TITLES]
            for shape in titles:
                self._title(shape)
            for shape in self._ordered([shape for shape in shapes if shape not in titles]):
                self._shape(shape)
        for text in self._furniture:
            self._once(text)
        self._behind()
        self._notes()
        self._comments()

    def _ordered(self, shapes: list[Element]) -> list[Element]:
        boxes = []
        for number, shape in enumerate(shapes):
            # What has no place at all follows in the order of the file.
            place = _place_of(shape) or self._inherited(shape) or _Place(0, _FAR + number, 1, 1)
            boxes.append(
                Box(place.left, place.top, place.left + place.width, place.top + place.height, shape)
            )
        return [box.item for box in reading_order(boxes)]

    def _inherited(self, shape: Element) -> _Place | None:
        key = _placeholder(shape)
        if key is None:
            return None
        for part in (self._layout, self._master):
            places = self._deck.places(part) if part else {}
            place = places.get(("idx", key[1])) or places.get(("type", key[0] or "body"))
            if place:
                return place
        return None

    def _title(self, shape: Element) -> None:
        text = " ".join(filter(None, (inline(paragraph_text(line)) for line in _lines(shape))))
        self._writer.heading(text, 1)

    def _shape(self, shape: Element) -> None:
        kind = local_name(shape)
        if kind == "grpSp":
            self._alt(shape)
            for inner in self._ordered(list(_shapes(shape))):
                self._shape(inner)
        elif kind == "graphicFrame":
            self._alt(shape)
            for table in shape.iter(f"{A}tbl"):
                self._table(table)
            write_graphics(self._package, self._name, shape, self._writer)
        else:
            placed = _kind(shape)
            if placed in _FURNITURE:
                self._furniture.append("\n".join(paragraph_text(line) for line in _lines(shape)).strip())
            elif placed not in {"sldNum", "sldImg"}:
                self._alt(shape)
                self._text(shape, is_body=placed is not None and placed in _BODIES)

    def _alt(self, shape: Element) -> None:
        node = next((node for node in shape.iter(f"{_P}cNvPr")), None)
        text = alt_text(node) if node is not None else ""
        if text:
            self._writer.paragraph(f"[{inline(text)}]")

    def _text(self, shape: Element, *, is_body: bool) -> None:
        lines = [line for line in _lines(shape) if paragraph_text(line).strip()]
        is_list = is_body and len(lines) > 1
        counts: dict[int, int] = {}
        items: list[tuple[int, str]] = []
        plain: list[str] = []
        for line in lines:
            text = self._linked(line, paragraph_text(line))
            depth = _depth(line)
            mark = _mark(line, counts, depth, is_list=is_list)
            if mark:
                self._writer.paragraph("\n".join(plain))
                plain = []
                items.append((depth, f"{mark} {text}"))
            else:
                self._writer.items(items)
                items = []
                plain.append(text)
        self._writer.paragraph("\n".join(plain))
        self._writer.items(items)

    def _linked(self, line: Element, text: str) -> str:
        urls = []
        for link in line.iter(f"{A}hlinkClick"):
            relation = self._package.relations(self._name).get(link.get(f"{R}id", ""))
            url = relation.target.removeprefix("mailto:") if relation and relation.external else ""
            is_address = "@" in url or "://" in url
            if is_address and url.rstrip("/") not in text and len(url) <= _LONGEST_URL and url not in urls:
                urls.append(url)
        return f"{text} ({', '.join(urls)})" if urls else text

    def _table(self, table: Element) -> None:
        rows = [
            ["\n".join(paragraph_text(line) for line in cell.iter(f"{A}p")) for cell in row.findall(f"{A}tc")]
            for row in table.findall(f"{A}tr")
        ]
        shape = table.find(f"{A}tblPr")
        is_headed = shape is None or shape.get("firstRow", "0") in {"1", "true"}
        self._writer.table(rows, 1 if is_headed else 0)

    def _once(self, text: str) -> None:
        if text and text not in self._deck.said:
            self._deck.said.add(text)
            self._writer.paragraph(text)

    def _behind(self) -> None:
        """Words of the layout and the master that every slide of theirs shows."""
        for part in (self._layout, self._master):
            root = self._package.xml(part) if part and part not in self._deck.said else None
            self._deck.said.add(part)
            for shape in root.iter(f"{_P}sp") if root is not None else ():
                if _kind(shape) is None:
                    self._once("\n".join(paragraph_text(line) for line in _lines(shape)).strip())

    def _notes(self) -> None:
        for name in self._package.related(self._name, "notesSlide"):
            root = self._package.xml(name)
            found = False
            for shape in root.iter(f"{_P}sp") if root is not None else ():
                text = "\n".join(paragraph_text(line) for line in _lines(shape)).strip()
                kind = _kind(shape)
                if kind in _FURNITURE:
                    self._once(text)
                elif text and kind not in {"sldNum", "sldImg"}:
                    if not found:
                        self._writer.heading("Notes", 2)
                    found = True
                    self._writer.paragraph(text)

    def _comments(self) -> None:
        authors = self._authors()
        for name in self._package.related(self._name, "comments"):
            root = self._package.xml(name)
            for node in root.iter() if root is not None else ():
                if local_name(node) not in {"cm", "reply"}:
                    continue
                text = "\n".join(_comment_lines(node)).strip()
                author = authors.get(node.get("authorId", ""), "")
                if text:
                    self._writer.paragraph(f"Comment{f' by {author}' if author else ''}: {text}")

    def _authors(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in ("ppt/commentAuthors.xml", "ppt/authors.xml"):
            root = self._package.xml(name)
            for node in root if root is not None else ():
                found[node.get("id", "")] = inline(node.get("name", ""))
        return found


def _comment_lines(node: Element) -> Iterator[str]:
    for child in node:
        if child.tag == f"{_P}text":
            yield child.text or ""
        elif local_name(child) == "txBody":
            for line in child.iter(f"{A}p"):
                yield paragraph_text(line)


def _shapes(tree: Element) -> Iterator[Element]:
    for node in tree:
        kind = local_name(node)
        if kind == "AlternateContent":
            choice = chosen(node)
            if choice is not None:
                yield from _shapes(choice)
        elif kind in _SHAPES:
            yield node


def _lines(shape: Element) -> Iterator[Element]:
    body = shape.find(f"{_P}txBody")
    return body.iterfind(f"{A}p") if body is not None else iter(())


def _placeholder(shape: Element) -> tuple[str, str] | None:
    node = shape.find(f"*/{_P}nvPr/{_P}ph")
    return (node.get("type", ""), node.get("idx", "")) if node is not None else None


def _kind(shape: Element) -> str | None:
    """The type of a placeholder; None for a shape that is none."""
    key = _placeholder(shape)
    return key[0] if key else None


def _place_of(shape: Element) -> _Place | None:
    frame = shape.find(f"{_P}spPr/{A}xfrm")
    if frame is None:
        frame = shape.find(f"{_P}grpSpPr/{A}xfrm")
    if frame is None:
        frame = shape.find(f"{_P}xfrm")
    if frame is None:
        return None
    offset, extent = frame.find(f"{A}off"), frame.find(f"{A}ext")
    if offset is None or extent is None:
        return None
    try:
        return _Place(
            float(offset.get("x", "")),
            float(offset.get("y", "")),
            float(extent.get("cx", "")),
            float(extent.get("cy", "")),
        )
    except ValueError:
        return None


def _depth(line: Element) -> int:
    shape = line.find(f"{A}pPr")
    level = shape.get("lvl", "0") if shape is not None else "0"
    return min(int(level), 8) if level.isdigit() else 0


def _mark(line: Element, counts: dict[int, int], depth: int, *, is_list: bool) -> str:
    """What stands before the paragraph; ``counts`` are those of the numbered ones by depth."""
    shape = line.find(f"{A}pPr")
    numbered = shape.find(f"{A}buAutoNum") if shape is not None else None
    for deeper in [level for level in counts if level > depth]:
        del counts[deeper]
    if numbered is not None:
        start = numbered.get("startAt", "1")
        before = counts.get(depth, int(start) - 1 if start.isdigit() else 0)
        counts[depth] = before + 1
        kind, pattern = _MARKS.get(numbered.get("type", ""), ("decimal", "{}."))
        return pattern.format(numeral(counts[depth], kind))
    counts.pop(depth, None)
    if shape is not None and (shape.find(f"{A}buChar") is not None or shape.find(f"{A}buBlip") is not None):
        return "-"
    has_none = shape is not None and shape.find(f"{A}buNone") is not None
    return "-" if is_list and not has_none else ""
