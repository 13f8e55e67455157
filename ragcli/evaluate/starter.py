"""Questions to begin with, made from what is indexed: headings and sentences that lead to one document.

They are known items, to be corrected by hand: whoever asks in the words of the document is
answered by words alone more often than people are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ragcli.analyze import ENGLISH
from ragcli.disk import replace_text
from ragcli.errors import UsageError
from ragcli.search.signals import code_share
from ragcli.sentences import sentence_spans
from ragcli.types import Chunk

Maker = Literal["heading", "sentence", "llm"]
# Inverse document frequency of each term of a text.
Weigh = Callable[[str], Mapping[str, float]]

QUERIES, QRELS = "queries.jsonl", "qrels.tsv"

_WORDS = (5, 40)
_HAN_CHARACTERS = (10, 80)
_LONGEST_RUN = 40
_MOST_CODE = 0.06
_RAREST = 4  # terms that tell how distinctive a text is

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
# What stands before a list item, a quotation, or the cell of a table that was written out.
_MARK = re.compile(r"^(?:[-*+•>]\s+|\d{1,3}[.)、]\s+)*(?:[A-Z]\w{1,20}: (?=[A-Z]))?")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_CITED = re.compile(r"\s*\[\d{1,3}\](?!\()")
_EMPHASIS = re.compile(r"[*`]|(?<!\w)_+|_+(?!\w)")
_WHOLE = re.compile(r"[.!?][\"'”’)\]]*$|[。！？][”’」』）]*$")
_OPENS = re.compile(r"[\"'“‘「『（(]*[A-Z0-9À-Þ\u3400-\u4dbf\u4e00-\u9fff]")
# A sentence that begins so leans on the one before it.
_LEANS = re.compile(
    r"(?:It|Its|This|That|These|Those|They|Their|He|She|His|Her|We|You|However|But|And|Or|So|Then|Thus|Also|"
    r"Therefore|Otherwise|Both|Such|Here|There|If so)\b|[它他她这那其该此但而且也则]|因此|所以|然后|否则|另外|同时"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that leads to the document of a chunk; ``parts`` stand in the passage word for word."""

    text: str
    made: Maker
    chunk: str
    parts: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Made:
    """A question, the judged id of the document that answers it, and the chunk that it came from."""

    text: str
    made: Maker
    document: str
    chunk: str


def candidates(
    chunks: Sequence[Chunk], title: str, weigh: Weigh, rare: float
) -> dict[Maker, list[Candidate]]:
    """Headings and sentences of one document by how rare their words are, the rarest first.

    A term is rare whose weight is at least ``rare``. A sentence holds two such terms, is whole,
    stands by itself and is no code; a heading holds one and says more than the title. A heading
    of common words alone goes with the title before it.
    """
    sentences: dict[str, Candidate] = {}
    headings: dict[str, Candidate] = {}
    for chunk in chunks:
        for text in _sentences(chunk.text):
            score, count = _distinction(text, weigh, rare)
            if count >= 2:
                sentences.setdefault(text, Candidate(text, "sentence", chunk.id, (text,), score))
        if chunk.heading and (found := _heading(chunk, title, weigh, rare)):
            headings.setdefault(found.text, found)
    return {
        "heading": sorted(headings.values(), key=lambda found: (-found.score, found.text)),
        "sentence": sorted(sentences.values(), key=lambda found: (-found.score, found.text)),
    }


def _sentences(text: str) -> Iterator[str]:
    """Sentences that can be asked as they are, without markup."""
    for start, end in sentence_spans(text):
        raw = text[start:end]
        if raw.startswith(("#", "|", "```", "~~~")) or "://" in raw:
            continue
        plain = _plain(_MARK.sub("", raw))
        if not _WHOLE.search(plain) or not _OPENS.match(plain) or _LEANS.match(plain):
            continue
        # The one is code, the other begins or ends in the middle of something.
        if code_share(plain) > _MOST_CODE or not _balanced(plain):
            continue
        han = len(_HAN.findall(plain))
        words = plain.split()
        length, (least, most) = (han, _HAN_CHARACTERS) if han > len(words) else (len(words), _WORDS)
        # A run without white space is an address or a key, but for Chinese.
        if least <= length <= most and (han or max(map(len, words)) <= _LONGEST_RUN):
            yield plain


def _balanced(text: str) -> bool:
    return all(
        text.count(left) == text.count(right) for left, right in ("()", "（）", "“”", "「」", "《》", "[]")
    )


def _heading(chunk: Chunk, title: str, weigh: Weigh, rare: float) -> Candidate | None:
    heading, title = _plain(chunk.heading[-1]), _plain(title)
    if not _terms(heading) - _terms(title):
        return None
    for text, parts in ((heading, (heading,)), (f"{title}: {heading}", (title, heading))):
        score, count = _distinction(text, weigh, rare)
        if count and len(_terms(text)) >= 2 and all(parts):
            return Candidate(text, "heading", chunk.id, parts, score)
    return None


def _distinction(text: str, weigh: Weigh, rare: float) -> tuple[float, int]:
    """Mean weight of the rarest terms of a text, and how many are rare."""
    # What the index holds of Chinese is cut otherwise where nothing is netted.
    held = set(ENGLISH(text))
    weights = sorted((weight for term, weight in weigh(text).items() if term in held), reverse=True)
    rarest = weights[:_RAREST]
    return sum(rarest) / _RAREST, sum(weight >= rare for weight in weights)


def _terms(text: str) -> set[str]:
    return {term for forms in ENGLISH.words(text) for term in forms}


def _plain(text: str) -> str:
    """A text on one line, without the marks of Markdown."""
    return " ".join(_EMPHASIS.sub("", _CITED.sub("", _LINK.sub(r"\1", text))).split())


def folded(text: str) -> str:
    """A text as it is looked for in passages: without markup, white space and case."""
    return "".join(_plain(text).casefold().split())


def write_starter(folder: Path, questions: Sequence[Made], *, force: bool) -> None:
    """Write questions and judgements in the BEIR layout; each question says where it came from.

    Raises ``UsageError`` as :func:`check_starter` does, and where they cannot be written.
    """
    check_starter(folder, force=force)
    queries, qrels = [], ["query-id\tcorpus-id\tscore"]
    width = len(str(len(questions)))
    for number, question in enumerate(questions, 1):
        name = f"q{number:0{width}}"
        entry = {
            "_id": name,
            "text": question.text,
            "made": question.made,
            "chunk": question.chunk,
            "document": question.document,
        }
        queries.append(json.dumps(entry, ensure_ascii=False))
        qrels.append(f"{name}\t{question.document}\t1")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, lines in ((QUERIES, queries), (QRELS, qrels)):
            replace_text(folder / file, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror or error}") from error


def check_starter(folder: Path, *, force: bool) -> None:
    """Raise ``UsageError`` where questions would replace something, unless by ``force``."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder; name one for {QUERIES} and {QRELS}")
    there = [folder / file for file in (QUERIES, QRELS) if (folder / file).exists()]
    if there and not force:
        raise UsageError(f"{there[0]} exists already; choose another folder or add --force")
