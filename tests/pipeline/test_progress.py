"""Progress: what is told of a run never goes back, and ends with the whole."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from ragcli.pipeline.report import BuildOptions, Progress
from ragcli.pipeline.update import update
from ragcli.settings import resolve

from ..tiny import WORDS, save_static


class Told(Progress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.total = 0
        self.done: list[int] = []
        self.embedded: list[int] = []

    def begin(self, total: int) -> None:
        self.total = total

    def advance(self, done: int, embedded: int, written: int = 0) -> None:  # noqa: ARG002
        self.done.append(done)
        self.embedded.append(embedded)


def test_what_is_told_never_goes_back_and_ends_with_the_whole(tmp_path: Path) -> None:
    words = [*WORDS.split(), *(f"word{n}" for n in range(3000))]
    save_static(tmp_path / "model", words, 1)
    docs = tmp_path / "docs"
    docs.mkdir()
    rows = [{"id": f"{n}", "text": f"The hive word{n} holds {n}."} for n in range(1500)]
    for name in ("a", "c"):  # each takes more than one portion
        (docs / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    with ZipFile(docs / "b.zip", "w", ZIP_DEFLATED) as archive:  # which is shorter than what it holds
        for n in range(60):
            said = "\n\n".join(
                f"# Hive {n} {k}\n\n" + f"Green tea is steeped word{k}. " * 40 for k in range(30)
            )
            archive.writestr(f"{n}.md", said)
    told = Told()
    folder = tmp_path / ".rag"
    settings = resolve({"model": str(tmp_path / "model")}, folder, {}).settings
    options = BuildOptions(model=str(tmp_path / "model"))
    report, _ = update(folder, settings, [docs], options, told, command="rag index docs", tell=lambda _: None)
    assert report.added == 3060
    assert told.done == sorted(told.done)
    assert told.embedded == sorted(told.embedded)
    assert told.done[-1] == told.total == sum(file.stat().st_size for file in docs.iterdir())
