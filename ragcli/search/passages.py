"""Chunks to readable passages: hits that stand near each other in a document become one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import takewhile

from ragcli.catalog import Catalog, StoredChunk
from ragcli.types import Hit

# Most chunks of a passage: one that goes on for pages is no passage.
_MOST = 4
# Hits with one chunk between them make one passage with it.
_STEP = 2


def merge_passages(catalog: Catalog, hits: Iterable[Hit], k: int) -> list[Hit]:
    """At most ``k`` passages, in the order of the best hit of each.

    A passage takes the name and the score of its best hit, the headings that all its chunks stand
    under, and the text of the document from its first chunk to its last, of one page. ``chunks``
    names them in order.
    """
    hits = list(hits)
    places = {hit.id: at for at, hit in enumerate(hits)}
    siblings: dict[str, list[StoredChunk]] = {}
    taken: set[str] = set()
    passages: list[Hit] = []
    for hit in hits:
        if len(passages) == k:
            break
        if hit.id in taken:
            continue
        if hit.document not in siblings:
            siblings[hit.document] = catalog.chunks_of(hit.document)
        chunks = siblings[hit.document]
        first, last = _stretch(chunks, hit.id, places, taken)
        part = chunks[first : last + 1]
        taken.update(stored.chunk.id for stored in part)
        passages.append(_passage(catalog, hit, part, len(passages) + 1))
    return passages


def _stretch(
    chunks: Sequence[StoredChunk], seed: str, places: dict[str, int], taken: set[str]
) -> tuple[int, int]:
    """First and last of the chunks around one that are hits, or between hits, and not yet taken."""
    ids = [stored.chunk.id for stored in chunks]
    first = last = ids.index(seed)
    page = chunks[first].chunk.page

    def joins(start: int, end: int) -> bool:
        part = chunks[start : end + 1]
        return len(part) <= _MOST and all(
            stored.chunk.page == page and stored.chunk.id not in taken for stored in part
        )

    while True:
        near = [
            (places[ids[at]], min(first, at), max(last, at))
            for at in (*range(first - _STEP, first), *range(last + 1, last + 1 + _STEP))
            if 0 <= at < len(ids) and ids[at] in places and joins(min(first, at), max(last, at))
        ]
        if not near:
            return first, last
        _, first, last = min(near)  # towards the better hit


def _passage(catalog: Catalog, best: Hit, part: Sequence[StoredChunk], rank: int) -> Hit:
    chunks = [stored.chunk for stored in part]
    if len(chunks) == 1:
        return replace(best, rank=rank, chunks=(best.id,))
    start, end = min(chunk.start for chunk in chunks), max(chunk.end for chunk in chunks)
    lines = [chunk.lines for chunk in chunks if chunk.lines]
    ids = [chunk.id for chunk in chunks]
    return replace(
        best,
        rank=rank,
        heading=_common([chunk.heading for chunk in chunks]),
        span=(start, end),
        lines=(min(first for first, _ in lines), max(last for _, last in lines)) if lines else None,
        text=catalog.slice_of(best.document, start, end),
        lead=chunks[0].lead,
        chunks=tuple(ids),
        flags=tuple(sorted({kind for kinds in catalog.flags_of(ids).values() for kind in kinds})),
    )


def _common(headings: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The headings that all stand under, from the outermost."""
    levels = list(takewhile(lambda level: len(set(level)) == 1, zip(*headings, strict=False)))
    return tuple(level[0] for level in levels)
