"""Locks, between real processes: threads of one process would not tell the truth."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ragcli.errors import IndexBusy, UsageError
from ragcli.locks import changing, reading, writing

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no shared locks")

# Holds a lock from the moment it says so until its input ends.
_HOLDER = """
import sys
from pathlib import Path
from ragcli.locks import changing, reading, writing
kind, folder = sys.argv[1], Path(sys.argv[2])
lock = {"write": lambda: writing(folder, "rag index docs", 20), "read": lambda: reading(folder, 20),
        "change": lambda: changing(folder, 20)}[kind]
with lock():
    print("held", flush=True)
    sys.stdin.read()
print("released", flush=True)
"""
# Reads over and over until its input ends, and says how often.
_READER = """
import select, sys
from pathlib import Path
from ragcli.locks import reading
times = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    with reading(Path(sys.argv[1]), 20):
        times += 1
        if times == 1:
            print("held", flush=True)
        select.select([sys.stdin], [], [], 0.05)
print(times, flush=True)
"""

Process = subprocess.Popen[str]
Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a process that holds a lock on ``tmp_path``; all are gone when the test ends."""
    started: list[Process] = []

    def run(kind: str, *, wait: bool = True) -> Process:
        script = [_READER] if kind == "reader" else [_HOLDER, kind]
        process = subprocess.Popen(
            [sys.executable, "-c", *script, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        if wait:
            assert process.stdout
            assert process.stdout.readline() == "held\n"
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def end(process: Process) -> str:
    """Let a process finish; what else it said."""
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    return said


def test_a_writer_keeps_other_writers_out_and_says_who_it_is(start: Start, tmp_path: Path) -> None:
    holder = start("write")
    with pytest.raises(IndexBusy) as caught, writing(tmp_path, "rag remove", wait=0.1):
        pytest.fail("two writers at once")
    assert f"process {holder.pid} " in str(caught.value)
    assert "`rag index docs`" in str(caught.value)
    assert "--wait" in str(caught.value)
    end(holder)
    with writing(tmp_path, "rag remove", wait=5):
        note = json.loads((tmp_path / "writer.json").read_text("utf-8"))
        assert (note["pid"], note["command"]) == (os.getpid(), "rag remove")
    assert not (tmp_path / "writer.json").exists()


def test_a_writer_lets_readers_in(start: Start, tmp_path: Path) -> None:
    start("write")
    with reading(tmp_path, wait=0):
        pass


def test_readers_read_together(start: Start, tmp_path: Path) -> None:
    start("read")
    start("read")
    with reading(tmp_path, wait=0):
        pass


def test_a_change_keeps_readers_and_other_changes_out(start: Start, tmp_path: Path) -> None:
    holder = start("change")
    with pytest.raises(IndexBusy), reading(tmp_path, wait=0.1):
        pytest.fail("read what was changing")
    with pytest.raises(IndexBusy), changing(tmp_path, wait=0.1):
        pytest.fail("two changes at once")
    end(holder)
    with reading(tmp_path, wait=5):
        pass


def test_a_reader_that_is_kept_out_is_told_by_whom(start: Start, tmp_path: Path) -> None:
    writer = start("write")
    start("change")
    with pytest.raises(IndexBusy, match=f"process {writer.pid} "), reading(tmp_path, wait=0):
        pytest.fail("read what was changing")


def test_a_reader_keeps_changes_out_until_it_ends(start: Start, tmp_path: Path) -> None:
    holder = start("read")
    with pytest.raises(IndexBusy), changing(tmp_path, wait=0.1):
        pytest.fail("changed what was read")
    waiting = start("change", wait=False)
    end(holder)
    assert waiting.stdout
    assert waiting.stdout.readline() == "held\n"
    end(waiting)


@pytest.mark.parametrize("kind", ["write", "read", "change"])
def test_a_killed_process_leaves_no_lock(kind: str, start: Start, tmp_path: Path) -> None:
    holder = start(kind)
    holder.send_signal(signal.SIGKILL)
    assert holder.wait(20) == -signal.SIGKILL
    with writing(tmp_path, "rag index", wait=1), changing(tmp_path, wait=1):
        pass


def test_the_note_of_a_killed_writer_is_not_taken_for_the_next_one(start: Start, tmp_path: Path) -> None:
    killed = start("write")
    killed.send_signal(signal.SIGKILL)
    killed.wait(20)
    holder = start("write")
    with pytest.raises(IndexBusy, match=f"process {holder.pid} "), writing(tmp_path, "rag index", wait=0):
        pytest.fail("two writers at once")


def test_a_change_that_waits_goes_before_readers_that_come_later(start: Start, tmp_path: Path) -> None:
    first = start("read")
    change = start("change", wait=False)
    deadline = time.monotonic() + 20
    while not is_kept_out(tmp_path):  # until the change has come to wait for the first reader
        assert time.monotonic() < deadline, "readers go on coming in before it"
        time.sleep(0.01)
    late = start("read", wait=False)
    end(first)
    assert change.stdout
    assert change.stdout.readline() == "held\n"
    end(change)
    assert late.stdout
    assert late.stdout.readline() == "held\n", "and then they read"
    end(late)


def is_kept_out(folder: Path) -> bool:
    try:
        with reading(folder, wait=0):
            return False
    except IndexBusy:
        return True


def test_a_change_gets_in_although_readers_keep_coming(start: Start, tmp_path: Path) -> None:
    readers = [start("reader") for _ in range(2)]
    for _ in range(2):
        with changing(tmp_path, wait=20):
            pass
    assert all(int(end(reader)) >= 1 for reader in readers), "and the readers go on"


@pytest.mark.parametrize("lock", [reading, changing])
def test_an_error_inside_gives_the_lock_back(lock: Callable[..., object], tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock(tmp_path, 0):  # type: ignore[attr-defined]
        raise ZeroDivisionError
    with changing(tmp_path, wait=0):
        pass


@pytest.mark.parametrize("note", ["", "{", "null", "{}", '{"pid": 3}', "[1]"])
def test_a_note_that_cannot_be_read_hides_nothing(note: str, start: Start, tmp_path: Path) -> None:
    start("write")
    (tmp_path / "writer.json").write_text(note, "utf-8")
    with pytest.raises(IndexBusy, match="the index is busy"), writing(tmp_path, "rag index", wait=0):
        pytest.fail("two writers at once")


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="cannot lock"),
        changing(tmp_path / "none", wait=0),
    ):
        pytest.fail("locked nothing")


def test_who_is_waited_for_is_told_once(start: Start, tmp_path: Path) -> None:
    holder = start("write")
    said: list[str] = []
    with pytest.raises(IndexBusy), writing(tmp_path, "rag index", wait=1.5, tell=said.append):
        pytest.fail("two writers at once")
    (told,) = said
    assert f"process {holder.pid} " in told
    assert "waiting up to" in told
