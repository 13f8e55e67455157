"""OpenDocument: texts, sheets, slides and drawings, zipped or flat."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from ragcli.load.office.odfbody import Body, formula
from ragcli.load.office.odfcrypt import unlock
from ragcli.load.office.odfnames import odf_name
from ragcli.load.office.odfstyles import Styles
from ragcli.load.office.ole import MAGIC
from ragcli.load.office.oleobjects import object_file
from ragcli.load.office.parts import Parts, open_parts
from ragcli.load.parsed import CannotRead, Content, Item, Member
from ragcli.load.source import inline
from ragcli.load.writer import Writer
from ragcli.load.xml import parse_xml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from ragcli.types import Scalar

_META = {
    "meta:initial-creator": "author",
    "dc:creator": "author",
    "dc:subject": "subject",
    "dc:description": "description",
    "meta:creation-date": "created",
    "dc:date": "modified",
    "dc:language": "language",
}


def read_opendocument(content: Content) -> Iterator[Item]:
    """The text as its reader sees it; pages are sheets, slides, or where a text marks them its pages.

    Notes and comments stand after the paragraph or the table they belong to, headers and footers once
    at the end. Left out are deleted text of tracked changes, placeholders of slide masters, hidden
    cells under merged ones, and scripts. Whole files that lie within are members.
    """
    if content.data.startswith(b"PK"):
        yield from _zipped(content)
        return
    lost: list[CannotRead] = []
    root = parse_xml(content.data, lost=lost)
    if odf_name(root.tag) != "office:document":
        raise CannotRead("damaged", "it is no OpenDocument file: neither a zip archive nor its XML")
    yield from _read([root], None)
    yield from lost


def _zipped(content: Content) -> Iterator[Item]:
    parts = open_parts(content.data)
    unlock(parts, content.passwords)
    lost: list[CannotRead] = []
    roots = [parse_xml(parts.read("content.xml"), "content.xml", lost)]
    for name in ("styles.xml", "meta.xml"):
        try:
            if name in parts:
                roots.append(parse_xml(parts.read(name), name, lost))
        except CannotRead as error:
            yield CannotRead(error.error, error.message, name)
    yield from _read(roots, parts)
    yield from lost


def _read(roots: list[etree._Element], parts: Parts | None) -> Iterator[Item]:
    styles = Styles()
    for root in reversed(roots):
        styles.add(root)
    writer = Writer()
    objects = _Objects(parts)
    body = Body(writer, styles, objects)
    content = next(roots[0].iter("{*}body"), None)
    if content is not None:
        body.write(content)
    elif odf_name(roots[0].tag) == "math:math":  # a document that is one formula
        writer.paragraph(formula(roots[0]))
    for root in roots:
        for master in root.iter("{*}master-page"):
            body.write_master(master)
    title, metadata = _metadata(roots)
    yield writer.parsed(title, metadata)
    yield from body.refused
    yield from objects.members


class _Objects:
    """Finds what a document embeds: parts of its own kind to be written in place, others as members."""

    def __init__(self, parts: Parts | None) -> None:
        self._parts = parts
        self.members: list[Item] = []
        self._taken: set[str] = set()

    def body(self, href: str) -> etree._Element | None:
        """The content of an embedded OpenDocument object; anything else is kept as a member."""
        name = href.removeprefix("./").strip("/")
        parts = self._parts
        if parts is None or not name or name in self._taken:
            return None
        self._taken.add(name)
        try:
            if f"{name}/content.xml" in parts:
                return parse_xml(parts.read(f"{name}/content.xml"), name)
            if name in parts:
                self.keep(name, parts.read(name))
        except CannotRead as error:
            self.members.append(CannotRead(error.error, error.message, name))
        return None

    def keep_base64(self, text: str) -> None:
        """A file that stands in the XML itself."""
        try:
            self.keep(f"object {len(self.members) + 1}", base64.b64decode(text))
        except (binascii.Error, ValueError):
            self.members.append(CannotRead("damaged", "an embedded object is damaged", "object"))

    def keep(self, name: str, data: bytes) -> None:
        """A file of another kind."""
        if data.startswith(MAGIC):
            self.members.append(object_file(data, name) or Member(name, data))
        elif data:
            self.members.append(Member(name, data))


def _metadata(roots: list[etree._Element]) -> tuple[str, dict[str, Scalar]]:
    title = ""
    found: dict[str, Scalar] = {}
    keywords: list[str] = []
    for root in roots:
        for meta in root.iter("{*}meta"):
            for element in meta.iter():
                name, words = odf_name(element.tag), inline(element.text or "")
                if name == "dc:title":
                    title = title or words
                elif name == "meta:keyword" and words:
                    keywords.append(words)
                elif name in _META and words:
                    found.setdefault(_META[name], words)
    if keywords:
        found["keywords"] = ", ".join(keywords)
    return title, found
