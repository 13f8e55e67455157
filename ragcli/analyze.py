"""The analyser: text to index terms, the same for documents and for queries.

Latin script is case-folded, stripped of accents and stemmed (Snowball English); identifiers and
numbers are kept whole and in parts; Chinese is cut into dictionary words with character bigrams
as a net for what the dictionary does not know; kana and Hangul become bigrams.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Stored in every lexical index: an index made by another analyser is made anew.
ANALYZER_VERSION = 1

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
_TOKEN = re.compile(
    rf"(?P<han>[{_HAN}]+)"
    rf"|(?P<syllabic>[{_KANA_HANGUL}]+)"
    # A word, or words joined by marks that hold identifiers, versions, paths and addresses together.
    rf"|(?P<word>_*{_LETTER}+(?:[_.@'’:/+\-]+{_LETTER}+)*_*(?:\+\+|\#)?)"
)
_JOIN = re.compile(r"[_.@'’:/+\-#]+")
# Where one word of an identifier ends: fooBar, HTTPServer, E1043, utf8.
_HUMP = re.compile(
    r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_A-Za-z]+",
)
_VERSION = re.compile(r"v\d+(?:\.\d+)+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_IDENTIFIER_MARKS = frozenset("_.@:/+#0123456789")


def analyze(text: str, *, net: bool = True) -> list[str]:
    """Index terms of ``text`` in order of appearance, stop words left out, repeats kept.

    Without ``net`` Chinese gives dictionary words alone: what a text is about, rather than all
    that it can be found by.
    """
    text = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text))
    terms: list[str] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        run = match.group()
        if kind == "han":
            terms.extend(_han_terms(run, net))
        elif kind == "syllabic":
            terms.extend(_bigrams(run) or (run,))
        else:
            terms.extend(_word_terms(run))
    return terms


def words_of(text: str, *, whole: bool = False) -> list[str]:
    """Words as they stand, in a row: case and accents away, not stemmed, stop words kept.

    Identifiers come in parts, or ``whole``; each Chinese character is a word, and each of kana
    and Hangul.
    """
    words: list[str] = []
    for match in _TOKEN.finditer(_THOUSANDS.sub("", unicodedata.normalize("NFKC", text))):
        run = match.group()
        if match.lastgroup != "word":
            words.extend(run)
        elif whole:
            words.append(_fold(run))
        else:
            words.extend(_fold(piece) for piece in _JOIN.split(run) if piece)
    return words


@lru_cache(maxsize=65536)
def _word_terms(word: str) -> tuple[str, ...]:
    """Terms of one Latin-script word or compound: the whole of an identifier, then its parts."""
    pieces = [piece for piece in _JOIN.split(word) if piece]
    if len(pieces) == 2 and word[-2:-1] in "'’" and word[-1:] in "sS":
        pieces = pieces[:1]  # the possessive
        word = word[:-2]
    parts = [part for piece in pieces for part in _humps(piece)]
    whole = _fold(word)
    terms: list[str] = []
    if len(parts) > 1 or whole != _fold("".join(pieces)):
        if "'" in word or "’" in word:
            parts = ["".join(pieces)]  # don't, o'clock: one word
        else:
            terms.append(whole[:MAX_TERM_LENGTH])
            if _VERSION.fullmatch(whole):
                terms.append(whole[1:MAX_TERM_LENGTH])  # v2.4.1 is found as 2.4.1
    for part in parts:
        folded = _fold(part)[:MAX_TERM_LENGTH]
        if folded in STOP_WORDS or (len(parts) > 1 and len(folded) < 2):
            continue
        terms.append(_stem(folded))
    return tuple(dict.fromkeys(terms))


def _humps(piece: str) -> list[str]:
    """Parts of ``fooBar``, ``HTTPServer`` or ``E1043``; a plain word is its own only part."""
    if piece.isalpha() and (piece.islower() or piece.isupper() or piece.istitle()):
        return [piece]
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
    return _stemmer().stemWord(word) if word.isalpha() else word


@lru_cache(maxsize=1)
def _stemmer():  # type: ignore[no-untyped-def]
    import Stemmer

    return Stemmer.Stemmer("english")


def _han_terms(run: str, net: bool) -> list[str]:
    """Dictionary words of a run of Han characters, and the bigrams that are not such a word."""
    import rjieba

    words = [run] if len(run) == 1 else rjieba.cut_for_search(run) if net else rjieba.cut(run)
    terms = [word[:MAX_TERM_LENGTH] for word in words if word not in STOP_WORDS]
    if net:
        seen = set(words)
        terms.extend(bigram for bigram in _bigrams(run) if bigram not in seen)
    return terms


def _bigrams(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]
