"""What a question may say exactly: ``"a phrase"``, ``+must``, ``-without`` and ``begin*``.

Everything else is plain language. Signs count only where a word begins, so that ``C++``,
``e-mail``, ``a - b``, ``--flag``, ``-v``, ``-40`` and ``+49 30`` stay what they are. A phrase or a
beginning is preferred to its words alone, and demanded when a question says nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ragcli.analyze import Analyzer, stands_together, words_of
from ragcli.errors import UsageError

_EXACT = re.compile(
    # Quotes, unless the first follows a letter or digit: 5" is a length.
    r"(?:(?<!\S)(?P<sign>[+-]))?(?<![A-Za-z0-9])"
    r'(?:"(?P<straight>[^"]+)"|“(?P<curly>[^”]+)”|「(?P<corner>[^」]+)」|『(?P<double>[^』]+)』)'
    r"|(?<!\S)(?P<mark>[+-])(?P<word>[^\s+\-\"“「『][^\s\"“「『]*)"
    r"|(?<!\S)(?P<begin>[^\s*]{2,}\*)(?!\S)"
)
# What may be left out: a word, or one Chinese character; -v, -la and -273 are no words.
_LEFT_OUT = re.compile(r"[^\W\d_](?:[\w.@:/+'’-]*[\w*+#])?$")
_SHORTEST = 3
# +1 and +49 30 1234 are no demands.
_SMALL = re.compile(r"\d{1,2}$")
_NUMBER = re.compile(r"\d+(?:[()/-]+\d+)*$")
_NEXT_NUMBER = re.compile(r"\s+\(?\d")


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing that is meant exactly: a word in any of its forms, words in a row, or a beginning.

    Words in a row are those in quotes, and what the analyser takes for several. They are compared
    without regard to case, accents and white space.
    """

    text: str
    quoted: bool = False
    begins: bool = False

    @property
    def beginning(self) -> str:
        """What an index term begins with; empty for words."""
        return "".join(words_of(self.text, whole=True)) if self.begins else ""

    @property
    def heads(self) -> list[str]:
        """What a word that begins so may have been cut to, or to one letter more, when it was stemmed.

        A stem is the head of its word, at least a third of it, but for a last letter:
        ``configurat*`` is stored as configur, ``tryi*`` as tri and ``hopi*`` as hope.
        """
        begin = self.beginning
        heads = [begin[:length] for length in range(max(2, len(begin) // 3), len(begin))]
        return heads + [f"{begin[0]}i"] * (begin[1:2] == "y")  # die, lie and tie, of dying, lying and tying

    def needs_reading(self, analyze: Analyzer) -> bool:
        """Whether a text's terms do not tell, only its words: those of a row, stop words and beginnings."""
        several = self.quoted or len(words_of(self.text)) > 1
        return self.begins or several or stands_together(self.text) or not analyze.words(self.text)

    def holds(self, text: str, analyze: Analyzer) -> bool:
        """Whether a text has it."""
        if self.begins:
            return any(spelling.startswith(self.beginning) for spelling in analyze.spellings(text))
        if self.needs_reading(analyze):
            return in_a_row(words_of(self.text), words_of(text))
        terms = set(analyze(text))
        return not any(terms.isdisjoint(forms) for forms in analyze.words(self.text))

    def __str__(self) -> str:
        return f"{self.text}*" if self.begins else f"“{self.text}”" if self.quoted else self.text


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what it says exactly.

    ``plain`` is what is left to be understood: the question without signs and without what is to
    be left out.
    """

    text: str
    plain: str
    preferred: tuple[Clause, ...] = ()
    required: tuple[Clause, ...] = ()
    excluded: tuple[Clause, ...] = ()

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """All that is said exactly."""
        return (*self.preferred, *self.required, *self.excluded)

    def admits(self, text: str, analyze: Analyzer) -> bool:
        """Whether a passage with this text may be found."""
        held = [clause.holds(text, analyze) for clause in self.required]
        return all(held) and not any(clause.holds(text, analyze) for clause in self.excluded)


def in_a_row(wanted: Sequence[str], there: Sequence[str]) -> bool:
    """Whether words follow each other among others."""
    starts = (at for at, word in enumerate(there) if word == wanted[0])
    return any(there[at : at + len(wanted)] == wanted for at in starts)


def parse_question(text: str) -> Asked:
    """What a question says. Raises ``UsageError`` where it is empty, no text, or only leaves out."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError("the query is not valid UTF-8; type it again, or try rag search - < FILE") from None
    if not text.strip():
        raise UsageError("the query is empty; write what you look for between the quotation marks")
    clauses: dict[str, dict[Clause, None]] = {"": {}, "+": {}, "-": {}}
    plain: list[str] = []
    besides: list[str] = []
    end = 0
    for match, sign, clause in _clauses(text):
        besides.append(text[end : match.start()])
        plain += besides[-1], {"": match.group().rstrip("*"), "+": clause.text, "-": ""}[sign]
        clauses[sign][clause] = None
        end = match.end()
    besides.append(text[end:])
    preferred, required, excluded = map(tuple, clauses.values())
    left = "".join([*plain, besides[-1]]).strip()
    if excluded and not words_of(left):
        raise UsageError("the query only says what to leave out; add what to look for")
    if not clauses[""] and len(words_of(left)) == 1 and stands_together(left):
        preferred = (Clause(left, quoted=True),)  # a character alone is within words, where no term finds it
        besides = []
    if not required and not words_of(" ".join(besides)):
        preferred, required = (), preferred
    return Asked(text, left, preferred, required, excluded)


def _clauses(text: str) -> Iterator[tuple[re.Match[str], str, Clause]]:
    for match in _EXACT.finditer(text):
        quoted = next(
            (match[name] for name in ("straight", "curly", "corner", "double") if match[name]), None
        )
        if quoted is not None:
            if words_of(quoted):
                yield match, match["sign"] or "", Clause(quoted.strip(), quoted=True)
            continue
        sign, word = match["mark"] or "", match["word"] or match["begin"]
        if sign:
            word = word.rstrip(".,;:!?。，；：！？)]}")
        begins = word.endswith("*")
        word = word.rstrip("*")
        # Words of Chinese stand together: those that begin so are in whatever holds it.
        begins = begins and not stands_together(word)
        if _is_meant(sign, word, text[match.end() :], begins=begins):
            yield match, sign, Clause(word, begins=begins)


def _is_meant(sign: str, word: str, rest: str, *, begins: bool) -> bool:
    """Whether a sign before, or a star behind, a word makes a demand of it; ``rest`` follows it."""
    whole = words_of(word, whole=True)
    if not whole or (begins and len(whole) > 1):
        return False
    if sign == "-":
        return bool(_LEFT_OUT.match(word)) and (begins or len(word) >= _SHORTEST or not word.isascii())
    return not (sign == "+" and (_SMALL.match(word) or (_NUMBER.match(word) and _NEXT_NUMBER.match(rest))))
