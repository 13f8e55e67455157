"""Spoilt files of every format: read as far as they go or refused with a reason, whatever was done to them.

A few hundred are part of the ordinary tests. ``RAG_SOAK=1`` tries ten thousand, of the real files too.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from .mutations import mutate
from .seeds import SEEDS
from .support import SHARED
from .trial import Trial

SOAK = os.environ.get("RAG_SOAK") == "1"
_EACH = 10_000 // len(SEEDS) + 1 if SOAK else 6
_EACH_REAL = 8
_LARGEST = 300_000
_SHOWN = 20


@pytest.fixture(scope="module")
def seeds() -> dict[str, bytes]:
    return {suffix: make() for suffix, make in SEEDS.items()}


def test_the_seeds_themselves(seeds: dict[str, bytes], tmp_path: Path) -> None:
    _try(tmp_path, ((f"a{suffix}", data) for suffix, data in seeds.items()))


def test_spoilt_files(seeds: dict[str, bytes], tmp_path: Path) -> None:
    others = list(seeds.values())
    _try(
        tmp_path,
        (
            (f"{number}{suffix}", mutate(data, random.Random(f"{suffix} {number}"), others))
            for number in range(_EACH)
            for suffix, data in seeds.items()
        ),
    )


@pytest.mark.skipif(not SOAK, reason="only with RAG_SOAK=1")
@pytest.mark.skipif(not (SHARED / "files").is_dir(), reason="the shared files are not here")
def test_spoilt_real_files(seeds: dict[str, bytes], tmp_path: Path) -> None:
    others = list(seeds.values())
    files = sorted(
        file
        for file in (SHARED / "files").rglob("*")
        if file.is_file() and file.stat().st_size < _LARGEST and file.parent != SHARED / "files"
    )
    _try(
        tmp_path,
        (
            (
                f"{number} {file.name}",
                mutate(file.read_bytes(), random.Random(f"{file.name} {number}"), others),
            )
            for number in range(_EACH_REAL)
            for file in files
        ),
    )


def _try(folder: Path, cases: Iterable[tuple[str, bytes]]) -> None:
    """Read each; those that break a promise stay in the folder, to be looked at."""
    problems = []
    with Trial() as trial:
        for name, data in cases:
            file = folder / name
            file.write_bytes(data)
            told = trial.problem(file)
            if told:
                problems.append(f"{file}: {told}")
            else:
                file.unlink()
            if len(problems) >= _SHOWN:
                break
    assert not problems, "\n".join(problems)
