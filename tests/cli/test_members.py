"""Files within a file: indexed, left out, changed and removed like the files of a folder."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ragcli.load.formats import UNSUPPORTED

from ..program import Run

pytestmark = pytest.mark.skipif(".zip" in UNSUPPORTED, reason="archives are not read yet")

TEA = "# Tea\n\nGreen tea is brewed at eighty degrees.\n"
BEES = "# Bees\n\nA queen bee lays two thousand eggs a day.\n"
NOISE = bytes(range(256)) * 8


def pack(folder: Path, **members: str | bytes) -> None:
    """Write ``docs/papers.zip`` with members ``name_suffix``."""
    (folder / "docs").mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "docs" / "papers.zip", "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("_", "."), content)


def listed(run: Run, folder: Path) -> list[str]:
    return [row["path"] for row in run("list", "--format", "jsonl", cwd=folder).lines]


def test_members_that_cannot_be_read_are_left_out_and_told_again(run: Run, tmp_path: Path) -> None:
    pack(tmp_path, tea_md=TEA, noise_dat=NOISE, setup_exe=b"MZ" + NOISE, nothing_txt=b"")
    for kind in ("added", "unchanged"):
        told = run("index", "docs", "--format", "json", cwd=tmp_path).json
        assert told["documents"][kind] == 1
        assert told["failures"] == []
        left = {row["path"]: row["reason"] for row in told["left_out"]}
        assert left["docs/papers.zip/nothing.txt"] == "empty"
        assert {"docs/papers.zip/noise.dat", "docs/papers.zip/setup.exe"} <= set(left)
    assert "docs/papers.zip/tea.md" in run("search", "green tea", cwd=tmp_path).out


def test_members_that_are_damaged_have_failed_each_time(run: Run, tmp_path: Path) -> None:
    pack(tmp_path, tea_md=TEA, paper_pdf=b"%PDF-1.7\nnothing of the kind")
    for _ in range(2):
        told = run("index", "docs", "--format", "json", cwd=tmp_path, exit=6).json
        assert [row["path"] for row in told["failures"]] == ["docs/papers.zip/paper.pdf"]


def test_members_come_and_go_with_their_archive(run: Run, tmp_path: Path) -> None:
    pack(tmp_path, tea_md=TEA, bees_md=BEES)
    run("index", "docs", cwd=tmp_path)
    assert listed(run, tmp_path) == ["docs/papers.zip/bees.md", "docs/papers.zip/tea.md"]
    pack(tmp_path, tea_md="\n\n" + TEA, birds_md=BEES)
    told = run("index", "docs", "--format", "json", cwd=tmp_path).json["documents"]
    assert (told["added"], told["removed"]) == (1, 1)
    assert listed(run, tmp_path) == ["docs/papers.zip/birds.md", "docs/papers.zip/tea.md"]
    (tmp_path / "docs" / "papers.zip").unlink()
    (tmp_path / "docs" / "more.md").write_text("# More\n\nSomething else.\n")
    run("index", "docs", cwd=tmp_path)
    assert listed(run, tmp_path) == ["docs/more.md"]


def test_a_member_or_all_of_an_archive_is_removed(run: Run, tmp_path: Path) -> None:
    pack(tmp_path, tea_md=TEA, bees_md=BEES)
    run("index", "docs", cwd=tmp_path)
    run("remove", "docs/papers.zip/tea.md", cwd=tmp_path)
    assert listed(run, tmp_path) == ["docs/papers.zip/bees.md"]
    told = run("index", "docs", "--format", "json", cwd=tmp_path).json["documents"]
    assert (told["added"], told["unchanged"]) == (1, 1)
    run("remove", "docs/papers.zip", cwd=tmp_path)
    run("list", cwd=tmp_path, exit=1)


def test_a_member_is_cut_by_its_own_path(run: Run, tmp_path: Path) -> None:
    pack(tmp_path, tea_md=TEA, bees_md=BEES, noise_dat=NOISE)
    rows = run("chunk", "docs/papers.zip/bees.md", "--format", "jsonl", cwd=tmp_path).lines
    assert {row["document"] for row in rows} == {"docs/papers.zip/bees.md"}
    assert "A queen bee" in rows[0]["text"]
    for nowhere in ("docs/papers.zip/wasps.md", "docs/letters.zip/bees.md"):
        assert "no" in run.fails(2, "chunk", nowhere, cwd=tmp_path)
