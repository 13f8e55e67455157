from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ragcli.errors import UsageError
from ragcli.load import FoundFile, SkippedFile, load_file, walk

GIT = shutil.which("git")


def tree(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def found(root: Path, *paths: Path, **options: object) -> list[str]:
    items = walk(paths or [root], **options)  # type: ignore[arg-type]
    return [item.path.relative_to(root).as_posix() for item in items if isinstance(item, FoundFile)]


def skipped(root: Path, *paths: Path, **options: object) -> dict[str, str]:
    items = walk(paths or [root], **options)  # type: ignore[arg-type]
    return {
        item.path.relative_to(root).as_posix(): item.reason for item in items if isinstance(item, SkippedFile)
    }


def test_order_hidden_and_reasons(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "b.md": "x",
            "a/z.txt": "x",
            "a/README": "words",
            "a/wide": "wide words".encode("utf-16"),
            "a/data": b"\0\x01\x02",
            "logo.gif": b"x",
            "huge.txt": "x" * 100,
            "huge.jsonl": "x" * 100,
            ".hidden/x.md": "x",
            ".x.md": "x",
            ".rag/x.md": "x",
            "__pycache__/x.md": "x",
            "out/x.md": "x",
        },
    )
    options = {"max_bytes": 60, "leave_out": [tmp_path / "out"]}
    assert found(tmp_path, **options) == ["a/README", "a/wide", "a/z.txt", "b.md", "huge.jsonl"]
    assert skipped(tmp_path, **options) == {
        "a/data": "binary",
        "huge.txt": "too-large",
        "logo.gif": "unsupported",
    }


def test_missing_path_raises_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no such file or folder: .*nothing"):
        walk([tmp_path, tmp_path / "nothing"])


def test_named_files_are_taken_and_come_once(tmp_path: Path) -> None:
    tree(tmp_path, {".gitignore": "*.log\n", "a.log": "x", ".h.md": "x", "d/c.md": "x", "d/e/f.md": "x"})
    paths = [
        tmp_path / "a.log",
        tmp_path / ".h.md",
        tmp_path / "d" / "c.md",
        tmp_path / "d" / "e",
        tmp_path,
        tmp_path,
    ]
    items = list(walk(paths, include=["*.md"]))
    assert [
        (i.path.relative_to(tmp_path).as_posix(), i.explicit) for i in items if isinstance(i, FoundFile)
    ] == [
        (".h.md", True),
        ("a.log", True),
        ("d/c.md", True),
        ("d/e/f.md", False),
    ]
    by_name = {item.path.name: item for item in items}
    assert by_name["f.md"].root == tmp_path
    assert by_name["c.md"].root == tmp_path / "d"


def test_include_and_exclude(tmp_path: Path) -> None:
    tree(tmp_path, {"a.md": "x", "a.txt": "x", "d/a.md": "x", "d/old/b.md": "x", "old.md": "x"})
    assert found(tmp_path, include=["*.md"]) == ["a.md", "d/a.md", "d/old/b.md", "old.md"]
    assert found(tmp_path, exclude=["old/", "*.txt"]) == ["a.md", "d/a.md", "old.md"]
    assert found(tmp_path, include=["/d/**/*.md"], exclude=["d/a.md"]) == ["d/old/b.md"]
    with pytest.raises(UsageError, match="bad glob"):
        walk([tmp_path], include=["!"])


def test_ragignore_and_no_ignore(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {".gitignore": "*.log\n", ".ragignore": "!keep.log\ndrafts/\n", "keep.log": "x", "a.log": "x"},
    )
    tree(tmp_path, {"drafts/a.md": "x", "b.md": "x"})
    assert found(tmp_path) == ["b.md", "keep.log"]
    assert found(tmp_path, ignore=False) == ["a.log", "b.md", "drafts/a.md", "keep.log"]


def test_parents_rules_reach_down_from_the_repository(tmp_path: Path) -> None:
    tree(tmp_path, {"outer/.gitignore": "*.md\n", "outer/repo/.gitignore": "*.log\nbuild/\n"})
    repo = tmp_path / "outer" / "repo"
    tree(
        repo, {".git/info/exclude": "*.tmp.txt\n", "docs/a.log": "x", "docs/a.md": "x", "docs/b.tmp.txt": "x"}
    )
    tree(repo, {"build/out.md": "x", "build/x.log": "x"})
    assert found(repo, repo / "docs") == ["docs/a.md"]
    assert found(repo) == ["docs/a.md"]
    assert found(repo, repo / "build") == ["build/out.md", "build/x.log"]


# The text of .gitignore, then the names of the files; "d/.gitignore=..." is an ignore file further down.
IGNORE_CASES = [
    ("*.txt\n!keep.txt\n", "a.txt keep.txt d/keep.txt d/b.txt"),
    ("/a.txt\nd/\n", "a.txt e/a.txt d/x.md e/d/x.md e/d2/x.md"),
    ("d/*\n!d/keep/\n", "d/x.md d/keep/y.md d/other/z.md"),
    ("d/\n!d/keep.md\n", "d/keep.md x.md"),
    ("*.md\n", "d/.gitignore=!*.md d/e/.gitignore=x.md d/e/x.md d/e/y.md x.md"),
    ("**/tmp/**\na/**/z.md\n", "tmp/x.md b/tmp/c/x.md a/z.md a/b/c/z.md"),
    ("# note\n\n\\#x.md\ntrail.md  \n[ab].md\n?x.md\n", "#x.md trail.md a.md c.md yx.md x.md"),
    ("d/e\n", "d/e/x.md f/d/e/x.md d/e2.md"),
    ("*\n!*/\n!*.md\n", "x.md x.txt d/y.md d/y.txt d/e/z.md d/e/z.txt"),
    ("*.log\n!\n", "d/.gitignore=/x.md d/x.md d/e/x.md a.log"),
    ("docs\r\n*.log\r\n", "docs/x.md a.log b.md"),
    ("a/*\n!a/b/\na/b/*\n!a/b/c.md\n", "a/x.md a/b/c.md a/b/d.md b/c.md"),
    ("b\n!b/**\n", "b/c.md a.md"),
    ("**\n!x/\n!x/**\n", "x/a.md x/y/b.md c.md"),
]


@pytest.mark.skipif(GIT is None, reason="git is not installed")
@pytest.mark.parametrize(("rules", "names"), IGNORE_CASES)
def test_ignored_as_git_ignores(tmp_path: Path, rules: str, names: str) -> None:
    tree(
        tmp_path,
        {".gitignore": rules, **{name: rest for name, _, rest in (n.partition("=") for n in names.split())}},
    )
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    listed = subprocess.run(
        ["git", "-c", "core.excludesFile=", "ls-files", "-zco", "--exclude-standard"],
        cwd=tmp_path, check=True, capture_output=True, text=True,
    )  # fmt: skip
    expected = [name for name in listed.stdout.split("\0") if name and not name.endswith(".gitignore")]
    assert sorted(found(tmp_path)) == sorted(expected)


def test_links(tmp_path: Path) -> None:
    root = tree(tmp_path / "root", {"d/a.md": "x", ".store/s.md": "x", ".store/sub/t.md": "x"})
    tree(tmp_path, {"secret/p.md": "x", "rootless/q.md": "x"})
    links = {
        "again.md": root / "d" / "a.md",
        "loop": root,
        "d/up": root / "d",
        "away.md": tmp_path / "secret" / "p.md",
        "away": tmp_path / "secret",
        "near-name": tmp_path / "rootless",
        "dangling.md": root / "nothing.md",
        "stored.md": root / ".store" / "s.md",
        "store": root / ".store",
        "self": root / "self",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    assert found(root) == ["d/a.md", "store/s.md", "store/sub/t.md"]
    assert skipped(root) == {
        "away": "outside",
        "away.md": "outside",
        "near-name": "outside",
        "dangling.md": "unreadable",
        "self": "unreadable",
    }
    assert found(root, root / "away.md") == ["away.md"]


def test_a_link_as_the_root_is_followed(tmp_path: Path) -> None:
    tree(tmp_path, {"real/a.md": "x"})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert found(tmp_path, tmp_path / "link") == ["link/a.md"]
    assert len(found(tmp_path, tmp_path / "link", tmp_path / "real")) == 1


def test_special_files_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.md")
    tree(tmp_path, {"a.md": "x"})
    assert found(tmp_path) == ["a.md"]
    assert skipped(tmp_path) == {"pipe": "unsupported", "pipe.md": "unsupported"}
    assert skipped(tmp_path, tmp_path / "pipe.md") == {"pipe.md": "unsupported"}
    [item] = load_file(tmp_path / "pipe.md", path="pipe.md")
    assert getattr(item, "error", "") == "unreadable"


def test_vanished_file_is_a_failure(tmp_path: Path) -> None:
    [item] = load_file(tmp_path / "gone.md", path="gone.md")
    assert (getattr(item, "error", ""), getattr(item, "message", "")) == (
        "unreadable",
        "no such file or directory",
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable(tmp_path: Path) -> None:
    tree(tmp_path, {"a.md": "x", "odd": "x", "d/b.md": "x"})
    for name in ("a.md", "odd", "d"):
        (tmp_path / name).chmod(0)
    try:
        assert found(tmp_path) == ["a.md"]
        assert skipped(tmp_path) == {"d": "unreadable", "odd": "unreadable"}
        [item] = load_file(tmp_path / "a.md", path="a.md")
        assert getattr(item, "error", "") == "unreadable"
    finally:
        (tmp_path / "d").chmod(0o700)


def test_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"a.md": "x", "d/b.md": "x"})
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "d":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert found(tmp_path) == ["a.md"]
    assert skipped(tmp_path) == {"d": "unreadable"}


def test_relative_paths_stay_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"d/a.md": "x", "d/.gitignore": "b.md\n", "d/b.md": "x"})
    monkeypatch.chdir(tmp_path / "d")
    assert [str(item.path) for item in walk([Path()])] == ["a.md"]
    assert [str(item.path) for item in walk([Path("../d")])] == ["../d/a.md"]
