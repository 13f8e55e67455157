"""What an LLM wrote of a chunk: how much of it fits, and under which key it is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ragcli.chunk import reserve, situations, with_written
from ragcli.types import Chunk


class Words:
    """A word is a token."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\S+", text)]

    def counts(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def coverage(self, texts: Sequence[str]) -> list[float]:
        return [1.0 for _ in texts]


def chunk(text: str, *, context: str = "Title", heading: tuple[str, ...] = ("A",)) -> Chunk:
    tokens = len(f"{context} {text}".split())
    return Chunk("c", "a.md", 0, 0, len(text), text, context, heading, None, None, tokens)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.integers(0, 60))
def test_whole_sentences_up_to_the_size_and_never_less_of_the_text(lengths: list[int], room: int) -> None:
    note = " ".join(" ".join(["Word", *["and"] * (n - 1)]) + "." for n in lengths)
    before = chunk("some text of six words here")
    size = before.tokens + room
    after = with_written(before, note, Words(), size)
    assert after.text == before.text
    assert after.context == before.context
    assert after.tokens == Words().counts([after.embedded_text])[0] <= size
    assert note.startswith(after.written)
    if room >= lengths[0]:
        assert after.written.endswith(".")
        assert after.id != before.id
    elif not room:
        assert after == before


def test_nothing_written_changes_nothing() -> None:
    assert with_written(chunk("text"), "", Words(), 100) == chunk("text")


def test_a_key_names_a_chunk_and_its_neighbours() -> None:
    texts = ["one", "two", "three", "four", "five"]
    before = situations("T", [chunk(text) for text in texts])
    after = situations("T", [chunk(text) for text in ["one", "two", "3", "four", "five"]])
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, False, False, True]
    assert not set(before) & set(situations("U", [chunk(text) for text in texts]))
    assert not set(before) & set(situations("T", [chunk(text, heading=("B",)) for text in texts]))
    assert len(set(situations("T", [chunk("same")] * 3))) == 3


def test_a_third_of_a_small_chunk_is_kept_free_and_80_tokens_of_others() -> None:
    assert (reserve(30), reserve(254), reserve(8000)) == (10, 80, 80)
