"""Below what evidence a passage is merely the nearest: told by the index itself.

Pieces of its own sentences are asked of it, and what answers them, the document that they come from
and copies of it, is not counted. The rest is what this index gives, with this model, to questions
that it does not answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from statistics import median

from ragcli.catalog import Catalog
from ragcli.disk import is_writable, replace_text
from ragcli.jsontext import parse_json
from ragcli.pipeline.index import Index

# Kept beside what is derived from the catalogue, for as long as nothing there changes.
_FILE = "floor.json"
_SAMPLE = 64
# As long as questions are: words, or characters where a text has no spaces.
_WORDS, _CHARACTERS = 10, 20
_LEAST_WORDS = 4
# With fewer there is nothing to measure; where quoted answers are refused unless it is set.
_FEWEST, _DEFAULT = 8, 0.4


@dataclass(frozen=True, slots=True)
class Probe:
    """A piece of a document, to be asked as a question."""

    text: str
    document: str


def floor_of(
    index: Index, mode: str, strongest: Callable[[Probe], float], note: Callable[[str], None]
) -> float:
    """The least evidence of an answer in this index, between 0 and 1.

    ``strongest`` gives the evidence of the best passage for a probe, its own document and copies
    left out. The result is kept until the catalogue changes, where it can be written.
    """
    place = index.place / _FILE
    made_of = [index.catalog.get(key) for key in ("uid", "generation", "signature", "languages")]
    floors: dict[str, float] = {}
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = parse_json(place.read_text("utf-8"))
        if kept["made_of"] == made_of:
            floors = {str(name): float(value) for name, value in kept["floors"].items()}
            if 0.0 <= floors[mode] <= 1.0:
                return floors[mode]
    note("note: measuring what this index finds for questions that it does not answer; kept until it changes")
    # Half of what has no answer finds more: a lower share of answers refused is worth that.
    found = [strongest(probe) for probe in probes(index.catalog)]
    floor = round(median(found), 3) if len(found) >= _FEWEST else _DEFAULT
    if is_writable(index.place):
        with suppress(OSError):  # a full disk: it is measured again
            told = json.dumps({"made_of": made_of, "floors": {**floors, mode: floor}})
            replace_text(place, told, like=index.catalog.path)
    return floor


def probes(catalog: Catalog) -> Iterator[Probe]:
    """Pieces of sentences from chunks spread over the index; the same for the same index."""
    from ragcli.sentences import sentence_spans

    ids = catalog.all_chunk_ids()
    for chunk in ids[:: max(1, len(ids) // _SAMPLE)][:_SAMPLE]:
        for stored in catalog.chunks([chunk]).values():
            text = stored.chunk.text
            pieces = [_piece(text[start:end]) for start, end in sentence_spans(text)]
            pieces = [piece for piece in pieces if piece]
            if pieces:
                yield Probe(pieces[int(chunk[-4:], 16) % len(pieces)], stored.chunk.document)


def _piece(sentence: str) -> str:
    """As much of a sentence as a question has; empty for a short one."""
    words = "".join(sign if sign.isalnum() else " " for sign in sentence).split()
    if sum(map(len, words)) > 4 * len(words) and not sentence.isascii() and len(words) < _LEAST_WORDS:
        run = "".join(words)
        return run[:_CHARACTERS] if len(run) >= _CHARACTERS // 2 else ""
    return " ".join(words[:_WORDS])[: 8 * _WORDS] if len(words) >= _LEAST_WORDS else ""
