"""``--min-score``: passages that support a question, or none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ..program import Run

ON = "At how much free disk space does the core leave reserve mode?"
OFF = "Who won the football world cup in 1998?"


@pytest.fixture
def folder(samples: Path, tmp_path: Path) -> Path:
    """The samples' index where files can be added."""
    shutil.copytree(samples, tmp_path / "home")
    return tmp_path / "home"


def floors(folder: Path) -> list[Path]:
    return sorted((folder / ".rag").rglob("floor.json"))


def test_only_passages_with_so_much_evidence_are_given(run: Run, samples: Path) -> None:
    words = ("search", ON, "-k", "30", "--format", "jsonl")
    every = run(*words, "--min-score", "0", cwd=samples).lines
    some = run(*words, "--min-score", "0.4", cwd=samples).lines
    assert 0 < len(some) < len(every) == 30
    assert all(0.4 <= hit["scores"]["evidence"] <= 1 for hit in some)
    assert [hit["rank"] for hit in some] == list(range(1, len(some) + 1))
    assert [hit["id"] for hit in some] == [hit["id"] for hit in every if hit["scores"]["evidence"] >= 0.4][
        : len(some)
    ]
    assert "evidence" not in run(*words, cwd=samples).lines[0]["scores"]
    assert "evidence 0." in run("search", ON, "-k", "1", "--min-score", "0.4", "--explain", cwd=samples).out


def test_the_index_itself_tells_what_is_no_answer(run: Run, folder: Path) -> None:
    ran = run("search", ON, "--min-score", "auto", "--format", "jsonl", cwd=folder)
    assert ran.lines
    assert "measuring" in ran.err
    [kept] = floors(folder)
    floor = json.loads(kept.read_text())["floors"]["hybrid"]
    assert 0.1 < floor < 0.9
    refused = run("search", OFF, "--min-score", "auto", cwd=folder, exit=1)
    assert (
        refused.err
        == f"nothing found: no passage has the evidence of {floor:.2f} that --min-score asks for\n"
    )
    assert run("query", OFF, "--min-score", "auto", cwd=folder, exit=1).out == ""
    by_setting = run("search", OFF, cwd=folder, exit=1, env={"RAG_MIN_SCORE": "auto"})
    assert by_setting.err == refused.err


def test_what_was_measured_is_measured_again_when_the_index_changes(run: Run, folder: Path) -> None:
    words = ("search", ON, "--mode", "lexical", "--min-score", "auto", "--format", "jsonl")
    first = run(*words, cwd=folder)
    assert "measuring" in first.err
    assert "measuring" not in run(*words, cwd=folder).err
    [kept] = floors(folder)
    kept.write_text("{")
    again = run(*words, cwd=folder)
    assert "measuring" in again.err
    assert again.out == first.out
    (folder / "sample_docs" / "new.md").write_text(
        "# New\n\nThe core leaves its mode at noon, says the new plan.\n"
    )
    run("index", "sample_docs", cwd=folder)
    assert "measuring" in run(*words, cwd=folder).err


def test_a_small_index_has_a_floor_too(run: Run, fresh: Path) -> None:
    run("search", "bees in winter", "--mode", "lexical", "--min-score", "auto", cwd=fresh)
    assert (
        run("search", "zebra stripes", "--mode", "lexical", "--min-score", "auto", cwd=fresh, exit=1).out
        == ""
    )


@pytest.mark.parametrize("value", ["1.5", "-1", "some", "nan"])
def test_what_is_no_share_is_refused(run: Run, samples: Path, value: str) -> None:
    message = run.fails(2, "search", ON, f"--min-score={value}", cwd=samples)
    assert value in message
    assert "min-score" in message


def test_it_needs_an_index(run: Run, samples: Path) -> None:
    assert "need an index" in run.fails(
        2, "search", ON, "--in", "sample_docs", "--min-score", "0.3", cwd=samples
    )
