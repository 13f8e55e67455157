from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import pytest

from ragcli.types import Document, Failure

from .known import SEEDS, Known, Piece, check_known, known
from .support import check, document, failure, load, texts

if TYPE_CHECKING:
    from pathlib import Path


def test_records_become_rows(tmp_path: Path) -> None:
    text = '<?xml version="1.0"?>\n'
    text += '<books>\n<book id="7">\n<name>Ulysses &amp; co</name><by>Joyce</by></book>\n'
    text += "<book>\n<name>Emma</name></book>\n</books>"
    page = document(tmp_path, "a.xml", text)
    assert texts(page) == [("table", "id: 7; name: Ulysses & co; by: Joyce\nname: Emma")]
    assert page.lines is not None
    assert [page.lines.at(page.text.index(word)) for word in ("Ulysses", "Emma")] == [3, 5]


def test_docbook(tmp_path: Path) -> None:
    text = """<!DOCTYPE book [<!ENTITY product "Ledger 2">]>
<book xmlns="http://docbook.org/ns/docbook"><title>&product; guide</title>
<info><author>Ann</author></info>
<chapter><title>Install</title><para>Run <command>make</command> on&nbsp;it.
It <emphasis>works</emphasis>.</para>
<itemizedlist><listitem><para>one</para></listitem><listitem><para>two <itemizedlist><listitem><para>deep</para>
</listitem></itemizedlist></para></listitem></itemizedlist>
<programlisting>a = 1
  b</programlisting>
<table><title>Sizes</title><tgroup><thead><row><entry>k</entry><entry>v</entry></row></thead>
<tbody><row><entry>x</entry><entry>1</entry></row></tbody></tgroup></table>
<section><title>More</title><para>End.</para></section></chapter></book>"""
    page = document(tmp_path, "a.xml", text)
    assert page.title == "Ledger 2 guide"
    assert page.metadata["author"] == "Ann"
    assert texts(page) == [
        ("heading", "Ledger 2 guide"),
        ("paragraph", "info: author: Ann"),
        ("heading", "Install"),
        ("paragraph", "Run make on it. It works."),
        ("list", "- one\n- two\n  - deep"),
        ("code", "a = 1\n  b"),
        ("caption", "Sizes"),
        ("table", "k | v\nx | 1"),
        ("heading", "More"),
        ("paragraph", "End."),
    ]
    assert [block.level for block in page.blocks if block.level] == [1, 1, 2]


def test_feeds(tmp_path: Path) -> None:
    rss = """<rss version="2.0"><channel><title>News</title><link>http://n.example/</link>
<item><title>Flood</title><pubDate>Tue, 01 Jan 2030</pubDate><link>http://n.example/1</link><guid>77</guid>
<description>&lt;p&gt;Water &lt;b&gt;rose&lt;/b&gt;.&lt;/p&gt;
&lt;ul&gt;&lt;li&gt;a&lt;/li&gt;&lt;/ul&gt;</description></item></channel></rss>"""
    assert texts(document(tmp_path, "a.rss", rss)) == [
        ("heading", "News"),
        ("paragraph", "http://n.example/"),
        ("heading", "Flood"),
        ("paragraph", "Tue, 01 Jan 2030; http://n.example/1"),
        ("paragraph", "Water rose."),
        ("list", "- a"),
    ]
    atom = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Log</title><entry><title>One</title>
<updated>2030-01-01</updated><link href="http://n.example/2"/><author><name>Ann</name></author>
<summary>Short</summary><content type="html"><![CDATA[<p>Short and long</p>]]></content></entry></feed>"""
    page = document(tmp_path, "a.atom", atom)
    assert [words for _, words in texts(page)] == [
        "Log",
        "One",
        "2030-01-01; Ann; http://n.example/2",
        "Short and long",
    ]


def test_billion_laughs_stay_few(tmp_path: Path) -> None:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    page = document(tmp_path, "a.xml", f"<!DOCTYPE r [{entities}]><r><p>&a9; said</p></r>")
    assert page.text == "&a9; said"


def test_quadratic_growth_is_bounded(tmp_path: Path) -> None:
    bomb = f'<!DOCTYPE r [<!ENTITY a "{"x" * 9000}">]><r><p>{"&a;" * 9000}</p></r>'
    assert len(document(tmp_path, "a.xml", bomb).text) < 2_000_000


@pytest.mark.parametrize("where", ["file:///etc/hostname", "http://localhost:9/x"])
def test_nothing_external_is_followed(tmp_path: Path, where: str) -> None:
    text = f'<!DOCTYPE r SYSTEM "{where}" [<!ENTITY x SYSTEM "{where}"><!ENTITY % y SYSTEM "{where}">]><r>a &x; b</r>'
    assert document(tmp_path, "a.xml", text).text == "a &x; b"
    assert failure(tmp_path, "b.xml", f'<!DOCTYPE r SYSTEM "{where}"><r> </r>').error == "empty"


def test_what_is_broken_gives_what_can_be_had(tmp_path: Path) -> None:
    page, told = load(tmp_path, "a.xml", "<r><p>one & two &und; &eacute;</p><p>thr")
    assert isinstance(page, Document)
    assert page.text.split("\n\n") == ["one & two &und; é", "thr"]
    assert isinstance(told, Failure)
    assert (told.error, "line 1" in told.message) == ("damaged", True)
    assert document(tmp_path, "b.xml", "<a>one</a><a>two</a>").text == "one\n\ntwo"
    assert "x" in document(tmp_path, "c.xml", "<d>" * 400 + "x" + "</d>" * 400).text


def test_lines_ascend_where_the_end_is_broken(tmp_path: Path) -> None:
    page = load(tmp_path, "a.xml", "<a>\n<p>one</p>\n<p>two &#xD800;</p>\n</a>rest</b>")[0]
    assert isinstance(page, Document)
    check(page)
    assert page.text.startswith("one\n\ntwo")
    assert page.text.endswith("rest")


def test_declared_encodings(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="windows-1251"?><r><p>Привет, мир</p></r>'
    assert document(tmp_path, "a.xml", text.encode("cp1251")).text == "Привет, мир"
    utf16 = text.replace("windows-1251", "utf-16").encode("utf-16")
    assert document(tmp_path, "b.xml", utf16).text == "Привет, мир"


def _docbook(content: Known) -> bytes:
    out = [f"<article><title>{escape(content.title)}</title>"]
    depth = 0
    for piece in content.pieces:
        if piece.kind == "heading":
            while depth >= piece.level:
                out.append("</section>")
                depth -= 1
            depth += 1
            out.append(f"<section><title>{escape(piece.text)}</title>")
        else:
            out.append(_docbook_piece(piece))
    return "\n".join([*out, "</section>" * depth, "</article>"]).encode()


def _docbook_piece(piece: Piece) -> str:
    if piece.kind == "list":
        items = "".join(f"<listitem><para>{escape(row[0])}</para></listitem>\n" for row in piece.rows)
        return f"<itemizedlist>{items}</itemizedlist>"
    if piece.kind == "table":
        rows = [
            "<row>" + "".join(f"<entry>{escape(cell)}</entry>" for cell in row) + "</row>"
            for row in piece.rows
        ]
        body = "\n".join(rows[1:])
        return (
            f"<informaltable><tgroup><thead>{rows[0]}</thead><tbody>{body}</tbody></tgroup></informaltable>"
        )
    if piece.kind == "code":
        return f"<programlisting>{escape(piece.text)}</programlisting>"
    return f"<para>{escape(piece.text)}</para>"


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
def test_known_documents_come_back(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = known(seed, ("heading", "paragraph", "list", "table", "code"))
        check_known(tmp_path, "a.xml", _docbook(content), content, title=True)
