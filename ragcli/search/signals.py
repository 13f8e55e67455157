"""What a question and its first lexical hits tell of how far either side can be trusted.

Each signal is general: it looks at the question, the model's vocabulary and the passages found,
never at which corpus it is. ``benchmarks/ablation.py`` measures each against its absence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# A question of whose words the model's vocabulary covers less than the first share is left to
# the lexical side; from the second share on, the dense side has its full weight.
_UNCOVERED, _COVERED = 0.5, 0.9
# Share of code's own signs among the characters of passages: prose with a few brackets has less
# than the first, program text more than the second.
_PROSE, _CODE = 0.04, 0.08
# How many times the odds of the dense side rise for a question in plain words over program text.
_ODDS_ON_CODE = 4.0

_CODE_SIGN = re.compile(r"[(){}\[\]=<>_;#\\|&*+]")
# fooBar, foo_bar, foo(, foo.bar, foo::bar, E1043, 2nd, and whatever is quoted.
_EXACT = re.compile(r"[a-z][A-Z]|\w_\w|\w\(|\w\.\w|::|[A-Za-z]\d|\d[A-Za-z]|[\"`“「]")


def covered_weight(dense_weight: float, coverage: float) -> float:
    """The dense side's weight for a question of which the model's vocabulary covers a share.

    A model cannot rank by words that it reads as unknown. The weight falls evenly from all of it
    at nine tenths of the words to none of it at half.
    """
    share = (coverage - _UNCOVERED) / (_COVERED - _UNCOVERED)
    return dense_weight * min(1.0, max(0.0, share))


def code_weight(dense_weight: float, query: str, passages: Sequence[str]) -> float:
    """The dense side's weight for a question to ``passages``, the best that its words found.

    Program text holds the words of a question in plain language by chance (``list``, ``file``,
    ``value``), so that there the meaning counts for more. A name or a quotation is meant exactly.
    """
    if not passages or names_exactly(query):
        return dense_weight
    code = sum(map(code_share, passages)) / len(passages)
    part = min(1.0, max(0.0, (code - _PROSE) / (_CODE - _PROSE)))
    odds = float(_ODDS_ON_CODE**part)
    return odds * dense_weight / (1.0 + (odds - 1.0) * dense_weight)


def code_share(text: str) -> float:
    """Part of the characters, spaces left out, that are brackets, operators and the like."""
    length = sum(map(len, text.split()))
    return len(_CODE_SIGN.findall(text)) / length if length else 0.0


def names_exactly(query: str) -> bool:
    """Whether a question holds an identifier, a number with letters, or something in quotes."""
    return _EXACT.search(query) is not None
