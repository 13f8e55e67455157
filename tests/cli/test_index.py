"""``rag index`` again and again: only what changed costs anything, and the result is the same."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from ..program import Run, tree

QUESTIONS = ("sensor offline", "传感器电池 E1420")


def index(run: Run, home: Path, *words: str, **options: Any) -> dict[str, Any]:
    return run("index", *(words or ("docs",)), "--format", "json", cwd=home, **options).json


def documents(run: Run, home: Path) -> set[str]:
    return {row["document"] for row in run("list", "--format", "jsonl", cwd=home).lines}


def chunks(run: Run, home: Path) -> dict[str, Any]:
    """Every chunk of an index by id."""
    return {
        row["id"]: (row["document"], row["span"], row["text"])
        for document in documents(run, home)
        for row in run("show", document, "--format", "jsonl", cwd=home).lines
    }


def answers(run: Run, home: Path) -> list[str]:
    """Bytes of several searches in several forms."""
    return [
        run("search", question, "--mode", mode, "-k", "20", "--format", form, cwd=home).out
        for question in QUESTIONS
        for mode, form in (("hybrid", "jsonl"), ("hybrid", "text"), ("lexical", "jsonl"), ("dense", "jsonl"))
    ]


def test_first_run(run: Run, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# Bees\n\nA hive holds forty thousand bees.\n")
    report = index(run, tmp_path)
    assert report["documents"]["added"] == report["embedded"] == report["chunks"]["total"] == 1
    assert (tmp_path / ".rag" / ".gitignore").read_text() == "*\n"


def test_a_second_run_embeds_nothing(run: Run, fresh: Path) -> None:
    report = index(run, fresh)
    assert report["documents"] == {"added": 0, "changed": 0, "removed": 0, "unchanged": 5, "failed": 0}
    assert (report["embedded"], report["chunks"]["added"], report["chunks"]["removed"]) == (0, 0, 0)


def test_without_paths_it_takes_those_of_before(run: Run, fresh: Path) -> None:
    (fresh / "docs" / "new.md").write_text("A new page.\n")
    assert run("index", "--format", "json", cwd=fresh).json["documents"]["added"] == 1


def test_one_changed_file_costs_its_chunks(run: Run, fresh: Path) -> None:
    (fresh / "docs" / "tea.md").write_text("# Tea\n\nBlack tea likes boiling water.\n")
    report = index(run, fresh)
    assert report["documents"] == {"added": 0, "changed": 1, "removed": 0, "unchanged": 4, "failed": 0}
    assert (report["embedded"], report["chunks"]["added"], report["chunks"]["removed"]) == (1, 1, 1)
    assert "boiling" in run("search", "tea", "--mode", "lexical", cwd=fresh).out
    run("search", "steeped", "--mode", "lexical", cwd=fresh, exit=1)


def test_one_changed_record_costs_its_chunk(run: Run, fresh: Path) -> None:
    file = fresh / "docs" / "birds.jsonl"
    file.write_text(file.read_text().replace("small and loud", "tiny and very loud"))
    report = index(run, fresh)
    assert report["documents"] == {"added": 0, "changed": 1, "removed": 0, "unchanged": 4, "failed": 0}
    assert report["embedded"] == 1


def test_a_vanished_file_leaves(run: Run, fresh: Path) -> None:
    (fresh / "docs" / "tea.md").unlink()
    report = index(run, fresh)
    assert (report["documents"]["removed"], report["embedded"]) == (1, 0)
    assert "docs/tea.md" not in documents(run, fresh)
    run("search", "steeped", "--mode", "lexical", cwd=fresh, exit=1)


def test_a_renamed_file_costs_no_embedding(run: Run, fresh: Path) -> None:
    (fresh / "docs" / "deep").rename(fresh / "docs" / "below")
    report = index(run, fresh)
    assert (report["documents"]["added"], report["documents"]["removed"]) == (1, 1)
    assert (report["embedded"], report["cached"]) == (0, 1)
    assert "docs/below/rocks.txt" in documents(run, fresh)


def test_what_is_left_out_for_good_is_told(run: Run, fresh: Path) -> None:
    run("index", "docs", "--exclude", "tea*", cwd=fresh)
    assert "docs without tea* (until `rag index docs`)" in run("status", cwd=fresh).out
    assert run("status", "--format", "json", cwd=fresh).json["excluded"] == {"docs": ["tea*"]}
    assert run("index", "--format", "json", cwd=fresh).json["documents"]["added"] == 0, (
        "remembered where no path is named"
    )
    run("index", "docs", cwd=fresh)
    assert "without" not in run("status", cwd=fresh).out


def test_equal_texts_are_embedded_once_and_all_accounted_for(run: Run, fresh: Path) -> None:
    for name in ("one.md", "other.md", "third.md"):
        (fresh / "docs" / name).write_text("# Kettle\n\nThe kettle whistles at noon.\n")
    report = index(run, fresh)
    assert report["chunks"]["added"] == 3
    assert (report["embedded"], report["cached"]) == (1, 2)


@pytest.mark.parametrize("command", ["search", "query", "context"])
def test_a_cited_file_that_is_not_what_it_was_is_named(run: Run, fresh: Path, command: str) -> None:
    words = (command, "How long is green tea steeped?")
    tea, rocks = fresh / "docs" / "tea.md", fresh / "docs" / "deep" / "rocks.txt"
    assert "changed" not in run(*words, cwd=fresh).err
    tea.touch()
    rocks.write_text("Something else.")
    first = run(*words, "-k", "1", cwd=fresh)
    assert "changed" not in first.err, "it says the same, and the other is not cited"
    tea.write_text(tea.read_text().replace("eighty", "ninety"))  # as long as before
    told = run(*words, "-k", "1", cwd=fresh)
    assert (
        "note: docs/tea.md has changed or vanished since the index was made; `rag index` brings it"
        in told.err
    )
    assert told.out == first.out
    tea.unlink()
    assert "docs/tea.md has changed or vanished" in run(*words, "-k", "1", cwd=fresh).err
    assert run("-q", *words, "-k", "1", cwd=fresh).err == ""
    index(run, fresh)
    run(command, "basalt", "-k", "1", "--mode", "lexical", cwd=fresh, exit=1)


def test_a_touched_file_is_unchanged(run: Run, fresh: Path) -> None:
    (fresh / "docs" / "tea.md").touch()
    assert index(run, fresh)["documents"]["unchanged"] == 5


def test_include_narrows_and_removes_nothing_else(run: Run, fresh: Path) -> None:
    (fresh / "docs" / "new.md").write_text("A new page.\n")
    (fresh / "docs" / "new.txt").write_text("A new text.\n")
    (fresh / "docs" / "tea.md").unlink()
    report = index(run, fresh, "docs", "--include", "*.md")
    assert (report["documents"]["added"], report["documents"]["removed"]) == (1, 1)
    assert documents(run, fresh) == {
        "docs/bees.md", "docs/birds.jsonl#b1", "docs/birds.jsonl#b2", "docs/deep/rocks.txt", "docs/new.md",
    }  # fmt: skip


def test_exclude_removes(run: Run, fresh: Path) -> None:
    report = index(run, fresh, "docs", "--exclude", "*.md", "--exclude", "deep")
    assert report["documents"]["removed"] == 3
    assert documents(run, fresh) == {"docs/birds.jsonl#b1", "docs/birds.jsonl#b2"}


@pytest.mark.parametrize("name", [".ragignore", ".gitignore"])
def test_ignore_files_are_honoured(run: Run, fresh: Path, name: str) -> None:
    (fresh / "docs" / name).write_text("tea.md\ndeep/\n")
    assert index(run, fresh)["documents"]["removed"] == 2
    assert documents(run, fresh) == {"docs/bees.md", "docs/birds.jsonl#b1", "docs/birds.jsonl#b2"}
    assert index(run, fresh, "docs", "--no-ignore")["documents"]["added"] == 2


def test_another_folder_leaves_the_first_alone(run: Run, fresh: Path) -> None:
    (fresh / "more").mkdir()
    (fresh / "more" / "x.md").write_text("Something else.\n")
    assert index(run, fresh, "more")["documents"] == {
        "added": 1, "changed": 0, "removed": 0, "unchanged": 0, "failed": 0,
    }  # fmt: skip
    assert len(documents(run, fresh)) == 6


def test_the_index_indexes_neither_itself_nor_what_is_hidden(run: Run, fresh: Path) -> None:
    (fresh / ".hidden.md").write_text("Hidden.\n")
    assert index(run, fresh, ".")["documents"]["unchanged"] == 5


def test_plan_changes_nothing(run: Run, fresh: Path) -> None:
    (fresh / "docs" / "tea.md").write_text("# Tea\n\nBlack tea likes boiling water.\n")
    (fresh / "docs" / "bees.md").unlink()
    (fresh / "docs" / "new.md").write_text("A new page.\n")
    before = tree(fresh)
    plan = index(run, fresh, "docs", "--plan")
    assert {name: value for name, (value, _) in tree(fresh).items()} == {
        name: value for name, (value, _) in before.items()
    }
    done = index(run, fresh)
    assert plan["documents"] == done["documents"]
    assert plan["embedded"] == done["embedded"] == 2
    assert plan["tokens"] == done["tokens"]


def test_plan_makes_no_index(run: Run, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("A page.\n")
    ran = run("index", "docs", "--plan")
    assert "would be added" in ran.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docs"]


def test_the_same_bytes_twice_and_after_rebuild(run: Run, samples: Path, tmp_path: Path) -> None:
    home = tmp_path / "copy"
    shutil.copytree(samples, home)
    before = answers(run, home)
    assert answers(run, home) == before
    assert answers(run, samples) == before  # an index is carried by copying its folder
    ids = set(chunks(run, home))
    report = index(run, home, "--rebuild")
    assert report["embedded"] == 0
    assert set(chunks(run, home)) == ids
    assert answers(run, home) == before


def test_changes_lead_to_the_same_index_as_one_run(run: Run, fresh: Path) -> None:
    words = ("search", "in winter", "--format", "jsonl")
    before = run(*words, cwd=fresh).out
    text = (fresh / "docs" / "bees.md").read_text()
    (fresh / "docs" / "bees.md").write_text("# Something else\n\nQuite other words.\n")
    (fresh / "docs" / "new.md").write_text("In winter all is white.\n")
    index(run, fresh)
    assert run(*words, cwd=fresh).out != before
    (fresh / "docs" / "bees.md").write_text(text)
    (fresh / "docs" / "new.md").unlink()
    index(run, fresh)
    assert run(*words, cwd=fresh).out == before


def test_another_chunk_size_cuts_anew(run: Run, fresh: Path) -> None:
    report = index(run, fresh, "docs", "--chunk-size", "16")
    # The others fit into one chunk of any size: what they gave before stands.
    assert (report["documents"]["changed"], report["documents"]["unchanged"]) == (1, 4)
    assert index(run, fresh)["documents"]["unchanged"] == 5  # the size is remembered


def test_filters_without_a_path_narrow_what_is_remembered(run: Run, fresh: Path) -> None:
    report = index(run, fresh, "--exclude", "*.jsonl", "--plan")
    assert report["documents"] == {"added": 0, "changed": 0, "removed": 2, "unchanged": 3, "failed": 0}
    report = index(run, fresh, "--include", "*.md")
    assert report["documents"] == {"added": 0, "changed": 0, "removed": 0, "unchanged": 2, "failed": 0}
    (fresh / "docs" / "new.txt").write_text("A lighthouse blinks twice.\n")
    assert index(run, fresh)["documents"]["added"] == 1


def test_a_change_that_keeps_size_and_time_is_seen(run: Run, fresh: Path) -> None:
    file = fresh / "docs" / "tea.md"
    os.utime(file, ns=(10**18, 10**18))
    index(run, fresh, "docs")
    index(run, fresh, "docs")
    file.write_text(file.read_text("utf-8").replace("eighty", "ninety"), "utf-8")
    os.utime(file, ns=(10**18, 10**18))
    assert index(run, fresh, "docs")["documents"]["changed"] == 1


def test_two_documents_never_share_a_name(run: Run, fresh: Path) -> None:
    (fresh / "docs" / "birds.jsonl#b1").write_text("A file about valves.\n")
    report = run("index", "docs", "--format", "json", cwd=fresh, exit=6).json
    assert [failure["error"] for failure in report["failures"]] == ["same-name"]
    assert run("search", "swift wing", "-k", "1", "--format", "jsonl", cwd=fresh).lines[0]["record"] == "b1"
    (fresh / "docs" / "birds.jsonl").unlink()
    index(run, fresh, "docs")
    found = run("search", "valves", "--mode", "lexical", "--format", "paths", cwd=fresh).out
    assert found == "docs/birds.jsonl#b1\n"


# -- folders that are gone ---------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["gone", "empty"])
@pytest.mark.parametrize("paths", [(), ("docs",)], ids=["remembered", "named"])
def test_a_folder_that_may_be_a_missing_disk_keeps_its_documents(
    run: Run, fresh: Path, how: str, paths: tuple[str, ...]
) -> None:
    shutil.rmtree(fresh / "docs")
    if how == "empty":
        (fresh / "docs").mkdir()
    ran = run("index", *paths, cwd=fresh, exit=6)
    assert "--prune" in ran.err
    assert "bees.md" in run("search", "bees", "--mode", "lexical", "--format", "paths", cwd=fresh).out
    told = run("index", *paths, "--prune", "--format", "json", cwd=fresh).json
    assert told["documents"]["removed"] == 5
    assert told["chunks"]["total"] == 0
    run("search", "bees", "--mode", "lexical", cwd=fresh, exit=1)


def test_a_folder_that_is_forgotten_is_not_missed_again(run: Run, fresh: Path) -> None:
    (fresh / "other").mkdir()
    (fresh / "other" / "pond.txt").write_text("The pond is deep.\n", "utf-8")
    run("index", "other", cwd=fresh)
    shutil.rmtree(fresh / "docs")
    assert run("index", "--prune", "--format", "json", cwd=fresh).json["documents"]["removed"] == 5
    assert run("index", "--format", "json", cwd=fresh).json["documents"]["unchanged"] == 1


def test_prune_takes_only_what_is_gone(run: Run, fresh: Path) -> None:
    told = run("index", "--prune", "--format", "json", cwd=fresh).json
    assert told["documents"]["removed"] == 0
    assert "no such file or folder" in run.fails(2, "index", "never", "--prune", cwd=fresh)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_whoever_may_read_the_catalogue_may_read_what_is_derived_from_it(fresh: Path) -> None:
    # One engine makes its files for their owner alone.
    catalogue = (fresh / ".rag" / "catalog.sqlite3").stat().st_mode & 0o666
    files = [path for path in (fresh / ".rag").rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert {path.name for path in files if path.stat().st_mode & 0o666 != catalogue} == set()


def test_how_documents_are_cut_is_remembered(run: Run, fresh: Path) -> None:
    def cut(*words: str, **env: str) -> dict[str, int]:
        told: dict[str, int] = run("index", *words, "--format", "json", cwd=fresh, env=env).json["documents"]
        return told

    assert cut("docs", "--chunker", "sentence", RAG_CONTEXT="lead, title")["unchanged"] > 0
    told = {row["setting"]: row for row in run("config", "--format", "json", cwd=fresh).json["settings"]}
    assert (told["chunker"]["value"], told["chunker"]["from"]) == ("sentence", "index")
    assert (told["context"]["value"], told["context"]["from"]) == ("title,lead", "index")
    cut("docs")
    told = {row["setting"]: row for row in run("config", "--format", "json", cwd=fresh).json["settings"]}
    assert (told["chunker"]["value"], told["context"]["value"]) == ("sentence", "title,lead")
    assert "'leader' is none of title, headings, lead, llm, none" in run.fails(
        2, "index", "docs", cwd=fresh, env={"RAG_CONTEXT": "title,leader"}
    )


def test_the_semantic_chunker_has_its_model(run: Run, fresh: Path) -> None:
    run("index", "docs", "--chunker", "semantic", "--rebuild", cwd=fresh)
    assert "eighty degrees" in run("search", "green tea", cwd=fresh).out
    assert run("chunk", fresh / "docs" / "tea.md", "--chunker", "semantic", "--format", "jsonl").lines


def test_one_process_may_read_all_and_another_device_must_be_there(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # which --jobs sets, and the end of the test takes back
    (home / "bees.md").write_text("# Bees\n\nA hive holds forty thousand bees in June.\n")
    told = run("index", "bees.md", "--jobs", "1", "--format", "json", cwd=home).json
    assert told["embedded"] == 1
    assert told["runtime"]
    assert run("status", "--format", "json", cwd=home).json["model"]["runtime"] == told["runtime"]
    run("index", "bees.md", "--jobs", "0", cwd=home, exit=2)
    done = run("index", "bees.md", "--device", "gpu", cwd=home, exit=2)
    assert "auto, cpu, cuda" in done.err
    run("index", "bees.md", "--device", "xpu:77", "--rebuild", cwd=home, exit=0)  # nothing is embedded


def test_a_first_run_whose_model_cannot_be_had_leaves_no_index(run: Run, home: Path) -> None:
    (home / "bees.md").write_text("# Bees\n\nA hive holds forty thousand bees in June.\n")
    run("--offline", "index", "bees.md", "--model", "nobody/has-this", cwd=home, exit=7)
    assert "no index" in run("status", cwd=home, exit=3).err
    run("index", "bees.md", cwd=home)
    run("search", "bees", cwd=home)


def test_an_index_further_up_is_named_before_it_is_filled(run: Run, fresh: Path) -> None:
    below = fresh / "below"
    below.mkdir()
    (below / "a.md").write_text("# Bees\n\nA hive holds forty thousand bees.\n")
    told = f"note: this goes into the index at {fresh.resolve()}/.rag; --index .rag makes one here\n"
    assert told in run("index", ".", cwd=below).err
    assert not (below / ".rag").exists()
    assert told not in run("index", "below", cwd=fresh).err
    assert told not in run("--index", fresh / ".rag", "index", ".", cwd=below).err
    assert told not in run("index", cwd=below).err
