"""Which reader reads which format: the one list of all that can be read."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from ragcli.load.code.grammars import GRAMMARS
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
        "asciidoc": "markup.asciidoc:read_asciidoc",
        "org": "markup.org:read_org",
        "latex": "markup.latex:read_latex",
        "subtitles": "markup.subtitles:read_subtitles",
        "json": "data.json:read_json",
        "yaml": "data.outline:read_indented",
        "toml": "data.outline:read_sections",
        "ini": "data.outline:read_sections",
        "properties": "data.outline:read_properties",
        "csv": "data.table:read_table",
        "tsv": "data.table:read_table",
        "calendar": "data.contentlines:read_calendar",
        "vcard": "data.contentlines:read_cards",
        **dict.fromkeys(CODE, "code.plain:read_code"),
        "vue": "code.components:read_component",
        "svelte": "code.components:read_component",
    }
)
# Readers of bytes: (Content) -> Parsed or items.
_BYTES: Mapping[str, str] = MappingProxyType(
    {
        "notebook": "data.notebook:read_notebook",
        "xml": "data.xmltree:read_xml",
        "html": "web.html:read_html",
        "pdf": "pdf.layer:read_pdf",
        **dict.fromkeys(("docx", "pptx", "xlsx", "ooxml"), "office.ooxml:read_ooxml"),
        "mail": "mail.letter:read_letter",
        "mbox": "mail.mbox:read_mbox",
        "emlx": "mail.mbox:read_emlx",
        "msg": "mail.outlook:read_msg",
        "mhtml": "mail.mhtml:read_mhtml",
        "zip": "archive.zip:read_zip",
        "7z": "archive.sevenzip:read_7z",
        "tar": "archive.tar:read_tar",
        **dict.fromkeys(("gz", "bz2", "xz", "zst"), "archive.tar:read_packed"),
        "xls": "office.xls:read_xls",
        "image": "image:read_image",
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
    if format_ in GRAMMARS:
        cut = _found("code.definitions:read_definitions")
        return lambda content: cut(text_of(content), format_, content.name)
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
