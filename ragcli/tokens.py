"""Model tokens: counting, cutting and noticing what a model cannot read.

The tokenizer of the embedding model decides how long a chunk is. It is read from the model's own
``tokenizer.json`` by the ``tokenizers`` library, so counting needs neither torch nor transformers.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Encoding, Tokenizer

_LAST = 16  # texts of which the tokens are remembered


class TokenCounter(Protocol):
    """What the chunker needs to know of a model's tokens."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Character span of each token of ``text``, in order, special tokens left out."""
        ...

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text, special tokens left out."""
        ...

    def coverage(self, texts: Sequence[str]) -> list[float]:
        """Share of each text's words that the vocabulary can represent, 1.0 for empty texts."""
        ...


class FastTokenizer:
    """A tokenizer of the ``tokenizers`` library, with truncation and padding switched off."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        # Truncation is a state of the tokenizer, which several threads may share.
        self._lock = threading.Lock()
        # A short document is its own section, unit and passage, and each is counted.
        self._last = lru_cache(maxsize=_LAST)(partial(tokenizer.encode, add_special_tokens=False))

    @classmethod
    def from_file(cls, path: Path) -> FastTokenizer:
        """Read a ``tokenizer.json``."""
        from tokenizers import Tokenizer

        return cls(Tokenizer.from_file(str(path)))

    def _encodings(self, texts: Sequence[str]) -> list[Encoding]:
        """What the tokenizer makes of whole texts, special tokens left out."""
        with self._lock:
            if len(texts) == 1:  # no threads are woken for it
                return [self._last(texts[0])]
            return self._tokenizer.encode_batch(list(texts), add_special_tokens=False)

    def spans(self, text: str) -> list[tuple[int, int]]:
        [encoding] = self._encodings([text])
        return [span for span in encoding.offsets if span[0] < span[1]]

    def counts(self, texts: Sequence[str]) -> list[int]:
        return [len(encoding) for encoding in self._encodings(texts)]

    def encoded(self, texts: Sequence[str], limit: int, *, special: bool = True) -> list[list[int]]:
        """The token ids of each text, with ``special`` ones; the last ordinary ones beyond ``limit`` are left out."""
        with self._lock:
            self._tokenizer.enable_truncation(limit)
            try:
                encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=special)
            finally:
                self._tokenizer.no_truncation()
        return [encoding.ids for encoding in encodings]

    def pairs(self, first: str, seconds: Sequence[str], limit: int) -> list[tuple[list[int], list[int]]]:
        """Token ids of pairs with special ones, and the part of each token; beyond ``limit`` the second is cut."""
        with self._lock:
            self._tokenizer.enable_truncation(limit, strategy="only_second")
            try:
                encodings = self._tokenizer.encode_batch([(first, second) for second in seconds])
            finally:
                self._tokenizer.no_truncation()
        return [(encoding.ids, encoding.type_ids) for encoding in encodings]

    @cached_property
    def pair_tokens(self) -> int:
        """How many tokens the model adds around a pair."""
        return int(self._tokenizer.num_special_tokens_to_add(True))

    @cached_property
    def special_tokens(self) -> int:
        """How many tokens the model adds around a text ([CLS] and [SEP], say)."""
        return int(self._tokenizer.num_special_tokens_to_add(False))

    @cached_property
    def _unknown(self) -> set[int]:
        model = self._tokenizer.model
        names = {getattr(model, "unk_token", None), "[UNK]", "<unk>"} - {None}
        found = {self._tokenizer.token_to_id(name) for name in names if name}
        return {token for token in found if token is not None}

    def coverage(self, texts: Sequence[str]) -> list[float]:
        shares = []
        for encoding in self._encodings(texts):
            if self._unknown.isdisjoint(encoding.ids):
                shares.append(1.0)
                continue
            words = [word for word in encoding.word_ids if word is not None]
            unknown = {w for w, t in zip(encoding.word_ids, encoding.ids, strict=True) if t in self._unknown}
            shares.append(1.0 - len(unknown) / len(set(words)) if words else 1.0)
        return shares

    def known(self, texts: Sequence[str]) -> list[str]:
        """The texts without the words that the vocabulary cannot represent, a blank for each.

        All such words look the same to a model, so that they tell it nothing and hide the rest.
        A text of which nothing would be left stays as it is.
        """
        encodings = self._encodings(texts)
        return [self._without_unknown(text, e) for text, e in zip(texts, encodings, strict=True)]

    def encoded_known(self, texts: Sequence[str], limit: int) -> list[list[int]]:
        """What :meth:`encoded` makes of :meth:`known` texts, with special tokens."""
        encodings = self._encodings(texts)
        room = limit - self.special_tokens
        found: list[list[int]] = []
        others: dict[int, str] = {}
        with self._lock:
            for text, encoding in zip(texts, encodings, strict=True):
                if len(encoding) <= room and self._unknown.isdisjoint(encoding.ids):
                    found.append(self._tokenizer.post_process(encoding).ids)
                else:
                    others[len(found)] = self._without_unknown(text, encoding)
                    found.append([])
        for place, ids in zip(others, self.encoded(list(others.values()), limit), strict=True):
            found[place] = ids
        return found

    def _without_unknown(self, text: str, encoding: Encoding) -> str:
        pieces, end = [], 0
        for token, (start, stop) in zip(encoding.ids, encoding.offsets, strict=True):
            if token in self._unknown:
                pieces.append(text[end:start])
                end = stop
        rest = " ".join([*pieces, text[end:]]) if pieces else text
        return rest if rest.strip() else text
