"""What is derived, damaged byte by byte: a search notices or answers right, and a repair embeds nothing."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..program import Ran
from .conftest import SOAK
from .corpus import EVERYWHERE, Folder
from .processes import Family

# Bytes that are damaged together.
_REGION = 16384
# Ways to harm one file; in the suite one or two, chosen by chance.
_WAYS = 100_000 if SOAK else 1
_MODES = ("lexical", "dense")
Damage = Callable[[Path], object]


def damages(size: int, rng: random.Random) -> Iterator[tuple[str, Damage]]:
    """Ways to harm a file of so many bytes."""
    yield "deleted", Path.unlink
    yield "emptied", lambda path: path.write_bytes(b"")
    if size:
        yield "cut", lambda path: os.truncate(path, size // 2)
    starts = range(0, size, _REGION)
    for start in starts:
        noise = rng.randbytes(min(_REGION, size - start))
        yield f"overwritten at {start}", lambda path, start=start, noise=noise: overwrite(path, start, noise)
        yield (
            f"one byte at {start}",
            lambda path, start=start: flip(path, start + rng.randrange(min(_REGION, size - start))),
        )


def overwrite(path: Path, start: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(data)


def flip(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        (value,) = file.read(1)
        file.seek(place)
        file.write(bytes([value ^ 0xFF]))


def parts(home: Path) -> list[Path]:
    """Files of what is derived, relative to the folder: in the suite one of each kind."""
    found = [*(home / ".rag" / "chroma").rglob("*"), *(home / ".rag" / "lexical").rglob("*")]
    files = sorted(path.relative_to(home) for path in found if path.is_file() and path.suffix != ".lock")
    return (
        files if SOAK else list({(path.suffix or path.name, path.parts[1]): path for path in files}.values())
    )


def searched(family: Family, home: Path) -> list[Ran]:
    runs = [
        family.rag("search", EVERYWHERE, "--mode", mode, "-k", "100", "--format", "jsonl", cwd=home)
        for mode in _MODES
    ]
    return [run.wait() for run in runs]


def test_a_search_notices_damage_or_answers_right_and_a_repair_embeds_nothing(
    family: Family,
    words: list[str],
    rng: random.Random,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Without this, a bad sector could hide passages from every search to come."""
    sound = tmp_path / "sound"
    sound.mkdir()
    Folder(sound, rng, files=40)
    family.rag(*words, cwd=sound).wait()
    right = [ran.out for ran in searched(family, sound)]
    assert all(right)
    counts: Counter[str] = Counter()
    for part in parts(sound):
        ways = list(damages((sound / part).stat().st_size, rng))
        for what, harm in rng.sample(ways, min(_WAYS, len(ways))):
            told = f"{part} {what}"
            home = tmp_path / "harmed"
            shutil.copytree(sound, home)
            harm(home / part)
            for ran, out in zip(searched(family, home), right, strict=True):
                counts[f"search exit {ran.exit}"] += 1
                counts["noticed and made anew by the search"] += "made anew" in ran.err
                assert ran.exit in (0, 8), (told, ran)
                assert "Traceback" not in ran.err, (told, ran)
                if ran.exit == 0:
                    assert ran.out == out, told
                else:
                    assert "rag doctor --repair" in ran.err, told
            shutil.rmtree(home)
            shutil.copytree(sound, home)
            harm(home / part)
            mended = family.rag("doctor", "--repair", cwd=home).wait()
            assert mended.exit == 0, (told, mended)
            counts["repairs"] += 1
            counts["repairs that made something anew"] += "made anew" in mended.out
            again = family.rag(*words, cwd=home).wait()
            assert again.json["embedded"] == 0, told
            assert [ran.out for ran in searched(family, home)] == right, told
            shutil.rmtree(home)
    for name, value in sorted(counts.items()):
        record_property(name, value)


def test_damage_that_keeps_size_and_time_is_found_by_the_doctor(
    family: Family, words: list[str], rng: random.Random, tmp_path: Path
) -> None:
    """Without this, a byte that rots on the disk would never be found."""
    sound = tmp_path / "sound"
    sound.mkdir()
    Folder(sound, rng, files=40)
    family.rag(*words, cwd=sound).wait()
    right = [ran.out for ran in searched(family, sound)]
    for part in parts(sound):
        if part.name in ("chroma.sqlite3", "projection.json"):
            continue  # whoever opens the one changes it; the other is what the files are compared with
        home = tmp_path / "harmed"
        shutil.copytree(sound, home)
        before = (home / part).stat()
        if before.st_size:
            flip(home / part, rng.randrange(before.st_size))
            os.utime(home / part, ns=(before.st_atime_ns, before.st_mtime_ns))
            ran = family.rag("doctor", cwd=home).wait()
            assert ran.exit == 8, (part, ran)
            assert family.rag("doctor", "--repair", cwd=home).wait().exit == 0
            assert [ran.out for ran in searched(family, home)] == right, part
        shutil.rmtree(home)


@pytest.mark.parametrize("deleted", ["chroma", "lexical", "both"])
def test_whatever_is_derived_can_be_thrown_away(
    family: Family, words: list[str], rng: random.Random, tmp_path: Path, deleted: str
) -> None:
    """Without this, the catalogue would not be the one truth of an index."""
    Folder(tmp_path, rng, files=20)
    family.rag(*words, cwd=tmp_path).wait()
    right = [ran.out for ran in searched(family, tmp_path)]
    for name in ("chroma", "lexical"):
        if deleted in (name, "both"):
            shutil.rmtree(tmp_path / ".rag" / name)
    assert family.rag(*words, cwd=tmp_path).wait().json["embedded"] == 0
    assert [ran.out for ran in searched(family, tmp_path)] == right
