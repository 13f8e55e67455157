"""Whether the words of a source bear out a sentence that says the same otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from ragcli.answer.reading import Reading, Token, differ_in_denial
from ragcli.answer.turned import turned

Reason = Literal["", "number", "name", "negation", "words", "quote"]

# Share of a sentence's words that its source must have. Calibrated by benchmarks/citations.py.
LEAST = 0.6
# Sentences of a source that together may bear out one.
_WINDOW = 3
# What a further sentence in a window costs.
_FURTHER = 0.02
# Words that a replaced piece has at most; longer ones are another way to say it.
_PIECE = 5
# A sentence that has so much of another says it whole, what that denies as well.
_WHOLE = 0.75
# Words of the longest sentence that is looked into; aligning takes the square of them.
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Support:
    """How much of a sentence a source has (``share``, between 0 and 1), where, and what speaks against it."""

    share: float
    first: int
    last: int
    nearest: int
    reason: Reason


NONE = Support(0.0, 0, -1, -1, "words")


def best_support(
    claim: Reading, sentences: Sequence[Reading], about: Reading, least: float = LEAST
) -> Support:
    """What up to three adjacent sentences of a source say of ``claim``, those that say most of it.

    ``about`` is what the source is known to speak of without saying it in each sentence: its
    title, headings and lead. Only names may come from there, and from the sentences before.
    """
    wanted = claim.content
    if not wanted or not sentences or len(claim.tokens) > _LONGEST:
        return NONE
    best, place = -1.0, (0, 0)
    known = [_has(claim, sentence) for sentence in sentences]
    for first in range(len(sentences)):
        have: set[int] = set()
        for last in range(first, min(first + _WINDOW, len(sentences))):
            have |= known[last]
            score = len(have) / len(wanted) - _FURTHER * (last - first)
            if score > best + 1e-9:
                best, place = score, (first, last)
    first, last = place
    window = join(sentences[first : last + 1])
    about = join((about, *sentences[:first]))
    share = share_of(claim, window)
    nearest = max(range(first, last + 1), key=lambda at: (len(known[at]), -at))
    reason = against(claim, window, sentences[nearest], about, share, least)
    for at in range(first, last + 1):
        # What is taken from a sentence that says "not" is denied there.
        if known[at] - known[nearest] and sentences[at].negations() and not claim.negations():
            reason = reason or "negation"
    return Support(share, first, last, nearest, reason)


def against(
    claim: Reading, window: Reading, nearest: Reading, about: Reading, share: float, least: float
) -> Reason:
    """What speaks against a sentence; empty where nothing does."""
    if reason := facts_against(claim, window, about):
        return reason
    if swapped := _swapped(claim, nearest):
        return swapped
    if denies(claim, nearest):
        return "negation"
    if fault := turned(claim, nearest):
        return fault
    return "" if share >= least else "words"


def facts_against(claim: Reading, window: Reading, about: Reading) -> Reason:
    """A number that the window has not, or a name that the source has nowhere."""
    if not _numbers_agree(claim, window):
        return "number"
    return "" if _names_agree(claim, window, about) else "name"


def share_of(claim: Reading, text: Reading) -> float:
    """The share of the claim's words and numbers that a text has; 0 where it has none."""
    return len(_has(claim, text)) / len(claim.content) if claim.content else 0.0


def join(readings: Sequence[Reading]) -> Reading:
    """Several sentences as one."""
    return Reading(
        tuple(token for reading in readings for token in reading.tokens),
        " ".join(reading.flat for reading in readings),
    )


def _has(claim: Reading, text: Reading) -> set[int]:
    """Which of the claim's words that say something a text has."""
    keys = set(text.keys)
    return {at for at, token in enumerate(claim.content) if _stands(token, keys, text.flat)}


def _stands(token: Token, keys: set[str], flat: str) -> bool:
    return token.key in keys or (token.kind == "han" and token.text in flat)


def _numbers_agree(claim: Reading, text: Reading) -> bool:
    keys = set(text.keys)
    if any(token.kind == "figure" and token.firm and token.key not in keys for token in claim.tokens):
        return False
    pairs = text.measured()
    counted = {word for _, word in pairs}
    return all(
        pair in pairs
        or (
            pair[1] not in counted
            and (name or pair[1] in keys or (not pair[1].isascii() and pair[1] in text.flat))
        )
        for pair, name in claim.measured().items()
    )


def _names_agree(claim: Reading, text: Reading, about: Reading) -> bool:
    keys = set(text.keys) | set(about.keys)
    flat = f"{text.flat} {about.flat}"
    return all(_stands(token, keys, flat) for token in claim.tokens if token.name)


def _swapped(claim: Reading, text: Reading) -> Reason:
    """Whether a name or number stands in the place of another one, which is gone.

    Sentences that are put otherwise are aligned badly: only short pieces between equal ones count,
    and only where what stood there is nowhere in the claim.
    """
    ours, theirs = claim.keys, text.keys
    times, flat = Counter(ours), claim.flat
    fewer = {key for key, number in Counter(theirs).items() if times[key] < number}
    for kind, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if kind != "replace" or b - a > _PIECE or d - c > _PIECE:
            continue
        new = [token for token in claim.tokens[a:b] if _telling(token)]
        gone = [
            token
            for token in text.tokens[c:d]
            if _telling(token) and token.key in fewer and not (token.kind == "han" and token.text in flat)
        ]
        if any(token.kind == "han" for token in gone):
            # Out of its sentence a Chinese name may not be known for one.
            new += [t for t in claim.tokens[a:b] if t.kind == "han" and t.content and t.text not in text.flat]
        if new and gone:
            both = {token.kind == "figure" for token in (*new, *gone)}
            if len(both) == 1:
                return "number" if True in both else "name"
    return ""


def _telling(token: Token) -> bool:
    return token.name or (token.kind == "figure" and token.firm)


def denies(claim: Reading, text: Reading) -> bool:
    """Whether one of the two denies a word that the other says plainly."""
    if claim.negations() and not text.negations():
        return True
    if text.negations() and not claim.negations() and share_of(text, claim) >= _WHOLE:
        return True
    ours, theirs = claim.denied(), text.denied()
    mine, yours = set(claim.keys), set(text.keys)
    if any(word in yours and word not in theirs for word in ours):
        return True
    if any(word in mine and word not in ours for word in theirs):
        return True
    return differ_in_denial(claim.flat, text.flat) or differ_in_denial(text.flat, claim.flat)
