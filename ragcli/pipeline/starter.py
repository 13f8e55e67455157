"""A first set of judged questions, made from an index and spread over its documents."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ragcli.analyze import ENGLISH
from ragcli.catalog import StoredChunk
from ragcli.errors import IndexMissing, ModelUnavailable
from ragcli.evaluate import judged_names
from ragcli.evaluate.starter import Candidate, Made, Maker, candidates, folded
from ragcli.pipeline.index import Index
from ragcli.search import make_hit
from ragcli.settings import Settings
from ragcli.store import LexicalStore

# Chunks of one document that are looked at.
_LOOKED_AT = 60
# Passages in which a text is looked for, to leave out what stands in another document too.
_COMPARED = 20
# Share of the chunks that may hold a rare word, and how many may in any case.
# A heading's words stand in every chunk below it.
_RARE_SHARE, _RARE_AT_LEAST = 0.05, 4
# Fewer index terms are no passage to ask an LLM for.
_LEAST_TERMS = 12
# Passages an LLM is asked for, as a multiple of the questions wanted: one that never answers ends.
_MOST_ASKED = 3


@dataclass(slots=True)
class Starter:
    """The questions made, how many passages gave none that could be read, and what stopped the LLM."""

    questions: list[Made] = field(default_factory=list)
    skipped: int = 0
    failure: str | None = None

    @property
    def documents(self) -> int:
        """How many documents the questions are spread over."""
        return len({question.document for question in self.questions})

    def count(self, made: Maker) -> int:
        """How many questions were made in a way."""
        return sum(question.made == made for question in self.questions)


def make_questions(folder: Path, settings: Settings, count: int, advance: Callable[[int], None]) -> Starter:
    """Make up to ``count`` questions from the index in ``folder``, by the LLM that is set or from its words.

    Every document gives one before any gives a second; their order is that of a hash of their
    names, so the same index gives the same questions. An LLM that fails after it wrote some
    leaves those. Raises ``ModelUnavailable`` where it fails at once.
    """
    with Index.open(folder, settings) as index:
        if index.model() is None or not index.catalog.chunk_count:
            raise IndexMissing(f"the index at {index.folder} is empty; fill it with `rag index PATH`")
        with index.consistent(dense=False) as (lexical, _):
            names = _judged(index)
            if settings.llm == "none":
                return _from_words(index, lexical, names, count, advance)
            every = {
                document: index.catalog.chunks_of(document)
                for document in _spread(names, 2 * _MOST_ASKED * count)
            }
    return _from_llm(every, names, settings, count, advance)


def lies_in_index(folder: Path, settings: Settings, files: Path) -> bool:
    """Whether a folder lies in one that is indexed, so that what is written there will be, too."""
    with Index.open(folder, settings) as index:
        name = index.name_of(files)
        return any(index.under(root)(name) is not None for root in index.catalog.roots())


def _judged(index: Index) -> dict[str, str]:
    """The judged id of every document that one can mean in a file of lines and tabs."""
    documents = index.catalog.document_names()
    own = {document: path if record is None else record for document, path, record in documents}
    plain = {name for name in own.values() if name.strip() and not set(name) & set("\t\n\r")}
    means = judged_names(plain, documents)
    return {document: name for document, name in own.items() if means.get(document) == name}


def _spread(names: dict[str, str], most: int | None = None) -> list[str]:
    return sorted(names, key=_order)[:most]


def _order(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()


def _from_words(
    index: Index, lexical: LexicalStore, names: dict[str, str], count: int, advance: Callable[[int], None]
) -> Starter:
    total = index.catalog.chunk_count
    most = max(_RARE_AT_LEAST, total * _RARE_SHARE)
    rare = math.log(1 + (total - most + 0.5) / (most + 0.5)) if total > most else 0.0
    starter = Starter()
    seen: set[str] = set()

    def texts(document: str) -> Iterator[Candidate]:
        stored = index.catalog.chunks_of(document)
        stored = stored[:: max(1, -(-len(stored) // _LOOKED_AT))]
        title = stored[0].title if stored else ""
        found = candidates([each.chunk for each in stored], title, lexical.weights, rare)
        first: tuple[Maker, Maker] = ("heading", "sentence")
        for candidate in _alternating(found, first if _order(document)[0] % 2 else first[::-1]):
            if folded(candidate.text) not in seen and not _elsewhere(index, lexical, candidate, document):
                yield candidate

    queue = [(document, texts(document)) for document in _spread(names)]
    while queue and len(starter.questions) < count:
        left = []
        for document, own in queue:
            if len(starter.questions) == count:
                break
            if (candidate := next(own, None)) is None:
                continue
            seen.add(folded(candidate.text))
            starter.questions.append(Made(candidate.text, candidate.made, names[document], candidate.chunk))
            advance(len(starter.questions))
            left.append((document, own))
        queue = left
    return starter


def _alternating(found: dict[Maker, list[Candidate]], order: Sequence[Maker]) -> Iterator[Candidate]:
    """The best of either kind in turn, as long as there are any; one a chunk."""
    used: set[str] = set()
    lists = [list(found[made]) for made in order]
    while any(lists):
        for own in lists:
            while own:
                candidate = own.pop(0)
                if candidate.chunk not in used:
                    used.add(candidate.chunk)
                    yield candidate
                    break


def _elsewhere(index: Index, lexical: LexicalStore, candidate: Candidate, document: str) -> bool:
    """Whether another document says the same, so that the question would not mean one."""
    parts = [folded(part) for part in candidate.parts]
    near = [name for name, _ in lexical.search(lexical.analyze.question(candidate.text), _COMPARED)]
    for stored in index.catalog.chunks(near).values():
        text = folded(stored.chunk.embedded_text)
        if stored.chunk.document != document and all(part in text for part in parts):
            return True
    return False


def _from_llm(
    every: dict[str, list[StoredChunk]],
    names: dict[str, str],
    settings: Settings,
    count: int,
    advance: Callable[[int], None],
) -> Starter:
    from ragcli.answer import write_question
    from ragcli.budget import counter_for
    from ragcli.pipeline.llm import open_llm

    generator = open_llm(settings)
    if generator is None:
        raise ValueError("no LLM is set")
    ranks = settings.tiktoken_ranks
    counter = counter_for(settings.llm, ranks=Path(ranks) if ranks else None)
    starter = Starter()
    seen: set[str] = set()
    for asked, stored in enumerate(_passages(every)):
        if len(starter.questions) == count or asked == _MOST_ASKED * count:
            break
        try:
            text = write_question(generator, make_hit(stored, 1, 0.0, None, None), counter)
        except ModelUnavailable as error:
            if not starter.questions:
                raise
            starter.failure = str(error)
            break
        if text is None or folded(text) in seen:
            starter.skipped += 1
            continue
        seen.add(folded(text))
        starter.questions.append(Made(text, "llm", names[stored.chunk.document], stored.chunk.id))
        advance(len(starter.questions))
    return starter


def _passages(every: dict[str, list[StoredChunk]]) -> Iterator[StoredChunk]:
    """A passage of every document, then a second one; within a document in the order of a hash."""
    queue = [iter(sorted(stored, key=lambda each: _order(each.chunk.id))) for stored in every.values()]
    while queue:
        left = []
        for own in queue:
            passage = next((each for each in own if len(set(ENGLISH(each.chunk.text))) >= _LEAST_TERMS), None)
            if passage is not None:
                yield passage
                left.append(own)
        queue = left
