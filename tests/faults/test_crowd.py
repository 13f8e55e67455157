"""Many writers and readers of one index at once."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .answers import answers_of, check_readers, check_same, chunks_by_document
from .conftest import SOAK, Fresh
from .corpus import EVERYWHERE, Folder
from .processes import PATIENCE, Family, Process

SECONDS = 60 if SOAK else 6
WRITERS = 4


def test_a_crowd_of_writers_and_readers_leaves_an_index_as_one_writer_would(
    family: Family, words: list[str], fresh: Fresh, rng: random.Random, tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    """Without this, a cron job beside an editor's save hook could lose documents or bring back old ones."""
    folder = Folder(tmp_path, rng, files=30)
    ran = family.rag(*words, cwd=tmp_path).wait()
    assert ran.exit == 0, ran
    logs = [tmp_path / f"{number}-{mode}.log" for number, mode in enumerate(("lexical", "dense") * 2)]
    readers = open_readers(family, tmp_path, logs)
    counts: Counter[str] = Counter()
    commands = commands_of(words, folder, rng)
    running: list[Process] = []
    end = time.monotonic() + SECONDS
    while running or time.monotonic() < end:
        if len(running) < WRITERS and time.monotonic() < end:
            folder.change(rng.randint(0, 3))
            running.append(family.rag(*next(commands), cwd=tmp_path))
        if len(running) == WRITERS or time.monotonic() >= end:
            family.listen(0.1)
        for process in [process for process in running if process.status is not None]:
            running.remove(process)
            counts[judged(process)] += 1
    (tmp_path / "stop").touch()
    for reader in readers:
        ran = reader.wait()
        assert ran.exit == 0, ran
    ran = family.rag(*words, cwd=tmp_path).wait()
    assert ran.exit == 0, ran
    check_same(answers_of(family, tmp_path), answers_of(family, fresh(tmp_path)))
    counts += check_readers(logs, folder)
    for name, value in sorted(counts.items()):
        record_property(name, value)


def open_readers(family: Family, home: Path, logs: list[Path]) -> list[Process]:
    """Readers that search until there is a file ``stop``, each in the mode that its log is named for."""
    return [
        family.start("read", log.stem.partition("-")[2], EVERYWHERE, str(log), str(home / "stop"), cwd=home)
        for log in logs
    ]


def commands_of(words: list[str], folder: Folder, rng: random.Random) -> Iterator[list[str]]:
    """What the writers do, in turns: index, index in no hurry to wait, and remove what is there."""
    patient = ["--wait", "60"]
    while True:
        yield words
        yield ["remove", rng.choice(folder.names), *patient]
        yield [*words, "--rebuild"]
        yield [*words[: words.index("--wait")], "--wait", "0.2", "--format", "json"]
        yield ["remove", "docs/deep", *patient]
        yield ["index", *patient]


def judged(process: Process) -> str:
    """How a writer ended, unless that is not among what it may do."""
    ran = process.wait()
    assert "Traceback" not in ran.err, (process.command, ran)
    errors = [line for line in ran.err.splitlines() if line.startswith("rag: ")]
    verb = "remove" if "remove" in process.command else "index"
    errors = [line for line in ran.err.splitlines() if line.startswith("rag: ")]  # beside whom it waited for
    if verb == "remove" and ran.exit == 2:  # another writer was first, or its file is too new to be in
        assert errors[0].startswith("rag: not in the index: "), ran
    else:
        # 6: a file went between the moment it was found and the moment it was read.
        assert ran.exit in ((0, 5, 6) if verb == "index" else (0, 5)), (process.command, ran)
    if ran.exit in (2, 5):
        assert len(errors) == 1, ran
    return f"{verb}, exit {ran.exit}"


def test_writers_that_begin_at_the_same_time_make_one_index(
    family: Family, words: list[str], fresh: Fresh, rng: random.Random, tmp_path: Path
) -> None:
    """Without this, two that both find no index would each make one, and one would be lost."""
    Folder(tmp_path, rng, files=10)
    processes = [family.rag(*words, cwd=tmp_path) for _ in range(WRITERS)]
    embedded = []
    for process in processes:
        ran = process.wait()
        assert ran.exit == 0, ran
        embedded.append(ran.json["embedded"])
    assert sorted(embedded)[:-1] == [0] * (WRITERS - 1), "only the first had anything to do"
    assert chunks_by_document(tmp_path) == chunks_by_document(fresh(tmp_path))


def test_readers_that_stay_open_go_on_when_one_of_them_makes_anew_what_the_others_read(
    family: Family, words: list[str], rng: random.Random, tmp_path: Path
) -> None:
    """Without this, a rebuild that was stopped would make a server that holds the index say it is damaged."""
    folder = Folder(tmp_path, rng, files=6)
    ran = family.rag(*words, cwd=tmp_path).wait()
    assert ran.exit == 0, ran
    logs = [tmp_path / f"{number}-dense.log" for number in range(2)]
    readers = open_readers(family, tmp_path, logs)
    for _ in range(5 if SOAK else 2):
        wait_for_a_search(readers, logs)
        cut = family.start(
            "rag_until", [*words, "--rebuild"], "ragcli.pipeline.build:discard", 1, 100, 100, cwd=tmp_path
        )
        assert cut.wait().exit == -signal.SIGKILL
    wait_for_a_search(readers, logs)
    (tmp_path / "stop").touch()
    for reader in readers:
        ran = reader.wait()
        assert ran.exit == 0, ran
    counts = check_readers(logs, folder)
    assert not [name for name in counts if "was told" in name], "nothing was damaged"


@pytest.mark.parametrize("mode", ["lexical", "dense"])
def test_a_reader_that_saw_less_than_a_killed_writer_wrote_follows_from_there(
    family: Family, words: list[str], rng: random.Random, tmp_path: Path, mode: str
) -> None:
    """Without this, it would write back what it had read before, and texts that are gone would be found again."""
    folder = Folder(tmp_path, rng, files=12)
    folder.rewrite()
    ran = family.rag(*words, cwd=tmp_path).wait()
    assert ran.exit == 0, ran
    log, stop = tmp_path / f"{mode}.log", tmp_path / "stop"
    reader = family.start("read", mode, EVERYWHERE, str(log), str(stop), True, cwd=tmp_path)
    for number in range(1, 10 if SOAK else 4, 2):
        wait_for_a_search([reader], [log], Path(f"{log}.{number}"))
        folder.rewrite()  # as many as before, so that their number gives nothing away
        # A first portion is through and marked in both projections, a second one in the catalogue alone.
        cut = family.start("rag_until", words, "ragcli.store.projection:_write", 5, 4, 100, cwd=tmp_path)
        assert cut.wait().exit == -signal.SIGKILL
        wait_for_a_search([reader], [log], Path(f"{log}.{number + 1}"))
        ran = family.rag(*words, cwd=tmp_path).wait()
        assert ran.exit == 0, ran
    stop.touch()
    ran = reader.wait()
    assert ran.exit == 0, ran
    check_readers([log], folder)


def wait_for_a_search(readers: list[Process], logs: list[Path], start: Path | None = None) -> None:
    """Return when each reader has searched once more, told to by ``start`` where it waits for that."""
    sizes = [log.stat().st_size if log.exists() else 0 for log in logs]
    end = time.monotonic() + PATIENCE
    if start is not None:
        start.touch()
    while any(not log.exists() or log.stat().st_size <= size for log, size in zip(logs, sizes, strict=True)):
        for reader in readers:
            assert reader.is_running, reader.wait()
        assert time.monotonic() < end, "a reader hangs"
        time.sleep(0.01)
