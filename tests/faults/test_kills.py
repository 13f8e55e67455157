"""``rag index`` killed at moments that nobody chose, while others search."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ..program import Ran
from .answers import answers_of, check_readers, check_same, known_vectors, used_vectors
from .conftest import SOAK, Fresh
from .corpus import EVERYWHERE, Folder
from .processes import Family

KILLS = 100 if SOAK else 10


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
