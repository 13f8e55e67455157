"""Files are read elsewhere: what a bad file does there is that file's failure and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ragcli.errors import PartlyDone
from ragcli.load.parsed import Means
from ragcli.load.pool import Job, LoaderPool
from ragcli.types import Document, Failure

from .support import check

ROOT = Path(__file__).parents[2]
LOADERS = {
    f".{name.replace('_', '')}": f"tests.load.loaders:{name}"
    for name in (
        "shout",
        "hang",
        "crash",
        "devour",
        "burst",
        "sign",
        "chatter",
        "reach_out",
        "lay_aside",
        "endless",
        "in_part",
    )
}


@pytest.fixture(autouse=True)
def _tests_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))


def read(
    folder: Path,
    files: dict[str, str],
    *,
    seconds: float = 60.0,
    workers: int = 2,
    means: Means | None = None,
) -> dict[str, list[Document | Failure]]:
    """What the pool makes of these files, which come back in their order, each with its end."""
    found: dict[str, list[Document | Failure]] = {}
    ended = []
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    with LoaderPool(means or Means(loaders=LOADERS), seconds=seconds, workers=workers) as pool:
        for job, item in pool.load(Job(folder / name, name) for name in files):
            if item is None:
                ended.append(job.path)
            else:
                assert job.path not in ended
                found.setdefault(job.path, []).append(item)
    assert ended == list(files)
    return found


def test_documents_arrive_as_they_were_read(tmp_path: Path) -> None:
    from ragcli.load import load_file

    files = {
        f"{n}.md": f"---\ntags: [a, b]\n---\n# Heading {n}\n\nText 文 {n}.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
        for n in range(30)
    }
    found = read(tmp_path, files)
    for name, items in found.items():
        assert items == list(load_file(tmp_path / name, path=name))


def test_a_collection_streams(tmp_path: Path) -> None:
    """More records than are held at once, and what comes after them."""
    lines = "".join(f'{{"_id": "{n}", "text": "{"word " * 4000}{n}"}}\n' for n in range(2_000))
    found = read(tmp_path, {"a.jsonl": lines, "b.md": "after", "c.jsonl": lines, "d.md": "last"})
    assert [item.record for item in found["a.jsonl"] if isinstance(item, Document)] == list(
        map(str, range(2_000))
    )
    assert len(found["c.jsonl"]) == 2_000
    assert len(found["b.md"]) == len(found["d.md"]) == 1


@pytest.mark.parametrize(
    ("suffix", "error", "told"),
    [
        ("hang", "timeout", "longer than 3 seconds"),
        ("crash", "crashed", "process that read it ended"),
        ("devour", "too-", "memory"),
        ("burst", "too-large", "memory"),
    ],
)
def test_a_bad_file_costs_only_itself(suffix: str, error: str, told: str, tmp_path: Path) -> None:
    if suffix in ("devour", "burst") and sys.platform != "linux":
        pytest.skip("only Linux bounds a process's memory reliably")
    files = {"a.md": "one", f"bad.{suffix}": "x", "b.md": "two", f"worse.{suffix}": "x", "c.md": "three"}
    found = read(tmp_path, files, seconds=3.0 if suffix == "hang" else 20.0)
    for name in ("a.md", "b.md", "c.md"):
        [item] = found[name]
        assert isinstance(item, Document)
    for name in (f"bad.{suffix}", f"worse.{suffix}"):
        [failure] = found[name]
        assert isinstance(failure, Failure)
        assert failure.error.startswith(error)
        assert told in failure.message


def test_a_large_parent_does_not_cost_workers(tmp_path: Path) -> None:
    held = bytearray(b"x") * 400_000_000
    found = read(tmp_path, {f"{n}.sign": "x" for n in range(4)}, workers=1)
    assert len({item.text for [item] in found.values() if isinstance(item, Document)}) == 1
    assert len(held) == 400_000_000


def test_noise_of_a_library_is_heard_by_nobody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    [item] = read(tmp_path, {"a.chatter": "quiet"})["a.chatter"]
    assert isinstance(item, Document)
    assert item.text == "QUIET"
    assert "noise" not in "".join(capfd.readouterr())


def test_a_reader_reaches_nothing(tmp_path: Path) -> None:
    [item] = read(tmp_path, {"a.reachout": str(tmp_path / "written")})["a.reachout"]
    assert isinstance(item, Document)
    assert item.text == "open: []"
    assert not (tmp_path / "written").exists()


def test_temporary_files_stay_in_memory(tmp_path: Path) -> None:
    [item] = read(tmp_path, {"a.layaside": "words"})["a.layaside"]
    assert isinstance(item, Document)
    assert item.text == "WORDS"


def test_files_without_end_are_cut_off(tmp_path: Path) -> None:
    items = read(tmp_path, {"a.endless": "word"})["a.endless"]
    assert isinstance(items[-1], Failure)
    assert items[-1].error == "too-large"
    assert len(items) == 20_001


def test_parts_go_on_after_a_broken_one(tmp_path: Path) -> None:
    items = read(tmp_path, {"a.inpart": "one broken three"})["a.inpart"]
    assert [type(item) for item in items] == [Document, Failure, Document]
    assert [item.path for item in items] == ["a.inpart/part 1", "a.inpart/part 2", "a.inpart/part 3"]
    for item in items:
        if isinstance(item, Document):
            check(item)
            assert item.file == "a.inpart"


def test_nobody_is_left_behind(tmp_path: Path) -> None:
    """Leaving in the midst ends the workers, and so does the death of the one that started them."""
    for number in range(20):
        (tmp_path / f"{number}.hang").write_text("x")

    def jobs() -> Iterator[Job]:
        yield from (Job(path, path.name) for path in sorted(tmp_path.iterdir()))

    code = (
        "import os, sys, threading\nfrom pathlib import Path\nfrom ragcli.load.parsed import Means\n"
        "from ragcli.load.pool import Job, LoaderPool\n"
        "pool = LoaderPool(Means(loaders={'.md': 'tests.load.loaders:shout'}), workers=2)\n"
        "for job, item in pool.load(Job(Path(p), p) for p in sys.argv[1:]):\n"
        "    print([w._process.pid for w in pool._running], flush=True)\n    os._exit(9)\n"
    )
    (tmp_path / "a.md").write_text("x")
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.md")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 9
    pids = [int(word) for word in done.stdout.strip(" []\n").split(",")]
    assert pids
    assert _gone(pids)
    with LoaderPool(Means(loaders=LOADERS), workers=2, seconds=60) as pool:
        threads = pool.load(jobs())
        threading.Timer(1.0, pool.close).start()
        with pytest.raises(RuntimeError, match="closed"):
            next(threads)


def _gone(pids: list[int]) -> bool:
    for _ in range(100):
        if not any(_runs(pid) for pid in pids):
            return True
        time.sleep(0.1)
    return False


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().split(")")[-1].split()[0] != "Z"


def test_no_process_to_be_had_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-such-python"))
    with pytest.raises(PartlyDone, match="no process could be started"):
        read(tmp_path, {"a.md": "words"})


def test_the_death_of_an_idle_reader_costs_nothing(tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text("words")

    def jobs() -> Iterator[Job]:
        yield Job(tmp_path / "a.md", "a.md")
        while not pool._queue[0].done:
            time.sleep(0.01)
        for worker in pool._running:
            worker._process.kill()
            worker._process.wait()
        yield Job(tmp_path / "b.md", "b.md")

    with LoaderPool(workers=1) as pool:
        found = [(job.path, type(item).__name__) for job, item in pool.load(jobs())]
    assert found == [("a.md", "Document"), ("a.md", "NoneType"), ("b.md", "Document"), ("b.md", "NoneType")]


@pytest.mark.skipif(os.name == "nt", reason="sessions are a matter of POSIX")
def test_a_reader_that_hangs_ends_with_its_parent(tmp_path: Path) -> None:
    """Also where the parent could not say goodbye."""
    (tmp_path / "a.hang").write_text("x")
    code = (
        "import os, sys, threading, time\nfrom pathlib import Path\nfrom ragcli.load.parsed import Means\n"
        "from ragcli.load.pool import Job, LoaderPool\n"
        "pool = LoaderPool(Means(loaders={'.hang': 'tests.load.loaders:hang'}), workers=1)\n"
        "def tell():\n    time.sleep(1.5)\n    print(pool._running[0]._process.pid, flush=True)\n    os._exit(9)\n"
        "threading.Thread(target=tell).start()\n"
        "list(pool.load([Job(Path(sys.argv[1]), 'a')]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.hang")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert _gone([int(done.stdout)])
