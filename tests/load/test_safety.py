"""Files made to do harm, read as the program reads them: they cost time and memory within bounds, and nothing else.

The largest are tried only with ``RAG_SOAK=1``.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ragcli.load.pool import Job, LoaderPool
from ragcli.load.walk import SkippedFile, walk
from ragcli.types import Document, Failure

from .hostile import (
    BOMBS,
    FEW,
    LARGE,
    LOOPS,
    NESTED,
    SLOW,
    TOO_MUCH,
    XML_BOMBS,
    Made,
    escaping,
    outside,
    xml_files,
)
from .support import check, check_failure, document

if TYPE_CHECKING:
    from ..program import Run

Found = list[Document | Failure]
_SOAK = os.environ.get("RAG_SOAK") == "1"
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SECRET = "the-words-of-another-file"


def read(folder: Path, files: Mapping[str, Made]) -> dict[str, Found]:
    """What is in each; after each, a plain file is read as ever."""
    found: dict[str, Found] = {name: [] for name in files}

    def jobs() -> Iterator[Job]:
        for number, (name, make) in enumerate(files.items()):
            (folder / name).write_bytes(make())
            yield Job(folder / name, name)
            (folder / f"after {number}.md").write_text("plain words")
            yield Job(folder / f"after {number}.md", "")

    with LoaderPool(workers=2, seconds=60) as pool:
        for job, item in pool.load(jobs()):
            if item is None:
                job.file.unlink()
            elif job.path:
                found[job.path].append(item)
            else:
                assert isinstance(item, Document), item
    return found


def check_kept(name: str, items: Found) -> None:
    """The promises of every document and failure, and that the worker lived on."""
    assert items, name
    for item in items:
        if isinstance(item, Document):
            check(item)
            assert item.path == name or item.path.startswith(f"{name}/")
        else:
            check_failure(item)
            assert "memory" not in item.message, item


def _within(group: Mapping[str, Made]) -> dict[str, Made]:
    return {name: made for name, made in group.items() if _SOAK or name not in SLOW}


def test_bombs_are_not_unpacked(tmp_path: Path) -> None:
    for name, items in read(tmp_path, _within(BOMBS)).items():
        check_kept(name, items)
        assert sum(len(item.text) for item in items if isinstance(item, Document)) <= 101_000_000, name
        if name != "a.png":
            assert {item.error for item in items if isinstance(item, Failure)} & {
                "too-large",
                "damaged",
                "copy",
            }, name


def test_entities_do_not_grow(tmp_path: Path) -> None:
    for name, items in read(tmp_path, XML_BOMBS).items():
        check_kept(name, items)
        assert sum(len(item.text) for item in items if isinstance(item, Document)) <= 1_200_000, name
        assert any("words" in str(item).lower() or isinstance(item, Failure) for item in items), name


def test_depth_is_bounded(tmp_path: Path) -> None:
    for name, items in read(tmp_path, _within(NESTED)).items():
        check_kept(name, items)
        if name not in FEW:
            words = [item.text.lower() for item in items if isinstance(item, Document)]
            assert any("words" in text for text in words), name


def test_pdfs_that_loop(tmp_path: Path) -> None:
    for name, items in read(tmp_path, _within(LOOPS)).items():
        if name != "form.pdf":  # drawn twice as often at each of its levels, it ends the worker
            check_kept(name, items)
        else:
            [item] = items
            assert isinstance(item, Failure)
            assert item.error in ("too-large", "crashed", "timeout")


def test_sizes(tmp_path: Path) -> None:
    for name, items in read(tmp_path, _within(LARGE)).items():
        if name in TOO_MUCH:  # read on a larger or a faster machine, else refused with the reason
            assert items
            assert {item.error for item in items if isinstance(item, Failure)} <= {
                "timeout",
                "too-large",
                "no-text",
            }
            continue
        check_kept(name, items)
        assert any(isinstance(item, Document) for item in items), items


# -- the world outside -------------------------------------------------------------------------


@pytest.fixture
def visitors() -> Iterator[tuple[str, list[str]]]:
    """A server's address, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(_SECRET.encode())

        do_HEAD = do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_nothing_outside_is_asked_for(tmp_path: Path, visitors: tuple[str, list[str]]) -> None:
    address, asked = visitors
    secret = tmp_path / "secret.txt"
    secret.write_text(_SECRET)
    (tmp_path / "x").mkdir()
    files: dict[str, Made] = {}
    for kind, url in (("file", secret.as_uri()), ("path", str(secret)), ("http", f"{address}/entity")):

        def spoilt(root: str, xml: str, url: str = url) -> str:
            entities = f'<!ENTITY e SYSTEM "{url}"><!ENTITY % p SYSTEM "{url}">%p;'
            head = f'<?xml version="1.0"?><?xml-stylesheet href="{url}"?><!DOCTYPE {root} SYSTEM "{url}" [{entities}]>'
            return head + xml.replace("WORDS", "words &e;")

        files |= {f"{kind} {name}": made for name, made in xml_files(spoilt).items()}
        files |= {f"{kind} {name}": made for name, made in outside(url).items()}
    for name, items in read(tmp_path / "x", files).items():
        check_kept(name, items)
        assert _SECRET not in str(items), name
        assert any(isinstance(item, Document) for item in items), (name, items)
    assert asked == []


def test_names_stay_within(tmp_path: Path) -> None:
    inner = tmp_path / "x" / "y"
    inner.mkdir(parents=True)
    for name, items in read(inner, escaping()).items():
        check_kept(name, items)
        assert any(isinstance(item, Document) for item in items), name
        for item in items:
            parts = item.path.split("/")
            assert not {"", ".", ".."} & set(parts), item.path
            assert "\\" not in item.path
            assert _SECRET not in str(item)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["x", "y"]


# -- the program -------------------------------------------------------------------------------


def test_files_of_two_gigabytes_are_passed_over(tmp_path: Path) -> None:
    for suffix in ("txt", "pdf", "zip", "csv"):
        _sparse(tmp_path / f"huge.{suffix}")
    found = list(walk([tmp_path]))
    assert [item.reason for item in found if isinstance(item, SkippedFile)] == ["too-large"] * 4


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's memory reliably")
def test_files_of_two_gigabytes_that_are_asked_for(tmp_path: Path) -> None:
    """``max_file_mb`` lets them through; they do not fit."""
    jobs = []
    for suffix in ("txt", "pdf", "zip", "csv", "jsonl"):
        _sparse(tmp_path / f"huge.{suffix}")
        jobs.append(Job(tmp_path / f"huge.{suffix}", suffix))
    (tmp_path / "a.md").write_text("plain words")
    jobs.append(Job(tmp_path / "a.md", "md"))
    with LoaderPool(workers=2, seconds=60) as pool:
        found = [item for _, item in pool.load(jobs) if item is not None]
    *failures, last = found
    assert isinstance(last, Document)
    assert [item.path for item in failures] == ["txt", "pdf", "zip", "csv", "jsonl"]
    for item in failures:
        assert isinstance(item, Failure)
        assert item.error in ("too-large", "binary")


def _sparse(file: Path) -> None:
    with file.open("wb") as opened:
        opened.truncate(2_000_000_000)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.properties", "a = \\u001b[31m\\u202e words \\u0000\n"),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nwords &#27;[2J &#x202e; &#x9b;m\n"),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n<v &#27;[2J>words &#x202e;\n"),
        ("a.ics", "BEGIN:VEVENT\nSUMMARY;ENCODING=QUOTED-PRINTABLE:words=1B[2J=00=E2=80=AE\nEND:VEVENT\n"),
        ("a.json", '{"\\u001b\\u202e": "words \\u001b[2J\\u0000\\ud800"}'),
        ("a.rtf", r"{\rtf1{\info{\title a\'1b\u8238?}}words \'1b[2J\u27?\u8238?\'00\u-10240?}"),
        ("a.eml", "Subject: =?utf-8?Q?=1B=5B2J=E2=80=AE?=\nContent-Transfer-Encoding: quoted-printable\n\nwords=1B"),
        ("a.md", '---\ntitle: "\\e[2J\\u202e"\n---\n# words &#27;[2J &#x202e;\n'),
        ("a.html", "<title>&#27;&#x202e;</title><meta name=author content='&#27;&#x202e;'><h1>words&#27;&#x202e;</h1>"),
    ],
)  # fmt: skip
def test_what_is_decoded_is_cleaned(name: str, text: str, tmp_path: Path) -> None:
    """Characters that are written as others come out only after the source was cleaned."""
    item = document(tmp_path, name, text)
    assert "words" in item.text
    labels = [block.label for block in item.blocks]
    assert not _UNSEEN.search("".join([item.text, item.title, *labels, *map(str, item.metadata.values())]))


def test_nothing_of_a_file_works_on_the_screen(run: Run, tmp_path: Path) -> None:
    """``run`` fails on control characters and reversed text in anything the program says."""
    bad = "\x1b[2J\x1b]0;owned\x07\u202eevil\u2066\x9b31m\x08"
    told = json.dumps(bad)[1:-1]
    quoted = "".join(f"={byte:02X}" for byte in bad.encode())
    (tmp_path / "docs").mkdir()
    docs = {
        f"a{bad}.md": f"---\ntitle: \"{told}\"\nauthor: \"{told}\"\n---\n# Head {bad}\n\nharbour {bad} words\n",
        f"b{bad}.bin.gz": "no gzip",
        "c.csv": f"name {bad},value\nharbour {bad},1\nboat,{bad}\n",
        "d.jsonl": json.dumps({"_id": bad, "title": bad, "text": f"harbour {bad}", bad: bad, "m": {bad: bad}}) + "\n",
        "e.ipynb": json.dumps({"cells": [{"cell_type": "code", "source": f"harbour {bad}", "outputs": [
            {"output_type": "error", "ename": bad, "evalue": bad, "traceback": [bad]}]}], "metadata": {"title": bad}}),
        "f.eml": f"Subject: =?utf-8?Q?{quoted}?= harbour\nFrom: {bad}\n\nwords {bad}\n",
        "g.html": f"<title>{bad}</title><meta name=author content='{bad}'><h1>harbour &#27;[2J&#x202e; {bad}</h1>",
        "h.json": json.dumps({bad: f"harbour {bad}"}),
        "i.xml": f"<a b='&#x9b;2J&#x202e;'>harbour &#x9b;2J {bad}</a>",
    }  # fmt: skip
    for name, text in docs.items():
        (tmp_path / "docs" / name).write_text(text, "utf-8")
    run("index", "docs", cwd=tmp_path, exit=6)
    run("list", cwd=tmp_path)
    names = [row["document"] for row in run("list", "--format", "jsonl", cwd=tmp_path).lines]
    assert len(names) == len(docs) - 1
    for words in (("search", "harbour"), ("search", "harbour", "--format", "jsonl"), ("status",)):
        run(*words, cwd=tmp_path)
    for name in names:
        run("show", name, "--format", "jsonl", cwd=tmp_path)
    for file in (tmp_path / "docs").iterdir():
        if not file.name.endswith(".gz"):
            run("chunk", file, cwd=tmp_path)
