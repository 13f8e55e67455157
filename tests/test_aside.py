"""A process beside this one answers, or leaves the work to it; nobody waits for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragcli.aside import Aside, begin

from .program import Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs the tests has threads of its own, which hold nothing that is needed here."""
    monkeypatch.setattr("ragcli.aside._threads", lambda: 1)


def started(prepare: Callable[[], Callable[[Any], Any]]) -> Aside:
    found = begin(prepare)
    assert found is not None
    return found


@pytest.mark.usefixtures("alone")
def test_it_answers_what_it_prepared() -> None:
    aside = started(lambda: lambda question: [os.getpid(), question, "温度"])
    process, *told = aside.ask({"x": [1.5, None]})
    assert told == [{"x": [1.5, None]}, "温度"]
    assert process != os.getpid()
    assert aside.ask("a" * 3_000_000)[1] == "a" * 3_000_000
    aside.close()
    assert aside.ask(1) is None


@pytest.mark.usefixtures("alone")
def test_what_is_foreseen_is_answered_once() -> None:
    asked: list[int] = []

    def prepare() -> Callable[[Any], Any]:
        def answer(question: Any) -> Any:
            asked.append(question)
            return [question, len(asked)]

        return answer

    aside = started(prepare)
    aside.foresee(1)
    aside.foresee(2)  # one at a time
    assert aside.ask(1) == [1, 1]
    aside.foresee(3)
    assert aside.ask(4) == [4, 3]
    assert aside.ask(3) == [3, 4]
    aside.close()
    aside.foresee(5)
    assert aside.ask(5) is None


def fails() -> Any:
    raise OSError("no such index")


def dies(_: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("prepare", [fails, lambda: dies, lambda: lambda _: object(), lambda: lambda _: None])
def test_without_an_answer_the_work_is_left_to_whoever_asks(prepare: Any) -> None:
    assert started(prepare).ask(1) is None


def test_where_threads_run_nothing_is_forked() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    assert begin(fails) is None
    stop.set()
    thread.join()


def test_nobody_waits_for_it() -> None:
    code = (
        "import os, sys, time; from ragcli.aside import begin\n"
        "begin(lambda: time.sleep(600)); print('done', flush=True); os._exit(0)"
    )
    start = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert (ran.stdout, ran.stderr) == ("done\n", "")
    assert time.monotonic() - start < 300


QUESTION = "How many bees does a hive hold?"
ASKING = f"""
import json, sys
from array import array
from pathlib import Path
from ragcli.aside import begin

folder = Path(".rag")

def prepare():
    from ragcli.pipeline.index import neighbours_of
    return neighbours_of(folder)

aside = begin(prepare)
from ragcli.pipeline.ask import Asker
from ragcli.pipeline.index import Index
from ragcli.settings import Settings
from ragcli.store.projection import marker_stamp

with Index.open(folder, Settings(mode="dense", offline=True), ahead=aside) as index:
    count, signature = index.catalog.chunk_count, index.catalog.get("signature")
    told = aside.ask([marker_stamp(folder / "chroma"), signature, array("f", [0.05] * 384).tobytes().hex(), 2, False])
    print(json.dumps([count, told]), flush=True)
    if len(sys.argv) > 1:  # what was foreseen and never asked is nobody's answer
        aside.foresee([marker_stamp(folder / "chroma"), signature, array("f", [1.0] * 384).tobytes().hex(), 3, True])
    sys.stdin.readline()
    found = Asker(index).search({QUESTION!r}).hits
print(json.dumps([[hit.path, hit.score] for hit in found]))
"""


@pytest.mark.parametrize("foreseen", [[], ["foreseen"]])
@pytest.mark.parametrize("changed", [False, True])
def test_it_finds_what_the_index_finds_and_nothing_of_an_index_that_changed(
    run: Run, fresh: Path, changed: bool, foreseen: list[str]
) -> None:
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", ASKING, *foreseen], cwd=fresh, **pipes) as process:
        assert process.stdout is not None
        count, told = json.loads(process.stdout.readline())  # it has read the collection
        assert len(told) == 2
        assert told[0][1] >= told[1][1]
        if changed:
            (fresh / "new.md").write_text(f"# {QUESTION}\n\nA hive holds fifty thousand bees.\n")
            run("index", "new.md", cwd=fresh)
        out, _ = process.communicate("\n", timeout=300)
    asked = run("search", QUESTION, "--mode", "dense", "--format", "json", cwd=fresh).json["hits"]
    assert json.loads(out) == [[hit["path"], hit["score"]] for hit in asked]
    assert (len(asked) == count) is not changed
    assert (asked[0]["path"] == "new.md") is changed
