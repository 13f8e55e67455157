"""What is said exactly is found in an index just where the texts have it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.analyze import ENGLISH, Analyzer, words_of
from ragcli.catalog import Catalog
from ragcli.search.searcher import Searcher
from ragcli.search.syntax import Clause, parse_question
from ragcli.store import LexicalStore, bring_up_to_date

from ..store.samples import make_document, put

TEXTS = {
    "a": "def getUserName(user_id): return HTTPServer.lookup(user_id)",
    "b": "max_seq_length is 512 since v2.4.1, see path/to/file.txt or mail john.doe@example.org",
    "c": "The server at 192.168.17.20 fails with E1043 on 2026-05-01, state-of-the-art or not.",
    "d": "To be or not to be: that is the question, don't you think? John's car.",
    "e": "室外温度低于四度时放下保温帘，问题有四个问号。开放时间为每天上午九点到下午五点。",
    "f": "我们提供保修两年。这本书第三页写着温室。",
    "g": "データベースを使う。カタカナ 한국어 문서입니다.",
    "h": "Configurations are responsibly organized; she tries vitamin C and Café au lait.",
    "i": "温度 低于零度时 Chroma 1.5.9 报错 E1043。",
}


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    with Catalog.in_memory() as catalog:
        put(catalog, *(make_document(name, text) for name, text in TEXTS.items()))
        store = LexicalStore(tmp_path_factory.mktemp("lexical"))
        bring_up_to_date([store], catalog)
        yield Searcher(catalog, store, None)
        store.close()


def documents(searcher: Searcher, question: str) -> set[str]:
    """Documents that words alone find."""
    hits = searcher.search(question, k=50, mode="lexical")
    return {hit.document for hit in hits}


@given(st.sampled_from(sorted(TEXTS)), st.integers(0, 120), st.integers(1, 24))
def test_whatever_stands_in_a_text_is_found_there(
    searcher: Searcher, name: str, start: int, length: int
) -> None:
    part = TEXTS[name][start : start + length].strip()
    # Of John's, the s is no word.
    if any(len(word) == 1 and word.isascii() for word in words_of(part)) or not words_of(part) or '"' in part:
        return
    clause = Clause(part, quoted=True)
    holding = {each for each, text in TEXTS.items() if clause.holds(text, ENGLISH)}
    assert documents(searcher, f'+"{part}"') == holding


@pytest.mark.parametrize(
    ("question", "there"),
    [
        ('"温度低于四"', "e"), ('"四个问"', "e"), ('"保修两"', "f"), ("+温度低于", "ei"), ("温", "efi"), ("+四", "e"),
        ("温*", "efi"), ("保温*", "e"), ("データ*", "g"), ("한국*", "g"), ("+max_seq", "b"), ('"max seq"', "b"),
        ("+state-of-the", "c"), ("+path/to", "b"), ("+192.168", "c"), ('"2026-05"', "c"), ("+2026-05", "c"),
        ("+2.4.1", "b"), ("getusername", "a"), ("+getusername", "a"), ("httpserver", "a"), ("+John's", "d"),
        ("+John's -car", ""), ("E1043 -温度", "c"), ("E1043 -state-of-the-art", "i"),
        ("E1043 -chr*", "c"), ('"to be"', "d"), ('"c"', "h"), ("+E10*", "ci"), ("+don't", "d"),
    ],
)  # fmt: skip
def test_what_is_demanded_is_there_and_what_is_left_out_is_not(
    searcher: Searcher, question: str, there: str
) -> None:
    assert documents(searcher, question) == set(there)
    asked = parse_question(question)
    if asked.required:
        assert {name for name, text in TEXTS.items() if asked.admits(text, ENGLISH)} == set(there)


def test_words_whose_vowels_are_marks(tmp_path: Path) -> None:
    """With languages beside English a word of such a script is one word, in the index and in the question."""
    texts = {"a": "मेरी किताब मेज़ पर है", "b": "किताब मेरी नहीं", "c": "هذا كِتاب جديد"}
    with Catalog.in_memory() as catalog:
        put(catalog, *(make_document(name, text) for name, text in texts.items()))
        analyzer = Analyzer.of("en,hi,ar")
        store = LexicalStore(tmp_path / "lexical", analyzer)
        bring_up_to_date([store], catalog)
        found = Searcher(catalog, store, None)
        for question, there in (
            ('"मेरी किताब"', "a"),
            ("+किताब", "ab"),
            ("+मेज़ किताब", "a"),
            ('"كتاب جديد"', "c"),
        ):
            assert documents(found, question) == set(there), question
        store.close()
