"""One key of a settings file is set, and nothing else in it changes."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcli.errors import UsageError
from ragcli.pipeline.remember import remember, settings_file
from ragcli.settings import resolve


def written(folder: Path, value: float = 0.65) -> Path:
    path = settings_file(folder / ".rag", "dense_weight", value)
    remember(path, "dense_weight", value)
    return path


def test_a_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    assert written(tmp_path).read_text() == "dense_weight = 0.65\n"
    assert resolve({}, tmp_path / ".rag", {}).settings.dense_weight == 0.65


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# mine\nk = 5\n", "# mine\nk = 5\ndense_weight = 0.65\n"),
        ("k = 5", "k = 5\ndense_weight = 0.65\n"),
        ("dense_weight = 0.5  # as it came\nk = 5\n", "dense_weight = 0.65  # as it came\nk = 5\n"),
        ('"dense-weight"=0.5\r\nk = 5\r\n', '"dense-weight"=0.65\r\nk = 5\r\n'),
        ("dense_weight = 0.5", "dense_weight = 0.65"),
        ("k = 5\r\n", "k = 5\r\ndense_weight = 0.65\r\n"),
        ('llm = """\ndense_weight = 0.1\n"""\n', 'llm = """\ndense_weight = 0.1\n"""\ndense_weight = 0.65\n'),
        ("#dense_weight = 0.1\n", "#dense_weight = 0.1\ndense_weight = 0.65\n"),
    ],
)
def test_what_else_stands_in_the_file_stays(before: str, after: str, tmp_path: Path) -> None:
    (tmp_path / "rag.toml").write_bytes(before.encode())
    assert written(tmp_path).read_bytes().decode() == after


_LINES = st.sampled_from([
    "k = 5", "# a note", "", "mode = 'hybrid' # why", 'llm = """', '"""', "dense_weight = 0.5", "dense-weight = 1",
    "[table]", "wait = 3.0", "x = [", "1,", "]", "'dense_weight' = 0.2", "é = 1",
])  # fmt: skip


@given(st.lists(_LINES, max_size=8))
def test_either_the_key_alone_changes_or_nothing_does(lines: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rag.toml"
        path.write_text("\n".join(lines), "utf-8")
        try:
            remember(path, "dense_weight", 0.65)
        except UsageError:
            assert path.read_text("utf-8") == "\n".join(lines)
            return
        before, after = tomllib.loads("\n".join(lines)), tomllib.loads(path.read_text("utf-8"))
        keys = [key for key in after if key.replace("-", "_") == "dense_weight"]
        assert [after.pop(key) for key in keys] == [0.65]
        before.pop(keys[0], None)
        assert after == before


PROJECT = '[project]\nname = "x"\n\n[tool.rag]  # ours\nk = 5\n\n[tool.other]\ndense_weight = 0.1\n'


def test_a_project_file_that_holds_the_settings_is_edited(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    assert written(tmp_path).read_text() == PROJECT.replace("ours\n", "ours\ndense_weight = 0.65\n")
    written(tmp_path, 0.7)
    assert tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["rag"] == {
        "dense_weight": 0.7, "k": 5,
    }  # fmt: skip
    assert not (tmp_path / "rag.toml").exists()
    assert resolve({}, tmp_path / ".rag", {}).settings.dense_weight == 0.7


def test_a_project_file_of_others_is_let_alone(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    assert written(tmp_path).name == "rag.toml"
    assert (tmp_path / "pyproject.toml").read_text() == "[tool.other]\n"


def test_a_key_that_cannot_be_set_alone_is_for_a_person_to_write(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("tool = {rag = {k = 5}}\n")
    with pytest.raises(UsageError, match=r"write `dense_weight = 0\.65` there"):
        written(tmp_path)
    assert (tmp_path / "pyproject.toml").read_text() == "tool = {rag = {k = 5}}\n"


def test_what_cannot_be_written_is_told_before_any_work(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text("k = 5\n")
    path = tmp_path / "rag.toml"
    path.symlink_to(elsewhere)
    with pytest.raises(UsageError, match="symbolic link"):
        written(tmp_path)
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="symbolic link"):
        written(tmp_path)
    path.unlink()
    path.write_text("k = 5\n")
    path.chmod(0o444)
    with pytest.raises(UsageError, match="cannot be written"):
        written(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(UsageError, match="is no file"):
        written(tmp_path)
    assert elsewhere.read_text() == "k = 5\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_whoever_may_read_the_file_still_may(tmp_path: Path) -> None:
    (tmp_path / "rag.toml").write_text("k = 5\n")
    (tmp_path / "rag.toml").chmod(0o640)
    assert written(tmp_path).stat().st_mode & 0o777 == 0o640
