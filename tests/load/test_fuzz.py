"""Spoilt files of every format: read as far as they go or refused with a reason, whatever was done to them.

A few hundred are part of the ordinary tests. ``RAG_SOAK=1`` tries ten thousand, of the real files too.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

import pytest

from ragcli.load.formats import CODE, FORMATS, format_of
from ragcli.load.pool import Job, LoaderPool
from ragcli.types import Document, Failure

from .mutations import mutate
from .seeds import SEEDS
from .support import SHARED, check, check_failure

SOAK = os.environ.get("RAG_SOAK") == "1"
_EACH = 6_000 // len(SEEDS) + 1 if SOAK else 4
_EACH_REAL = 8
_LARGEST = 300_000
_SECONDS = 60.0  # far above what any of these small files takes on a busy machine
_SHOWN = 20


@pytest.fixture(scope="module")
def seeds() -> dict[str, bytes]:
    return {suffix: make() for suffix, make in SEEDS.items()}


def test_every_format_has_a_seed() -> None:
    sown = {format_of(PurePath(f"a{suffix}")) for suffix in SEEDS}
    assert set(FORMATS.values()) - CODE <= sown


def test_the_seeds_themselves(seeds: dict[str, bytes], tmp_path: Path) -> None:
    _try(tmp_path, ((f"a{suffix}", data) for suffix, data in seeds.items()), fails=False)


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
                f"{number} {at} {file.name}",  # names come again in other folders
                mutate(file.read_bytes(), random.Random(f"{file.name} {number}"), others),
            )
            for number in range(_EACH_REAL)
            for at, file in enumerate(files)
        ),
    )


def _try(folder: Path, cases: Iterable[tuple[str, bytes]], *, fails: bool = True) -> None:
    """Read each; those that break a promise stay in the folder, to be looked at."""
    problems: list[str] = []
    items: list[Document | Failure] = []

    def jobs() -> Iterator[Job]:
        for name, data in cases:
            if len(problems) >= _SHOWN:
                return
            (folder / name).write_bytes(data)
            yield Job(folder / name, name)

    with LoaderPool(seconds=_SECONDS) as pool:
        for job, item in pool.load(jobs()):
            if item is not None:
                items.append(item)
                continue
            told = _problem(items, fails=fails)
            items.clear()
            if told:
                problems.append(f"{job.file}: {told}")
            else:
                job.file.unlink()
    assert not problems, "\n".join(problems)


def _problem(items: list[Document | Failure], *, fails: bool) -> str:
    """The promise that these items of one file break; else empty."""
    if not items:
        return "nothing is told of it"
    for item in items:
        try:
            if isinstance(item, Document):
                check(item)
            else:
                check_failure(item)
                assert fails, item
                assert "memory" not in item.message, item
        except AssertionError as error:
            return f"{type(error).__name__}: {error}"
    return ""
