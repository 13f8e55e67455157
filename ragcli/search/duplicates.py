"""Passages that say the same in nearly the same words, told once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ragcli.analyze import words_of
from ragcli.types import Hit

# Words of a shingle, and the share of common shingles from which two texts are one
# (resemblance: Broder, On the resemblance and containment of documents, SEQUENCES 1997).
_SHINGLE = 4
_SAME = 0.8


def fold_duplicates(hits: Iterable[Hit]) -> list[Hit]:
    """The hits without those that repeat a better one, which names them as ``duplicates``."""
    kept: list[tuple[Hit, frozenset[tuple[str, ...]]]] = []
    for hit in hits:
        found = shingles(hit.text)
        for at, (better, there) in enumerate(kept):
            if resemblance(found, there) >= _SAME:
                kept[at] = replace(better, duplicates=(*better.duplicates, hit)), there
                break
        else:
            kept.append((hit, found))
    return [replace(hit, rank=rank) for rank, (hit, _) in enumerate(kept, 1)]


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Runs of four words that stand in a text; all its words where it has fewer."""
    words = words_of(text)
    count = max(1, len(words) - _SHINGLE + 1)
    return frozenset(tuple(words[at : at + _SHINGLE]) for at in range(count))


def resemblance(left: frozenset[tuple[str, ...]], right: frozenset[tuple[str, ...]]) -> float:
    """Share of the shingles of two texts that both have, between 0 and 1."""
    return len(left & right) / len(left | right)
