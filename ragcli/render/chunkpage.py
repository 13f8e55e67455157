"""A file's chunks as one page of HTML that needs nothing besides: its text, each chunk in a colour.

Everything that comes from the file is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise

from ragcli.render.chunks import CutDocuments, chunk_place
from ragcli.render.terminal import one_line, safe
from ragcli.types import Chunk, Document

_COLOURS = 6
_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.6 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
pre { font: inherit; white-space: pre-wrap; overflow-wrap: anywhere }
.c { border-radius: 3px; padding: 1px 0; box-decoration-break: clone; -webkit-box-decoration-break: clone }
.c0 { background: #4e79a74d } .c1 { background: #f28e2b4d } .c2 { background: #59a14f4d }
.c3 { background: #b07aa14d } .c4 { background: #e157594d } .c5 { background: #9c755f4d }
.both { text-decoration: underline double; text-underline-offset: 3px; background: repeating-linear-gradient(
  45deg, #8884 0 6px, #8882 6px 12px) }
.c:hover { outline: 1px solid currentColor }
.n::before { content: attr(data-n); font-size: .7em; font-weight: 600; opacity: .7; margin-right: .3em;
  vertical-align: super }
.told { opacity: .75 }
"""


def chunk_page(found: CutDocuments, *, title: str) -> str:
    """The whole page. Hovering over a piece tells its number, tokens, headings, place and lead."""
    body = "\n".join(_document(document, chunks) for document, chunks in found)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(one_line(title))}</title>'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body>{body}</body></html>\n"
    )


def _document(document: Document, chunks: Sequence[Chunk]) -> str:
    tokens = sum(chunk.tokens for chunk in chunks)
    told = f"{document.path}: {len(chunks)} chunks, {tokens} tokens"
    if chunks:
        told += f", the longest {max(chunk.tokens for chunk in chunks)}"
    pieces = "".join(_pieces(document, chunks))
    name = escape(one_line(document.title or document.path))
    return f'<h1>{name}</h1><p class="told">{escape(one_line(told))}</p><pre>{pieces}</pre>'


def _pieces(document: Document, chunks: Sequence[Chunk]) -> Iterator[str]:
    """The document's text, a span for each stretch that is in the same chunks."""
    borders = {0, len(document.text)} | {at for chunk in chunks for at in (chunk.start, chunk.end)}
    first = 0
    for start, end in pairwise(sorted(borders)):
        text = escape(safe(document.text[start:end]))
        while first < len(chunks) and chunks[first].end <= start:
            first += 1
        holding = []
        for chunk in chunks[first:]:
            if chunk.start > start:
                break
            holding.append(chunk)
        if not holding:
            yield text
            continue
        kind = "both" if len(holding) > 1 else f"c{holding[0].ordinal % _COLOURS}"
        begins = [str(chunk.ordinal + 1) for chunk in holding if chunk.start == start]
        mark = f' data-n="{begins[-1]}"' if begins else ""
        hover = escape("\n".join(_told(document, chunk) for chunk in holding))
        yield f'<span class="c {kind}{" n" if begins else ""}"{mark} title="{hover}">{text}</span>'


def _told(document: Document, chunk: Chunk) -> str:
    lines = [
        f"chunk {chunk.ordinal + 1}, {chunk.tokens} tokens",
        " > ".join(map(one_line, chunk.heading)),
        chunk_place(document, chunk),
        f"context: {one_line(chunk.written)}" if chunk.written else "",
        f"lead: {one_line(chunk.lead)}" if chunk.lead else "",
    ]
    return "\n".join(line for line in lines if line)
