"""Title, author and dates of an OLE file ([MS-OLEPS], the summary information streams)."""

from __future__ import annotations

import codecs
from datetime import datetime
from typing import TYPE_CHECKING

from ragcli.load.source import inline

if TYPE_CHECKING:
    from olefile import OleFileIO

    from ragcli.types import Scalar

_NAMES = {
    "author": "author",
    "subject": "subject",
    "keywords": "keywords",
    "comments": "description",
    "category": "category",
    "last_saved_by": "modified_by",
    "create_time": "created",
    "last_saved_time": "modified",
    "company": "company",
    "manager": "manager",
}
_LONGEST = 2000  # characters


def summary(ole: OleFileIO) -> tuple[str, dict[str, Scalar]]:
    """The title (empty where there is none) and what else is said of the document."""
    try:
        found = ole.get_metadata()
    except (
        Exception
    ):  # olefile raises whatever it meets in broken properties; the document is read all the same
        return "", {}
    encoding = _encoding_of(found.codepage)
    metadata: dict[str, Scalar] = {}
    for name, key in _NAMES.items():
        text = _text(getattr(found, name, None), encoding)
        if text:
            metadata[key] = text
    return _text(found.title, encoding), metadata


def _text(value: object, encoding: str) -> str:
    if isinstance(value, bytes):
        return inline(value.decode(encoding, "replace"))[:_LONGEST]
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value.year > 1601 else ""
    return inline(value.split("\0")[0])[:_LONGEST] if isinstance(value, str) else ""


def _encoding_of(page: object) -> str:
    if not isinstance(page, int):
        return "cp1252"
    # Code pages are signed words there: 65001 is -535.
    name = "utf-8" if page % 65_536 == 65_001 else f"cp{page % 65_536}"
    try:
        codecs.lookup(name)
    except LookupError:
        return "cp1252"
    return name
