"""EPUB books: the chapters in the order of reading, by EPUB 2.0.1 and EPUB 3.3."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag

from ragcli.load.blocks import moved
from ragcli.load.office.parts import Parts, open_parts
from ragcli.load.parsed import CannotRead, Content, Item, Parsed
from ragcli.load.source import inline
from ragcli.load.web.html import read_html
from ragcli.load.xml import local_name, parse_xml, text_within
from ragcli.types import Block, PlaceMap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from ragcli.types import Scalar

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_FONTS_ONLY = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document")
_META = {
    "creator": "author",
    "subject": "keywords",
    "description": "description",
    "publisher": "publisher",
    "date": "created",
    "language": "language",
    "identifier": "identifier",
    "rights": "rights",
}
_VOID = frozenset(["br", "hr", "img", "input", "meta", "link", "col", "wbr", "area", "base"])
_MARK = re.compile("\ue0f0(\\d+)\ue0f1[ \n]?")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the table of contents, and the depth it stands at, from 1."""

    label: str
    level: int


@dataclass(slots=True)
class _Package:
    folder: str
    title: str
    metadata: dict[str, Scalar]
    manifest: dict[str, tuple[str, str, str]]  # id → path, media type, properties
    spine: list[str]
    toc: str
    labels: dict[str, _Entry] = field(default_factory=dict)  # of whole files
    page_marks: dict[str, dict[str, str]] = field(default_factory=dict)  # file → anchor → page's name
    lost: list[CannotRead] = field(default_factory=list)  # of the list of files


def read_epub(content: Content) -> Iterator[Item]:
    """All chapters as one document. Pages are those of the printed book where a page list tells them,
    else the chapters' numbers in the order of reading, named as the table of contents names them.

    A chapter without a heading takes the name it has in the table of contents. Left out are scripts,
    pictures, and files that no reader comes to.
    """
    parts = open_parts(content.data)
    package = _package(parts)
    _refuse_encrypted(parts, package)
    _read_navigation(parts, package)
    book = _Book(package)
    failed = package.lost
    for number, identity in enumerate(package.spine, 1):
        path, kind, _ = package.manifest.get(identity, ("", "", ""))
        if not path or kind.startswith(("image/", "audio/", "video/")):
            continue
        try:
            book.add(number, path, parts.read(path))
        except CannotRead as error:
            if error.error != "empty":
                failed.append(CannotRead(error.error, error.message, path))
    yield book.parsed()
    yield from failed


class _Book:
    """Chapters put one after the other."""

    def __init__(self, package: _Package) -> None:
        self._package = package
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._length = 0
        self._starts: list[int] = []
        self._places: list[int] = []
        self._labels: list[str] = []
        self._numbers: list[str] = []  # names of printed pages, as they were met

    def add(self, number: int, path: str, data: bytes) -> None:
        """A chapter, the ``number``-th in the order of reading."""
        marks = self._package.page_marks.get(path, {})
        html = _as_html(data, marks, self._numbers)
        parsed = _without_marks(read_html(Content(html, path)))
        text, blocks, marked = parsed
        entry = self._package.labels.get(path)
        if entry and text.strip() and not any(block.kind == "heading" for block in blocks):
            text, blocks, marked = _headed(entry, text, blocks, marked)
        if not text.strip():
            return
        if self._parts:
            self._parts.append("\n\n")
            self._length += 2
        if self._package.page_marks:
            for offset, index in marked:
                self._place(self._length + offset, index + 1, self._numbers[index])
        else:
            self._place(self._length, number, entry.label if entry else "")
        self._blocks += [moved(block, self._length) for block in blocks]
        self._parts.append(text)
        self._length += len(text)

    def parsed(self) -> Parsed:
        """The whole book."""
        pages = None
        if self._starts:
            pages = PlaceMap(
                (0, *self._starts[1:]),
                tuple(self._places),
                tuple(self._labels) if any(self._labels) else (),
            )
        title = self._package.title or next((b.label for b in self._blocks if b.level == 1), "")
        return Parsed(title, "".join(self._parts), tuple(self._blocks), None, pages, self._package.metadata)

    def _place(self, start: int, place: int, label: str) -> None:
        if self._starts and self._starts[-1] == start:
            del self._starts[-1], self._places[-1], self._labels[-1]
        if not self._places or place > self._places[-1]:
            self._starts.append(start)
            self._places.append(place)
            self._labels.append(label)


def _headed(
    entry: _Entry, text: str, blocks: tuple[Block, ...], marked: list[tuple[int, int]]
) -> tuple[str, tuple[Block, ...], list[tuple[int, int]]]:
    """The chapter under its name: its first block if that says it, else a heading before it."""
    first = blocks[0]
    if inline(text[first.start : first.end]).casefold() == entry.label.casefold():
        heading = Block("heading", first.start, first.end, entry.level, inline(text[first.start : first.end]))
        return text, (heading, *blocks[1:]), marked
    shift = len(entry.label) + 2
    shifted = (moved(block, shift) for block in blocks)
    heading = Block("heading", 0, len(entry.label), entry.level, entry.label)
    later = [(at + shift, index) for at, index in marked]
    return f"{entry.label}\n\n{text}", (heading, *shifted), later


# The package


def _package(parts: Parts) -> _Package:
    path = _package_path(parts)
    lost: list[CannotRead] = []
    root = parse_xml(parts.read(path), path, lost)
    folder = posixpath.dirname(path)
    manifest: dict[str, tuple[str, str, str]] = {}
    spine: list[str] = []
    toc = ""
    for element in root.iter():
        name = local_name(element)
        if name == "item":
            place = _resolved(folder, element.get("href", ""))
            media = element.get("media-type", "").lower()
            manifest[element.get("id", "")] = (place, media, element.get("properties", ""))
        elif name == "itemref":
            spine.append(element.get("idref", ""))
        elif name == "spine":
            toc = element.get("toc", "")
    if not spine:  # without an order of reading, that of the list of files
        spine = [identity for identity, (_, media, _) in manifest.items() if media in _PAGES]
    title, metadata = _metadata(root)
    return _Package(folder, title, metadata, manifest, list(dict.fromkeys(spine)), toc, lost=lost)


def _package_path(parts: Parts) -> str:
    if _CONTAINER in parts:
        for element in parse_xml(parts.read(_CONTAINER), _CONTAINER).iter("{*}rootfile"):
            path = element.get("full-path", "").lstrip("/")
            if path in parts:
                return path
    for name in parts.names:
        if name.lower().endswith(".opf"):
            return name
    raise CannotRead("damaged", "the list of its chapters (OPF) is missing")


def _metadata(root: etree._Element) -> tuple[str, dict[str, Scalar]]:
    title = ""
    found: dict[str, list[str]] = {}
    for metadata in root.iter("{*}metadata"):
        for element in metadata.iter():
            name, words = local_name(element), inline(text_within(element))
            if name == "title":
                title = title or words
            elif name in _META and words:
                found.setdefault(_META[name], []).append(words)
    once = ("created", "language", "identifier")
    return title, {
        name: words[0] if name in once else "; ".join(dict.fromkeys(words)) for name, words in found.items()
    }


def _refuse_encrypted(parts: Parts, package: _Package) -> None:
    if _ENCRYPTION not in parts:
        return
    pages = {path for path, media, _ in package.manifest.values() if media in _PAGES}
    for entry in parse_xml(parts.read(_ENCRYPTION), _ENCRYPTION).iter("{*}EncryptedData"):
        method = next((str(found.get("Algorithm")) for found in entry.iter("{*}EncryptionMethod")), "")
        places = {
            unquote(str(found.get("URI", ""))).lstrip("/") for found in entry.iter("{*}CipherReference")
        }
        if method not in _FONTS_ONLY and places & pages:
            raise CannotRead("encrypted", "it is protected by rights management, which no password opens")


# Table of contents and list of pages


def _read_navigation(parts: Parts, package: _Package) -> None:
    for path, _, properties in package.manifest.values():
        if "nav" in properties.split() and path in parts:
            try:
                _read_nav(parse_xml(parts.read(path), path), posixpath.dirname(path), package)
            except CannotRead:  # a broken table of contents costs no chapter
                continue
    path = package.manifest.get(package.toc, ("", "", ""))[0]
    if path in parts and (not package.labels or not package.page_marks):
        try:
            _read_ncx(parse_xml(parts.read(path), path), posixpath.dirname(path), package)
        except CannotRead:
            return


def _read_nav(root: etree._Element, folder: str, package: _Package) -> None:
    for nav in root.iter("{*}nav"):
        kind = next((str(value) for name, value in nav.attrib.items() if str(name).endswith("}type")), "")
        for link in nav.iter("{*}a"):
            label = inline(text_within(link))
            level = sum(1 for up in link.iterancestors() if local_name(up) == "ol")
            if "page-list" in kind.split():
                _note_page(package, folder, link.get("href", ""), label)
            elif "toc" in kind.split():
                _note_label(package, folder, link.get("href", ""), label, level)


def _read_ncx(root: etree._Element, folder: str, package: _Package) -> None:
    had_labels, had_pages = bool(package.labels), bool(package.page_marks)
    for point in root.iter("{*}navPoint", "{*}pageTarget"):
        label = next((inline(text_within(found)) for found in point.iter("{*}navLabel")), "")
        target = next((str(found.get("src", "")) for found in point.iter("{*}content")), "")
        if local_name(point) == "pageTarget":
            if not had_pages:
                _note_page(package, folder, target, label)
        elif not had_labels:
            level = 1 + sum(1 for up in point.iterancestors() if local_name(up) == "navPoint")
            _note_label(package, folder, target, label, level)


def _note_label(package: _Package, folder: str, href: str, label: str, level: int) -> None:
    if label:
        path = _resolved(folder, href)
        package.labels.setdefault(path, _Entry(label, max(1, level)))


def _note_page(package: _Package, folder: str, href: str, label: str) -> None:
    place, anchor = urldefrag(href)
    if label:
        package.page_marks.setdefault(_resolved(folder, place), {})[unquote(anchor)] = label


def _resolved(folder: str, href: str) -> str:
    path = unquote(urldefrag(href)[0])
    return posixpath.normpath(posixpath.join(folder, path)).lstrip("/") if path else ""


# Chapters


def _as_html(data: bytes, marks: dict[str, str], numbers: list[str]) -> bytes:
    """XHTML as HTML, where an empty element may not close itself; with a mark where a page begins.

    What is no whole XML is left to the reader of HTML as it is.
    """
    from lxml import etree

    lost: list[CannotRead] = []
    try:
        root = parse_xml(data, lost=lost)
    except CannotRead:
        return data
    if lost:
        return data
    if "" in marks:
        body = next(root.iter("{*}body"), root)
        _set_mark(body, marks[""], numbers)
    for element in root.iter() if marks else ():
        label = marks.get(str(element.get("id") or element.get("name") or "\0"))
        if label is not None and local_name(element):
            _set_mark(element, label, numbers)
    return etree.tostring(root, method="html", encoding="utf-8")


def _set_mark(element: etree._Element, label: str, numbers: list[str]) -> None:
    mark = f"\ue0f0{len(numbers)}\ue0f1"
    numbers.append(label)
    if local_name(element) in _VOID:
        element.tail = mark + (element.tail or "")
    else:
        element.text = mark + (element.text or "")


def _without_marks(parsed: Parsed) -> tuple[str, tuple[Block, ...], list[tuple[int, int]]]:
    """Text and blocks without the marks, and (offset, number) of each."""
    found = list(_MARK.finditer(parsed.text))
    if not found:
        return parsed.text, parsed.blocks, []
    starts = [mark.start() for mark in found]
    gone = [0, *accumulate(len(mark[0]) for mark in found)]

    def place(offset: int) -> int:
        before = bisect_left(starts, offset)
        within = max(0, found[before - 1].end() - offset) if before else 0
        return offset - gone[before] + within

    marked = [(place(mark.start()), int(mark[1])) for mark in found]
    text = _MARK.sub("", parsed.text)
    blocks = []
    for block in parsed.blocks:
        start, end = place(block.start), place(block.end)
        if text[start:end].strip():
            label = inline(_MARK.sub("", block.label))
            blocks.append(replace(block, start=start, end=end, label=label, head=place(block.head)))
    return text, tuple(blocks), marked
