from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .known import SEEDS, Known, check_known, known
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
        ("<header><h1>Title</h1><p>by Ann</p></header><article><p>in</p></article>", "Title\n\nby Ann\n\nin"),
        ("<header><h1>Site</h1></header><article><h1>Title</h1></article>", "Title"),
        ("<footer>x</footer><div role=main><header>in</header></div><aside>y</aside>", "in"),
        ("<article><header><h2><a href=1>Linked</a></h2></header><p>in</p></article>", "Linked\n\nin"),
        ("<article>in</article><div role=navigation><h3>More</h3><a>x</a> or y</div>", "in"),
        ("<article>in<aside><h4>Related stories</h4><a>x</a></aside></article>", "in"),
        ("<ol start=7><li>a<li>b</ol>", "7. a\n8. b"),
        ("<label>Linux</label><label>Mac</label>", "Linux Mac"),
        ("<article><p>in</p></article><aside>beside</aside>", "in"),
        ("<p>a<script>x</script><style>y</style><noscript>z</noscript>b</p>", "ab"),
        ("<p hidden>no</p><p style='display: none'>no</p>yes", "yes"),
        ("<table><tr><td><h2>Title</h2><p>layout</p></td></tr></table>", "Title\n\nlayout"),
        ("line<br>break &eacute;&nbsp;x", "line\nbreak é x"),
        ("<div>a<div>b</div>c</div>", "a\n\nb\n\nc"),
        ("<p>see <img src=a alt='a map of Ulm'><img src=b alt='b.png'> now</p>", "see a map of Ulm now"),
        ("<figure><img alt='The port'><figcaption>The port</figcaption></figure>", "The port"),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>だ", "漢字(かんじ)だ"),
        (
            "so <math alttext='x^2'><mi>x</mi></math> and <math><mi>y</mi><mo>=</mo><mn>3</mn></math>",
            "so x^2 and y = 3",
        ),
        ("<iframe srcdoc='<p>in &amp;lt; frame</p>'></iframe>after", "in < frame\n\nafter"),
        ("<noscript>read me</noscript><script>x</script>", "read me"),
        (
            "<template>no</template><div><template shadowrootmode=open><p>yes</p></template></div>z",
            "yes\n\nz",
        ),
        ("<details><summary>Why</summary><p>So.</p></details>", "Why\n\nSo."),
        ("<label>Your name <input value=x></label>", "Your name"),
        (
            f"<p>q</p><div style='display:none'>{'An answer that unfolds. ' * 9}</div>",
            "q\n\n" + "An answer that unfolds. " * 8 + "An answer that unfolds.",
        ),
        ("<div class='side-bar menu'><a href=1>one</a> <a href=2>two</a></div><p>words</p>", "words"),
        (
            "<div class='menu'>Soup, bread and <a href=2>wine</a></div><p>words</p>",
            "Soup, bread and wine\n\nwords",
        ),
        ("<svg><title>t</title><text x=1>Step one</text></svg>", "Step one"),
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


def test_header_rows_and_captions_of_tables(tmp_path: Path) -> None:
    html = """<table><caption>Sizes of boats</caption><thead><tr><th rowspan=2>Boat</th><th colspan=2>Metres</th></tr>
<tr><th>long</th><th>wide</th></tr></thead><tbody><tr><th>Ann</th><td>9</td><td>3</td></tr></tbody></table>
<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table><table><tr><td>1</td><td>2</td></tr></table>"""
    page = document(tmp_path, "a.html", html)
    assert texts(page) == [
        ("caption", "Sizes of boats"),
        ("table", "Boat | Metres\nlong | wide\nAnn | 9 | 3"),
        ("table", "a | b\n1 | 2"),
        ("table", "1 | 2"),
    ]
    assert [page.text[b.start : b.head] if b.head else "" for b in page.blocks] == [
        "", "Boat | Metres\nlong | wide\n", "a | b\n", "",
    ]  # fmt: skip
    figure = document(tmp_path, "b.html", "<figure><pre>x</pre><figcaption>Code 1</figcaption></figure>")
    assert texts(figure) == [("code", "x"), ("caption", "Code 1")]


def test_what_a_page_is_arranged_with_is_no_structure(tmp_path: Path) -> None:
    html = """<table><tr><td><a href=1>Home</a></td><td><h2>Old</h2><table><tr><td>x</td><td>1</td></tr></table>
</td></tr></table><dl><dt>run(x)</dt><dd><p>Runs.</p><pre>run(1)</pre></dd></dl>"""
    assert texts(document(tmp_path, "a.html", html)) == [
        ("paragraph", "Home"),
        ("heading", "Old"),
        ("table", "x | 1"),
        ("paragraph", "run(x)"),
        ("paragraph", "Runs."),
        ("code", "run(1)"),
    ]


def test_a_page_without_a_body_is_its_head(tmp_path: Path) -> None:
    page = document(tmp_path, "a.html", "<title>Harbour</title><meta name=description content='Of ships.'>")
    assert texts(page) == [("heading", "Harbour"), ("paragraph", "Of ships.")]


def test_stray_nuls_do_not_make_a_page_binary(tmp_path: Path) -> None:
    assert document(tmp_path, "a.html", b"<html><p>caf\xe9 \0\0 noir et thym" + b" mot" * 30).text.startswith(
        "café noir"
    )


def _html(content: Known) -> bytes:
    out = [f"<!doctype html><title>{content.title}</title><nav><a href=/>Home0</a></nav><main>"]
    for piece in content.pieces:
        cells = [[f"<td>{cell}</td>" for cell in row] for row in piece.rows]
        if piece.kind == "heading":
            out.append(f"<h{piece.level}>{piece.text}</h{piece.level}>")
        elif piece.kind == "list":
            out.append("<ul>" + "".join(f"<li>{row[0]}\n" for row in piece.rows) + "</ul>")
        elif piece.kind == "table":
            out.append("<table>" + "\n".join(f"<tr>{''.join(row)}</tr>" for row in cells) + "</table>")
        else:
            tag = "pre" if piece.kind == "code" else "p"
            out.append(f"<{tag}>{piece.text}</{tag}>")
    return "\n".join([*out, "</main><footer>Imprint</footer>"]).encode()


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
def test_known_pages_come_back(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = known(seed, ("heading", "paragraph", "list", "table", "code"))
        check_known(tmp_path, "a.html", _html(content), content, title=True)
