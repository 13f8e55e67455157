"""What a file's name says about its format."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePath

_CODE = {
    "python": ".py .pyi .pyw",
    "javascript": ".js .mjs .cjs .jsx .es6",
    "typescript": ".ts .tsx .mts .cts",
    "go": ".go",
    "rust": ".rs",
    "java": ".java",
    "kotlin": ".kt .kts",
    "scala": ".scala .sc .sbt",
    "swift": ".swift",
    "c": ".c .h",
    "cpp": ".cpp .cc .cxx .c++ .hpp .hh .hxx .h++ .ipp .inl .tpp .ino .cu .cuh",
    "csharp": ".cs .csx",
    "ruby": ".rb .rake .gemspec .ru",
    "php": ".php .phtml .php5",
    "perl": ".pl .pm",
    "lua": ".lua",
    "r": ".r",
    "julia": ".jl",
    "haskell": ".hs .lhs",
    "elixir": ".ex .exs",
    "clojure": ".clj .cljs .cljc .edn",
    "dart": ".dart",
    "shell": ".sh .bash .zsh .ksh .bats",
    "powershell": ".ps1 .psm1 .psd1",
    "batch": ".bat .cmd",
    "sql": ".sql",
    "xslt": ".xsd .xsl .xslt",
    "css": ".css .scss .sass .less",
    "vue": ".vue",
    "svelte": ".svelte",
    "astro": ".astro",
    "graphql": ".graphql .gql",
    "protobuf": ".proto",
    "terraform": ".tf .hcl",
    "bibtex": ".bib",
    "make": ".mk",
    "cmake": ".cmake",
    "diff": ".diff .patch",
    "ada": ".adb .ads",
    "assembly": ".asm .s",
    "awk": ".awk",
    "cobol": ".cob .cbl",
    "crystal": ".cr",
    "cython": ".pyx .pxd .pxi",
    "d": ".d",
    "elm": ".elm",
    "erlang": ".erl .hrl",
    "fish": ".fish",
    "fortran": ".f .for .f77 .f90 .f95 .f03 .f08",
    "fsharp": ".fs .fsi .fsx",
    "gdscript": ".gd",
    "groovy": ".groovy .gradle",
    "lisp": ".lisp .lsp .el",
    "nim": ".nim .nims",
    "nix": ".nix",
    "objectivec": ".m .mm",
    "ocaml": ".ml .mli",
    "pascal": ".pas .pp .dpr",
    "purescript": ".purs",
    "racket": ".rkt",
    "scheme": ".scm .ss",
    "shader": ".glsl .vert .frag .hlsl .wgsl .metal",
    "solidity": ".sol",
    "starlark": ".bzl .star",
    "tcl": ".tcl",
    "thrift": ".thrift",
    "verilog": ".v .sv .svh",
    "vhdl": ".vhd .vhdl",
    "vim": ".vim",
    "visualbasic": ".vb .vbs .bas",
    "zig": ".zig",
}
_PROSE = {
    "markdown": ".md .markdown .mdx .mdown .mkd",
    "rst": ".rst .rest",
    "text": ".txt .text .log",
    "asciidoc": ".adoc .asciidoc",
    "org": ".org",
    "latex": ".tex .ltx .latex",
    "subtitles": ".srt .vtt .ass .ssa",
    "html": ".html .htm .xhtml",
    "xml": ".xml .rss .atom .dita .ditamap .opml .plist .docbook .dbk",
    "json": ".json .json5 .geojson .jsonld .webmanifest",
    "notebook": ".ipynb",
    "yaml": ".yaml .yml",
    "toml": ".toml",
    "ini": ".ini .cfg .conf .env",
    "properties": ".properties",
    "pdf": ".pdf",
    "docx": ".docx .docm .dotx .dotm",
    "pptx": ".pptx .pptm .ppsx .ppsm .potx .potm",
    "xlsx": ".xlsx .xlsm .xltx .xltm .xlsb",
    "xls": ".xls .xlt .xlw",
    "image": ".png .jpg .jpeg .tif .tiff",
    "csv": ".csv",
    "tsv": ".tsv .tab",
    "jsonl": ".jsonl .ndjson",
    "calendar": ".ics .ical .ifb .vcs",
    "vcard": ".vcf .vcard",
    "mail": ".eml",
    "mbox": ".mbox .mbx",
    "emlx": ".emlx",
    "mhtml": ".mht .mhtml",
    "msg": ".msg .oft",
    "zip": ".zip",
    "7z": ".7z",
    "tar": ".tar",
    "gz": ".gz .tgz",
    "bz2": ".bz2 .tbz2 .tbz",
    "xz": ".xz .txz",
    "zst": ".zst .tzst",
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
.gif .bmp .webp .ico .heic .avif .psd .svg .svgz .eps .ai
.mp3 .wav .flac .ogg .m4a .mp4 .mkv .mov .avi .webm .wmv
.pages .numbers .key .one .pub .vsd .vsdx .wps .wp .wpd .xps .oxps
.mobi .azw .azw3 .fb2 .djvu .chm .pst
.rar .lz4 .lzma .jar .war .whl .egg .deb .rpm .dmg .iso
.exe .dll .so .dylib .a .o .obj .lib .class .pyc .pyo .wasm .bin .db .sqlite .sqlite3 .mdb .accdb
.npy .npz .pkl .pickle .parquet .feather .arrow .h5 .hdf5 .pt .pth .onnx .safetensors .gguf .ckpt
.ttf .otf .woff .woff2 .eot
"""
_NAMES = {
    "makefile": "make",
    "gnumakefile": "make",
    "dockerfile": "dockerfile",
    "containerfile": "dockerfile",
    "cmakelists.txt": "cmake",
    "gemfile": "ruby",
    "rakefile": "ruby",
    "vagrantfile": "ruby",
    "podfile": "ruby",
    "jenkinsfile": "groovy",
    "sconstruct": "python",
    "sconscript": "python",
    "build.bazel": "starlark",
    "pkgbuild": "shell",
    "apkbuild": "shell",
}

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
