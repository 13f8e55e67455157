"""Word documents: what an author wrote comes back once, in order, with its structure and pages."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx
import pytest
from docx.document import Document as Word
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from ragcli.load import load_file
from ragcli.types import Document, Failure

from .known import SEEDS, Known, Piece, check_known, known
from .support import SHARED, document, load, texts

NAMESPACES = nsdecls("w") + (
    ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    ' xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)


def saved(word: Word) -> bytes:
    """The bytes of the file."""
    out = io.BytesIO()
    word.save(out)
    return out.getvalue()


def with_body(xml: str) -> bytes:
    """A document with this body, its styles and numberings those of an empty one."""
    word = docx.Document()
    body = word.element.body
    for element in parse_xml(f"<w:body {NAMESPACES}>{xml}</w:body>"):
        body.insert(len(body) - 1, element)
    return saved(word)


def with_parts(data: bytes, parts: dict[str, str]) -> bytes:
    """The file with some of its parts replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, text in parts.items():
            new.writestr(name, text)
    return out.getvalue()


def _written(content: Known) -> bytes:
    word = docx.Document()
    word.core_properties.title = content.title
    for number, page in enumerate(content.pages):
        if number:
            word.add_page_break()
        for piece in page:
            _write(word, piece)
    return saved(word)


def _write(word: Word, piece: Piece) -> None:
    if piece.kind == "heading":
        word.add_paragraph(piece.text)._p.style = f"Heading{piece.level}"
    elif piece.kind == "list":
        for number, row in enumerate(piece.rows):
            word.add_paragraph(row[0])._p.style = "ListNumber" if number % 2 else "ListBullet"
    elif piece.kind == "table":
        table = word.add_table(len(piece.rows), len(piece.rows[0]))
        # Through the elements, like the styles above: python-docx looks for each of them anew.
        for row, cells in zip(table._tbl.tr_lst, piece.rows, strict=True):
            for cell, text in zip(row.tc_lst, cells, strict=True):
                cell.p_lst[0].add_r().text = text
    else:
        word.add_paragraph(piece.text)


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
def test_everything_comes_back(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = known(seed, pages=1 + seed % 3)
        check_known(tmp_path, "a.docx", _written(content), content, title=True, paged=seed % 3 > 0)


def test_lists_keep_their_numbers(tmp_path: Path) -> None:
    levels = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for at, (kind, text) in enumerate(
            [("decimal", "%1."), ("lowerLetter", "%1.%2)"), ("upperRoman", "(%3)")]
        )
    )
    numbering = (
        f'<w:numbering {NAMESPACES}><w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
    )
    item = (
        '<w:p><w:pPr><w:numPr><w:ilvl w:val="{}"/><w:numId w:val="1"/></w:numPr></w:pPr>'
        "<w:r><w:t>{}</w:t></w:r></w:p>"
    )
    body = "".join(
        item.format(at, text) for at, text in [(0, "a"), (1, "b"), (1, "c"), (2, "d"), (0, "e"), (1, "f")]
    )
    data = with_parts(with_body(body), {"word/numbering.xml": numbering})
    [(kind, text)] = texts(document(tmp_path, "a.docx", data))
    assert kind == "list"
    assert text == "1. a\n  1.a) b\n  1.b) c\n    (I) d\n2. e\n  2.a) f"


def test_headings_by_outline_level_and_localised_style(tmp_path: Path) -> None:
    styles = (
        f'<w:styles {NAMESPACES}><w:style w:type="paragraph" w:styleId="b1"><w:name w:val="Überschrift 2"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="b2"><w:name w:val="Mine"/><w:basedOn w:val="b1"/></w:style></w:styles>'
    )
    body = (
        '<w:p><w:pPr><w:outlineLvl w:val="0"/></w:pPr><w:r><w:t>Outline</w:t></w:r></w:p>'
        '<w:p><w:pPr><w:pStyle w:val="b2"/></w:pPr><w:r><w:t>Derived</w:t></w:r></w:p>'
        '<w:p><w:pPr><w:pStyle w:val="標題3"/></w:pPr><w:r><w:t>Undefined</w:t></w:r></w:p>'
    )
    item = document(tmp_path, "a.docx", with_parts(with_body(body), {"word/styles.xml": styles}))
    assert [(block.level, block.label) for block in item.blocks] == [
        (1, "Outline"),
        (2, "Derived"),
        (3, "Undefined"),
    ]


def test_text_boxes_are_read_once_and_deletions_not_at_all(tmp_path: Path) -> None:
    box = "<w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent>"
    body = (
        "<w:p><w:r><w:t>before</w:t></w:r><w:r><mc:AlternateContent>"
        f"<mc:Choice Requires='wps'><w:drawing>{box}</w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
        "<w:ins><w:r><w:t> inserted</w:t></w:r></w:ins><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del>"
        "<w:moveFrom><w:r><w:t>moved away</w:t></w:r></w:moveFrom></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>controlled</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    assert [text for _, text in texts(document(tmp_path, "a.docx", with_body(body)))] == [
        "before inserted",
        "boxed",
        "controlled",
    ]


def test_notes_and_comments_follow_what_refers_to_them(tmp_path: Path) -> None:
    word = docx.Document()
    first = word.add_paragraph("First")
    word.add_comment(first.runs[0], text="Really?", author="Ann")
    word.add_paragraph("Second")
    data = saved(word)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        relations = opened.read("word/_rels/document.xml.rels").decode()
        main = opened.read("word/document.xml").decode()
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    link = f'<Relationship Id="rIdN" Type="{kind}" Target="footnotes.xml"/></Relationships>'
    notes = (
        f'<w:footnotes {NAMESPACES}><w:footnote w:type="separator" w:id="0"><w:p><w:r><w:t>-</w:t></w:r></w:p>'
        '</w:footnote><w:footnote w:id="2"><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote></w:footnotes>'
    )
    parts = {
        "word/_rels/document.xml.rels": relations.replace("</Relationships>", link),
        "word/document.xml": main.replace("Second</w:t>", 'Second</w:t><w:footnoteReference w:id="2"/>'),
        "word/footnotes.xml": notes,
    }
    assert [text for _, text in texts(document(tmp_path, "a.docx", with_parts(data, parts)))] == [
        "First",
        "Comment by Ann: Really?",
        "Second[1]",
        "[1] A note.",
    ]


def test_references_to_no_character_cost_only_themselves(tmp_path: Path) -> None:
    body = '<w:p><w:pPr><w:pStyle w:val="a&#xD800;"/></w:pPr><w:r><w:t>be&#55357;fore</w:t></w:r></w:p>'
    parts = {"word/document.xml": f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>"}
    assert document(tmp_path, "a.docx", with_parts(saved(docx.Document()), parts)).text == "be\ufffdfore"


def test_tables_keep_header_rows_and_merged_cells(tmp_path: Path) -> None:
    word = docx.Document()
    table = word.add_table(4, 3)
    for row, cells in zip(
        table.rows, [["Group", "", "x"], ["a", "b", "c"], ["1", "2", "3"], ["4", "5", "6"]], strict=True
    ):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    table.cell(0, 0).merge(table.cell(0, 1))
    table.cell(2, 0).merge(table.cell(3, 0))
    for row in table.rows[:2]:
        row._tr.get_or_add_trPr().append(parse_xml(f"<w:tblHeader {NAMESPACES}/>"))
    item = document(tmp_path, "a.docx", saved(word))
    [block] = item.blocks
    assert item.text[: block.head] == "Group |  | x\na | b | c\n"
    assert item.text[block.head :] == "1 4 | 2 | 3\n | 5 | 6"


def test_pages_follow_the_breaks_that_word_kept(tmp_path: Path) -> None:
    body = (
        "<w:p><w:r><w:t>one</w:t></w:r></w:p>"
        '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
        "<w:p><w:r><w:lastRenderedPageBreak/><w:t>two</w:t></w:r></w:p>"
        "<w:p><w:r><w:lastRenderedPageBreak/><w:t>three</w:t></w:r></w:p>"
        "<w:p><w:pPr><w:pageBreakBefore/></w:pPr><w:r><w:t>four</w:t></w:r></w:p>"
    )
    item = document(tmp_path, "a.docx", with_body(body))
    assert item.pages is not None
    assert [item.pages.at(item.text.index(word)) for word in ("one", "two", "three", "four")] == [1, 2, 3, 4]
    plain = document(tmp_path, "b.docx", with_body("<w:p><w:r><w:t>one</w:t></w:r></w:p>"))
    assert plain.pages is None


def test_equations_links_and_fields(tmp_path: Path) -> None:
    body = (
        "<w:p><m:oMath><m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f>"
        "</m:oMath></w:p>"
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>HYPERLINK "https://x.org/a"</w:instrText>'
        '</w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>here</w:t></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
        '<w:p><w:r><w:t>Table </w:t></w:r><w:fldSimple w:instr=" SEQ Table "><w:r><w:t>1</w:t></w:r></w:fldSimple>'
        "<w:r><w:t>: Sums</w:t></w:r></w:p>"
    )
    assert texts(document(tmp_path, "a.docx", with_body(body))) == [
        ("paragraph", "(a+b)/2"),
        ("paragraph", "here (https://x.org/a)"),
        ("caption", "Table 1: Sums"),
    ]


def test_headers_and_footers_stand_once_at_the_end(tmp_path: Path) -> None:
    word = docx.Document()
    word.sections[0].header.paragraphs[0].text = "Confidential"
    word.add_paragraph("Body")
    section = word.add_section()
    section.header.is_linked_to_previous = False
    section.header.paragraphs[0].text = "Confidential"
    word.add_paragraph("More")
    item = document(tmp_path, "a.docx", saved(word))
    assert [text for _, text in texts(item)] == ["Body", "More", "Confidential"]


def test_layout_tables_give_their_content_as_it_is(tmp_path: Path) -> None:
    word = docx.Document()
    cell = word.add_table(1, 1).cell(0, 0)
    cell.paragraphs[0].text = "Framed"
    cell.add_paragraph("Inside", style="Heading 2")
    inner = cell.add_table(2, 2)
    for at, text in enumerate("abcd"):
        inner.cell(at // 2, at % 2).text = text
    assert texts(document(tmp_path, "a.docx", saved(word))) == [
        ("paragraph", "Framed"),
        ("heading", "Inside"),
        ("table", "a | b\nc | d"),
    ]


def test_deeply_nested_tables_do_no_harm(tmp_path: Path) -> None:
    for depth in (20, 300):
        inner = "<w:p><w:r><w:t>core</w:t></w:r></w:p>"
        for _ in range(depth):
            inner = f"<w:tbl><w:tr><w:tc>{inner}<w:p/></w:tc></w:tr></w:tbl>"
        base = with_body("")
        main = f"<w:document {NAMESPACES}><w:body><w:p><w:r><w:t>outer</w:t></w:r></w:p>{inner}</w:body></w:document>"
        found = load(tmp_path, "a.docx", with_parts(base, {"word/document.xml": main}))
        text = "".join(item.text for item in found if isinstance(item, Document))
        assert "outer" in text
        assert "core" in text or any(isinstance(item, Failure) for item in found)


@pytest.mark.skipif(not (SHARED / "files").is_dir(), reason="the shared files are not here")
def test_shared_word_documents() -> None:
    folder = SHARED / "files"
    [item, *_] = load_file(folder / "xml/testWORD_2006ml.xml", path="flat.xml")
    assert isinstance(item, Document)
    assert item.format == "docx"
    assert "This is a text box" in item.text
    assert item.text.count("And this is the footnote") == 1
