"""A sentence as far as it can be checked without a model: its words, numbers, names and negations."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from ragcli.analyze import ENGLISH, STOP_WORDS, tagged_words, words_of
from ragcli.answer.figures import figures, normal

Kind = Literal["figure", "word", "han"]

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3041-\u30ff\uac00-\ud7af\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"(?P<han>[{_HAN}]+)|(?P<word>[^\W_{_HAN}]+(?:[.@_'’+\-][^\W_{_HAN}]+)*)")
_JOINTS = re.compile(r"[-_@+]")
# What stands before the first word of a sentence.
_BEGINS = re.compile(r"(?:\A|[.!?:;\n“\"「(])[\s*_`“\"'‘(#>-]*\Z")
_MARKUP = re.compile(r"[*`\u200b\u2060\ufeff\u00ad]|(?<!\w)_|_(?!\w)")
# Words that say "not" of the word after them.
_DENYING = "not no never neither nor none nobody nothing without cannot hardly scarcely"
_NOT = frozenset(_DENYING.split())
# May stand between the negation and what it denies.
_FILLING = "be been being ever yet also even only really any longer have has had"
_BETWEEN = frozenset(_FILLING.split())
_NOT_HAN = "不没未无非沒無勿莫"
# What may follow that, before the word that is denied: 无法, 不能, 没有.
_MODAL_HAN = "法能可会得曾有再"
# Words of every kind of sentence; names are no such words.
_EVERYWHERE = """
about above according across after again against all along already although among an and another any because became
become before behind below between beyond both could despite during each either else even ever every few first
following further given hence however if including indeed instead into just last later less like many may might more
moreover most much must near nearly neither never nevertheless none nor nothing now off once one only onto other
others otherwise out over own per perhaps rather same several should since some still than therefore though through
throughout thus till together too toward towards two under unless until up upon upwards us very via whereas whether
while whoever whole within without would yes yet your yours also being can cannot does today unlike located known
called named
"""
_PLAIN = STOP_WORDS | frozenset(_EVERYWHERE.split())
_COMMON_ENDING = re.compile(r"(?:ed|ing|ly|tion|sion|ness|ment|ous|ful|less|able|ible)s?$")
# Units by any of their spellings.
_UNITS = {
    spelling: spellings.split()[0]
    for spellings in (
        "m metre metres meter meters", "km kilometre kilometres kilometer kilometers", "kg kilogram kilograms",
        "cm centimetre centimetres centimeter centimeters", "mm millimetre millimetres millimeter millimeters",
        "mi mile miles", "ft foot feet", "h hour hours hr hrs", "min minute minutes", "s sec second seconds",
        "people person persons individuals", "g gram grams", "l litre litres liter liters",
    )
    for spelling in spellings.split()
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """One word or number; ``key`` is what is compared, ``text`` how it stands there in small letters.

    ``joined``: nothing but white space or a hyphen lies between it and the token before.
    """

    kind: Kind
    key: str
    text: str
    name: bool = False
    content: bool = True
    firm: bool = True
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says, token by token.

    ``flat`` are its Chinese characters in a row, in which words are looked up that another text
    divides otherwise.
    """

    tokens: tuple[Token, ...]
    flat: str

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(token.key for token in self.tokens)

    @property
    def content(self) -> tuple[Token, ...]:
        """The words and numbers that say something."""
        return tuple(token for token in self.tokens if token.content)

    def measured(self) -> dict[tuple[str, str], bool]:
        """Numbers with the word that follows at once, and whether that is a name.

        It is mostly what they count; of Chinese the first character.
        """
        return {
            (first.key, second.text[0] if second.kind == "han" else second.key): second.name
            for first, second in pairwise(self.tokens)
            if first.kind == "figure" and second.kind != "figure" and second.joined and second.content
        }

    def negations(self) -> int:
        """How often it says not, in words with spaces between them."""
        return sum(token.kind == "word" and _negates(token.text) for token in self.tokens)

    def denied(self) -> set[str]:
        """The words of which a negation before them says that they are not so."""
        found = set()
        for at, token in enumerate(self.tokens):
            if token.kind == "word" and _negates(token.text):
                behind = (each for each in self.tokens[at + 1 : at + 5])
                scope = next((t for t in behind if not _stands_between(t.text)), None)
                if scope is not None:
                    found.add(scope.key)
        return found


def read(text: str) -> Reading:
    """Read a sentence or a passage."""
    return _read(text)


@lru_cache(maxsize=4096)
def _read(text: str) -> Reading:
    plain = _MARKUP.sub("", normal(text))
    tokens: list[Token] = []
    at = 0
    for figure in figures(plain):
        if figure.start >= at:
            _words(plain, at, figure.start, tokens)
        key = f"#{figure.value}"
        tokens.append(
            Token(
                "figure",
                key,
                plain[figure.start : figure.end],
                content=figure.firm,
                firm=figure.firm,
                joined=_follows(plain, figure.start),
            )
        )
        at = max(at, figure.end)
    _words(plain, at, len(plain), tokens)
    return Reading(tuple(tokens), _bare(plain))


def _bare(text: str) -> str:
    return "".join(char for char in text if char.isalnum()).casefold()


def _words(text: str, start: int, end: int, tokens: list[Token]) -> None:
    at = start
    for match in _TOKEN.finditer(text, start, end):
        run, near, at = match.group(), _near(text, at, match.start()), match.end()
        if match.lastgroup == "han":
            for word, name in tagged_words(run):
                said = word not in STOP_WORDS
                tokens.append(Token("han", word, word, name and len(word) > 1, said, joined=near))
                near = True
            continue
        begins = _BEGINS.search(text, max(0, match.start() - 8), match.start()) is not None
        if any(char.isdigit() for char in run) and any(char.isalpha() for char in run):
            tokens.append(Token("word", run.casefold(), run.casefold(), name=True, joined=near))
            continue
        for place, piece in enumerate(_JOINTS.split(run)):
            first = begins and place == 0
            token = _word(piece, first=first, follows=text[match.end() : match.end() + 2])
            tokens.append(replace(token, joined=near or place > 0))


def _follows(text: str, start: int) -> bool:
    """Whether nothing but white space, a hyphen or a currency's sign lies before a number and a word."""
    before = text[max(0, start - 4) : start].rstrip(" -$€£¥")
    return before[-1:].isalnum()


def _near(text: str, end: int, start: int) -> bool:
    return not text[end:start].strip(" -")


def _word(piece: str, *, first: bool, follows: str) -> Token:
    piece = piece.replace("’", "'")
    bare = piece[:-2] if piece.lower().endswith("'s") else piece.rstrip("'.")
    folded = "".join(words_of(bare)) or bare.casefold()
    stems = ENGLISH.words(bare)
    key = _UNITS.get(folded) or (stems[0][0] if stems else folded)
    capital = bare[:1].isupper()
    stop = folded in _PLAIN or _negates(folded)
    name = capital and not stop
    if name and first:
        # A capital says nothing there, unless another follows or the word looks like no other.
        name = follows[1:2].isupper() or not _COMMON_ENDING.search(folded)
    return Token("word", key, folded, name=name, content=not stop)


def _stands_between(word: str) -> bool:
    return word in _BETWEEN or word.endswith("ly") or _negates(word)


def _negates(word: str) -> bool:
    return (
        word in _NOT
        or (word.endswith("nt") and word[:-2].removesuffix("n'") in _AUXILIARY)
        or (word.endswith("n't") and word[:-3] in _AUXILIARY)
    )


_AUXILIARY_WORDS = "do does did is are was were has have had ca wo would could should must need ai"
_AUXILIARY = frozenset(_AUXILIARY_WORDS.split())


_NOT_HAN_SET, _MODAL_SET = frozenset(_NOT_HAN), frozenset(_MODAL_HAN)


def denials(text: str) -> list[tuple[int, str]]:
    """Where Chinese says "not", with what comes right behind."""
    return [
        (at, text[at + 1 : at + 5].lstrip(_MODAL_HAN)) for at, char in enumerate(text) if char in _NOT_HAN
    ]


def differ_in_denial(one: str, other: str) -> bool:
    """Whether Chinese words that both texts have are denied in ``one`` and nowhere so in ``other``.

    Texts are ``Reading.flat``. A negation that is part of a word (非常) stands in both.
    """
    for _, behind in denials(one):
        for size in range(len(behind), 1, -1):
            places = [found.start() for found in re.finditer(re.escape(behind[:size]), other)]
            if places:
                if not any(_denied(other, place) for place in places):
                    return True
                break
    return False


def _denied(text: str, at: int) -> bool:
    before = text[max(0, at - 2) : at]
    return before[-1:] in _NOT_HAN_SET or (before[:1] in _NOT_HAN_SET and before[1:] in _MODAL_SET)
