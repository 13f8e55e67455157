"""Documents made by hand or drawn by hypothesis, and what holds for the chunks of all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ragcli.chunk import chunk_document
from ragcli.embed.models import find_model, open_tokenizer
from ragcli.settings import DEFAULT_MODEL
from ragcli.tokens import FastTokenizer
from ragcli.types import Block, BlockKind, Chunk, Document, PlaceMap

# Kind, text, level of a heading, lines of a head.
Part = tuple[BlockKind, str, int, int]


@cache
def minilm() -> FastTokenizer:
    """The tokenizer of the default model."""
    tokenizer = open_tokenizer(find_model(DEFAULT_MODEL))
    assert tokenizer is not None
    return tokenizer


def heading(words: str, level: int = 1) -> Part:
    return ("heading", words, level, 0)


def paragraph(text: str) -> Part:
    return ("paragraph", text, 0, 0)


def code(text: str, head: int = 0) -> Part:
    return ("code", text, 0, head)


def table(text: str, head: int = 0) -> Part:
    return ("table", text, 0, head)


def headed(kind: Callable[[str, int], Part], lines: Sequence[str], heads: int) -> Part:
    """A block of these lines, the first ``heads`` of which are its head."""
    return kind("\n".join(lines), heads)


def items(text: str) -> Part:
    return ("list", text, 0, 0)


def caption(text: str) -> Part:
    return ("caption", text, 0, 0)


def make_document(
    *parts: Part, title: str = "", name: str = "docs/a.md", gap: str = "\n\n", page: int = 0
) -> Document:
    """A Markdown document of the parts with ``gap`` between them, and pages of ``page`` characters each."""
    text = ""
    blocks = []
    for kind, words, level, head in parts:
        if text:
            text += gap
        label = words if kind == "heading" else ""
        written = f"{'#' * level} {words}" if kind == "heading" else words
        ahead = sum(len(line) + 1 for line in written.split("\n")[:head])
        ahead = len(text) + ahead if 0 < ahead < len(written) else 0
        blocks.append(Block(kind, len(text), len(text) + len(written), level, label, ahead))
        text += written
    starts = [0] + [at + 1 for at, character in enumerate(text) if character == "\n"]
    turns = tuple(range(0, max(1, len(text)), page)) if page else ()
    numbers = tuple(range(1, len(turns) + 1))
    pages = PlaceMap(turns, numbers, tuple(f"p{n}" for n in numbers)) if turns else None
    return Document(
        id=name,
        path=name,
        record=None,
        title=title,
        format="markdown",
        language="en",
        text=text,
        blocks=tuple(blocks),
        lines=PlaceMap(tuple(starts), tuple(range(1, len(starts) + 1))),
        pages=pages,
        sha256="0" * 64,
        modified="2026-11-01T00:00:00+00:00",
    )


def cut(document: Document, size: int, overlap: int = 0, chunker: str = "structure") -> list[Chunk]:
    embed = topics if chunker == "semantic" else None
    return chunk_document(document, minilm(), size=size, overlap=overlap, chunker=chunker, embed=embed)


def topics(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors of the letters that words begin with: alike where the words are."""
    counts = np.full((len(texts), 64), 0.01, dtype=np.float32)
    for row, text in zip(counts, texts, strict=True):
        for word in text.split():
            row[ord(word[0]) % 64] += 1
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def check(document: Document, chunks: Sequence[Chunk], size: int, overlap: int) -> None:
    """What the chunker promises of any document."""
    text = document.text
    covered = bytearray(len(text))
    for ordinal, chunk in enumerate(chunks):
        assert chunk.ordinal == ordinal
        assert chunk.document == document.id
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.text.strip(), "an empty chunk"
        assert chunk.tokens == minilm().counts([chunk.embedded_text])[0]
        assert chunk.tokens <= size, f"{chunk.tokens} tokens of {size}: {chunk.embedded_text!r}"
        if chunk.lead:
            assert chunk.context == chunk.lead or chunk.context.endswith(f"\n{chunk.lead}")
            assert minilm().counts([chunk.context])[0] <= size // 2
        if document.pages and chunk.page is not None:
            assert chunk.page == document.pages.at(chunk.start)
            assert chunk.page_label == document.pages.label_at(chunk.start)
        covered[chunk.start : chunk.end] = b"\1" * (chunk.end - chunk.start)
    for before, after in pairwise(chunks):
        assert before.start < after.start
        assert before.end < after.end
        if not overlap:
            assert before.end <= after.start
        elif before.end > after.start:
            assert minilm().counts([text[after.start : before.end]])[0] <= overlap
    lost = [
        character
        for character, seen in zip(text, covered, strict=True)
        if not seen and not character.isspace()
    ]
    assert not lost, f"not in any chunk: {lost}"
    assert len({chunk.id for chunk in chunks}) == len(chunks)


_FRAGMENTS = (
    "a the of chunk retrieval 3.14 1,234.5 2024-05-01 e.g. Dr. U.S. max_seq_length don't naïve internationalization "
    "antidisestablishmentarianism http://example.org/a/b?c=d (see **bold** `code` end. Really? Yes! 杭州 北京大学生 "
    "ｆｕｌｌ カタカナ ひらがな 한국어 ไทย 😀 e\u0301te\u0301 [UNK] ## | … word,word;word "
    "0123456789012345678901234567890123456789"
)
WORDS = st.sampled_from(_FRAGMENTS.split())
ENDLESS = st.builds(
    lambda bit, times: bit * times,
    st.sampled_from(["x", "ab1", "かな", "a-", "3a9f", "é"]),
    st.integers(20, 90),
)
LINE = st.lists(
    st.one_of(WORDS, WORDS, WORDS, ENDLESS, st.text("ab 中。.\t", min_size=1, max_size=4)),
    min_size=1,
    max_size=14,
).map(lambda words: " ".join(words).strip() or "x")
PROSE = st.lists(
    st.one_of(LINE, LINE.map(lambda line: line + "."), LINE.map(lambda line: "".join(line.split()) + "。")),
    min_size=1,
    max_size=4,
)
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(heading, LINE.map(lambda line: line[:60].strip() or "x"), st.integers(1, 4)),
    PROSE.map(lambda lines: paragraph(" ".join(lines))),
    PROSE.map(lambda lines: paragraph("\n".join(lines))),
    PROSE.map(lambda lines: code("\n".join(f"    {line}" for line in lines).strip())),
    st.builds(
        lambda lines, head: table("\n".join(f"| {line} | 1 |" for line in lines), head),
        PROSE,
        st.integers(0, 2),
    ),
    st.builds(lambda lines, head: code("\n".join(lines).strip(), head), PROSE, st.integers(0, 2)),
    PROSE.map(lambda lines: items("\n".join(f"- {line}" for line in lines))),
    st.lists(st.tuples(st.sampled_from(["", "  ", "    - ", "\t- "]), LINE), min_size=1, max_size=12).map(
        lambda lines: items("\n".join(before + line for before, line in lines))
    ),
    LINE.map(lambda line: paragraph(f"{line}:")),
    LINE.map(caption),
)
DOCUMENTS = st.builds(
    lambda parts, title, gap, page: make_document(*parts, title=title, gap=gap, page=page),
    st.lists(PARTS, max_size=8),
    st.one_of(st.just(""), LINE),
    st.sampled_from(["\n", "\n\n", "\n \n\t\n"]),
    st.sampled_from([0, 0, 7, 90]),
)
