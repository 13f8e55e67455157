"""LaTeX: a line scanner for sections, lists, tables, verbatim text, formulas and captions.

The text is the source as it stands, commands and comments included; nothing is expanded or input.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ragcli.load.blocks import Region, is_blank, scan, to_blocks
from ragcli.load.parsed import Parsed
from ragcli.load.source import Source, inline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragcli.types import Scalar

_LEVELS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph")
_SECTION = re.compile(rf"[ \t]*\\({'|'.join(_LEVELS)})\*?(?:\[[^\]]*\])?\{{")
_BEGIN = re.compile(r"[ \t]*\\begin\{(\w+)\*?\}")
_CAPTION = re.compile(r"[ \t]*\\caption\*?(?:\[[^\]]*\])?\{")
_KINDS = {
    "code": "verbatim Verbatim lstlisting minted alltt equation align gather multline eqnarray displaymath math",
    "table": "tabular tabularx tabulary longtable array",
    "list": "itemize enumerate description compactitem",
}
_KIND = {name: kind for kind, names in _KINDS.items() for name in names.split()}
_VERBATIM = frozenset(["verbatim", "Verbatim", "lstlisting", "minted", "alltt"])
_HEAD_ENDS = re.compile(r"\\(?:midrule|endhead|endfirsthead)\b")
_COMMAND = re.compile(r"\\(?:label|index|footnote|thanks)\{[^{}]*\}|\\[a-zA-Z]+\*?[ \t]*|[{}$]")
_ACCENTS = {
    "'": "\u0301",
    "`": "\u0300",
    "^": "\u0302",
    '"': "\u0308",
    "~": "\u0303",
    "c": "\u0327",
    "v": "\u030c",
}
_ACCENT = re.compile(r"\\(?:([\'`^\"~])\{?([A-Za-z])\}?|([cv])\{([A-Za-z])\})")
_SPECIAL = re.compile(r"\\([&%$#_{}])")
_LONGEST = 20  # lines of a title
_AHEAD = 5000  # lines; keeps files in which nothing is closed linear


def read_latex(source: Source) -> Parsed:
    """Levels of headings follow the highest section that the file has; title and author are its own."""
    lines = source.text.split("\n")
    used = {found[1] for line in lines if (found := _SECTION.match(line))}
    top = next((level for level, name in enumerate(_LEVELS) if name in used), 0)
    regions = list(scan(lines, (_Sections(top), _preamble, _caption, _environment, _display, _paragraph)))
    metadata: dict[str, Scalar] = {}
    for name in ("author", "date"):
        told = _told(source.text, name)
        if told:
            metadata[name] = told
    title = _told(source.text, "title") or next((region.label for region in regions if region.level == 1), "")
    return Parsed(title, source.text, to_blocks(lines, regions), source.places(), metadata=metadata)


def _told(text: str, name: str) -> str:
    found = re.search(rf"^[ \t]*\\{name}(?:\[[^\]]*\])?\{{", text[:100_000], re.MULTILINE)
    return _words_of(_argument(text[found.end() : found.end() + 2000])) if found else ""


def _argument(text: str) -> str:
    """Up to the brace that closes the one before ``text``."""
    depth = 1
    for at, char in enumerate(text):
        if char in "{}" and text[at - 1 : at] != "\\":
            depth += 1 if char == "{" else -1
            if depth == 0:
                return text[:at]
    return text.partition("\n")[0]


def _words_of(markup: str) -> str:
    accented = _ACCENT.sub(
        lambda m: (m[2] or m[4]) + _ACCENTS[m[1] or m[3]], markup[:500].replace("\\\\", " ")
    )
    marked = _SPECIAL.sub(lambda match: chr(0xE000 + ord(match[1])), accented.replace("~", " "))
    words = _COMMAND.sub("", marked)
    return inline(re.sub("[\ue020-\ue07f]", lambda match: chr(ord(match[0]) - 0xE000), words))


class _Sections:
    """The recogniser of headings; ``top`` is the index of the level that counts as the first."""

    def __init__(self, top: int) -> None:
        self._top = top

    def __call__(self, lines: Sequence[str], at: int) -> Region | None:
        found = _SECTION.match(lines[at])
        if not found:
            return None
        rest = "\n".join(lines[at : at + _LONGEST])[found.end() :]
        title = _argument(rest)
        end = at + 1 + title.count("\n")
        return Region("heading", at, end, _LEVELS.index(found[1]) - self._top + 1, _words_of(title))


def _preamble(lines: Sequence[str], at: int) -> Region | None:
    if not re.match(r"[ \t]*\\documentclass\b", lines[at]):
        return None
    ends = (i for i in range(at, len(lines)) if lines[i].lstrip().startswith("\\begin{document}"))
    return Region("code", at, next(ends, at) + 1)


def _caption(lines: Sequence[str], at: int) -> Region | None:
    found = _CAPTION.match(lines[at])
    if not found:
        return None
    words = _argument("\n".join(lines[at : at + _LONGEST])[found.end() :])
    return Region("caption", at, at + 1 + words.count("\n"))


def _environment(lines: Sequence[str], at: int) -> Region | None:
    """One that holds together; of others, the line that opens or closes it stands alone."""
    found = _BEGIN.match(lines[at])
    if not found:
        closing = re.match(r"[ \t]*\\end\{\w+\*?\}[ \t]*$", lines[at])
        return Region("paragraph", at, at + 1) if closing else None
    kind = _KIND.get(found[1])
    if kind is None:
        end = at + 1
        while end < len(lines) and re.match(
            r"[ \t]*\\(?:centering|small|footnotesize|label\{[^}]*\})[ \t]*$", lines[end]
        ):
            end += 1
        return Region("paragraph", at, end)
    end = _closing(lines, at, found[1])
    if kind == "code":
        return Region("code", at, end)
    if kind == "list":
        return Region("list", at, end)
    heads = (i + 1 for i in range(at, end) if _HEAD_ENDS.search(lines[i]))
    rules = [i + 1 for i in range(at, end) if "\\hline" in lines[i]]
    return Region("table", at, end, head=next(heads, rules[1] if len(rules) > 2 else 0))


def _closing(lines: Sequence[str], at: int, name: str) -> int:
    depth = 0
    for index in range(at, min(len(lines), at + _AHEAD)):
        line = lines[index]
        depth += line.count(f"\\begin{{{name}}}") + line.count(f"\\begin{{{name}*}}")
        depth -= line.count(f"\\end{{{name}}}") + line.count(f"\\end{{{name}*}}")
        if depth <= 0:
            return index + 1
        if index > at and _SECTION.match(line) and name not in _VERBATIM:
            return index
    return min(len(lines), at + _AHEAD)


def _display(lines: Sequence[str], at: int) -> Region | None:
    opening = lines[at].strip()[:2]
    if opening not in ("\\[", "$$"):
        return None
    closing = "\\]" if opening == "\\[" else "$$"
    if closing in lines[at].strip()[2:]:
        return Region("code", at, at + 1)
    ends = (i for i in range(at + 1, min(len(lines), at + 100)) if closing in lines[i])
    end = next(ends, None)
    return Region("code", at, end + 1) if end is not None else None


def _paragraph(lines: Sequence[str], at: int) -> Region:
    end = at + 1
    while end < len(lines) and not is_blank(lines[end]):
        line = lines[end]
        if (
            _SECTION.match(line)
            or _BEGIN.match(line)
            or _CAPTION.match(line)
            or line.lstrip()[:5] == "\\end{"
        ):
            break
        if line.lstrip()[:2] in ("\\[", "$$"):
            break
        end += 1
    return Region("paragraph", at, end)
