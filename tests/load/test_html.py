from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .support import document, texts

if TYPE_CHECKING:
    from pathlib import Path

PAGE = """<html><head><title>T &amp; x</title><meta name=author content="Ann"></head><body>
<nav><a href=1>home</a></nav>
<main><header><h1>Head
ing<a class=headerlink>¶</a></h1></header>
<p>para <b>bold</b>
line two</p>
<ul><li>one
<li><p>two</p><ol><li>x</li><li>y</li></ol></li></ul>
<pre>
def f():
    return &lt;1

x
</pre>
<table>
<tr><th>A</th> <th>B</th></tr>
<tr><td>1</td><td>2<br>3</td></tr></table>
tail text</main><footer>foot</footer></body></html>"""


def test_page(tmp_path: Path) -> None:
    page = document(tmp_path, "page.html", PAGE)
    assert page.title == "T & x"
    assert page.metadata == {"author": "Ann"}
    assert page.lines is not None
    rows = [(b.kind, page.text[b.start : b.end], page.lines.over(b.start, b.end)) for b in page.blocks]
    assert rows == [
        ("heading", "Head ing", (3, 3)),
        ("paragraph", "para bold line two", (5, 6)),
        ("list", "- one\n- two\n  1. x\n  2. y", (7, 8)),
        ("code", "def f():\n    return <1\n\nx", (10, 13)),
        ("table", "A | B\n1 | 2 3", (16, 17)),
        ("paragraph", "tail text", (18, 18)),
    ]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<header>Site name</header><p>words</p>", "Site name\n\nwords"),
        ("<nav><a>a</a> <a>b</a></nav><p>words</p>", "words"),
        ("<nav><a>only</a></nav>", "only"),
        ("<article><p>in</p></article><aside>beside</aside>", "in"),
        ("<p>a<script>x</script><style>y</style><noscript>z</noscript>b</p>", "ab"),
        ("<p hidden>no</p><p style='display: none'>no</p>yes", "yes"),
        ("<table><tr><td><h2>Title</h2><p>layout</p></td></tr></table>", "Title\n\nlayout"),
        ("line<br>break &eacute;&nbsp;x", "line\nbreak é x"),
        ("<div>a<div>b</div>c</div>", "a\n\nb\n\nc"),
        ("<dl><dt>term<dd>meaning</dl>", "term\n  meaning"),
    ],
)
def test_text(tmp_path: Path, body: str, text: str) -> None:
    assert document(tmp_path, "a.html", f"<html><body>{body}").text == text


@pytest.mark.parametrize(
    ("head", "encoding", "text"),
    [
        ("<meta charset=gb2312>", "gb18030", "中文网页"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1">', "cp1252", "“café”"),
        ("<meta charset=iso-8859-1>", "utf-8", "wrongly declared é"),
        ("<meta charset=nonsense>", "utf-8", "déjà vu"),
        ("<meta charset=utf-8>", "cp1252", "Größe für Straße"),
        ("", "utf-16", "wide é"),
    ],
)
def test_charset(tmp_path: Path, head: str, encoding: str, text: str) -> None:
    page = document(tmp_path, "a.html", f"<html><head>{head}</head><body><p>{text}</p>".encode(encoding))
    assert page.text == text


def test_words_are_found_in_the_page_not_in_scripts(tmp_path: Path) -> None:
    page = document(
        tmp_path, "a.html", "<script>var s = 'Welcome home';</script>\n\n<p\n>Welcome home</p>\n<p>end</p>"
    )
    assert page.lines is not None
    assert [page.lines.at(b.start) for b in page.blocks] == [4, 5]
    assert texts(page) == [("paragraph", "Welcome home"), ("paragraph", "end")]


def test_very_deep_nesting_is_read(tmp_path: Path) -> None:
    assert document(tmp_path, "a.html", "<div>" * 50_000 + "deep").text.strip() == "deep"
