"""Counting the tokens of a prompt: by tiktoken where its ranks are at hand, else by an estimate.

Nothing here opens a connection: tiktoken's own loader downloads ranks that it lacks, so the
files are found, checked and parsed here and only the encoding itself is tiktoken's.
"""

from __future__ import annotations

import binascii
import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ragcli.errors import UsageError

if TYPE_CHECKING:
    import tiktoken


class TokenCounter(Protocol):
    """Counts the tokens of a text as a model would."""

    @property
    def name(self) -> str:
        """The encoding, or ``estimate``."""
        ...

    @property
    def exact(self) -> bool:
        """Whether the count is the model's own, and not only near to it."""
        ...

    def count(self, text: str) -> int:
        """How many tokens ``text`` has; 0 for the empty text."""
        ...


class SpanCounter(TokenCounter, Protocol):
    """A counter that also says where the tokens lie."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Character span of each token, in order; a character of several tokens has one."""
        ...


@dataclass(frozen=True, slots=True)
class Ranks:
    """A published encoding: where tiktoken fetches its ranks, their SHA-256, how it splits text."""

    url: str
    sha256: str
    pattern: str


_BLOBS = "https://openaipublic.blob.core.windows.net/encodings/"

# Addresses, sums and patterns as in tiktoken_ext/openai_public.py (tiktoken 0.12, MIT): its
# functions cannot be asked for the pattern without loading, and perhaps fetching, the ranks.
ENCODINGS = {
    "o200k_base": Ranks(
        _BLOBS + "o200k_base.tiktoken",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        "|".join(
            (
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                r"\p{N}{1,3}",
                r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
                r"\s*[\r\n]+",
                r"\s+(?!\S)",
                r"\s+",
            )
        ),
    ),
    "cl100k_base": Ranks(
        _BLOBS + "cl100k_base.tiktoken",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    ),
}


def counter_for(llm: str | None, *, ranks: Path | None = None) -> SpanCounter:
    """The best counter for an LLM spec that can be had without a network.

    ``ranks`` names a ``.tiktoken`` file that the user vouches for; UsageError when it cannot be
    read. Otherwise tiktoken's cache is looked into. The count is ``exact`` where the ranks are
    the model's own: those the user gave, or those tiktoken names for the model. A model that
    tiktoken does not know is counted with its newest encoding, and that is not exact.
    """
    own = _encoding_of(llm)
    if ranks is not None:
        name = "cl100k_base" if "cl100k" in ranks.name or own == "cl100k_base" else "o200k_base"
        return _bpe(ranks, name, exact=True)
    name = own or "o200k_base"
    cached = _cached(name)
    if cached is None:
        return Estimate()
    try:
        return _bpe(cached, name, exact=own is not None)
    except UsageError:  # nobody asked for this file, so a damaged one is no fault of the command's
        return Estimate()


def _encoding_of(llm: str | None) -> str | None:
    """The name of the encoding of the model in ``llm``, if tiktoken knows it and we do."""
    if not llm or llm == "none" or llm.startswith("cmd:"):
        return None
    model = llm.rpartition("#")[2] if "#" in llm else llm.partition(":")[2]
    from tiktoken.model import encoding_name_for_model

    try:
        name = encoding_name_for_model(model)
    except KeyError:
        return None
    name = name.replace("o200k_harmony", "o200k_base")  # the same ranks, other special tokens
    return name if name in ENCODINGS else None


def _cached(name: str) -> Path | None:
    """The file of an encoding in tiktoken's cache, laid out as in ``tiktoken.load``."""
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder is None:
        folder = os.path.join(tempfile.gettempdir(), "data-gym-cache")
    if not folder:
        return None
    wanted = ENCODINGS[name]
    path = Path(folder, hashlib.sha1(wanted.url.encode(), usedforsecurity=False).hexdigest())
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
    return path if found == wanted.sha256 else None


@dataclass(frozen=True, slots=True)
class Bpe:
    """Counts with a tiktoken encoding."""

    encoding: tiktoken.Encoding
    name: str
    exact: bool

    def count(self, text: str) -> int:
        """The number of ordinary tokens: the text's ``<|…|>`` are characters like any other."""
        return len(self.encoding.encode_ordinary(text))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the tokens lie."""
        _, starts = self.encoding.decode_with_offsets(self.encoding.encode_ordinary(text))
        return [span for span in pairwise((*starts, len(text))) if span[0] < span[1]]


def _bpe(path: Path, name: str, *, exact: bool) -> Bpe:
    try:
        stat = path.stat()
    except OSError as error:
        raise UsageError(f"cannot read the token ranks {path}: {error.strerror}") from error
    return Bpe(_load(path, name, stat.st_mtime_ns, stat.st_size), name, exact)


@lru_cache(maxsize=4)
def _load(path: Path, name: str, _mtime: int, _size: int) -> tiktoken.Encoding:
    """The encoding of a ranks file, kept while the file does not change."""
    import tiktoken

    ranks = _parse(path)
    # The native code panics, or fails at some later text, when these two do not hold.
    if len(set(ranks.values())) != len(ranks) or not all(bytes([b]) in ranks for b in range(256)):
        raise UsageError(f"the token ranks {path} are incomplete; get the file again")
    return tiktoken.Encoding(name, pat_str=ENCODINGS[name].pattern, mergeable_ranks=ranks, special_tokens={})


def _parse(path: Path) -> dict[bytes, int]:
    """Read lines of ``base64 rank``, as ``tiktoken.load.load_tiktoken_bpe`` does."""
    ranks: dict[bytes, int] = {}
    number = 0
    try:
        for line in path.read_bytes().splitlines():
            number += 1
            if line:
                token, rank = line.split()
                ranks[binascii.a2b_base64(token, strict_mode=True)] = int(rank)
    except OSError as error:
        raise UsageError(f"cannot read the token ranks {path}: {error.strerror}") from error
    except ValueError as error:  # binascii.Error among them
        raise UsageError(
            f"the token ranks {path} are damaged at line {number}; get the file again"
        ) from error
    if not ranks or not all(0 <= rank < 2**32 - 1 for rank in ranks.values()):
        raise UsageError(f"the token ranks {path} are damaged; get the file again")
    return ranks


_PIECE = re.compile(
    r"(?P<word>[^\W\d_]+)|(?P<digits>\d+)|(?P<blank>[ \t]{2,})|(?P<lines>\n+)|(?P<space>\s)"
    r"|(?P<run>([^\w\s])\7*|_+)|(?P<other>.)"
)
# Han, kana, hangul and their punctuation and full-width forms; Thai, Lao and Khmer are also
# written without spaces, and South Asian scripts cost about a token a letter in cl100k.
_ONE_EACH = re.compile(
    r"[\u0900-\u0eff\u1000-\u11ff\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef]"
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Counts without ranks, on the safe side: rather a quarter too many than some too few.

    A BPE of 100,000 to 200,000 tokens writes common English at 1.2 to 1.4 tokens a word, other
    Latin, Cyrillic, Greek and Arabic at two to three letters a token, Han, kana and hangul at
    0.7 to 1.3 tokens a character, digits by three, and runs of one sign in few tokens. So: an
    ASCII word costs a token for its first six letters and one for each four more begun, a word
    with other letters or with capitals inside (identifiers, base64) one for each two letters, a
    CJK character one, an astral one (emoji, rare Han) three, a punctuation mark one. A single
    space is part of the word after it. On the prose sets of ``eval/`` this counts 1.2 times what
    MiniLM's WordPiece (30,000 pieces) counts in English, 1.0 times in Chinese, 1.1 in Markdown.
    """

    name: str = "estimate"
    exact: bool = False

    def count(self, text: str) -> int:
        """The estimated number of tokens."""
        return sum(_cost(match) for match in _PIECE.finditer(text))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the tokens may lie: a piece that costs several is cut evenly."""
        found: list[tuple[int, int]] = []
        for match in _PIECE.finditer(text):
            start, size = match.start(), len(match.group())
            cost = min(size, _cost(match))
            cuts = [start + size * part // cost for part in range(cost + 1)] if cost else []
            found.extend(pairwise(cuts))
        return found


def _cost(match: re.Match[str]) -> int:
    piece = match.group()
    size = len(piece)
    match match.lastgroup:
        case "word":
            return _word_cost(piece)
        case "digits":
            return -(-size // 3) if piece.isascii() else size
        case "blank":
            return 1 + size // 16
        case "lines":
            return -(-size // 2)
        case "space":
            return 0
        case _:
            astral = sum(3 if char > "\uffff" else 1 for char in piece)
            return astral if not piece.isascii() else -(-size // 4)


def _word_cost(word: str) -> int:
    if word.isascii():
        if len(word) <= 20 and (len(word) == 1 or word[1:].islower()):
            return 1 + max(0, -((6 - len(word)) // 4))
        return -(-len(word) // 2)
    each = len(_ONE_EACH.findall(word))
    astral = sum(char > "\uffff" for char in word)
    return each + 3 * astral - (-(len(word) - each - astral) // 2)
