"""Open Packaging Conventions (ECMA-376 part 2): parts and relationships of an office file.

A package is a zip, or one XML file in which the parts stand side by side (Flat OPC). Namespaces of
strict files (ISO/IEC 29500) are read as the transitional ones, so that readers know one of each.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ragcli.load.charrefs import without_surrogates
from ragcli.load.office.salvage import salvaged
from ragcli.load.parsed import CannotRead

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element as Element

_LARGEST = 200_000_000  # bytes of one part, unpacked
_MOST = 600_000_000  # of all parts read
_MOST_PARTS = 50_000
_PIECE = 1_000_000
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/([A-Za-z]+(?:/[A-Za-z]+)*)")
_TRANSITIONAL = b"http://schemas.openxmlformats.org/"
_FLAT = "{http://schemas.microsoft.com/office/2006/xmlPackage}"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"


@dataclass(frozen=True, slots=True)
class Relation:
    """One relationship: the last part of its type, and the part (or, ``external``, the URL) it leads to."""

    kind: str
    target: str
    external: bool


@dataclass(slots=True)
class Package:
    """The parts by name, without a leading slash; names are looked up in any case.

    ``broken`` are the parts of which something is lost; ``problems`` are what readers found besides.
    """

    zip: zipfile.ZipFile | None
    loose: Mapping[str, bytes]
    names: dict[str, str]
    broken: list[str] = field(default_factory=list)
    problems: list[CannotRead] = field(default_factory=list)
    _read: int = 0
    _relations: dict[str, dict[str, Relation]] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """There is such a part."""
        return name.lower() in self.names

    def read(self, name: str) -> bytes:
        """The bytes of a part, as far as they can be had; empty where there is none.

        Raises CannotRead("too-large").
        """
        actual = self.names.get(name.lower())
        if actual is None:
            return b""
        data = self.loose[actual] if self.zip is None else self._unpacked(self.zip, actual)
        self._read += len(data)
        if self._read > _MOST:
            raise CannotRead("too-large", f"more than {_MOST // 1_000_000} MB lie within it")
        return data

    def xml(self, name: str) -> Element | None:
        """The root of a part; of broken XML what can be had, None where that is nothing."""
        data = self.read(name)
        if not data:
            return None
        root, whole = parse_xml(data)
        if not whole:
            self.is_broken(name)
        return root

    def relations(self, name: str) -> Mapping[str, Relation]:
        """The relationships of a part by their id (of the package: name "")."""
        if name not in self._relations:
            self._relations[name] = self._relations_of(name)
        return self._relations[name]

    def related(self, name: str, kind: str) -> list[str]:
        """The parts to which a part has a relationship of this kind."""
        return [
            relation.target
            for relation in self.relations(name).values()
            if relation.kind.lower() == kind.lower() and not relation.external and self.has(relation.target)
        ]

    def _relations_of(self, name: str) -> dict[str, Relation]:
        folder, file = posixpath.split(name)
        root = self.xml(posixpath.join(folder, "_rels", f"{file}.rels"))
        found: dict[str, Relation] = {}
        for node in root.iter(_RELATION) if root is not None else ():
            external = node.get("TargetMode", "").lower() == "external"
            target = node.get("Target", "")
            if not external:
                target = _joined(folder, target)
            found[node.get("Id", "")] = Relation(node.get("Type", "").rsplit("/", 1)[-1], target, external)
        return found

    def _unpacked(self, opened: zipfile.ZipFile, name: str) -> bytes:
        out: list[bytes] = []
        size = opened.getinfo(name).file_size
        if size <= _LARGEST:
            size = 0
            try:
                with opened.open(name) as member:
                    while size <= _LARGEST and (piece := member.read(_PIECE)):
                        out.append(piece)
                        size += len(piece)
            except _BROKEN:
                self.is_broken(name)
        if size > _LARGEST:
            raise CannotRead("too-large", f"a part of it is larger than {_LARGEST // 1_000_000} MB")
        return b"".join(out)

    def is_broken(self, name: str) -> None:
        """Notes that something of a part is lost."""
        if name not in self.broken:
            self.broken.append(name)


def open_package(data: bytes) -> Package:
    """The package in these bytes; raises CannotRead("damaged") where nothing can be had of it."""
    if not data.startswith(b"PK"):
        return _flat(data)
    try:
        opened = zipfile.ZipFile(io.BytesIO(data))
        names = opened.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        loose = salvaged(data, _LARGEST, _MOST)
        if not loose:
            raise CannotRead(
                "damaged", "the file is cut short or broken; nothing can be read of it"
            ) from None
        return Package(None, loose, _by_lower(list(loose)), broken=["[directory]"])
    if len(names) > _MOST_PARTS:
        raise CannotRead("too-large", f"more than {_MOST_PARTS} parts lie within it")
    return Package(opened, {}, _by_lower(names))


def parse_xml(data: bytes) -> tuple[Element | None, bool]:
    """The root, and whether the XML was whole. Nothing external is read and no entity resolved."""
    from lxml import etree

    data = transitional(data)
    for recover in (False, True):
        parser = etree.XMLParser(
            recover=recover,
            remove_comments=True,
            remove_pis=True,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
        )
        try:
            return etree.fromstring(without_surrogates(data), parser), not recover
        except etree.XMLSyntaxError:
            continue
    return None, False


def transitional(data: bytes) -> bytes:
    """XML of a strict file with the namespaces of a transitional one; other XML as it is."""
    return _STRICT.sub(_transitional, data) if b"http://purl.oclc.org/ooxml/" in data else data


def _transitional(found: re.Match[bytes]) -> bytes:
    parts = found[1].split(b"/", 1)
    rest = parts[1] if len(parts) > 1 else b""
    name = b"%s/2006/%s" % (parts[0], rest)
    return _TRANSITIONAL + name.replace(b"extendedProperties", b"extended-properties").replace(
        b"customProperties", b"custom-properties"
    )


def _flat(data: bytes) -> Package:
    from lxml import etree

    root, whole = parse_xml(data)
    parts: dict[str, bytes] = {}
    for part in root.iter(f"{_FLAT}part") if root is not None else ():
        name = part.get(f"{_FLAT}name", "").lstrip("/")
        for child in part:
            if child.tag == f"{_FLAT}xmlData" and len(child):
                parts[name] = etree.tostring(child[0])
            elif child.tag == f"{_FLAT}binaryData":
                try:
                    parts[name] = b64decode(child.text or "")
                except ValueError:
                    parts[name] = b""
    if not parts:
        raise CannotRead("damaged", "it is no office file, or too broken to be read")
    return Package(None, parts, _by_lower(list(parts)), broken=[] if whole else ["[package]"])


def _by_lower(names: list[str]) -> dict[str, str]:
    return {name.replace("\\", "/").lstrip("/").lower(): name for name in reversed(names)}


def _joined(folder: str, target: str) -> str:
    path = unquote(target.split("#", 1)[0])
    whole = path if path.startswith("/") else posixpath.join("/", folder, path)
    return posixpath.normpath(whole).lstrip("/")
