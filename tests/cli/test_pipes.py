"""Streams: results on stdout and nothing else there; pipes, colours, global options."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ..program import Rag, Run

LONG = ("search", "sensor hub", "--mode", "lexical", "-k", "300", "--format", "jsonl")
SHORT = ("search", "hub", "--mode", "lexical", "-k", "1", "--format")


def test_closed_pipe_in_the_middle(rag: Rag, samples: Path) -> None:
    with rag.start(*LONG, cwd=samples) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"schema": 1')
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


@pytest.mark.parametrize(
    "words",
    [(*SHORT, "text"), (*SHORT, "jsonl"), ("--help",), ("search", "--help"), ("--version",)],
    ids=" ".join,
)
def test_pipe_that_was_never_read(rag: Rag, samples: Path, words: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            rag.command(*words), cwd=samples, stdout=writer, stderr=subprocess.PIPE, timeout=120
        )  # fmt: skip
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full here")
def test_the_exit_code_is_told_where_errors_cannot_be(rag: Rag, samples: Path, tmp_path: Path) -> None:
    for words, folder, code in (
        (("remove", "nothere"), samples, 2),
        (("search", "x", "--mode", "lexical"), tmp_path, 3),
    ):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                rag.command(*words), cwd=folder, stdout=subprocess.PIPE, stderr=full, timeout=120
            )
        assert (done.returncode, done.stdout) == (code, b"")


def test_output_is_utf8_whatever_the_locale(rag: Rag, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert "电池" in rag("search", "电池", "--mode", "lexical", cwd=samples).out


def test_notes_and_progress_go_to_stderr(run: Run, fresh: Path) -> None:
    (fresh / "docs" / "zh.md").write_text("# 温室\n\n温室里的温度计每天早上都要检查一次。\n", "utf-8")
    ran = run("index", "docs", "--format", "json", cwd=fresh)
    assert ran.json
    assert ran.err.startswith("note: 1 document (zh)")
    assert run("index", "docs", "--rebuild", cwd=fresh).err == ""  # said once


def test_quiet_says_results_and_errors_only(run: Run, fresh: Path, samples: Path) -> None:
    assert run("-q", "remove", "docs/tea.md", cwd=fresh).err == ""
    ran = run("search", "xyzzyqwv", "--mode", "lexical", "-q", cwd=samples, exit=1)
    assert (ran.out, ran.err) == ("", "")
    assert run.fails(2, "-q", "search", "", cwd=samples)


def test_verbose_adds_times_on_stderr(run: Run, samples: Path) -> None:
    words = ("search", "hub", "--mode", "lexical")
    ran = run(*words, "-v", cwd=samples)
    assert "total" in ran.err
    assert ran.out == run(*words, cwd=samples).out


def test_no_colour_off_a_terminal(run: Run, samples: Path) -> None:
    # `run` refuses escape codes unless it is told to expect colour.
    run("search", "hub", "--mode", "lexical", cwd=samples, env={"TERM": "xterm-256color"})
    run("search", "hub", "--mode", "lexical", cwd=samples, env={"NO_COLOR": "1"})
    run("list", cwd=samples, env={"NO_COLOR": "1"})


def test_colour_is_forced(run: Run, samples: Path) -> None:
    words = ("search", "hub", "--mode", "lexical", "-k", "1")
    forced = run(*words, cwd=samples, env={"FORCE_COLOR": "1"}, colour=True).out
    assert "\x1b[" in forced
    for form in ("json", "jsonl", "paths", "trec"):
        run(*words, "--format", form, cwd=samples, env={"FORCE_COLOR": "1"})


@pytest.mark.parametrize(
    "words",
    [
        ("--index", "{}", "list", "--format", "jsonl"),
        ("list", "--index", "{}", "--format", "jsonl"),
        ("list", "--format", "jsonl", "--index={}"),
        ("--offline", "list", "--format", "jsonl", "-q", "--index", "{}"),
    ],
    ids=" ".join,
)
def test_global_options_stand_before_or_after(
    run: Run, samples: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    given = [word.format(samples / ".rag") for word in words]
    assert run(*given, cwd=tmp_path).out == run("list", "--format", "jsonl", cwd=samples).out


def test_index_is_found_from_below_and_by_variable(run: Run, samples: Path, tmp_path: Path) -> None:
    rows = run("list", "--format", "jsonl", cwd=samples).out
    assert run("list", "--format", "jsonl", cwd=samples / "sample_docs" / "zh").out == rows
    assert (
        run("list", "--format", "jsonl", cwd=tmp_path, env={"RAG_INDEX": str(samples / ".rag")}).out == rows
    )
