"""What holds for any content: readers keep their promises and never raise."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragcli.load import FORMATS, load_file
from ragcli.load.code.plain import read_code
from ragcli.load.markup.plain import read_text
from ragcli.types import Document

from .support import SHARED, check, check_failure, load

FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

# Fragments from which the structures of the formats arise more often than from single letters.
_SPLIT = "¦"
_BITS = {
    "md": "# ¦## h\n¦```¦~~~\n¦\n¦\n\n¦- a¦  - b\n¦1. ¦a | b\n¦--|--\n¦---\n¦===¦    x¦<!--¦-->¦> q\n"
    "¦[l](u)¦`c`¦**b**¦{#id}¦\t¦文¦title: x\n¦e\u0301¦\x1b[0m",
    "rst": "==\n¦====\n¦----¦T\n¦::\n¦\n\n¦.. code::\n¦   x\n¦- a\n¦+--+\n¦| a|\n¦=== ===\n¦>>> x\n¦:f: v\n"
    "¦文\n¦``x``¦\x0c",
    "txt": "\n¦\n\n¦ABC DEF GHI¦1.2 T¦word ¦\r¦\r\n¦\x0c¦\u2028¦文¦\0¦\x85",
    "html": "<p>¦</p>¦<li>¦<ul>¦</ul>¦<ol>¦<table>¦<tr>¦<td>¦</table>¦<pre>¦</pre>¦<h2>¦</h2>¦word¦ ¦\n¦&amp;"
    "¦&#0;¦<br>¦<nav>¦<main>¦</main>¦<!--¦文¦<a>¦<div hidden>¦e\u0301¦<script>¦\u0301¦<dl><dt>¦<dd>¦<svg>¦\t",
    "adoc": "= t\n¦== a\n¦.Cap\n¦|===\n¦|a |b\n¦----\n¦====\n¦* x\n¦** y\n¦+\n¦t:: d\n¦[source]\n¦:k: v\n¦\n"
    "¦--\n¦文¦````\n",
    "org": "* h\n¦** TODO x :t:\n¦#+TITLE: t\n¦#+begin_src\n¦#+end_src\n¦:P:\n¦:END:\n¦| a |\n¦|--\n¦- x\n"
    "¦  y\n¦\n¦: f\n¦文",
    "tex": "\\section{a}\n¦\\begin{itemize}\n¦\\end{itemize}\n¦\\item x\n¦\\title{¦}¦{¦\\caption{c}\n¦\\[\n"
    "¦\\]\n¦\n¦文¦\\'e¦%c\n",
    "srt": "1\n¦00:00:01,000 --> 00:00:02,000\n¦words\n¦\n¦WEBVTT\n¦NOTE x\n¦<v A>¦<i>¦-->¦文.¦99:99:99.9 --> 1:1\n",
    "xml": "<a>¦</a>¦<b x='1'>¦</b>¦<title>¦</title>¦<p>¦</p>¦text¦&amp;¦&x;¦&¦<!DOCTYPE a [<!ENTITY x 'y'>]>"
    "¦<![CDATA[¦]]>¦<table>"
    "¦<tr>¦<td>¦\n¦<rss>¦<item>¦文¦<!--¦-->¦<list>¦<item/>",
    "json": '{¦}¦[¦]¦"a"¦:¦,¦1¦true¦\n¦  ¦"x\\u00e9"¦\\¦"¦文¦// c\n¦/*¦{"k": "v"}¦"l\\nm"',
    "yaml": "a: 1\n¦b:\n¦  - c\n¦  d: |\n¦    e:\n¦---\n¦# x\n¦\n¦文: 文\n¦\t¦'q': z\n",
    "toml": "[a]\n¦[[b.c]]\n¦x = 1\n¦title = 't'\n¦\n¦# c\n¦文 = 1\n",
    "csv": ',¦;¦\t¦\n¦"¦""¦a¦1¦文¦ ¦\r\n¦|¦\n\n¦name¦\0',
}


@pytest.mark.parametrize("suffix", sorted(_BITS))
@FEW
@given(data=st.data())
def test_blocks_cover_the_text_in_order(suffix: str, data: st.DataObject, tmp_path: Path) -> None:
    bits = data.draw(
        st.lists(st.one_of(st.sampled_from(_BITS[suffix].split(_SPLIT)), st.text(max_size=4)), max_size=40)
    )
    raw = "".join(bits).encode("utf-8", "replace")
    for item in load(tmp_path, f"a.{suffix}", raw):
        if isinstance(item, Document):
            check(item)
            assert item.lines is not None
            assert item.lines.places[-1] <= raw.count(b"\n") + raw.count(b"\r") + 1
        else:
            check_failure(item)


@pytest.mark.parametrize("suffix", sorted({*FORMATS, ".unknown", ""}, key=str))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(
        st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
    )
)
def test_no_bytes_make_it_raise(suffix: str, data: bytes, tmp_path: Path) -> None:
    _never_raises(tmp_path, f"a{suffix}", data)


@FEW
@given(
    tail=st.binary(max_size=300),
    head=st.sampled_from([b"%PDF-1.4\n", b"<html>", b'{"text":', b"---\n", b"\xff\xfe"]),
)
def test_no_bytes_after_a_familiar_beginning(tail: bytes, head: bytes, tmp_path: Path) -> None:
    for suffix in (".pdf", ".html", ".jsonl", ".md", ".csv", ".txt"):
        _never_raises(tmp_path, f"a{suffix}", head + tail)


def _never_raises(folder: Path, name: str, data: bytes) -> None:
    for item in load(folder, name, data):
        if isinstance(item, Document):
            check(item)
        else:
            check_failure(item)


@given(st.text())
def test_text_and_code_map_every_line_to_itself(text: str) -> None:
    from ragcli.load.source import clean

    source = clean(text.replace("\r", ""))
    for read in (read_text, read_code):
        parsed = read(source)
        assert parsed.lines is not None
        assert parsed.text == source.text


@pytest.mark.skipif(not (SHARED / "files").is_dir(), reason="the shared files are not here")
def test_shared_files_are_read_or_refused() -> None:
    names = ["text", "html", "pdf", "table", "docs-zh/learn"]
    names += [f"nasty-{kind}" for kind in ("text", "html", "pdf", "table", "encoding", "derived", "xml")]
    seen = 0
    for file in sorted(
        file for name in names for file in (SHARED / "files" / name).iterdir() if file.is_file()
    ):
        for item in load_file(file, path=file.name):
            seen += 1
            if isinstance(item, Document):
                check(item)
            else:
                check_failure(item)
    assert seen > 100


def test_modified_is_in_utc(tmp_path: Path) -> None:
    import os

    file = tmp_path / "a.md"
    file.write_text("x")
    os.utime(file, (86400, 86400))
    [item] = load_file(file, path="docs/a.md")
    assert isinstance(item, Document)
    assert (item.modified, item.id, item.path) == ("1970-01-02T00:00:00Z", "docs/a.md", "docs/a.md")


def test_text_format_overrules_the_name() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "notes"
        file.write_text("# Heading\n")
        [item] = load_file(file, path="notes", text_format="markdown")
        assert isinstance(item, Document)
        assert (item.format, item.title) == ("markdown", "Heading")
        with pytest.raises(ValueError, match="no such format"):
            next(load_file(file, path="notes", text_format="nonsense"))


def test_importing_the_room_imports_no_heavy_library() -> None:
    heavy = ["pypdf", "pypdfium2", "selectolax", "yaml", "charset_normalizer", "pathspec", "numpy"]
    heavy += ["lxml", "olefile", "msoffcrypto"]
    code = f"import sys, ragcli.load; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
