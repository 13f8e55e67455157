"""References: the very characters that answer a question, and where they lie in what was indexed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragcli.errors import UsageError
from ragcli.evaluate.judgements import lines_of
from ragcli.jsontext import parse_json
from ragcli.load.source import clean

# No text is longer; also keeps what is added up exact.
_LONGEST = 1 << 40


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``[start, end)`` of a document's text: a reference, or a passage that was found."""

    document: str
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def overlaps(self, other: Span) -> bool:
        """Whether they share a character."""
        return self.document == other.document and self.start < other.end and other.start < self.end

    def __str__(self) -> str:
        return f"{self.document} {self.start}-{self.end}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference as it was given; ``quote`` is the text that should stand there, where it is known."""

    span: Span
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class Located:
    """References by question, with offsets in the extracted texts.

    ``lost`` tells of each that cannot be found in its document's text, and so is not among them.
    """

    spans: Mapping[str, Sequence[Span]]
    lost: Sequence[str] = ()


def read_references(path: Path) -> dict[str, list[Reference]]:
    """Read ``spans.jsonl``: objects with ``query-id``, ``doc``, ``start``, ``end`` (exclusive), ``text``.

    Offsets count characters (code points) of the document; ``text`` may be left out. Raises
    ``UsageError`` with the line.
    """
    references: dict[str, list[Reference]] = {}
    for number, line in enumerate(lines_of(path), 1):
        if not line.strip():
            continue
        try:
            entry = parse_json(line)
            query, reference = str(entry["query-id"]), _reference(entry)
            f"{query}{reference.span.document}".encode()  # halves of surrogate pairs cannot be written again
        except (ValueError, KeyError, TypeError, AttributeError):
            told = "not an object with query-id, doc, start and end, where start is below end"
            raise UsageError(f"{path}:{number}: {told}") from None
        references.setdefault(query, []).append(reference)
    if not references:
        raise UsageError(f"{path}: no references in it")
    return references


def _reference(entry: Mapping[str, object]) -> Reference:
    start, end, quote = entry["start"], entry["end"], entry.get("text")
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= _LONGEST:
        raise ValueError("no range")
    if not isinstance(entry["doc"], str | int) or not isinstance(quote, str | None):
        raise ValueError("no name or no text")
    return Reference(
        Span(str(entry["doc"]), start, end), quote if quote and clean(quote).text.strip() else None
    )


def locate(references: Mapping[str, Sequence[Reference]], text_of: Callable[[str], str | None]) -> Located:
    """References with offsets in the texts that were indexed, which ``text_of`` gives by judged name.

    An extracted text is not always the source: line ends, front matter and markup may have gone
    from it. Offsets are taken as they are where the quote stands there, white space aside (without
    a quote: where the text is long enough). Otherwise the quote is looked for, and taken where it
    stands exactly once: of several places none is known to be the one that was meant. A reference in
    a document of which there is no text keeps its offsets: nothing of it will be found.
    """
    texts: dict[str, _Text | None] = {}
    spans: dict[str, list[Span]] = {}
    lost: list[str] = []
    for query, given in references.items():
        for reference in given:
            name = reference.span.document
            if name not in texts:
                text = text_of(name)
                texts[name] = None if text is None else _Text(text)
            known = texts[name]
            found = reference.span if known is None else known.find(reference)
            if found is None:
                lost.append(f"{query}: {reference.span}")
            else:
                spans.setdefault(query, []).append(found)
    return Located(spans, lost)


class _Text:
    """A text to look references up in; made ready for a search only where offsets alone do not do."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._dense = ""
        self._places: list[int] = []

    def find(self, reference: Reference) -> Span | None:
        span, quote = reference.span, reference.quote
        within = span.end <= len(self._text)
        if quote is None:
            return span if within else None
        wanted = _without_space(clean(quote).text)
        if within and _without_space(self._text[span.start : span.end]) == wanted:
            return span
        if not self._places:
            self._places = [at for at, character in enumerate(self._text) if not character.isspace()]
            self._dense = "".join(self._text[at] for at in self._places)
        first = self._dense.find(wanted)
        if first < 0 or self._dense.find(wanted, first + 1) >= 0:
            return None
        last = first + len(wanted) - 1
        return Span(span.document, self._places[first], self._places[last] + 1)


def _without_space(text: str) -> str:
    return "".join(text.split())
