"""Counting tokens with tiktoken's own code over small ranks, by estimate, and never by network."""

from __future__ import annotations

import base64
import hashlib
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcli import budget
from ragcli.budget import ENCODINGS, Estimate, counter_for
from ragcli.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

MERGES = (b"th", b"the", b" t", b" the", b"er", b"\xe5\xa1", b"\xe5\xa1\x94")


def ranks_text() -> bytes:
    tokens = [*(bytes([b]) for b in range(256)), *MERGES]
    return b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))


@pytest.fixture
def ranks(tmp_path: Path) -> Path:
    path = tmp_path / "small.tiktoken"
    path.write_bytes(ranks_text())
    return path


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("DATA_GYM_CACHE_DIR", raising=False)


def put_in_cache(folder: Path, name: str, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay ``content`` where tiktoken keeps the ranks of ``name``, as if it were the published file."""
    folder.mkdir(exist_ok=True)
    known = ENCODINGS[name]
    (folder / hashlib.sha1(known.url.encode()).hexdigest()).write_bytes(content)
    small = budget.Ranks(known.url, hashlib.sha256(content).hexdigest(), known.pattern)
    monkeypatch.setitem(ENCODINGS, name, small)


def test_the_table_is_tiktokens_own(monkeypatch: pytest.MonkeyPatch) -> None:
    import tiktoken_ext.openai_public as public

    seen: list[tuple[str, str]] = []

    def note(url: str, expected_hash: str) -> dict[bytes, int]:
        seen.append((url, expected_hash))
        return {}

    monkeypatch.setattr(public, "load_tiktoken_bpe", note)
    for name, ours in ENCODINGS.items():
        theirs = getattr(public, name)()
        assert theirs["pat_str"] == ours.pattern
        assert seen.pop() == (ours.url, ours.sha256)


def test_a_file_of_ones_own_is_counted_by_tiktoken(ranks: Path) -> None:
    counter = counter_for("openai:gpt-4o", ranks=ranks)
    assert (counter.name, counter.exact) == ("o200k_base", True)
    assert counter.count("") == 0
    assert counter.count("the the") == 2
    assert counter.count("other") == 3  # o, the, r: th has the lowest rank
    assert counter.count("塔") == 1
    assert counter.count("<|endoftext|>") > 1


def test_the_pattern_follows_the_model_or_the_file(ranks: Path, tmp_path: Path) -> None:
    assert counter_for("openai:gpt-4", ranks=ranks).name == "cl100k_base"
    renamed = ranks.rename(tmp_path / "cl100k_base.tiktoken")
    assert counter_for(None, ranks=renamed).name == "cl100k_base"


@pytest.mark.parametrize(
    ("llm", "name", "exact"),
    [
        ("openai:gpt-4o-mini", "o200k_base", True),
        ("openai:gpt-4", "cl100k_base", True),
        ("http://127.0.0.1:1/v1#gpt-oss-20b", "o200k_base", True),
        ("ollama:qwen3", "o200k_base", False),
        ("cmd:llm -m gpt-4", "o200k_base", False),
        (None, "o200k_base", False),
    ],
)
def test_tiktokens_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, llm: str | None, name: str, exact: bool
) -> None:
    for encoding in ENCODINGS:
        put_in_cache(tmp_path / "cache", encoding, ranks_text(), monkeypatch)
    counter = counter_for(llm)
    assert (counter.name, counter.exact) == (name, exact)
    assert counter.count("the the") == 2


def test_the_cache_may_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_in_cache(tmp_path / "other", "o200k_base", ranks_text(), monkeypatch)
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR")
    monkeypatch.setenv("DATA_GYM_CACHE_DIR", str(tmp_path / "other"))
    assert counter_for(None).name == "o200k_base"
    monkeypatch.delenv("DATA_GYM_CACHE_DIR")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    (tmp_path / "other").rename(tmp_path / "data-gym-cache")
    assert counter_for(None).name == "o200k_base"
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    assert counter_for(None).name == "estimate"


def test_without_ranks_it_is_an_estimate() -> None:
    for llm in (None, "none", "openai:gpt-4o", "ollama:x", "cmd:x", "http://h/v1#m"):
        counter = counter_for(llm)
        assert (counter.name, counter.exact) == ("estimate", False)


def test_a_damaged_file_in_the_cache_is_passed_over_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    path = folder / hashlib.sha1(ENCODINGS["o200k_base"].url.encode()).hexdigest()
    path.write_bytes(b"damaged")
    assert counter_for("openai:gpt-4o").name == "estimate"
    assert path.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "damaged"),
        (b"<html>not found</html>\n", "damaged at line 1"),
        (b"IQ== 0\nIg= 1\n", "damaged at line 2"),
        (b"IQ== x\n", "damaged at line 1"),
        (b"IQ== -1\n", "damaged"),
        (b"IQ== 0\n", "incomplete"),
        (ranks_text() + b"dGhlcmU= 0\n", "incomplete"),
        (ranks_text()[:999], "damaged at line 124"),
        (b"".join(ranks_text().splitlines(keepends=True)[1:]), "incomplete"),
    ],
)
def test_a_damaged_file_of_ones_own_is_an_error(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "bad.tiktoken"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=says) as caught:
        counter_for(None, ranks=path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_of_ones_own_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the token ranks"):
        counter_for(None, ranks=tmp_path / "none.tiktoken")
    with pytest.raises(UsageError, match="cannot read the token ranks"):
        counter_for(None, ranks=tmp_path)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("The cat sat.", 4),
        ("tower", 1),
        ("sources", 2),
        ("internationalisation", 5),
        ("getUserByName", 7),
        ("1889", 2),
        ("埃菲尔铁塔。", 6),
        ("Überprüfung", 6),
        ("😀", 3),
        ("a\n\nb", 3),
        ("==========", 3),
        ("नमस्ते", 6),
    ],
)
def test_estimates(text: str, tokens: int) -> None:
    assert Estimate().count(text) == tokens


@settings(deadline=None)
@given(st.text(), st.text())
def test_an_estimate_grows_with_the_text(first: str, second: str) -> None:
    count = Estimate().count
    assert count(first) <= count(first + " " + second)
    assert count(first + " " + second) <= count(first) + count(second) + 2


def test_an_estimate_is_near_a_real_tokenizer() -> None:
    """MiniLM's WordPiece has a fifth of the pieces, so a BPE of 200,000 counts less than it."""
    prose = (
        "Retrieval finds the passages that may answer a question; generation writes the answer from them. "
        "The towers of the bridge were finished in 1889, and traffic has crossed it ever since."
    )
    words = len(prose.split())
    assert 1.1 * words < Estimate().count(prose) < 1.7 * words
