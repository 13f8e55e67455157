"""The chunks of a file on the screen: ruled off from each other on a terminal, plain in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ragcli.render.passages import lead_line, written_line
from ragcli.render.terminal import Terminal, one_line, safe
from ragcli.types import Chunk, Document, place

if TYPE_CHECKING:
    from rich.text import Text

CutDocuments = Sequence[tuple[Document, Sequence[Chunk]]]


def print_chunks(terminal: Terminal, found: CutDocuments) -> None:
    """All chunks of all documents."""
    for document, chunks in found:
        for before, chunk in zip([None, *chunks], chunks, strict=False):
            if terminal.console.is_terminal:
                _print_ruled(terminal, document, chunk, before.end if before else chunk.start)
            else:
                _print_plain(terminal, document, chunk)


def chunk_place(document: Document, chunk: Chunk) -> str:
    """Where a chunk stands."""
    return one_line(place(document.path, chunk.page, chunk.lines, chunk.page_label))


def _print_plain(terminal: Terminal, document: Document, chunk: Chunk) -> None:
    trail = " > ".join(chunk.heading)
    terminal.out(f"{chunk_place(document, chunk)}  {chunk.tokens} tokens  {one_line(trail)}".rstrip())
    if chunk.written:
        terminal.out(written_line(chunk.written))
    if chunk.lead:
        terminal.out(lead_line(chunk.lead))
    terminal.out(safe(chunk.text))
    terminal.out()


def _print_ruled(terminal: Terminal, document: Document, chunk: Chunk, seen: int) -> None:
    """A rule that tells number and tokens, place and headings; then the lead and the text.

    What stands before offset ``seen`` is repeated from the chunk before.
    """
    from rich.rule import Rule
    from rich.text import Text

    name = Text(f"{chunk.ordinal + 1} ", style="bold")
    name.append(f" {chunk.tokens} tokens", style="cyan")
    trail = " > ".join(dict.fromkeys(part for part in (document.title, *chunk.heading) if part))
    where = Text(chunk_place(document, chunk), style="green")
    where.append(f"  {one_line(trail)}", style="dim")
    terminal.print(Rule(name, align="left", style="dim"))
    terminal.print(where)
    if chunk.written:
        terminal.print(Text(written_line(chunk.written), style="dim"))
    if chunk.lead:
        terminal.print(Text(f"{safe(chunk.lead)}\n…", style="dim italic"))
    terminal.print(_text(chunk, seen))


def _text(chunk: Chunk, seen: int) -> Text:
    from rich.text import Text

    repeated = max(0, seen - chunk.start)
    text = Text(safe(chunk.text[:repeated]), style="dim")
    text.append(safe(chunk.text[repeated:]), style="not dim")
    return text
