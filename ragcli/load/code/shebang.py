"""Scripts without a suffix: the language that their first line names."""

from __future__ import annotations

import re

_FIRST = re.compile(rb"#![ \t]*(?P<words>[^\r\n]{1,200})")
_VERSION = re.compile(r"[-\d.]+$")
_LANGUAGES = {
    "python": "python pypy ipython",
    "shell": "sh bash zsh ksh dash ash mksh bats",
    "fish": "fish",
    "javascript": "node nodejs deno bun",
    "typescript": "ts-node tsx",
    "ruby": "ruby jruby",
    "perl": "perl",
    "php": "php",
    "lua": "lua luajit",
    "r": "rscript",
    "julia": "julia",
    "elixir": "elixir",
    "haskell": "runhaskell runghc",
    "scala": "scala",
    "kotlin": "kotlin",
    "groovy": "groovy",
    "tcl": "tclsh wish",
    "awk": "awk gawk mawk",
    "make": "make",
    "powershell": "pwsh",
}
_BY_NAME = {name: language for language, names in _LANGUAGES.items() for name in names.split()}


def language_of_shebang(data: bytes) -> str | None:
    """The format that ``#!/usr/bin/env python3`` and the like tell; None where there is none known."""
    first = _FIRST.match(data)
    if not first:
        return None
    words = first["words"].decode("utf-8", "replace").split()
    names = [word.rsplit("/", 1)[-1].lower() for word in words if "=" not in word and word[0] != "-"]
    if names and names[0] == "env":
        del names[0]
    return _BY_NAME.get(names[0]) or _BY_NAME.get(_VERSION.sub("", names[0])) if names else None
