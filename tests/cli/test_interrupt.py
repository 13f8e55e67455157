"""``rag index`` stopped in the middle: what was done is kept, and the same command carries on."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from ..program import Rag, Run
from .test_index import index

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are not Windows' way")

WORDS = ["amber", "basil", "cedar", "dune", "ember", "fjord", "grove", "heron", "inlet", "juniper", "kelp"]


def library(folder: Path) -> None:
    """Sixty files of a few short chunks each: vectors become durable in three steps."""
    folder.mkdir()
    for number in range(60):
        lines = [
            f"Sentence {line} of page {number} tells of {WORDS[(number + line) % 11]} and {WORDS[line % 7]} at dusk."
            for line in range(5)
        ]
        (folder / f"page{number:02}.txt").write_text("\n\n".join(lines) + "\n")


OPTIONS = ("docs", "--chunk-size", "24")


@pytest.fixture(scope="module")
def whole(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library and its index, made in one go."""
    home = tmp_path_factory.mktemp("library")
    library(home / "docs")
    assert index(run, home, *OPTIONS)["embedded"] > 256
    return home


def vectors(home: Path) -> int:
    """How many vectors the catalogue of a running process holds already."""
    try:
        with closing(sqlite3.connect(f"file:{home}/.rag/catalog.sqlite3?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM vectors").fetchone()[0])
    except sqlite3.Error:
        return 0


def stopped(process: subprocess.Popen[bytes], home: Path, how: signal.Signals) -> tuple[int, str]:
    """Signal a process after its first embeddings; its exit status and what it said."""
    with process:
        while process.poll() is None and not vectors(home):
            time.sleep(0.01)
        process.send_signal(how)
        _, err = process.communicate(timeout=120)
    return process.returncode, err.decode()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=lambda how: how.name)
def test_carries_on(run: Run, rag: Rag, whole: Path, tmp_path: Path, how: signal.Signals) -> None:
    library(tmp_path / "docs")
    status, err = stopped(rag.start("index", *OPTIONS, cwd=tmp_path), tmp_path, how)
    if how is signal.SIGKILL:
        assert status == -signal.SIGKILL
    else:
        assert status == 130, err
        assert (
            err.splitlines()[-1] == "rag: interrupted; what was done is kept, and the same command carries on"
        )
        assert "Traceback" not in err
    kept = vectors(tmp_path)
    assert kept > 0
    run("status", cwd=tmp_path)
    report = index(run, tmp_path, *OPTIONS)
    assert report["cached"] > 0
    assert report["embedded"] + kept == vectors(whole)
    for mode in ("lexical", "hybrid"):
        # Every chunk holds the word: ids, spans and scores of all of them.
        words = ("search", "heron at dusk", "--mode", mode, "-k", "2000", "--format", "jsonl")
        assert run(*words, cwd=tmp_path).out == run(*words, cwd=whole).out
