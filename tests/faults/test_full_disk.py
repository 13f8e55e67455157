"""A disk that fills while ``rag index`` writes, and a system that lets no file grow further."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ..program import Ran
from .answers import answers_of, check_same
from .conftest import SOAK, Fresh
from .corpus import EVERYWHERE, Folder
from .processes import Family

POINTS = 20 if SOAK else 4
QUESTIONS = [["search", EVERYWHERE, "--mode", mode, "--format", "paths"] for mode in ("lexical", "dense")]


@pytest.fixture
def home(family: Family, words: list[str], tmp_path: Path) -> Path:
    """A small index, and beside it documents enough to make it several times as large."""
    home = tmp_path / "home"
    folder = Folder(home, random.Random(17), files=20)
    ran = family.rag(*words, cwd=home).wait()
    assert ran.exit == 0, ran
    folder.grow(60)
    return home


def test_a_disk_that_is_full_at_any_point_costs_nothing_but_the_room(
    family: Family, words: list[str], home: Path, fresh: Fresh, rng: random.Random, tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    """Without this, a full disk would end in a traceback, or in an index that must be thrown away."""
    wanted = answers_of(family, fresh(home))
    roomy = on_a_disk(family, words, copy(home, tmp_path / "roomy"), 1 << 27)
    assert [ran.exit for ran in roomy[0]] == [0] * 6, roomy
    counts: Counter[str] = Counter()
    # What is written for a while and taken away again is about as much as what stays.
    for room in points(rng, 2 * roomy[1]):
        here = copy(home, tmp_path / "full")
        (indexed, *asked, again), _ = on_a_disk(family, words, here, room)
        on_full, with_room = asked[:2], asked[2:]
        for ran in (indexed, *on_full):
            assert ran.exit == 0 or tells_of_no_room(ran), (room, ran)
        assert [ran.exit for ran in (*with_room, again)] == [0, 0, 0], (room, with_room, again)
        counts[f"index, exit {indexed.exit}"] += 1
        counts.update(f"searches while it is full, exit {ran.exit}" for ran in on_full)
        check_same(answers_of(family, here), wanted)
    for name, value in sorted(counts.items()):
        record_property(name, value)


def test_a_disk_that_is_full_while_a_catalogue_is_mended_costs_no_vectors(
    family: Family, words: list[str], home: Path, rng: random.Random, tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    """Without this, a repair on a full disk would take for unreadable what it had no room to save."""
    repair = ["doctor", "--repair"]
    file = home / ".rag" / "catalog.sqlite3"
    os.truncate(file, file.stat().st_size * 3 // 4)
    roomy = copy(home, tmp_path / "roomy")
    ran, grown = on_a_disk(family, repair, roomy, 1 << 27, [])
    assert [each.exit for each in ran] == [0, 0], ran
    embedded = family.rag(*words, cwd=roomy).wait().json["embedded"]
    counts: Counter[str] = Counter()
    for room in points(rng, 2 * max(grown, file.stat().st_size)):
        here = copy(home, tmp_path / "full")
        (repaired, again), _ = on_a_disk(family, repair, here, room, [])
        assert repaired.exit == 0 or tells_of_no_room(repaired), (room, repaired)
        assert again.exit == 0, (room, again)
        counts[f"repair, exit {repaired.exit}"] += 1
        assert family.rag(*words, cwd=here).wait().json["embedded"] == embedded, room
    assert counts["repair, exit 6"], counts
    for name, value in sorted(counts.items()):
        record_property(name, value)


def test_files_that_may_grow_no_further_cost_nothing_but_the_time(
    family: Family, words: list[str], home: Path, fresh: Fresh, rng: random.Random, tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    """Without this, a `ulimit -f` or a quota would end in a traceback or in a useless index."""
    whole = fresh(home)
    wanted = answers_of(family, whole)
    largest = max(path.stat().st_size for path in (whole / ".rag").rglob("*") if path.is_file())
    counts: Counter[str] = Counter()
    for most in points(rng, largest, first=1024):  # less, and the reason could not be told
        here = copy(home, tmp_path / "small")
        indexed = family.start("rag_with_small_files", words, most, cwd=here).wait()
        assert indexed.exit == 0 or tells_of_no_room(indexed), (most, indexed)
        counts[f"index, exit {indexed.exit}"] += 1
        for question in QUESTIONS:
            ran = family.rag(*question, cwd=here).wait()
            assert ran.exit == 0, (most, ran)
        again = family.rag(*words, cwd=here).wait()
        assert again.exit == 0, (most, again)
        check_same(answers_of(family, here), wanted)
    for name, value in sorted(counts.items()):
        record_property(name, value)


def test_an_index_that_cannot_be_carried_for_want_of_room_leaves_nothing(
    family: Family, home: Path, rng: random.Random, tmp_path: Path
) -> None:
    """Without this, half an export would lie where a whole one was asked for."""
    carried = tmp_path / "whole.rag"
    manifest = family.rag("export", carried, "--format", "json", cwd=home).wait().json
    size = manifest["files"]["catalog.sqlite3"]["bytes"]
    before = answers_of(family, home)
    for most in points(rng, size, first=1 << 16):
        away = tmp_path / f"away{most}"
        away.mkdir()
        out = family.start("rag_with_small_files", ["export", str(away / "part.rag")], most, cwd=home).wait()
        assert tells_of_no_room(out), (most, out)
        assert str(away / "part.rag") in out.err
        assert list(away.iterdir()) == []
        into = family.start("rag_with_small_files", ["import", str(carried)], most, cwd=away).wait()
        assert tells_of_no_room(into), (most, into)
        assert family.rag("status", cwd=away).wait().exit == 3
        back = family.start(
            "rag_with_small_files", ["import", str(carried), "--force"], most, cwd=home
        ).wait()
        assert tells_of_no_room(back), (most, back)
        check_same(answers_of(family, home), before)
        assert family.rag("import", carried, cwd=away).wait().exit == 0


def points(rng: random.Random, end: int, first: int = 0) -> Iterable[int]:
    """Sizes from nothing to all that is needed, each somewhere in its part of the way."""
    step = (end - first) / POINTS
    return [first + int(step * (number + rng.random() * (number > 0))) for number in range(POINTS)]


def tells_of_no_room(ran: Ran) -> bool:
    """Whether a run ended as the contract has it where there is no room, with one line that says so."""
    [line] = ran.err.splitlines()
    return ran.exit in (2, 6) and line.startswith("rag: ") and "make room" in line and not ran.out


def on_a_disk(
    family: Family, words: list[str], home: Path, room: int, questions: list[list[str]] = QUESTIONS
) -> tuple[list[Ran], int]:
    """Run with so much room on the disk, ask, make room, ask again, and run again; how much it grew."""
    told = home / "told"
    ran = family.start("rag_on_a_full_disk", words, questions, room, str(told), cwd=home).wait()
    assert ran.exit == 0, ran
    result = json.loads(told.read_text("utf-8"))
    if "skip" in result:
        pytest.skip(f"no file system of one's own here: {result['skip']}")
    shutil.rmtree(home / ".rag")
    (home / "kept").rename(home / ".rag")
    return [Ran(*each) for each in result["runs"]], result["grown"]


def copy(home: Path, to: Path) -> Path:
    """The folder as it is now, in place of what was there."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(home, to)
    return to
