"""What is asked of a disk."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ragcli import disk


def test_a_text_is_replaced_whole_and_nothing_is_left_beside(tmp_path: Path) -> None:
    file = tmp_path / "note.json"
    for text in ("one", "two, which is longer", ""):
        disk.replace_text(file, text)
        assert file.read_text("utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["note.json"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lists its mounts in a file")
@pytest.mark.parametrize(
    ("mounts", "path", "remote"),
    [
        ("/dev/sda1 / ext4 rw 0 0\n", "/home/notes", False),
        ("/dev/sda1 / ext4 rw 0 0\nnas:/x /mnt/nas nfs4 rw 0 0\n", "/mnt/nas/notes", True),
        ("/dev/sda1 / ext4 rw 0 0\nnas:/x /mnt/nas nfs4 rw 0 0\n", "/mnt/nasty", False),
        ("nas:/x / nfs rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n", "/tmp/notes", False),
        ("//nas/x /mnt/my\\040disk cifs rw 0 0\n", "/mnt/my disk/notes", True),
        ("broken\n\n", "/home", False),
    ],
)
def test_a_networks_disk_is_told_from_a_local_one(
    mounts: str, path: str, remote: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk.Path, "read_text", lambda *_: mounts)
    assert disk.is_remote(Path(path)) is remote


def test_the_disk_of_this_test_is_told_without_a_failure(tmp_path: Path) -> None:
    assert disk.is_remote(tmp_path) in (True, False)
    assert disk.is_writable(tmp_path)
