"""Office Open XML (ECMA-376, ISO/IEC 29500): the file opened, and each kind handed to its reader.

Macro-enabled files, templates, strict files and those that a password locks are read alike.
Embedded files come as members; macros, themes, thumbnails, pictures, sounds, signatures and
custom XML data are left out.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from ragcli.load.office.decrypt import decrypted
from ragcli.load.office.ole import MAGIC
from ragcli.load.office.oleobjects import object_file
from ragcli.load.office.package import Package, open_package
from ragcli.load.parsed import CannotRead, Content, Item, Member
from ragcli.load.xml import local_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragcli.load.parsed import Parsed

_PAGES = {"word": "word/document", "ppt": "ppt/slides/", "xl": "xl/worksheets/"}
_EMBEDDED = ("package", "oleobject", "afchunk")
# Parts that altChunk splices into the text of the document itself.
_TEXT_CHUNKS = (".html", ".htm", ".xhtml", ".txt", ".mht", ".mhtml")


def read_ooxml(content: Content) -> Iterator[Item]:
    """The document, then the files embedded in it, then what of it is broken."""
    data = decrypted(content) if content.data.startswith(MAGIC) else content.data
    package = open_package(data)
    parsed = _document(package)
    if parsed.text.strip():
        yield parsed
    found = 0
    for item in _embedded(package):
        found += 1
        yield item
    if package.broken:
        yield CannotRead("damaged", "it is cut short or broken; what could be read was taken")
    yield from package.problems
    if not (package.broken or package.problems or found or parsed.text.strip()):
        if any("/media/" in name for name in package.names):
            raise CannotRead("no-text", "no text in it, only pictures or sounds")
        raise CannotRead("empty", "no text in it")


def main_part(package: Package) -> str:
    """The part that the document begins with; raises CannotRead where there is none."""
    for name in package.related("", "officeDocument"):
        return name
    usual = ("word/document.xml", "ppt/presentation.xml", "xl/workbook.xml", "xl/workbook.bin")
    for name in usual:
        if package.has(name):
            return name
    # Of a file that is cut short there may be slides or sheets without the part that lists them.
    for name in usual:
        if any(part.startswith(_PAGES[name.split("/")[0]]) for part in package.names):
            return name
    told = "it is cut short or broken: " if package.broken else ""
    raise CannotRead("damaged", f"{told}no document, presentation or workbook in it")


def _document(package: Package) -> Parsed:
    main = main_part(package)
    folder = main.split("/", 1)[0].lower()
    root = None if main.endswith(".bin") else package.xml(main)
    kind = "" if root is None else local_name(root)
    if kind == "presentation" or (not kind and folder == "ppt"):
        from ragcli.load.office.pptx import presentation

        return presentation(package, main)
    if kind == "workbook" or (not kind and folder == "xl"):
        from ragcli.load.office.xlsx import workbook

        return workbook(package, main)
    from ragcli.load.office.docx import document

    return document(package, main)


def _embedded(package: Package) -> Iterator[Member | CannotRead]:
    for name in sorted(_targets(package)):
        data = package.read(name)
        file = posixpath.basename(name)
        if data.startswith(MAGIC):
            found = object_file(data, posixpath.splitext(file)[0])
            if found:
                yield found
        elif data:
            yield Member(file, data)


def _targets(package: Package) -> set[str]:
    """Parts that hold a file: by the relationships that lead to them, or by their folder.

    The workbooks behind charts are none: the chart shows their data.
    """
    found = {
        posixpath.normpath(name)
        for name in package.names
        if "/embeddings/" in name and not name.endswith(("/", ".rels"))
    }
    charts: set[str] = set()
    for name in list(package.names):
        if "/_rels/" not in name:
            continue
        source = name.replace("/_rels/", "/").removesuffix(".rels")
        for relation in package.relations(source).values():
            if relation.kind.lower() in _EMBEDDED and not relation.external:
                (charts if "/charts/" in source else found).add(relation.target.lower())
    kept = (name for name in found - charts if package.has(name) and not name.endswith(_TEXT_CHUNKS))
    return {package.names[name] for name in kept}
