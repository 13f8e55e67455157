"""What lies under a folder that is indexed, wherever that stands to the index: nothing else is touched by it."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.pipeline.index import Index
from ragcli.settings import Settings

from ..program import Run


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder for an index, with a file, a folder below it, and one beside it."""
    for name, text in {
        "home/a.md": "# Bees\n\nA hive holds forty thousand bees.\n",
        "home/sub/b.md": "# Wasps\n\nA nest holds five thousand wasps.\n",
        "other/c.md": "# Ants\n\nA hill holds a million ants.\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path / "home"


def names(run: Run, home: Path) -> list[str]:
    """The files of an index, which must hold one."""
    return sorted(Path(row["path"]).name for row in run("list", "--format", "jsonl", cwd=home).lines)


def is_empty(run: Run, home: Path) -> bool:
    return not run("list", "--format", "jsonl", cwd=home, exit=1).out


def test_a_folder_outside_is_no_part_of_the_one_with_the_index(run: Run, home: Path) -> None:
    run("index", ".", "../other", cwd=home)
    assert run("index", ".", "--format", "json", cwd=home).json["documents"]["removed"] == 0
    assert names(run, home) == ["a.md", "b.md", "c.md"]
    run("remove", ".", cwd=home)
    assert names(run, home) == ["c.md"]


@pytest.mark.parametrize(
    ("place", "path", "found"),
    [
        (".", "a.md", "a.md"), (".", "./a.md", "a.md"), (".", "HOME/a.md", "a.md"), (".", "HOME/sub/**", "sub/b.md"),
        (".", "./sub/", "sub/b.md"), (".", "../other/c.md", "../other/c.md"), (".", "../other/**", "../other/c.md"),
        (".", "../other", "../other/c.md"), (".", "/sub/*", "sub/b.md"), ("sub", "./b.md", "b.md"),
        ("sub", "../a.md", "../a.md"), (".", "./b.md", ""), (".", "../a.md", ""),
        (".", "./a.md,./sub/b.md", "a.md sub/b.md"),
    ],
)  # fmt: skip
def test_a_filter_takes_the_paths_that_a_search_prints(
    run: Run, home: Path, place: str, path: str, found: str
) -> None:
    run("index", ".", "../other", cwd=home)
    words = ("search", "a thousand million", "--mode", "lexical", "--format", "paths", "--filter")
    path = path.replace("HOME", home.as_posix())
    ran = run(*words, f"path={path}", cwd=home / place, exit=0 if found else 1)
    assert sorted(ran.out.split()) == found.split()


def test_a_folder_outside_is_remembered_beside_the_one_with_the_index(run: Run, home: Path) -> None:
    run("index", ".", cwd=home)
    run("index", "../other", cwd=home)
    (home.parent / "other" / "d.md").write_text("# Moths\n\nThey come to the lamp.\n")
    run("index", cwd=home)
    assert names(run, home) == ["a.md", "b.md", "c.md", "d.md"]


def test_a_folder_that_holds_the_index_s_own(run: Run, home: Path) -> None:
    run("index", "..", cwd=home)
    (home / "a.md").unlink()
    assert run("index", "--format", "json", cwd=home).json["documents"]["removed"] == 1
    assert names(run, home) == ["b.md", "c.md"]
    run("remove", "..", cwd=home)
    assert is_empty(run, home)


def test_the_current_folder_is_taken_out_and_nothing_above_it(run: Run, home: Path) -> None:
    run("index", ".", cwd=home)
    run("remove", ".", cwd=home / "sub")
    assert names(run, home) == ["a.md"]


@pytest.mark.parametrize("beside", ["", ".DS_Store", "rag.toml"])
def test_a_folder_with_nothing_to_read_may_be_a_missing_disk(run: Run, home: Path, beside: str) -> None:
    run("index", ".", cwd=home)
    (home / "a.md").unlink()
    shutil.rmtree(home / "sub")
    if beside:
        (home / beside).write_text("k = 3\n")
    failed = run("index", "--format", "json", cwd=home, exit=6).json
    assert failed["documents"]["removed"] == 0
    assert "has nothing to read; its documents are kept" in failed["failures"][0]["message"]
    assert names(run, home) == ["a.md", "b.md"]
    run("index", "--prune", cwd=home)
    assert is_empty(run, home)


def test_what_is_left_out_on_purpose_leaves(run: Run, home: Path) -> None:
    run("index", ".", cwd=home)
    run("index", ".", "--exclude", "*.md", cwd=home)
    assert is_empty(run, home)


@pytest.mark.parametrize("beside", [(), ("z.md",)])
def test_an_index_from_elsewhere_keeps_what_its_files_are_not_here_for(
    run: Run, home: Path, tmp_path: Path, beside: tuple[str, ...]
) -> None:
    run("index", ".", cwd=home)
    run("export", "../all.ragx", cwd=home)
    there = tmp_path / "there"
    there.mkdir()
    for name in beside:
        (there / name).write_text("# Crickets\n\nThey sing at night.\n")
    run("import", "../all.ragx", cwd=there)
    assert "kept" in run("index", cwd=there, exit=6).err
    assert names(run, there) == ["a.md", "b.md", *beside]
    shutil.copytree(home / "sub", there / "sub")  # now it is here
    run("index", cwd=there)
    assert names(run, there) == ["b.md", *beside]


def test_settings_are_no_document_unless_they_are_named(run: Run, home: Path) -> None:
    (home / "rag.toml").write_text("k = 3\n")
    (home / "sub" / "rag.toml").write_text("# of another project\nk = 4\n")
    run("index", ".", cwd=home)
    assert names(run, home) == ["a.md", "b.md", "rag.toml"]
    run("index", "rag.toml", cwd=home)
    assert names(run, home) == ["a.md", "b.md", "rag.toml", "rag.toml"]


PARTS = st.lists(st.sampled_from(["a", "b", "ab", "c"]), max_size=4)


@given(PARTS, PARTS, PARTS)
def test_where_names_lie_is_where_their_files_lie(
    samples: Path, root: list[str], name: list[str], home: list[str]
) -> None:
    index = Index.open(samples / ".rag", Settings())
    try:
        index.home = Path("/", *home)
        top, file = Path("/", *root), Path("/", *name)
        told = index.under(index.name_of(top))(index.name_of(file))
        right = PurePosixPath(file).relative_to(top).as_posix() if file.is_relative_to(top) else None
        assert told == ("" if right == "." else right)
    finally:
        index.close()
