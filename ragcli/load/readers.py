"""Which reader reads which format: the one list of all that can be read."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from ragcli.load.encoding import decode, looks_binary
from ragcli.load.formats import CODE
from ragcli.load.parsed import CannotRead
from ragcli.load.source import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ragcli.load.parsed import Content, Parsed, Reader
    from ragcli.load.source import Source

# Readers of decoded text: (Source) -> Parsed.
_TEXT: Mapping[str, str] = MappingProxyType(
    {
        "markdown": "markup.markdown:read_markdown",
        "rst": "markup.rst:read_rst",
        "text": "markup.plain:read_text",
        "csv": "data.table:read_table",
        "tsv": "data.table:read_table",
        **dict.fromkeys(CODE, "markup.plain:read_code"),
    }
)
# Readers of bytes: (Content) -> Parsed or items.
_BYTES: Mapping[str, str] = MappingProxyType(
    {
        "html": "web.html:read_html",
        "pdf": "pdf.layer:read_pdf",
        **dict.fromkeys(("odt", "ods", "odp", "odg", "odf"), "office.opendocument:read_opendocument"),
        "rtf": "office.rtf:read_rtf",
        "doc": "office.doc:read_doc",
        "ppt": "office.ppt:read_ppt",
        "epub": "office.epub:read_epub",
        "wordml": "office.wordml:read_wordml",
        "spreadsheetml": "office.spreadsheetml:read_spreadsheetml",
    }
)


def reader_of(format_: str) -> Reader:
    """The reader of a format, its library imported now."""
    if format_ in _BYTES:
        reader: Reader = _found(_BYTES[format_])
        return reader
    read: Callable[[Source], Parsed] = _found(_TEXT.get(format_, _TEXT["text"]))
    return lambda content: read(text_of(content))


def text_of(content: Content) -> Source:
    """The decoded and cleaned text; raises CannotRead: ``binary`` or ``encoding``."""
    if looks_binary(content.data, named_as_text=True):
        raise CannotRead("binary", "the content is not text")
    return clean(decode(content.data)[0])


def _found(place: str) -> Callable[..., Parsed]:
    module, name = place.split(":")
    function: Callable[..., Parsed] = getattr(import_module(f"ragcli.load.{module}"), name)
    return function
