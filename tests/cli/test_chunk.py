"""``rag chunk``: what it prints in a pipe and on a terminal, and the page it writes."""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ragcli.pipeline.inplace import chunk_file
from ragcli.render.chunks import print_chunks
from ragcli.render.terminal import Terminal
from ragcli.settings import Settings

from ..program import Run

TEXT = (
    "# Stations & Co\n\nThe stations of the survey & their heights are these:\n\n"
    + "\n".join(f"- station {n} lies {n * 10} metres above the sea" for n in range(30))
    + "\n\n## After\n\nThe survey ended. \x1b[31mNobody\x1b[0m came back. </pre><script>alert(1)</script>\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "stations.md"
    path.write_text(TEXT)
    return path


class Page(HTMLParser):
    """The text of a page's ``pre``, and its spans with their attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.spans: list[dict[str, str | None]] = []
        self._inside = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._inside = self._inside or tag == "pre"
        if tag == "span":
            self.spans.append({**dict(attrs), "text": ""})

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.text += data
            if self.spans:
                self.spans[-1]["text"] = (self.spans[-1]["text"] or "") + data


def test_in_a_pipe_each_chunk_has_its_place_its_lead_and_its_text(run: Run, file: Path) -> None:
    out = run("chunk", file.name, "--chunk-size", "80", cwd=file.parent).out
    assert out.startswith("stations.md:1-")
    assert re.search(r"(?m)^stations\.md:\d+-\d+  \d+ tokens  Stations & Co$", out)
    assert "\nThe stations of the survey & their heights are these: …\n- station" in out
    assert out.count("station 17 lies") == 1


def test_on_a_terminal_chunks_are_ruled_off(file: Path) -> None:
    terminal = Terminal()
    screen = StringIO()
    terminal._consoles["out"] = Console(file=screen, force_terminal=True, width=60, highlight=False)
    found, _ = chunk_file(Path(file.name), Settings(chunk_size=80, overlap=20))
    print_chunks(terminal, found)
    shown = screen.getvalue()
    assert "\x1b[31m" not in shown
    plain = re.sub(r"\x1b\[[\d;]*m", "", shown)
    rules = [line for line in plain.splitlines() if "──" in line]
    assert len(rules) == len(found[0][1])
    assert "tokens" in rules[1]
    assert "these:\n…\n- station" in plain
    assert "stations.md:1-" in plain
    assert "Stations & Co > After" in plain


def test_the_page_holds_the_text_and_tells_each_piece(run: Run, file: Path) -> None:
    words = ("--chunk-size", "80", "--overlap", "24", "--html", "page.html", "--format", "json")
    rows = run("chunk", file.name, *words, cwd=file.parent).json["chunks"]
    source = (file.parent / "page.html").read_text("utf-8")
    page = Page(source)
    assert not page.tags & {"script", "b", "link", "img", "iframe"}
    assert "http://" not in source
    assert "https://" not in source
    assert "\x1b" not in source
    assert page.text.strip() == TEXT.replace("\x1b[31m", "").replace("\x1b[0m", "").strip()
    told = "\n".join(str(span["title"]) for span in page.spans)
    for number, row in enumerate(rows, 1):
        assert f"chunk {number}, {row['tokens']} tokens" in told
    both = [span for span in page.spans if "both" in str(span["class"])]
    assert both
    assert str(both[0]["title"]).count("tokens") == 2
    for span in both:
        assert sum(str(span["text"]) in row["text"] for row in rows) >= 2


def test_the_page_never_takes_the_place_of_what_is_there(run: Run, file: Path) -> None:
    home = file.parent
    assert "named twice" in run.fails(2, "chunk", file.name, "--html", file.name, "--force", cwd=home)
    os.link(file, home / "link.md")
    assert "named twice" in run.fails(2, "chunk", file.name, "--html", "link.md", "--force", cwd=home)
    (home / "page.html").write_text("mine")
    assert "exists already" in run.fails(2, "chunk", file.name, "--html", "page.html", cwd=home)
    assert (home / "page.html").read_text() == "mine"
    run("chunk", file.name, "--html", "page.html", "--force", cwd=home)
    assert (home / "page.html").read_text().startswith("<!doctype html>")
    assert file.read_text() == TEXT


@pytest.mark.parametrize("chunker", ["recursive", "sentence", "page"])
def test_other_ways_to_cut(run: Run, file: Path, chunker: str) -> None:
    rows = run("chunk", file, "--chunker", chunker, "--chunk-size", "60", "--format", "jsonl").lines
    assert len(rows) > 3
    assert max(row["tokens"] for row in rows) <= 60
    assert run.fails(2, "chunk", file, "--chunker", "tokens")
