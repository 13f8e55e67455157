"""The power that goes at any write: one run of ``rag index`` for each write it makes, cut short before that."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from .answers import Answers, answers_of, check_same, chunks_by_document
from .conftest import SOAK, Fresh
from .corpus import EVERYWHERE, Folder
from .processes import Family
from .writes import can_be_watched

pytestmark = pytest.mark.skipif(not can_be_watched(), reason="writes are watched on Linux only")

SAMPLE = 3
_KILLED = 137

Chunks = Mapping[str, frozenset[str]]


@pytest.fixture(params=["a-new-index", "an-index-that-is-there"])
def home(request: pytest.FixtureRequest, family: Family, words: list[str], tmp_path: Path) -> Path:
    """Documents that await ``rag index``, alone or beside an index of what they were before."""
    home = tmp_path / "before"
    folder = Folder(home, random.Random(11), files=8)
    if request.param == "an-index-that-is-there":
        ran = family.rag(*words, cwd=home).wait()
        assert ran.exit == 0, ran
        folder.change(8)
    return home


def test_whichever_write_is_the_last_the_index_answers_and_the_same_command_carries_on(
    family: Family, words: list[str], home: Path, fresh: Fresh, rng: random.Random, tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    """Without this, there would be a moment at which a power cut costs the whole index."""
    whole = fresh(home)
    wanted = answers_of(family, whole)
    before = chunks_by_document(home) if (home / ".rag").exists() else {}
    states = (before, chunks_by_document(whole))
    _, writes = cut_short(family, words, copy(home, tmp_path / "counted"), None)
    chosen: Sequence[int] = range(writes) if SOAK else sorted(rng.sample(range(writes), SAMPLE))
    counts: Counter[str] = Counter()
    wrong = {}
    for last in chosen:
        here = copy(home, tmp_path / "cut")
        try:
            status, _ = cut_short(family, words, here, last)
            counts[f"exit {status}"] += 1  # how many writes there are differs by one or two
            for mode in ("lexical", "dense"):
                counts[look(family, here, mode, states, was_there=bool(before))] += 1
            carry_on(family, words, here, wanted)
        except AssertionError as error:
            wrong[last] = str(error)
    for name, value in sorted(counts.items()):
        record_property(name, value)
    assert not wrong, f"cut short after {min(wrong)} of {writes} writes"


def copy(home: Path, to: Path) -> Path:
    """The folder as it is now, in place of what was there."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(home, to)
    return to


def cut_short(family: Family, words: list[str], home: Path, last: int | None) -> tuple[int, int]:
    """Run the program up to a write; its exit status and how many writes it made."""
    told = home / "told"
    ran = family.start("rag_until_write", words, last, str(told), cwd=home).wait()
    assert ran.exit in (0, _KILLED), ran
    assert "Traceback" not in ran.err, ran
    return ran.exit, int(told.read_text("utf-8"))


def look(family: Family, home: Path, mode: str, states: tuple[Chunks, Chunks], *, was_there: bool) -> str:
    """Search after the cut: all of what is in the catalogue, whose documents are each old or new."""
    question = ("search", EVERYWHERE, "--mode", mode, "-k", "2000", "--format", "jsonl")
    ran = family.rag(*question, cwd=home).wait()
    assert "Traceback" not in ran.err, ran
    assert ran.exit in ((0,) if was_there else (0, 1, 3)), ran
    if ran.exit != 3:
        now = chunks_by_document(home)
        assert {hit["id"] for hit in ran.lines} == frozenset().union(*now.values())
        for document in {*now, *states[0], *states[1]}:
            assert now.get(document) in [state.get(document) for state in states], document
    return f"searches, exit {ran.exit}"


def carry_on(family: Family, words: list[str], home: Path, wanted: Answers) -> None:
    """Run the command again, to its end."""
    ran = family.rag(*words, cwd=home).wait()
    assert ran.exit == 0, ran
    check_same(answers_of(family, home), wanted)
    assert (home / ".rag" / ".gitignore").read_text("utf-8") == "*\n"
