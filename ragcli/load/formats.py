"""What a file's name says about its format."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePath

_CODE = {
    "python": ".py .pyi .pyw",
    "javascript": ".js .mjs .cjs .jsx",
    "typescript": ".ts .tsx .mts .cts",
    "go": ".go",
    "rust": ".rs",
    "java": ".java",
    "kotlin": ".kt .kts",
    "scala": ".scala",
    "swift": ".swift",
    "c": ".c .h",
    "cpp": ".cpp .cc .cxx .hpp .hh .hxx",
    "csharp": ".cs",
    "ruby": ".rb",
    "php": ".php",
    "perl": ".pl .pm",
    "lua": ".lua",
    "r": ".r",
    "julia": ".jl",
    "haskell": ".hs",
    "elixir": ".ex .exs",
    "clojure": ".clj",
    "dart": ".dart",
    "shell": ".sh .bash .zsh .fish",
    "powershell": ".ps1",
    "batch": ".bat .cmd",
    "sql": ".sql",
    "toml": ".toml",
    "yaml": ".yaml .yml",
    "json": ".json .json5 .ipynb .geojson",
    "ini": ".ini .cfg .conf .properties .env",
    "xml": ".xml .xsd .xsl .xslt .rss .atom .dita .plist",
    "css": ".css .scss .sass .less",
    "vue": ".vue",
    "graphql": ".graphql .gql",
    "protobuf": ".proto",
    "terraform": ".tf .hcl",
    "tex": ".tex .bib",
    "make": ".mk",
    "cmake": ".cmake",
    "diff": ".diff .patch",
}
_PROSE = {
    "markdown": ".md .markdown .mdx .mdown .mkd",
    "rst": ".rst .rest",
    "text": ".txt .text .log .srt .vtt .ics .adoc .asciidoc .org",
    "html": ".html .htm .xhtml",
    "pdf": ".pdf",
    "csv": ".csv",
    "tsv": ".tsv .tab",
    "jsonl": ".jsonl .ndjson",
    "odt": ".odt .ott .fodt .odm .sxw .stw",
    "ods": ".ods .ots .fods .sxc .stc",
    "odp": ".odp .otp .fodp .sxi .sti",
    "odg": ".odg .otg .fodg .sxd .std",
    "odf": ".odf .sxm",
    "rtf": ".rtf",
    "doc": ".doc .dot",
    "ppt": ".ppt .pps .pot",
    "epub": ".epub",
}
_UNREAD = """
.png .jpg .jpeg .gif .bmp .tif .tiff .webp .ico .heic .avif .psd .svg .svgz .eps .ai
.mp3 .wav .flac .ogg .m4a .mp4 .mkv .mov .avi .webm .wmv
.docx .docm .dotx .xls .xlsx .xlsm .xlsb .pptx .pptm .ppsx
.pages .numbers .key .one .pub .vsd .vsdx .wps .wp .wpd .xps .oxps
.mobi .azw .azw3 .fb2 .djvu .chm .msg .eml .mbox .mht .mhtml .pst
.zip .tar .gz .tgz .bz2 .tbz2 .xz .txz .zst .7z .rar .lz4 .lzma .jar .war .whl .egg .deb .rpm .dmg .iso
.exe .dll .so .dylib .a .o .obj .lib .class .pyc .pyo .wasm .bin .db .sqlite .sqlite3 .mdb .accdb
.npy .npz .pkl .pickle .parquet .feather .arrow .h5 .hdf5 .pt .pth .onnx .safetensors .gguf .ckpt
.ttf .otf .woff .woff2 .eot
"""
_NAMES = {"makefile": "make", "dockerfile": "dockerfile", "cmakelists.txt": "cmake"}

FORMATS: Mapping[str, str] = MappingProxyType(
    {suffix: name for table in (_PROSE, _CODE) for name, all_ in table.items() for suffix in all_.split()}
)
"""Lower-case suffix with its dot → the name of the format, as ``Document.format`` gives it."""

CODE = frozenset(_CODE) | frozenset(_NAMES.values())
"""The formats that are read as source code."""

UNSUPPORTED = frozenset(_UNREAD.split())
"""Suffixes whose content is known not to be text, or not in a way that is read here."""


def format_of(file: PurePath) -> str | None:
    """The format that the name tells, ``"unsupported"`` for known formats not read here, else None."""
    suffix = file.suffix.lower()
    if suffix in UNSUPPORTED:
        return "unsupported"
    return _NAMES.get(file.name.lower()) or FORMATS.get(suffix)
