"""The analyser: text to index terms, the same for documents and for queries.

Words are case-folded, stripped of accents and stemmed (Snowball, English unless other languages are
chosen); identifiers and numbers are kept whole and in parts; Chinese is cut into dictionary words
with character bigrams as a net for what the dictionary does not know; kana and Hangul become bigrams.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from ragcli.errors import UsageError

# Stored in every lexical index: an index made by another analyser is made anew.
ANALYZER_VERSION = 2

# In a question, bigrams that are no dictionary words mostly repeat what their words say already.
_NET_WEIGHT = 0.25

# Longer runs (base64, minified code) are no words anybody types; their head still finds them.
MAX_TERM_LENGTH = 64

STOP_WORDS = frozenset(
    """
    a an and are as at be but by for from had has have he her his i in is it its me my no not of on or our
    she so such that the their them then there these they this to was we were will with you your
    am been being did do does doing having how what when where which who whom whose why
    的 了 是 在 和 与 及 或 也 都 就 而 这 那 之 吗 呢 吧 啊 么 什么 哪 哪些 怎么 如何 为什么 谁 多少 几
    """.split()  # noqa: SIM905
)

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA_HANGUL = "\u3041-\u30ff\u31f0-\u31ff\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"
_LETTER = rf"[^\W_{_HAN}{_KANA_HANGUL}]"


def _token(letter: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?P<han>[{_HAN}]+)"
        rf"|(?P<syllabic>[{_KANA_HANGUL}]+)"
        # A word, or words joined by marks that hold identifiers, versions, paths and addresses together.
        rf"|(?P<word>_*{letter}+(?:[_.@'’:/+\-]+{letter}+)*_*(?:\+\+|\#)?)"
    )


_TOKEN = _token(_LETTER)
_JOIN = re.compile(r"[_.@'’:/+\-#]+")
# Where one word of an identifier ends: fooBar, HTTPServer, E1043, utf8.
_HUMP = re.compile(
    r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_A-Za-z]+",
)
_VERSION = re.compile(r"v\d+(?:\.\d+)+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# Canonical combining class of the last marks that are part of a consonant: nukta 7, virama 9.
_LAST_JOINING = 9

# Snowball's languages by ISO 639-1 code. Older releases of Snowball have fewer of them.
_SNOWBALL = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek",
    "en": "english", "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian",
    "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian",
    "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian",
    "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "st": "sesotho",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
_OTHER_NAMES = {"nb": "no", "nn": "no"} | {name: code for code, name in _SNOWBALL.items()}
# These have analysis of their own, whatever is chosen.
_ALWAYS = frozenset({"zh", "ja", "ko", "chinese", "japanese", "korean"})
# Scripts, as the names of Unicode's characters begin; the other languages are written in Latin.
_SCRIPTS = {
    "ar": ("ARABIC",), "el": ("GREEK",), "fa": ("ARABIC",), "hi": ("DEVANAGARI",), "hy": ("ARMENIAN",),
    "ne": ("DEVANAGARI",), "ru": ("CYRILLIC",), "sr": ("CYRILLIC", "LATIN"), "ta": ("TAMIL",), "yi": ("HEBREW",),
}  # fmt: skip
# Articles, prepositions and conjunctions that say nothing of what a text is about. Words that mean
# a thing in English (car, or, sin) are left to how often they occur.
_FURTHER_STOP_WORDS = {
    "de": """der die das den dem des ein eine einen einem einer eines und oder aber sondern denn dass daß wenn als wie
             ob weil in im an am auf aus bei beim mit nach von vom vor zu zum zur für über unter um durch gegen ohne
             ist sind es sie er ich wir""",
    "es": """el la los las lo un una unos unas y e o u pero ni que si como de del a al en con por para sin sobre
             entre desde hasta hacia es se su sus""",
    "fr": """le la les l un une des du de d et ou mais ni que qu si comme à au aux en dans par pour sur sous avec sans
             entre vers chez est ce se il elle""",
    "it": """il lo la i gli le l un uno una e ed o od ma che se come di del dello della dei degli delle a ad al allo
             alla ai agli alle da dal dallo dalla dai dagli dalle in nel nello nella nei negli nelle con su sul sullo
             sulla sui sugli sulle per tra fra è si""",
    "nl": """de het een en of maar want dat die als in op aan uit bij met naar van voor over onder om door tegen
             zonder te tot is zijn er""",
    "pt": """o a os as um uma uns umas e ou mas nem que se como de do da dos das em no na nos nas ao aos à às com por
             pelo pela pelos pelas para sem sobre entre é""",
    "ru": """и а но или да что чтобы если как в во на с со к ко о об от до из у за по под над при про для без через
             не ни же ли бы это""",
}
# What is elided before a vowel, up to its apostrophe. The lists of Apache Lucene's ElisionFilter.
_ELISIONS = {
    "ca": "d l m n s t",
    "fr": "l m t qu n s j d c jusqu quoiqu lorsqu puisqu",
    "ga": "d m b",
    "it": "c l all dall dell nell sull coll pell gl agl dagl degl negl sugl un m t s v d",
}


@dataclass(frozen=True, slots=True)
class Traces:
    """What a passage leaves in the index that has some words in a row.

    It holds a term of every tuple of ``each``; one of every tuple of ``most`` but one at most, as
    a line may end between two characters; and where these are empty, terms that have all of
    ``inside`` in them.
    """

    each: tuple[tuple[str, ...], ...]
    most: tuple[tuple[str, ...], ...]
    inside: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Analyzer:
    """The analyser for texts in some languages; called with a text it gives its index terms.

    ``languages`` are ISO codes in order. A word gives its distinct stems in all of them that are
    written in its script; in a script of none of them, it is treated as English.
    """

    languages: tuple[str, ...] = ("en",)

    @classmethod
    def of(cls, names: str | None) -> Analyzer:
        """The analyser for languages named by ISO code or in English, with commas between; None: English.

        Raises ``UsageError`` for a language that there is no stemmer for.
        """
        asked = [name.strip().lower() for name in (names or "").split(",") if name.strip()]
        codes = {_OTHER_NAMES.get(name, name) for name in asked if name not in _ALWAYS}
        if codes <= {"en"}:  # no need to ask Snowball
            return ENGLISH
        there = _known_languages()
        for code in sorted(codes):
            if code not in there:
                listed = ", ".join(f"{each} {_SNOWBALL[each]}" for each in there)
                raise UsageError(f"no stemmer for the language {code!r}; those there are: {listed}")
        return cls(tuple(sorted(codes)))

    def __str__(self) -> str:
        return ",".join(self.languages)

    @property
    def form(self) -> str:
        """What a lexical index must have been made with for questions to be read in the same way."""
        version = str(ANALYZER_VERSION)
        return version if self == ENGLISH else f"{version}:{self}"

    def __call__(self, text: str) -> list[str]:
        """Index terms of ``text`` in order of appearance, stop words left out, repeats kept."""
        return [term for forms in self._forms(text, net=True) for term in forms]

    def words(self, text: str) -> list[tuple[str, ...]]:
        """What a text is about, rather than all that it can be found by: each word as its stems.

        Of Chinese these are the dictionary words alone.
        """
        return self._forms(text, net=False)

    def neighbours(self, text: str) -> list[tuple[str, str]]:
        """Terms of words that stand side by side, stop words left out, in order and each pair once."""
        words = self.words(text)
        pairs = ((first[-1], second[0]) for first, second in pairwise(words))
        return [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]

    def traces(self, text: str) -> Traces:
        """What to look up before passages are read for these words in a row."""
        stops = _stop_words(self.languages)
        each: list[tuple[str, ...]] = []
        most: list[tuple[str, ...]] = []
        inside: list[str] = []
        for match in self._tokens(text):
            run = match.group()
            if match.lastgroup != "word":
                pairs = [pair for pair in _bigrams(run) if pair not in stops]
                most.extend((pair,) for pair in pairs)
                inside.extend(() if pairs or run in stops else [run])
                continue
            if _fold(run) in stops:
                continue
            run = _without_v(run)
            inside.append(_fold(run)[:MAX_TERM_LENGTH])
            # What is joined by an apostrophe is one word, don't, or loses what is behind it, Jane's.
            pieces = [run] if "'" in run or "’" in run else _JOIN.split(run)
            for piece in pieces:
                folded = _fold(piece)
                if folded not in stops and len(folded) > 1:
                    each.append(tuple(dict.fromkeys([folded[:MAX_TERM_LENGTH], *self(piece), *self(folded)])))
        return Traces(tuple(each), tuple(most), tuple(inside))

    def spellings(self, text: str) -> Iterator[str]:
        """Words as they are written, identifiers whole and in parts; case and accents away, no stop words."""
        stops = _stop_words(self.languages)
        for run in (match.group() for match in self._tokens(text) if match.lastgroup == "word"):
            pieces = _JOIN.split(run)
            version = [run[1:]] if _VERSION.fullmatch(run) else []
            parts = [part for piece in pieces if piece for part in _humps(piece)]
            yield from (word for word in map(_fold, (run, *version, *pieces, *parts)) if word not in stops)

    def question(self, text: str) -> dict[str, float]:
        """Terms of a question with how much each counts: as often as it stands there, those of the net less."""
        meant = {term for forms in self.words(text) for term in forms}
        counts = Counter(self(text))
        return {term: count if term in meant else _NET_WEIGHT * count for term, count in counts.items()}

    def _forms(self, text: str, *, net: bool) -> list[tuple[str, ...]]:
        found: list[tuple[str, ...]] = []
        for match in self._tokens(text):
            kind = match.lastgroup
            run = match.group()
            if kind == "han":
                found.extend((term,) for term in _han_terms(run, net))
            elif kind == "syllabic":
                found.extend((term,) for term in _bigrams(run) or (run,))
            else:
                found.extend(_word_forms(run, self.languages))
        return found

    def _tokens(self, text: str) -> Iterator[re.Match[str]]:
        return _tokens(text, marks=self != ENGLISH)


ENGLISH = Analyzer()


def _tokens(text: str, *, marks: bool) -> Iterator[re.Match[str]]:
    pattern = _token_with_marks() if marks and not text.isascii() else _TOKEN
    return pattern.finditer(_THOUSANDS.sub("", unicodedata.normalize("NFKC", text)))


def stands_together(text: str) -> bool:
    """Whether a text has characters of a script without spaces between its words."""
    return any(match.lastgroup != "word" for match in _tokens(text, marks=True))


def words_of(text: str, *, whole: bool = False) -> list[str]:
    """Words as they stand, in a row: case and accents away, not stemmed, stop words kept.

    Identifiers come in parts, or ``whole``; each Chinese character is a word, and each of kana
    and Hangul.
    """
    words: list[str] = []
    for match in _tokens(text, marks=True):
        run = match.group()
        if match.lastgroup != "word":
            words.extend(run)
        elif whole:
            words.append(_fold(run))
        else:
            words.extend(_fold(piece) for piece in _JOIN.split(_without_v(run)) if piece)
    return words


def _without_v(run: str) -> str:
    """A version without its v: 2.4.1 of v2.4.1."""
    return run[1:] if _VERSION.fullmatch(run.lower()) else run


@lru_cache(maxsize=65536)
def _word_forms(word: str, languages: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Terms of a word or compound, each with what the other languages make of the same part."""
    script = _script(word) if languages != ENGLISH.languages else "LATIN"
    meant = [code for code in languages if script in _SCRIPTS.get(code, ("LATIN",))] or ["en"]
    stops = _stop_words(languages)
    each = [_word_terms(word, code, stops) for code in meant]
    if len({len(terms) for terms in each}) == 1:
        return tuple(tuple(dict.fromkeys(forms)) for forms in zip(*each, strict=True))
    return tuple((term,) for term in dict.fromkeys(term for terms in each for term in terms))


def _word_terms(word: str, language: str, stops: frozenset[str]) -> tuple[str, ...]:
    """Terms of one word or compound in one language: the whole of an identifier, then its parts."""
    pieces = [piece for piece in _JOIN.split(word) if piece]
    if len(pieces) == 2 and word[-2:-1] in "'’" and word[-1:] in "sS":
        pieces = pieces[:1]  # the possessive
        word = word[:-2]
    elif len(pieces) > 1 and language != "en":
        word, pieces = _without_clitic(word, pieces, language)
    whole = _fold(word)
    parts: list[str] = []
    for piece in pieces:
        humps = _humps(piece)
        # The getUserName of user.getUserName is a name of its own.
        parts += [piece] * (len(humps) > 1 and len(pieces) > 1 and not _VERSION.fullmatch(whole)) + humps
    terms: list[str] = []
    if len(parts) > 1 or whole != _fold("".join(pieces)):
        if "'" in word or "’" in word:
            parts = ["".join(pieces)]  # don't, o'clock: one word
        else:
            # getUserName is found as getusername, which would be stemmed.
            whole = whole[:MAX_TERM_LENGTH]
            terms.append(_stem(whole) if language == "en" else _stem_first(whole, language))
            if _VERSION.fullmatch(whole):
                terms.append(whole[1:MAX_TERM_LENGTH])  # v2.4.1 is found as 2.4.1
    for part in parts:
        folded = _fold(part)[:MAX_TERM_LENGTH]
        if folded in stops or part.casefold() in stops or (len(parts) > 1 and len(folded) < 2):
            continue
        terms.append(_stem(folded) if language == "en" else _stem_first(part, language))
    return tuple(dict.fromkeys(terms))


def _without_clitic(word: str, pieces: list[str], language: str) -> tuple[str, list[str]]:
    """A word and its pieces without an elided article before it, or Turkish endings behind a name."""
    first = pieces[0]
    rest = word[len(first) :]
    if word.startswith(first) and rest[:1] in "'’":
        if first.casefold() in _ELISIONS.get(language, "").split():
            return rest[1:], pieces[1:]
        if language == "tr" and len(pieces) == 2:
            return first, [first]
    return word, pieces


def _humps(piece: str) -> list[str]:
    """Parts of ``fooBar``, ``HTTPServer`` or ``E1043``; a plain word is its own only part."""
    if piece.isalpha() and (piece.islower() or piece.isupper() or piece.istitle()):
        return [piece]
    if _has_marks(piece):
        return [piece]  # of a script whose vowels are marks
    return _HUMP.findall(_plain(piece)) or [piece]


def _fold(word: str) -> str:
    """Case and accents away: ``Café`` and ``CAFE`` are one term."""
    if word.isascii():
        return word.lower()
    return _plain(word.casefold())


def _plain(word: str) -> str:
    """Accents away, case as it is."""
    decomposed = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def _stem(word: str) -> str:
    return _stemmer("en").stemWord(word) if word.isalpha() else word


def _stem_first(word: str, language: str) -> str:
    """The stem of a word in a language whose accents tell endings apart; they are taken away afterwards."""
    if language == "tr":
        word = word.replace("İ", "i").replace("I", "ı")
    lowered = unicodedata.normalize("NFC", word.casefold())[:MAX_TERM_LENGTH]
    if lowered.isalpha() or _has_marks(lowered):
        lowered = _stemmer(language).stemWord(lowered) or lowered
    decomposed = unicodedata.normalize("NFD", lowered)
    # Marks up to class 9 are no accents: they join or alter the consonants of Indian scripts.
    bare = "".join(c for c in decomposed if unicodedata.combining(c) <= _LAST_JOINING) or lowered
    folded = unicodedata.normalize("NFC", bare)[:MAX_TERM_LENGTH]
    return folded.replace("ı", "i") if language == "tr" else folded


@lru_cache(maxsize=64)
def _stemmer(language: str) -> Any:
    import Stemmer

    return Stemmer.Stemmer(_SNOWBALL[language])


@lru_cache(maxsize=1)
def _known_languages() -> tuple[str, ...]:
    """Codes of the languages that the Snowball at hand has a stemmer for."""
    import Stemmer

    there = set(Stemmer.algorithms())
    return tuple(code for code, name in _SNOWBALL.items() if name in there)


@lru_cache(maxsize=64)
def _stop_words(languages: tuple[str, ...]) -> frozenset[str]:
    """Stop words of all chosen languages together: a word of one is noise in the texts of another."""
    further = (_FURTHER_STOP_WORDS.get(code, "").split() for code in languages)
    return STOP_WORDS.union(*further)


def _script(word: str) -> str:
    """The script of a word's first letter, LATIN where it has none."""
    letter = next((c for c in word if c.isalpha()), "a")
    return "LATIN" if letter.isascii() else unicodedata.name(letter, "LATIN").split(" ", 1)[0]


def _has_marks(word: str) -> bool:
    return not word.isascii() and any(unicodedata.category(c)[0] == "M" for c in word)


@lru_cache(maxsize=1)
def _token_with_marks() -> re.Pattern[str]:
    """As ``_TOKEN``, with the marks that write vowels in Arabic, Hebrew and Indian scripts in their words."""
    marks = "".join(c for c in map(chr, range(0x300, 0x1DFF)) if unicodedata.category(c)[0] == "M")
    return _token(rf"(?:{_LETTER}[{marks}]*)")


def _han_terms(run: str, net: bool) -> list[str]:
    """Dictionary words of a run of Han characters, and the bigrams that are not such a word."""
    import rjieba

    words = [run] if len(run) == 1 else rjieba.cut_for_search(run) if net else rjieba.cut(run)
    terms = [word[:MAX_TERM_LENGTH] for word in words if word not in STOP_WORDS]
    if net:
        seen = set(words)
        terms.extend(bigram for bigram in _bigrams(run) if bigram not in seen)
    return terms


def tagged_words(run: str) -> list[tuple[str, bool]]:
    """Dictionary words of a run of Chinese, in order, each with whether it is a proper name."""
    import rjieba

    return [(word, tag[:2] in ("nr", "ns", "nt", "nz")) for word, tag in rjieba.tag(run)]


def _bigrams(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]
