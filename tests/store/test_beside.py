"""A projection that a process of its own makes is the one that this process makes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ragcli.analyze import ENGLISH
from ragcli.catalog import Catalog
from ragcli.store import DenseStore, LexicalStore, bring_up_to_date, is_current, projection
from ragcli.store.beside import Beside

from .samples import SIGNATURE, make_document, put, vector_of

LINES = [
    f"the {one} tower by the {other} river" for one in ("old", "new", "red") for other in ("wide", "cold")
]


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalog]:
    monkeypatch.setattr(projection, "_MANY", 3)
    with Catalog.create(tmp_path / "catalog.sqlite3") as opened:
        put(opened, make_document("a.md", "\n".join(LINES)))
        yield opened


def test_both_sides_are_made_whole(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []

    class Watched(Beside):
        def __init__(self, *words: str) -> None:
            super().__init__(*words)
            begun.append(self)

    monkeypatch.setattr("ragcli.store.beside.Beside", Watched)
    lexical, dense = LexicalStore(tmp_path / "lexical"), DenseStore(tmp_path / "chroma", SIGNATURE)
    bring_up_to_date([lexical, dense], catalog)
    [process] = begun
    assert process.wait(), "it was made there"
    assert is_current(lexical, catalog, thorough=True)
    assert is_current(dense, catalog, thorough=True)
    alone = LexicalStore(tmp_path / "alone")
    bring_up_to_date([alone], catalog)
    terms = ENGLISH.question("red tower cold river")
    assert lexical.search(terms, 10) == alone.search(terms, 10)
    assert len(dense.search(catalog, vector_of(LINES[0]), 10)) == len(LINES)
    bring_up_to_date([lexical, dense], catalog)
    put(catalog, make_document("b.md", "another harbour"))
    bring_up_to_date([lexical, dense], catalog)
    assert len(begun) == 1, "a change is followed here"
    assert lexical.search(ENGLISH.question("harbour"), 10)


def test_what_fails_there_is_made_here(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LexicalStore, "recipe", ("import os; os._exit(3)",))
    lexical, dense = LexicalStore(tmp_path / "lexical"), DenseStore(tmp_path / "chroma", SIGNATURE)
    bring_up_to_date([lexical, dense], catalog)
    assert is_current(lexical, catalog, thorough=True)
    assert lexical.search(ENGLISH.question("harbour river"), 10)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_it_ends_with_whoever_began_it() -> None:
    code = (
        "import sys, time; from ragcli.store.beside import Beside\n"
        "inner = 'import os, threading, time; from ragcli.store import beside;'"
        "'threading.Thread(target=beside._end_with_the_first, daemon=True).start(); time.sleep(600)'\n"
        "print(Beside(inner)._process.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as outer:
        assert outer.stdout is not None
        inner = int(outer.stdout.readline())
        os.kill(inner, 0)
        outer.kill()
    end = time.monotonic() + 300
    while Path(f"/proc/{inner}").exists() and time.monotonic() < end:
        if "Z" in Path(f"/proc/{inner}/stat").read_text().rpartition(")")[2][:3]:
            return  # nobody fetched what is left of it
        time.sleep(0.1)
    if not Path("/proc").is_dir():
        with pytest.raises(ProcessLookupError):
            os.kill(inner, signal.SIGCONT)
    assert time.monotonic() < end
