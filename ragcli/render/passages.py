"""Hits and answers for a person to read."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from ragcli.analyze import Analyzer
from ragcli.render.terminal import Terminal, one_line, safe
from ragcli.types import Answer, Citation, Hit, place

# How much of a passage a list of hits shows; `rag show ID` prints the whole.
_SNIPPET = 320
# Headings stand in the line above a snippet already.
_HEADINGS = re.compile(r"\A(?:#{1,6} .*\n\s*)+")


def display_path(path: str, home: Path) -> str:
    """A path of the index as it is typed from the current folder."""
    file = home / path
    try:
        relative = os.path.relpath(file)
    except ValueError:  # another drive on Windows
        return str(file)
    shorter = relative if not relative.startswith(os.path.join("..", "..")) else str(file)
    return shorter.replace(os.sep, "/")


def hit_place(hit: Hit, home: Path) -> str:
    """Where a hit stands, as it is typed from the current folder."""
    return place(display_path(hit.path, home), hit.page, hit.lines, hit.page_label)


def print_hits(
    terminal: Terminal, hits: Sequence[Hit], query: str, home: Path, analyze: Analyzer, *, explain: bool
) -> None:
    """A list of hits: place, headings, the part of the passage nearest to the question's words."""
    words = set(analyze(query))
    for hit in hits:
        head = [
            (f"{hit.rank}  ", "bold"), (one_line(hit_place(hit, home)), _link(terminal, hit, home)),
        ]  # fmt: skip
        trail = " > ".join(dict.fromkeys(part for part in (hit.title, *hit.heading) if part))
        if trail:
            head.append((f"  {one_line(trail)}", "dim"))
        head.append((f"  {hit.score:.3f}", "cyan"))
        if hit.flags:
            head.append(("  looks like instructions", "bold red"))
        terminal.line(*head, (f"  {hit.id}", "dim"))
        if explain:
            terminal.line((f"   {explanation(hit)}", "magenta"))
        if hit.lead:
            terminal.line((f"   {lead_line(hit.lead)}", "dim"))
        if hit.chunks:
            shown = safe(hit.text.strip()).replace("\n", "\n   ")
        else:
            shown = snippet(_HEADINGS.sub("", hit.text) or hit.text, words, analyze)
        terminal.line(("   ", ""), *(_marked(shown, words, analyze) if terminal.styled else [(shown, "")]))
        for copy in hit.duplicates:
            terminal.line((f"   also {one_line(hit_place(copy, home))}", "dim"))


def lead_line(lead: str) -> str:
    """A lead on one line that shows that it is no part of the passage."""
    flat = one_line(lead)
    return f"{flat if len(flat) <= _SNIPPET else flat[:_SNIPPET].rsplit(' ', 1)[0]} …"


def written_line(written: str) -> str:
    """What an LLM wrote of a chunk, on one line that shows that it is no part of the passage."""
    return f"({one_line(written)})"


def explanation(hit: Hit) -> str:
    """What each list said of a hit and what fusion made of it."""
    parts = []
    for name, score in (("lexical", hit.lexical), ("dense", hit.dense)):
        parts.append(f"{name} #{score.rank} {score.score:.4f}" if score else f"{name} –")
    parts.append(f"fused {hit.fused:.4f}")
    if hit.rerank is not None:
        parts.append(f"rerank {hit.rerank:.4f}")
    if hit.evidence is not None:
        parts.append(f"evidence {hit.evidence:.3f}")
    return ", ".join(parts)


def snippet(text: str, words: set[str], analyze: Analyzer) -> str:
    """At most some 320 characters around the lines that hold most of the words; cuts are marked."""
    flat = one_line(text)
    if len(flat) <= _SNIPPET:
        return flat
    pieces = [match.span() for match in re.finditer(r"[^.!?。！？；]+[.!?。！？；]*\s*", flat)]
    best = max(
        range(len(pieces)),
        key=lambda i: (len(words & set(analyze(flat[pieces[i][0] : pieces[i][1]]))), -i),
        default=0,
    )
    start = pieces[best][0] if pieces else 0
    start = max(0, min(start, len(flat) - _SNIPPET))
    if start and not flat[start - 1].isspace():
        space = flat.find(" ", start, start + 40)
        start = space + 1 if space >= 0 else start
    end = min(len(flat), start + _SNIPPET)
    if end < len(flat):
        space = flat.rfind(" ", end - 40, end)
        end = space if space > start else end
    return ("…" if start else "") + flat[start:end].strip() + ("…" if end < len(flat) else "")


def _marked(text: str, words: set[str], analyze: Analyzer) -> list[tuple[str, str]]:
    """Pieces of a text, those in the question's words with a style."""
    marked = []
    at = 0
    for match in re.finditer(r"[^\W_]+", text):
        if words & set(analyze(match.group())):
            marked += [(text[at : match.start()], ""), (match.group(), "bold yellow")]
            at = match.end()
    return [*marked, (text[at:], "")]


def _link(terminal: Terminal, hit: Hit, home: Path) -> str:
    """A style that makes the place a hyperlink where the terminal knows them."""
    if not terminal.styled:
        return ""
    target = (home / hit.path).absolute()
    while not target.exists() and target != target.parent:  # what lies within a file is no file
        target = target.parent
    return f"green link {target.as_uri()}"


def print_doubt(terminal: Terminal) -> None:
    """The mark behind a sentence that its sources do not confirm."""
    if terminal.styled:
        terminal.line((" (unverified)", "dim"), end="")
    else:
        terminal.piece(" [?]")


def print_answer(terminal: Terminal, answer: Answer, home: Path) -> None:
    """The sources that an answer cites, one line each, under the answer that was streamed before."""
    terminal.out()
    terminal.out()
    places: dict[int, dict[str, Citation]] = {}
    for citation in answer.citations:
        where = place(
            display_path(citation.hit.path, home), citation.hit.page, citation.lines, citation.hit.page_label
        )
        if citation.hit.record is not None:
            where += f" ({citation.hit.record})"
        places.setdefault(citation.n, {}).setdefault(one_line(where), citation)
    for number, cited in sorted(places.items()):
        line = [(f"[{number}] ", "")]
        for at, (where, citation) in enumerate(cited.items()):
            line += [(", " if at else "", ""), (where, _link(terminal, citation.hit, home))]
        if title := one_line(next(iter(cited.values())).hit.title):
            line.append((f"  {title}", "dim"))
        terminal.line(*line)
    if any(sentence.reason not in ("", "refusal") for sentence in answer.sentences):
        terminal.note("note: the sources do not confirm what is marked; --strict leaves it out")


def sent_note(answer: Answer, question_to: str | None) -> str:
    """What was sent where to write an answer, in a line or two."""
    sent = answer.sent
    lines = []
    if question_to is not None:
        lines.append(f"sent to {one_line(question_to)}: the question, to be embedded")
    if sent is not None:
        kind = "tokens" if sent.exact else "tokens (estimated)"
        told = f"{_several(sent.sources, 'source')}, {sent.tokens} {kind}, {_several(sent.characters, 'character')}"
        names = ", ".join(one_line(name) for name in sent.documents)
        kinds = ", ".join(f"{count} {kind}" for kind, count in (sent.masked or sent.secrets).items())
        secrets = f"; secrets {'masked' if sent.masked else 'not masked'}: {kinds}" if kinds else ""
        where = one_line(sent.to or "")
        if not sent.leaves:
            where += ", on this machine"
        lines.append(f"sent to {where}: {told}, of {names}{secrets}")
    return "\n".join(lines) or "nothing left this machine"


def _several(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def passage(text: str) -> str:
    """A passage's text for the screen."""
    return safe(text)
