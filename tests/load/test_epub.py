"""EPUB: chapters in the order of reading."""

from __future__ import annotations

import io
import zipfile
from html import escape
from pathlib import Path

import pytest

from .known import SEEDS, Known, Piece, check_known, known
from .support import document, failure, load, texts

_CONTAINER = '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
_XHTML = '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'


def xhtml(body: str) -> str:
    return f'<?xml version="1.0"?>{_XHTML}<head><title/></head><body>{body}</body></html>'


def epub(
    chapters: list[str],
    *,
    title: str = "A book",
    nav: str = "",
    pages: str = "",
    others: dict[str, str] | None = None,
) -> bytes:
    items = "".join(
        f'<item id="c{n}" href="text/c{n}.xhtml" media-type="application/xhtml+xml"/>'
        for n in range(len(chapters))
    )
    order = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    package = (
        '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        f"<dc:title>{escape(title)}</dc:title><dc:creator>Ann</dc:creator><dc:creator>Bob</dc:creator></metadata>"
        f'<manifest><item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>{items}'
        f"</manifest><spine>{order}</spine></package>"
    )
    toc = f'<nav epub:type="toc"><ol>{nav}</ol></nav><nav epub:type="page-list"><ol>{pages}</ol></nav>'
    parts = {
        "META-INF/container.xml": _CONTAINER,
        "OPS/book.opf": package,
        "OPS/nav.xhtml": xhtml(toc),
        **{f"OPS/text/c{n}.xhtml": chapter for n, chapter in enumerate(chapters)},
        **(others or {}),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()


def _html(piece: Piece) -> str:
    if piece.kind == "heading":
        return f"<h{piece.level}>{piece.text}</h{piece.level}>"
    if piece.kind == "list":
        return "<ul>" + "".join(f"<li>{row[0]}</li>" for row in piece.rows) + "</ul>"
    if piece.kind == "table":
        rows = ("".join(f"<td>{cell}</td>" for cell in row) for row in piece.rows)
        return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
    if piece.kind == "code":
        return f"<pre>{escape(piece.text)}</pre>"
    return f"<p>{piece.text}</p>"


def _written(content: Known) -> bytes:
    return epub([xhtml("".join(map(_html, page))) for page in content.pages], title=content.title)


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
def test_book(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = known(seed, ("heading", "paragraph", "list", "table", "code"), pages=3)
        item = check_known(tmp_path, "a.epub", _written(content), content, title=True, paged=True)
        assert item.metadata["author"] == "Ann; Bob"


def test_a_chapter_without_a_heading_takes_its_name_from_the_contents(tmp_path: Path) -> None:
    nav = '<li><a href="text/c0.xhtml">One</a><ol><li><a href="text/c1.xhtml">Two</a></li></ol></li>'
    chapters = [xhtml("<p>It begins.</p>"), xhtml("<p>TWO</p><p>It ends.</p>")]
    page = document(tmp_path, "a.epub", epub(chapters, nav=nav))
    assert [(b.kind, b.level, page.text[b.start : b.end]) for b in page.blocks] == [
        ("heading", 1, "One"),
        ("paragraph", 0, "It begins."),
        ("heading", 2, "TWO"),
        ("paragraph", 0, "It ends."),
    ]
    assert page.pages is not None
    assert page.pages.labels == ("One", "Two")


def test_pages_of_the_printed_book(tmp_path: Path) -> None:
    pages = '<li><a href="text/c0.xhtml#p1">xi</a></li><li><a href="text/c0.xhtml#p2">xii</a></li>'
    chapter = xhtml(
        '<p><span id="p1"/>First <b>page</b>.</p><span id="p2" epub:type="pagebreak"/><p>Second page.</p>'
    )
    page = document(tmp_path, "a.epub", epub([chapter], pages=pages))
    assert texts(page) == [("paragraph", "First page."), ("paragraph", "Second page.")]
    assert page.pages is not None
    assert [page.pages.label_at(block.start) for block in page.blocks] == ["xi", "xii"]


def test_an_empty_title_does_not_swallow_the_page(tmp_path: Path) -> None:
    page = document(tmp_path, "a.epub", epub([xhtml('<a id="x"/><p>All <i/>is&nbsp;there.</p>')]))
    assert page.text == "All is there."


def test_rights_management(tmp_path: Path) -> None:
    entry = (
        '<encryption><EncryptedData><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>'
        '<CipherData><CipherReference URI="OPS/text/c0.xhtml"/></CipherData></EncryptedData></encryption>'
    )
    data = epub([xhtml("<p>x</p>")], others={"META-INF/encryption.xml": entry})
    assert failure(tmp_path, "a.epub", data).error == "encrypted"


def test_fonts_that_are_obfuscated_cost_nothing(tmp_path: Path) -> None:
    entry = (
        '<encryption><EncryptedData><EncryptionMethod Algorithm="http://www.idpf.org/2008/embedding"/>'
        '<CipherData><CipherReference URI="OPS/font.otf"/></CipherData></EncryptedData></encryption>'
    )
    data = epub([xhtml("<p>x y</p>")], others={"META-INF/encryption.xml": entry})
    assert document(tmp_path, "a.epub", data).text == "x y"


def test_a_missing_chapter_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    data = epub([xhtml("<p>one</p>"), xhtml("<p>two</p>")])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            if not name.endswith("c1.xhtml"):
                new.writestr(name, old.read(name))
    book, missing = load(tmp_path, "a.epub", out.getvalue())
    assert book.text == "one"  # type: ignore[union-attr]
    assert (missing.path, missing.error) == ("a.epub/OPS/text/c1.xhtml", "damaged")  # type: ignore[union-attr]


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", bytes(210_000_000))
    assert failure(tmp_path, "a.epub", out.getvalue()).error == "too-large"
