"""The records that travel between the rooms: frozen, slotted, and known to everyone.

Vectors travel beside them as float32 arrays of shape (n, dim).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

BlockKind = Literal["heading", "paragraph", "list", "table", "caption", "code"]
Mode = Literal["hybrid", "dense", "lexical"]
Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Block:
    """One structural unit of a document.

    ``start`` and ``end`` are a span of ``Document.text`` (end exclusive). Blocks are in order,
    do not overlap, and leave nothing but white space uncovered. ``level`` is 1 for a top
    heading and 0 for everything that is not a heading; ``label`` is a heading's words without
    its markup. ``head`` is where that part of a block ends without which no other part can be
    understood (the header rows of a table, the signature of a function); 0 where there is none.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    label: str = ""
    head: int = 0


@dataclass(frozen=True, slots=True)
class PlaceMap:
    """Where the characters of an extracted text come from: lines or pages of the source.

    ``starts[i]`` is the offset in the text at which place ``places[i]`` (1-based) begins; both
    ascend, but for lines that are rows of sheets: those begin anew on each page. ``labels`` are
    what the source itself calls the places (``iv``, a sheet's name), where it does.
    """

    starts: tuple[int, ...]
    places: tuple[int, ...]
    labels: tuple[str, ...] = ()

    def at(self, offset: int) -> int:
        """The place of the character at ``offset``; before the first start, the first place."""
        return self.places[max(0, bisect_right(self.starts, offset) - 1)]

    def label_at(self, offset: int) -> str:
        """What the source calls that place; empty where it has no name of its own."""
        return self.labels[max(0, bisect_right(self.starts, offset) - 1)] if self.labels else ""

    def over(self, start: int, end: int) -> tuple[int, int]:
        """First and last place of the span ``[start, end)``."""
        return self.at(start), self.at(max(start, end - 1))


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it was read: its text, its structure and where both come from.

    ``id`` is unique within an index: ``path``, or ``path#record`` for a record of a collection.
    ``file`` is the file it was read from: ``path``, unless that leads on into an archive or a
    letter (``papers.zip/2024/a.pdf``).
    ``text`` has LF line ends and no control characters but LF and tab. ``sha256`` is that of the
    bytes (of the file, or of the record's line) and ``modified`` is ISO 8601 in UTC.
    """

    id: str
    path: str
    record: str | None
    title: str
    format: str
    language: str
    text: str
    blocks: tuple[Block, ...]
    lines: PlaceMap | None
    pages: PlaceMap | None
    sha256: str
    modified: str
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    file: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Something of the input that could not be taken: a file, or one line of a collection.

    ``error`` is a short stable word for scripts (``encrypted``, ``damaged``, ``bad-line`` …),
    ``message`` one line for people.
    """

    path: str
    error: str
    message: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: ``text`` is exactly ``document.text[start:end]``.

    ``lead`` are words from before (or, a caption, from behind) the text without which it cannot
    be understood: the header rows of a table, what introduces a list, a function's signature.
    ``context`` is what is embedded and searched together with the text (title, headings, lead),
    and so is ``written``, what an LLM wrote of where it belongs, kept under the key ``situation``.
    ``tokens`` is the length of all of that as the embedding model counts it, without its special
    tokens. ``page_label`` is what the source calls the page. ``masked`` is what is embedded in place
    of all of that, where secrets were replaced in it.
    """

    id: str
    document: str
    ordinal: int
    start: int
    end: int
    text: str
    context: str
    heading: tuple[str, ...]
    page: int | None
    lines: tuple[int, int] | None
    tokens: int
    lead: str = ""
    page_label: str = ""
    masked: str = ""
    written: str = ""
    situation: str = ""

    @property
    def embedded_text(self) -> str:
        """Context, what was written, and text: what is searched by words and, unless it was masked, embedded."""
        return "\n".join(part for part in (self.context, self.written, self.text) if part)

    @property
    def sent_text(self) -> str:
        """The text whose vector stands for this chunk."""
        return self.masked or self.embedded_text


@dataclass(frozen=True, slots=True)
class Score:
    """Rank (1-based) and raw score in one result list."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found, with what each list and the fusion said of it."""

    rank: int
    id: str
    document: str
    record: str | None
    path: str
    title: str
    heading: tuple[str, ...]
    page: int | None
    lines: tuple[int, int] | None
    span: tuple[int, int]
    text: str
    score: float
    lexical: Score | None = None
    dense: Score | None = None
    fused: float = 0.0
    rerank: float | None = None
    # How well it supports the question, between 0 and 1, where that was asked for.
    evidence: float | None = None
    # Chunks that a passage was merged from, in order, and worse hits that say the same.
    chunks: tuple[str, ...] = ()
    duplicates: tuple[Hit, ...] = ()
    # As a chunk has them.
    lead: str = ""
    page_label: str = ""
    # In what ways it reads like instructions to a model.
    flags: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """``path:first-last`` or ``path, page N``: where a reader finds the passage."""
        return place(self.path, self.page, self.lines, self.page_label)


# What a page is called, by the ending of the file.
_PAGES = {
    "sheet": "xls xlsb xlsm xlsx xlt xltm xltx xlw ods ots fods",
    "slide": "ppt pptm pptx pps ppsm ppsx pot potm potx odp otp fodp",
    "cell": "ipynb",
}


def place(path: str, page: int | None, lines: tuple[int, int] | None, label: str = "") -> str:
    """Write a place the way compilers and grep do: ``path:12``, ``path:12-15``, ``path, page 3``.

    Pages are called what they are: ``deck.pptx, slide 3``, ``book.xlsx, sheet 2 (Sales), rows 5-9``.
    ``label`` is the source's own name of the page: ``paper.pdf, page 12 (iv)``.
    """
    if page is None:
        return path if lines is None else f"{path}:{_range(lines)}"
    suffix = path.rpartition(".")[2].lower()
    kind = next((word for word, suffixes in _PAGES.items() if suffix in suffixes.split()), "page")
    where = f"{path}, {kind} {page}"
    if label not in ("", str(page), f"{kind} {page}"):
        where += f" ({label})"
    if lines is None:
        return where
    unit = "row" if kind == "sheet" else "line"
    return f"{where}, {unit}{'' if lines[0] == lines[1] else 's'} {_range(lines)}"


def _range(lines: tuple[int, int]) -> str:
    first, last = lines
    return str(first) if first == last else f"{first}-{last}"


@dataclass(frozen=True, slots=True)
class Source:
    """A numbered passage as it stands in a prompt; ``text`` may hold several adjacent hits' words."""

    n: int
    hit: Hit
    tokens: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent to a generator: its instructions, the numbered sources and the question.

    ``context`` is the sources alone, ready to be piped elsewhere; ``tokens`` counts the whole
    prompt and is an estimate unless ``exact``.
    """

    question: str
    system: str
    context: str
    user: str
    sources: tuple[Source, ...]
    tokens: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in the answer that names source ``n``.

    ``quote`` is the passage of the source that carries the cited sentence, or comes nearest to
    it; ``verified`` says that it bears the sentence out. ``support``, between 0 and 1, is the share
    of the sentence's words that it has (1 when it stands there word for word), and ``reason`` what
    speaks against it: ``number``, ``name``, ``negation``, ``words``, ``quote``, or nothing.
    """

    n: int
    hit: Hit
    quote: str
    lines: tuple[int, int] | None
    verified: bool
    support: float = 1.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer without its citations, and whether one of those bears it out.

    ``reason`` is why not: ``uncited``, ``refusal`` (it says that the sources do not say), or what
    speaks against its citations.
    """

    text: str
    citations: tuple[int, ...]
    verified: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent to write an answer, and where.

    ``to`` is a host with its port, or a command; ``leaves`` whether that is, or may be, another
    machine. ``masked`` and ``secrets`` count the different secrets that were replaced and those
    that were not, by kind. ``question_to`` is the service that embedded the question, if one did.
    """

    to: str | None
    leaves: bool
    sources: int
    tokens: int
    exact: bool
    characters: int
    documents: tuple[str, ...]
    masked: Mapping[str, int]
    secrets: Mapping[str, int]
    question_to: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and its evidence. ``answered`` is False when the sources do not say.

    ``sentences`` are those that claim something, in order: headings and the like are not there.
    """

    question: str
    answered: bool
    text: str
    citations: tuple[Citation, ...]
    llm: str
    usage: Mapping[str, float]
    hits: Sequence[Hit]
    sent: Sent | None = None
    sentences: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One question of a conversation and its answer.

    ``standalone`` is the question as it can be understood by itself; ``cited`` are the sentences
    quoted from the sources, ``chunks`` the ids of the passages they stand in.
    """

    question: str
    standalone: str
    answer: str
    cited: tuple[str, ...] = ()
    chunks: tuple[str, ...] = ()
