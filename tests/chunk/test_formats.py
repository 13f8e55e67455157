"""What the chunker promises holds for what the readers of all formats give it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragcli.load import load_file
from ragcli.types import Document

from ..load.seeds import SEEDS
from .documents import check, cut

SOME = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])


@cache
def _documents(suffix: str, folder: Path) -> list[Document]:
    file = folder / f"a{suffix}"
    file.write_bytes(SEEDS[suffix]())
    return list(_of(file))


@pytest.mark.parametrize("suffix", sorted(SEEDS))
@SOME
@given(size=st.integers(8, 120), overlap=st.integers(0, 20))
def test_chunks_of_every_format(suffix: str, size: int, overlap: int, tmp_path: Path) -> None:
    overlap = min(overlap, size - 1)
    for document in _documents(suffix, tmp_path):
        check(document, cut(document, size, overlap), size, overlap)


def test_a_passage_of_code_knows_its_class_and_its_function(tmp_path: Path) -> None:
    lines = "\n".join(f"        total_{n} = compute(total, factor={n})" for n in range(40))
    source = f"class Store(Base):\n    size = 1\n\n    def sum(self, a):\n{lines}\n"
    (tmp_path / "a.py").write_text(source)
    [document] = _of(tmp_path / "a.py")
    first, *rest = cut(document, 120)
    assert first.text.startswith("class Store(Base):")
    assert len(rest) > 2
    for chunk in rest:
        assert chunk.heading == ("class Store(Base)", "def sum(self, a)")
        assert "def sum(self, a)" in chunk.embedded_text


def test_small_methods_share_a_passage_within_their_class(tmp_path: Path) -> None:
    methods = "\n".join(f"    def {name}(self):\n        return 1\n" for name in ("one", "two", "three"))
    (tmp_path / "a.py").write_text(f"class Store(Base):\n{methods}")
    [document] = _of(tmp_path / "a.py")
    assert [chunk.heading for chunk in cut(document, 120)] == [("class Store(Base)",)]


def _of(file: Path) -> Iterator[Document]:
    return (item for item in load_file(file, path=file.name) if isinstance(item, Document))
