"""A file of each office format and of PDF with all that its reader treats apart, for the fuzzer to start from.

Comments, notes, boxes, fields, merged cells, charts, embedded files, forms: a fault in what handles
them shows only where they are.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

from ragcli.load.office.compound import write_compound

from .known import known
from .test_archive import zipped
from .test_doc import written as _doc
from .test_docx import NAMESPACES, saved, with_body, with_parts
from .test_epub import epub, xhtml
from .test_office_xml import EXCEL, cell, word_document, word_paragraph, worksheet
from .test_opendocument import flat_document
from .test_ppt import container, presentation, record, slide_of, table_shape, text_box

_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _docx() -> bytes:
    import docx

    body = (
        '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Heading</w:t></w:r></w:p>'
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText>HYPERLINK "x"</w:instrText>'
        '<w:fldChar w:fldCharType="separate"/><w:t>a link</w:t><w:fldChar w:fldCharType="end"/></w:r>'
        "<w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del>"
        "<m:oMath><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>b</m:t></m:r></m:den></m:f></m:oMath>"
        '<w:footnoteReference w:id="2"/></w:p>'
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>In a control</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        '<w:p><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="2"/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p>'
        '<w:tbl><w:tblGrid><w:gridCol w:w="1"/><w:gridCol w:w="1"/></w:tblGrid><w:tr><w:trPr><w:tblHeader/></w:trPr>'
        '<w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr><w:p><w:r><w:t>both</w:t></w:r></w:p></w:tc></w:tr>'
        '<w:tr><w:tc><w:tcPr><w:vMerge w:val="restart"/></w:tcPr><w:p><w:r><w:t>down</w:t></w:r></w:p></w:tc>'
        "<w:tc><w:p><w:r><w:t>2</w:t></w:r></w:p></w:tc></w:tr>"
        "<w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc><w:tc><w:p><w:r><w:t>3</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
        '<w:p><w:r><w:br w:type="page"/><w:t xml:space="preserve">last </w:t></w:r></w:p>'
    )
    notes = (
        f'<w:footnotes {NAMESPACES}><w:footnote w:id="2"><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote>'
        "</w:footnotes>"
    )
    made = with_body(body)
    word = docx.Document(io.BytesIO(made))
    word.add_comment(word.paragraphs[0].runs[0], text="Really?", author="Ann")
    word.sections[0].header.paragraphs[0].text = "Head"
    made = saved(word)
    with zipfile.ZipFile(io.BytesIO(made)) as opened:
        name = "word/_rels/document.xml.rels"
        relations = opened.read(name).decode()
    for number, (kind, target) in enumerate((("footnotes", "footnotes.xml"), ("package", "embeddings/a.md"))):
        entry = (
            f'<Relationship Id="rN{number}" Type="{_RELATIONS}/{kind}" Target="{target}"/></Relationships>'
        )
        relations = relations.replace("</Relationships>", entry)
    parts = {name: relations, "word/footnotes.xml": notes, "word/embeddings/a.md": "embedded words"}
    return with_parts(made, parts)


def _pptx() -> bytes:
    import pptx
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    made = pptx.Presentation()
    page = made.slides.add_slide(made.slide_layouts[5])
    page.shapes.title.text = "Sales"
    data = CategoryChartData()
    data.categories = ["East", "West"]
    data.add_series("2024", (1.5, 2))
    place = (Inches(1), Inches(2), Inches(3), Inches(2))
    page.shapes.add_chart(XL_CHART_TYPE.PIE, *place, data)
    page.shapes.add_group_shape().shapes.add_textbox(*place).text_frame.text = "grouped"
    cells = page.shapes.add_table(2, 2, *place).table
    cells.cell(0, 0).merge(cells.cell(0, 1))
    cells.cell(0, 0).text, cells.cell(1, 1).text = "both", "1"
    page.notes_slide.notes_text_frame.text = "Say hello"
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _xlsx() -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    made = xlsxwriter.Workbook(out)
    sheet = made.add_worksheet("Data")
    sheet.write_row(0, 0, ["Month", "Sum", "Day"])
    sheet.write_row(1, 0, ["May", 4])
    sheet.write_number(1, 2, 45_000, made.add_format({"num_format": "yyyy-mm-dd"}))
    sheet.write_formula(2, 1, "=B2*2", None, 8)
    sheet.write_rich_string(3, 0, "rich ", made.add_format({"bold": True}), "text")
    sheet.write_url(4, 0, "https://example.org/", string="a link")
    sheet.write_comment("A2", "A remark", {"author": "Ann"})
    sheet.merge_range("A7:B8", "merged")
    sheet.add_table("E1:F3", {"columns": [{"header": "x"}, {"header": "y"}]})
    sheet.insert_textbox(5, 4, "boxed words")
    sheet.set_header("&CFor &A only")
    chart = made.add_chart({"type": "line"})
    chart.add_series({"name": "Growth", "values": "=Data!$B$2:$B$3"})
    chart.set_title({"name": "How it grew"})
    sheet.insert_chart(8, 4, chart)
    made.add_worksheet("Second").hide()
    made.close()
    return out.getvalue()


def _pdf() -> bytes:
    from reportlab.lib import colors
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Table

    styles = getSampleStyleSheet()
    cells = [["name", "value"], *([f"row {n}", str(n)] for n in range(5))]
    grid = Table(cells, style=[("GRID", (0, 0), (-1, -1), 1, colors.black)])
    words = "Some words that fill a line, and go on <b>in bold</b> to the next one. " * 5
    story = [Paragraph("Heading", styles["h1"]), Paragraph(words, styles["Normal"]), grid, PageBreak()]
    story += [Paragraph("Second", styles["h1"]), Paragraph(words, styles["Normal"])]

    def form(canvas: object, _document: object) -> None:
        canvas.acroForm.textfield(name="f", value="filled in", x=100, y=100)  # type: ignore[attr-defined]
        canvas.drawString(300, 20, "Page")  # type: ignore[attr-defined]
        canvas.linkURL("https://example.org/", (0, 0, 90, 90))  # type: ignore[attr-defined]

    out = io.BytesIO()
    SimpleDocTemplate(out, title="Seeds").build(story, onFirstPage=form, onLaterPages=form)
    return out.getvalue()


def _ppt() -> bytes:
    comment = container(
        0x1388,
        container(0x138A, record(0x138B, container(0x2EE0, record(0x0FBA, "Why?".encode("utf-16-le"), 1)))),
    )
    first = slide_of(text_box("one"), table_shape((("a", "b"), ("1", "文"))), more=comment)
    return presentation([first, slide_of(text_box("two"))], [[], []])


def _msg() -> bytes:
    texts = {0x0037: "Seeds", 0x1000: "Text of the letter.", 0x0C1A: "Ann", 0x0E04: "Bob"}
    streams = {(f"__substg1.0_{tag:04X}001F",): words.encode("utf-16-le") for tag, words in texts.items()}
    file = "__attach_version1.0_#00000000"
    streams[file, "__substg1.0_37010102"] = b"attached words"
    streams[file, "__substg1.0_3707001F"] = "a.txt".encode("utf-16-le")
    streams[file, "__properties_version1.0"] = bytes(8)
    streams[("__properties_version1.0",)] = bytes(32)
    return write_compound(streams)


def _fodt() -> str:
    body = (
        "<office:forms><form:form><form:text form:id='c1' form:current-value='Alice'/></form:form></office:forms>"
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion>"
        "</text:changed-region></text:tracked-changes><text:h text:outline-level='1'>Heading</text:h>"
        "<text:p>Before<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>A note.</text:p>"
        "</text:note-body></text:note> after<text:s text:c='3'/>.<office:annotation><text:p>Why?</text:p>"
        "</office:annotation></text:p><text:list><text:list-item><text:p>one</text:p><text:list><text:list-item>"
        "<text:p>inner</text:p></text:list-item></text:list></text:list-item></text:list>"
        "<table:table table:name='T'><table:table-row table:number-rows-repeated='2'><table:table-cell "
        "table:number-columns-spanned='2'><text:p>a</text:p></table:table-cell><table:covered-table-cell/>"
        "</table:table-row></table:table><text:p><draw:frame><draw:text-box><text:p>In the box</text:p>"
        "</draw:text-box></draw:frame><draw:control draw:control='c1'/></text:p><text:soft-page-break/>"
        "<text:p>two</text:p>"
    )
    return flat_document("text", body)


def _fods() -> str:
    cell = "<table:table-cell office:value-type='{}' office:value='{}'><text:p>{}</text:p></table:table-cell>"
    row = cell.format("string", "", "name") + cell.format("float", "2.5", "2.5")
    rows = (
        f"<table:table-row>{row}<table:table-cell table:number-columns-repeated='900'/></table:table-row>"
        "<table:table-row table:number-rows-repeated='5000'><table:table-cell/></table:table-row>"
        f"<table:table-row>{row}</table:table-row>"
    )
    return flat_document("spreadsheet", f"<table:table table:name='S'>{rows}</table:table>")


def _fodp(kind: str) -> str:
    frame = "<draw:frame {}><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame>"
    page = (
        "<draw:page draw:name='A'>" + frame.format("", "Body") + frame.format("presentation:class='title'", "T")
        + "<draw:g>" + frame.format("", "grouped") + "</draw:g><presentation:notes>"
        + frame.format("presentation:class='notes'", "Say it") + "</presentation:notes></draw:page>"
    )  # fmt: skip
    return flat_document(kind, page * 2)


def _formula() -> bytes:
    math = "<mfrac><mi>a</mi><msup><mi>b</mi><mn>2</mn></msup></mfrac>"
    return zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.formula",
            "content.xml": (
                f'<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics>{math}'
                '<annotation encoding="StarMath 5.0">a over b^2</annotation></semantics></math>'
            ).encode(),
        }
    )


def _epub() -> bytes:
    nav = '<li><a href="text/c0.xhtml">One</a><ol><li><a href="text/c1.xhtml">Two</a></li></ol></li>'
    pages = '<li><a href="text/c0.xhtml#p1">xi</a></li><li><a href="text/c1.xhtml#p2">xii</a></li>'
    first = xhtml(
        '<p><span id="p1"/>It <b>begins</b>.</p><table><tr><td>a</td></tr></table><aside>note</aside>'
    )
    second = xhtml('<h2>Second</h2><span id="p2"/><ul><li>one</li></ul><img src="x" alt="a hill"/><svg/>')
    return epub([first, second], nav=nav, pages=pages)


_RTF = (
    r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset128 Mincho;}}"
    r"{\stylesheet{\s0 Normal;}{\s1 heading 1;}}{\info{\title Seeds}{\author Ann}}{\header Head\par}"
    r"\pard\plain\s1 Heading\par\pard\plain Text\'e9 \u-3913?{\footnote A note.}{\field{\*\fldinst HYPERLINK x}"
    r"{\fldrslt a link}}\par{\listtext 1.\tab}\pard\ls1 item\par\trowd\clmgf\cellx1\clmrg\cellx2 a\cell b\cell\row"
    r"\trowd\cellx1\cellx2\itap2 in\nestcell{\*\nesttableprops\trowd\cellx1\nestrow}\itap1 c\cell d\cell\row"
    r"\pard{\shp{\*\shpinst{\shptxt boxed\par}}}{\*\annotation remark}{\pict\pngblip\bin3 abc}"
    r"{\object{\*\objdata 0105}{\result shown}}{\deleted gone}\page\f1\'82\'a0 last\par}"
)


def _word_xml() -> bytes:
    rest = "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>cell</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    return word_document(word_paragraph("Heading", '<w:pStyle w:val="H1"/>') + rest).encode()


def _excel_xml() -> bytes:
    third = cell("Bonn", 'ss:Index="3"')
    rows = f"<Row>{cell('name')}{cell('place')}</Row><Row ss:Index='7'>{cell('Ann')}{third}</Row>"
    return f"{EXCEL}{worksheet('S', rows)}</Workbook>".encode()


OFFICE_SEEDS: dict[str, Callable[[], bytes]] = {
    ".doc": lambda: _doc(known(1, pages=2), 3),
    " rich.docx": _docx,
    ".fodg": lambda: _fodp("drawing").encode(),
    ".fodp": lambda: _fodp("presentation").encode(),
    ".fods": lambda: _fods().encode(),
    ".fodt": lambda: _fodt().encode(),
    " excel.xml": _excel_xml,
    " word.xml": _word_xml,
    " book.epub": _epub,
    ".odf": _formula,
    ".msg": _msg,
    " form.pdf": _pdf,
    ".ppt": _ppt,
    " rich.pptx": _pptx,
    " rich.rtf": _RTF.encode,
    " rich.xlsx": _xlsx,
}
"""End of a name → what makes the bytes, as in ``seeds``."""
