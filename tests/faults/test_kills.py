"""``rag index`` killed at moments that nobody chose, while others search."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from ..program import Ran
from .answers import answers_of, check_readers, check_same, chunks_by_document, known_vectors, used_vectors
from .conftest import SOAK, Fresh
from .corpus import EVERYWHERE, Folder
from .processes import Family

_CATALOG = "ragcli.catalog:Catalog"
_BUILD = "ragcli.pipeline.build"
KILLS = 100 if SOAK else 8


def finished(ran: Ran) -> Ran:
    """A run that ended well and said nothing strange."""
    assert ran.exit == 0, ran
    assert "Traceback" not in ran.err, ran
    return ran


def test_kills_at_any_moment_lose_nothing_and_show_readers_nothing_that_never_was(
    family: Family, words: list[str], fresh: Fresh, rng: random.Random, tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    """Without this, a power cut or an impatient `kill -9` could leave an index that lies."""
    folder = Folder(tmp_path, rng, files=40)
    began = time.monotonic()
    finished(family.rag(*words, cwd=tmp_path).wait())
    span = time.monotonic() - began  # within which the next run is killed
    logs = [tmp_path / f"{mode}.log" for mode in ("lexical", "dense")]
    readers = [
        family.start("read", log.stem, EVERYWHERE, str(log), str(tmp_path / "stop"), cwd=tmp_path)
        for log in logs
    ]
    counts: Counter[str] = Counter()
    while counts["kills"] < KILLS:
        folder.change(rng.randint(1, 8))
        run = family.start("rag_in_small_steps", words, rng.randint(4, 12), rng.randint(2, 6), cwd=tmp_path)
        time.sleep(rng.uniform(0, span))
        if run.kill():
            counts["kills"] += 1
            span *= 1.05
        else:
            finished(run.wait())
            counts["runs that were through before"] += 1
            span *= 0.95
        look(family, folder, rng.choice(("lexical", "dense", "hybrid")), counts)
    (tmp_path / "stop").touch()
    for reader in readers:
        finished(reader.wait())
    known = known_vectors(tmp_path)
    last = finished(family.rag(*words, cwd=tmp_path).wait()).json
    assert last["embedded"] == len(used_vectors(tmp_path) - known), "paid for twice"
    check_same(answers_of(family, tmp_path), answers_of(family, fresh(tmp_path)))
    counts += check_readers(logs, folder)
    for name, value in sorted(counts.items()):
        record_property(name, value)


def look(family: Family, folder: Folder, mode: str, counts: Counter[str]) -> None:
    """Search with a process of its own, right after a kill."""
    search = family.rag(
        "search", EVERYWHERE, "--mode", mode, "-k", "2000", "--format", "jsonl", cwd=folder.home
    )
    ran = search.wait()
    assert ran.exit in (0, 5), ran
    assert "Traceback" not in ran.err, ran
    counts[f"searches after a kill, exit {ran.exit}"] += 1
    for hit in ran.lines:
        assert folder.has_held(hit["document"], hit["text"]), hit


def killed_after(family: Family, words: list[str], place: str, times: int, portion: int, home: Path) -> None:
    """Run until something has been done so often, with vectors that are made durable by fours."""
    ran = family.start("rag_until", words, place, times, portion, 4, cwd=home).wait()
    assert ran.exit == -signal.SIGKILL, ran


@pytest.mark.parametrize("times", [1, 3, 9])
def test_a_run_killed_late_has_kept_the_vectors_of_every_batch(
    family: Family, words: list[str], rng: random.Random, tmp_path: Path, times: int
) -> None:
    """Without this, hours of embedding would begin anew after a crash."""
    Folder(tmp_path, rng, files=20)
    killed_after(family, words, f"{_CATALOG}.put_vectors", times, 1024, tmp_path)
    assert len(known_vectors(tmp_path)) == 4 * times
    report = finished(family.rag(*words, cwd=tmp_path).wait()).json
    assert report["embedded"] == len(used_vectors(tmp_path)) - 4 * times


def test_with_the_default_model_a_killed_run_is_gone_on_with_as_well(
    family: Family, rng: random.Random, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Without this, all of the above might hold for a toy alone."""
    words = ["index", "docs", "--format", "json"]
    Folder(tmp_path, rng, files=8)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(tmp_path / "docs", elsewhere / "docs")
    killed_after(family, words, f"{_CATALOG}.put_vectors", 2, 1024, tmp_path)
    report = finished(family.rag(*words, cwd=tmp_path).wait()).json
    assert report["embedded"] == len(used_vectors(tmp_path)) - 8
    assert finished(family.rag(*words, cwd=elsewhere).wait()).json["embedded"] == len(used_vectors(tmp_path))
    mended, fresh = answers_of(family, tmp_path), answers_of(family, elsewhere)
    assert (mended.documents, mended.chunks) == (fresh.documents, fresh.chunks)


@pytest.mark.parametrize("name", ["docs/page.txt", "docs/pages.jsonl"])
def test_a_file_that_goes_after_a_run_was_killed_leaves_the_index(
    family: Family, words: list[str], tmp_path: Path, name: str
) -> None:
    """Without this, a document would be found for ever that no file has."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("Page 1 tells of amber at dusk.\n", "utf-8")
    write_pages(tmp_path / name, "heron")
    killed_after(family, words, f"{_BUILD}:bring_up_to_date", 2, 1, tmp_path)
    assert name in " ".join(chunks_by_document(tmp_path)), "it was killed too soon"
    (tmp_path / name).unlink()
    finished(family.rag(*words, cwd=tmp_path).wait())
    assert set(chunks_by_document(tmp_path)) == {"docs/a.txt"}


@pytest.mark.parametrize("name", ["docs/page.txt", "docs/pages.jsonl"])
def test_a_file_that_is_put_back_after_a_run_was_killed_is_put_back_in_the_index(
    family: Family, words: list[str], tmp_path: Path, name: str
) -> None:
    """Without this, going back in git after a crash would leave the other branch's texts in the index."""
    (tmp_path / "docs").mkdir()
    write_pages(tmp_path / name, "heron")
    finished(family.rag(*words, cwd=tmp_path).wait())
    before = chunks_by_document(tmp_path)
    write_pages(tmp_path / name, "willow")
    killed_after(family, words, f"{_BUILD}:bring_up_to_date", 1, 1, tmp_path)
    assert chunks_by_document(tmp_path) != before, "it was killed too soon"
    write_pages(tmp_path / name, "heron")
    finished(family.rag(*words, cwd=tmp_path).wait())
    assert chunks_by_document(tmp_path) == before


def write_pages(file: Path, word: str) -> None:
    """One document, or in a collection three."""
    texts = [f"Page {number} tells of {word} at dusk." for number in (2, 3, 4)]
    if file.suffix == ".jsonl":
        lines = [json.dumps({"_id": f"r{number}", "text": text}) for number, text in enumerate(texts)]
        file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    else:
        file.write_text(texts[0], "utf-8")


@pytest.mark.parametrize(
    ("place", "times"),
    [("pathlib:Path.replace", 1), ("pathlib:Path.replace", 2), ("pathlib:Path.replace", 3),
     ("pathlib:Path.replace", 4), (f"{_CATALOG}.put_vectors", 3)],
)  # fmt: skip
def test_a_repair_that_was_killed_is_gone_on_with_and_saves_as_much(
    family: Family, words: list[str], rng: random.Random, tmp_path: Path, place: str, times: int
) -> None:
    """Without this, a power cut while the vectors are saved would cost them."""
    Folder(tmp_path, rng, files=60)
    finished(family.rag(*words, cwd=tmp_path).wait())
    file = tmp_path / ".rag" / "catalog.sqlite3"
    os.truncate(file, file.stat().st_size * 3 // 4)
    other = tmp_path.with_name(f"{tmp_path.name} in one go")
    shutil.copytree(tmp_path, other)
    told = finished(family.rag("doctor", "--repair", cwd=other).wait()).out
    [saved] = re.findall(r"\d+ vectors were saved", told)
    embedded = finished(family.rag(*words, cwd=other).wait()).json["embedded"]
    assert embedded < len(used_vectors(other))

    killed = family.start("rag_until", ["doctor", "--repair"], place, times, 1, 1, cwd=tmp_path).wait()
    assert killed.exit == -signal.SIGKILL, killed
    if not file.exists():
        asked = family.rag("search", EVERYWHERE, cwd=tmp_path).wait()
        assert asked.exit == 8
        assert "rag doctor --repair" in asked.message
    again = finished(family.rag("doctor", "--repair", cwd=tmp_path).wait()).out
    assert file.exists()
    if place != "pathlib:Path.replace" or times < 3:
        assert saved in again
    assert finished(family.rag(*words, cwd=tmp_path).wait()).json["embedded"] == embedded
    assert {path.name for path in file.parent.glob("catalog.*") if "-" not in path.name} >= {
        "catalog.damaged.sqlite3", "catalog.sqlite3",
    }  # fmt: skip
    assert not (file.parent / "catalog.mending.sqlite3").exists()


def test_a_stopped_run_is_told_of_until_one_is_finished(
    family: Family, words: list[str], rng: random.Random, tmp_path: Path
) -> None:
    """Without this, half of an index looks like all of it."""
    Folder(tmp_path, rng, files=20)

    def unfinished() -> list[str]:
        told = family.rag("status", "--format", "json", cwd=tmp_path).wait()
        assert told.exit == 0, told
        return list(told.json["unfinished"])

    killed_after(family, words, f"{_CATALOG}.put_vectors", 1, 1024, tmp_path)
    assert unfinished() == ["docs"]
    ran = family.rag("search", EVERYWHERE, cwd=tmp_path).wait()
    assert ran.exit == 1, ran
    assert "nothing found; not all of docs is in the index yet: `rag index` goes on with it" in ran.err
    ran = family.rag("doctor", cwd=tmp_path).wait()
    assert "the last run over docs is under way or was stopped" in ran.out + ran.err
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.md").write_text("Another one.\n", "utf-8")
    finished(family.rag("index", "other", *words[2:], cwd=tmp_path).wait())
    assert unfinished() == ["docs"]
    finished(family.rag(*words, cwd=tmp_path).wait())
    assert unfinished() == []
    killed_after(family, [*words, "--rebuild"], f"{_CATALOG}.put_document", 1, 1024, tmp_path)
    assert unfinished() == ["docs", "other"], "all is made anew"
    finished(family.rag(*words, "other", cwd=tmp_path).wait())
    assert unfinished() == []
