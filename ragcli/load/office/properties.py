"""Title, author, dates and custom properties of an Open Packaging file (ECMA-376 part 2, 11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragcli.load.source import inline
from ragcli.load.xml import local_name, text_within

if TYPE_CHECKING:
    from ragcli.load.office.package import Package
    from ragcli.types import Scalar

_CORE = {
    "creator": "author",
    "subject": "subject",
    "keywords": "keywords",
    "description": "description",
    "category": "category",
    "lastModifiedBy": "modified_by",
    "created": "created",
    "modified": "modified",
    "language": "language",
}
_EXTENDED = {"Company": "company", "Manager": "manager"}
_BOOKKEEPING = frozenset(
    [
        "ICV",
        "AppVersion",
        "DocSecurity",
        "HyperlinksChanged",
        "LinksUpToDate",
        "ScaleCrop",
        "ShareDoc",
        "SharedDoc",
    ]
)
_MOST = 100  # custom properties
_LONGEST = 2000  # characters of one


def properties(package: Package) -> tuple[str, dict[str, Scalar]]:
    """The title (empty where there is none) and what else is said of the document."""
    title = ""
    metadata: dict[str, Scalar] = {}
    for name, text in _texts(package, "core-properties", "docProps/core.xml"):
        if name == "title":
            title = text
        elif name in _CORE and text:
            metadata[_CORE[name]] = text
    for name, text in _texts(package, "extended-properties", "docProps/app.xml"):
        if name in _EXTENDED and text:
            metadata[_EXTENDED[name]] = text
    for name, value in _custom(package)[:_MOST]:
        metadata.setdefault(name, value)
    return title, metadata


def _part(package: Package, kind: str, usual: str) -> str:
    return next(iter(package.related("", kind)), usual)


def _texts(package: Package, kind: str, usual: str) -> list[tuple[str, str]]:
    root = package.xml(_part(package, kind, usual))
    if root is None:
        return []
    return [
        (local_name(node), inline(text_within(node))[:_LONGEST]) for node in root if isinstance(node.tag, str)
    ]


def _custom(package: Package) -> list[tuple[str, Scalar]]:
    root = package.xml(_part(package, "custom-properties", "docProps/custom.xml"))
    found: list[tuple[str, Scalar]] = []
    for node in root if root is not None else ():
        name = inline(node.get("name", ""))
        # Names that begin so are bookkeeping of programs, not words of an author.
        if not name or name in _BOOKKEEPING or name.startswith(("_", "MSIP_", "KSO")) or len(node) != 1:
            continue
        text = inline(text_within(node[0]))[:_LONGEST]
        if text:
            found.append((name, _scalar(local_name(node[0]), text)))
    return found


def _scalar(kind: str, text: str) -> Scalar:
    try:
        if kind in {"i1", "i2", "i4", "i8", "int", "ui4"}:
            return int(text)
        if kind in {"r4", "r8"}:
            return float(text)
    except ValueError:
        return text
    return text.lower() in {"true", "1"} if kind == "bool" else text
