"""PDF: the text layer page by page, with pdfium; pypdf where pdfium cannot open the file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragcli.load.blocks import Region, is_blank, scan, to_blocks
from ragcli.load.parsed import CannotRead, Content, Parsed
from ragcli.load.pdf.engines import Layer, RawPage, open_with_pdfium, open_with_pypdf
from ragcli.load.source import clean, inline
from ragcli.types import Block, PlaceMap, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HYPHEN = re.compile("[\x02\ufffe\xad]\n?(?=(.?))")  # pdfium writes a line-end hyphen as U+FFFE or U+0002
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_SENTENCE_ENDS = tuple(".!?:;。！？：；")
_SHORT_LINE = 0.75  # of the page's usual line: a line this short that ends a sentence ends a paragraph
_SCRAP = 3  # characters; shorter lines are exponents, indices, parts of formulas
_LEAST = 0.6  # line heights; what is nearer stands on the same line
_UP = -1.5  # line heights; further up begins another column
_GAP = 1.35  # of the page's usual line distance
_NO_TITLE = re.compile(
    r"^(?:[\W\d_]*|untitled|microsoft word\b.*|.*\.(?:docx?|indd|tex|dvi|pptx?|xlsx?|qxd|pdf))$",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Text:
    """The pages' texts as they are put together."""

    parts: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    length: int = 0


def read_pdf(content: Content) -> Parsed:
    """One text with a page map; blocks never span pages; headings are lines that the outline names.

    Raises CannotRead: ``encrypted`` (needs a password), ``damaged``, ``no-text`` (no text layer).
    """
    data = content.data
    layer = open_with_pdfium(data) or open_with_pypdf(data)
    done = _Text()
    for number, page in enumerate(layer.pages, 1):
        _add_page(done, number, page, layer.outline.get(number, {}))
    if not done.parts:
        raise CannotRead(
            "no-text", f"no text layer in {len(layer.pages)} page(s); it may be a scan that needs OCR"
        )
    return Parsed(
        title=_title(layer),
        text="".join(done.parts),
        blocks=tuple(done.blocks),
        lines=None,
        pages=PlaceMap(tuple(done.starts), tuple(done.places)),
        metadata=_metadata(layer),
    )


def _add_page(done: _Text, number: int, page: RawPage, outline: Mapping[str, int]) -> None:
    text = _paragraphs(page)
    if is_blank(text):
        return
    if done.parts:
        done.parts.append("\n\n")
        done.length += 2
    lines = text.split("\n")
    for block in to_blocks(lines, _regions(lines, outline)):
        start, end = block.start + done.length, block.end + done.length
        done.blocks.append(Block(block.kind, start, end, block.level, block.label))
    done.starts.append(done.length)
    done.places.append(number)
    done.parts.append(text)
    done.length += len(text)


def _paragraphs(page: RawPage) -> str:
    """The page's lines with a blank line where a gap or a short last line ends a paragraph."""
    # "Stress-\nEngineered" keeps its hyphen, "exam-\nple" does not.
    joined = _HYPHEN.sub(lambda match: "-" if match[1].isupper() or match[1].isdigit() else "", page.text)
    lines = [line.rstrip() for line in clean(joined.translate(_LIGATURES)).text.strip("\n").split("\n")]
    usual = _usual([len(line) for line in lines if line])
    gaps = page.gaps if len(page.gaps) == len(lines) else [0.0] * len(lines)
    # The lower quarter: a page may well have more gaps than lines that follow each other closely.
    distance = _usual([gap for gap in gaps if gap > _LEAST], quarter=1)
    out: list[str] = []
    for index, line in enumerate(lines):
        gap = gaps[index]
        before = lines[index - 1] if index else ""
        words = min(len(before), len(line)) > _SCRAP
        wide = words and (gap < _UP or (distance > 0 and gap > _GAP * distance))
        short = before.endswith(_SENTENCE_ENDS) and len(before) < _SHORT_LINE * usual
        if index and (wide or short):
            out.append("")
        out.append(line)
    return "\n".join(out).strip("\n")


def _usual(values: Sequence[float], quarter: int = 2) -> float:
    return sorted(values)[quarter * len(values) // 4] if values else 0.0


def _key(line: str) -> str:
    return "".join(char for char in line.casefold() if char.isalnum())


def _regions(lines: Sequence[str], outline: Mapping[str, int]) -> list[Region]:
    titles = {_bare(title): level for title, level in outline.items()}

    def level_of(line: str) -> int:
        return titles.get(_bare(line), 0) if titles else 0

    def heading(lines: Sequence[str], at: int) -> Region | None:
        level = level_of(lines[at])
        return Region("heading", at, at + 1, level, inline(lines[at])) if level else None

    def body(lines: Sequence[str], at: int) -> Region:
        end = at + 1
        while end < len(lines) and not is_blank(lines[end]) and not level_of(lines[end]):
            end += 1
        return Region("paragraph", at, end)

    return list(scan(lines, (heading, body)))


def _bare(line: str) -> str:
    """A title without its number, which outlines have as often as not."""
    return _key(re.sub(r"^[\dIVXA-H]{1,4}(?:\.\d+)*\.?\s+", "", line.strip())) or _key(line)


def _title(layer: Layer) -> str:
    title = inline(layer.info.get("Title", ""))
    return "" if _NO_TITLE.match(title) else title


def _metadata(layer: Layer) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {"pages": len(layer.pages)}
    for name in ("Author", "Subject", "Keywords"):
        value = inline(layer.info.get(name, ""))
        if value:
            found[name.lower()] = value
    return found
