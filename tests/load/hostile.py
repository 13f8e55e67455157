"""Files made to do harm: small to send, boundless when they are opened. Name of the file → what makes it."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import partial

from .test_archive import packed, zipped
from .test_docx import NAMESPACES
from .test_opendocument import flat_document

Made = Callable[[], bytes]
_GIGABYTES = 10_000_000_000
_MEGABYTE = 1_000_000
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def much(letter: bytes, size: int = _GIGABYTES) -> bytes:
    """Bare deflate of this many bytes, all the same, made without packing them all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(letter * _MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return first * (size // _MEGABYTE) + packer.flush()


def zip_of(members: dict[str, bytes], bombs: dict[str, bytes], *, declared: int = _GIGABYTES) -> bytes:
    """A zip archive; ``bombs`` are packed already, and said to become ``declared`` bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        for name, data in bombs.items():
            info = zipfile.ZipInfo(name)
            with archive.open(info, "w", force_zip64=True) as opened:  # stored, and said to be packed below
                opened.write(data)
            info.compress_type, info.file_size = zipfile.ZIP_DEFLATED, declared
            archive.fp.seek(info.header_offset)  # type: ignore[union-attr]
            archive.fp.write(info.FileHeader(zip64=True))  # type: ignore[union-attr]
            archive.fp.seek(0, io.SEEK_END)  # type: ignore[union-attr]
    return out.getvalue()


def matryoshka(levels: int, copies: int) -> bytes:
    """Archives in archives, each the same several times over, as 42.zip is."""
    data = zipped({"0.txt": b"0" * 10_000_000})
    for _ in range(levels):
        data = zipped({f"{number}.zip": data for number in range(copies)})
    return data


def _png_bomb() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    words = b"\x78\xda" + much(b"a", 1_000_000_000)
    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"zTXt", b"Description\0\0" + words)
        + chunk(b"IDAT", words)
        + chunk(b"IEND", b"")
    )


def pdf(objects: dict[int, bytes], root: int = 1) -> bytes:
    """A PDF of these objects, with its table of references."""
    out, places = bytearray(b"%PDF-1.7\n"), {}
    for number, data in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, data)
    start = len(out)
    most = max(objects) + 1
    out += b"xref\n0 %d\n" % most
    for number in range(most):
        at = places.get(number)
        out += b"0000000000 65535 f \n" if at is None else b"%010d 00000 n \n" % at
    out += b"trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (most, root, start)
    return bytes(out)


def stream(data: bytes, more: bytes = b"") -> bytes:
    """A stream object of a PDF."""
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(data), more, data)


_CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
_PAGES = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 400]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>"
_FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
_SHOWN = b"BT /F 12 Tf 40 300 Td (Words on a page.) Tj ET"


def page_pdf(content: bytes, **changed: bytes) -> bytes:
    """A PDF of one page; ``changed`` are other objects, ``o6=…``."""
    objects = {1: _CATALOG, 2: _PAGES, 3: _PAGE, 4: content, 5: _FONT}
    return pdf(objects | {int(name[1:]): data for name, data in changed.items()})


def _pdf_bomb() -> bytes:
    return page_pdf(stream(b"\x78\xda" + much(b" ", 2_000_000_000), b"/Filter/FlateDecode"))


def _mail_of(data: bytes, name: str) -> bytes:
    import base64

    head = f'Subject: x\nContent-Type: application/x; name="{name}"\nContent-Transfer-Encoding: base64\n\n'
    return head.encode() + base64.encodebytes(data)


BOMBS: dict[str, Made] = {
    "matryoshka.zip": lambda: matryoshka(5, 10),
    "declared.zip": lambda: zip_of({}, {"a.txt": much(b"0")}),
    "lying.zip": lambda: zip_of({}, {"a.txt": much(b"0")}, declared=100),
    "many.zip": lambda: zip_of(
        {}, {f"{n}.txt": much(b"0", 90_000_000) for n in range(60)}, declared=90_000_000
    ),
    "a.txt.gz": lambda: gzip.compress(b"")[:10] + much(b"0") + bytes(8),
    "a.tar.gz": lambda: gzip.compress(b"")[:10] + much(b"\0") + bytes(8),
    "a.txt.bz2": lambda: bz2.compress(bytes(45_000_000)) * 200,
    "a.txt.xz": lambda: lzma.compress(bytes(100_000_000), preset=1) * 100,
    "a.txt.zst": lambda: packed("zst", bytes(100_000_000)) * 100,
    "part.docx": lambda: zip_of({}, {"word/document.xml": much(b" ")}),
    "lying.docx": lambda: zip_of({}, {"word/document.xml": much(b" ")}, declared=100),
    "lying.xlsx": lambda: zip_of({}, {"xl/workbook.xml": much(b" ")}, declared=100),
    "lying.pptx": lambda: zip_of({}, {"ppt/presentation.xml": much(b" ")}, declared=100),
    "lying.odt": lambda: zip_of({}, {"content.xml": much(b" ")}, declared=100),
    "lying.epub": lambda: zip_of(
        {"mimetype": b"application/epub+zip"}, {"META-INF/container.xml": much(b" ")}, declared=9
    ),
    "a.pdf": _pdf_bomb,
    "a.png": _png_bomb,
    "a.eml": lambda: _mail_of(matryoshka(5, 10), "a.zip"),
}


def _seven_zip() -> bytes:
    import py7zr

    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", filters=[{"id": py7zr.FILTER_LZMA2, "preset": 1}]) as archive:
        archive.writestr(bytes(400_000_000), "a.txt")
    return out.getvalue()


BOMBS["a.7z"] = _seven_zip


# -- XML that grows ----------------------------------------------------------------------------

_LAUGHS = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 11))
_QUADRATIC = f'<!ENTITY a10 "{"ha" * 50_000}">'


def _grows(entities: str, root: str, xml: str, count: int) -> str:
    return f'<?xml version="1.0"?><!DOCTYPE {root} [{entities}]>{xml.replace("WORDS", "words " + "&a10;" * count)}'


_CONTAINER = '<container><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>'
_OPF = (
    '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>t</dc:title></metadata><manifest>'
    '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine>'
    "</package>"
)
_XHTML = '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>WORDS</p></body></html>'
_DOCX = f"<w:document {NAMESPACES}><w:body><w:p><w:r><w:t>WORDS</w:t></w:r></w:p></w:body></w:document>"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORKBOOK = {
    "xl/workbook.xml": f'<workbook xmlns="{_SHEET}" xmlns:r="{_RELATION}"><sheets><sheet name="S" sheetId="1" '
    'r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    f'relationships"><Relationship Id="r1" Type="{_RELATION}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{_RELATION}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    "xl/sharedStrings.xml": f'<sst xmlns="{_SHEET}"><si><t>words</t></si></sst>',
    "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_SHEET}"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c>'
    '<c r="B1" t="inlineStr"><is><t>words</t></is></c></row></sheetData></worksheet>',
}


def office(name: str, parts: dict[str, str]) -> bytes:
    """A zipped file of these parts."""
    first = {"mimetype": b"application/epub+zip"} if name.endswith(".epub") else {}
    return zipped(first | {part: xml.encode() for part, xml in parts.items()})


def xml_files(change: Callable[[str, str], str]) -> dict[str, Made]:
    """A file of each format that is made of XML; ``change(root, xml)`` spoils its parts, ``WORDS`` among them."""
    text = flat_document("text", "<text:p>WORDS</text:p>").split("?>", 1)[1]
    strings = f'<sst xmlns="{_SHEET}"><si><t>WORDS</t></si></sst>'
    plain = {
        "a.xml": ("a", "<a><b>WORDS</b></a>"),
        "a.rss": ("rss", "<rss><channel><item><title>WORDS</title></item></channel></rss>"),
        "a.plist": ("plist", "<plist><string>WORDS</string></plist>"),
        "word.xml": (
            "w",
            f'<w:wordDocument xmlns:w="{W}"><w:body><w:p><w:r><w:t>WORDS</w:t></w:r></w:p></w:body></w:wordDocument>',
        ),
        "a.fodt": ("o", text),
        "a.xhtml": ("html", _XHTML),
        "svg.html": ("svg", "<html><body><p>seen</p><svg><text>WORDS</text></svg></body></html>"),
    }
    zips = {
        "a.docx": {"word/document.xml": change("w", _DOCX)},
        "a.xlsx": {**_WORKBOOK, "xl/sharedStrings.xml": change("sst", strings)},
        "a.odt": {"content.xml": change("o", text)},
        "a.epub": {"META-INF/container.xml": _CONTAINER, "a.opf": _OPF, "a.xhtml": change("html", _XHTML)},
        "opf.epub": {
            "META-INF/container.xml": _CONTAINER,
            "a.opf": change("package", _OPF.replace(">t<", ">WORDS<")),
            "a.xhtml": _XHTML,
        },
    }
    found: dict[str, Made] = {name: change(root, xml).encode for name, (root, xml) in plain.items()}
    return found | {name: partial(office, name, parts) for name, parts in zips.items()}


XML_BOMBS = {
    f"{kind} {name}": made
    for kind, entities, count in (("laughs", _LAUGHS, 1), ("quadratic", _QUADRATIC, 20_000))
    for name, made in xml_files(
        partial(lambda e, c, root, xml: _grows(e, root, xml, c), entities, count)
    ).items()
} | {
    "laughs.yaml": lambda: _yaml_laughs().encode(),
    "laughs.md": lambda: f"---\n{_yaml_laughs()}---\nwords\n".encode(),
}


def _yaml_laughs() -> str:
    lines = ["title: words", "a0: &a0 [ha, ha]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(lines) + "\n"


# -- nesting -----------------------------------------------------------------------------------


def _nested(
    opens: str, closes: str = "", depth: int = 100_000, before: str = "", within: str = "words"
) -> bytes:
    return f"{before}{opens * depth}{within}{closes * depth}".encode()


def _multipart(depth: int) -> bytes:
    parts = [f"Content-Type: multipart/mixed; boundary={n}\n\n--{n}\n" for n in range(depth)]
    return ("Subject: x\n" + "".join(parts) + "\nwords\n").encode()


def _letters(depth: int) -> bytes:
    return ("Subject: x\n" + "Content-Type: message/rfc822\n\n" * depth + "\n\nwords\n").encode()


def _zips(depth: int) -> bytes:
    data = b"words"
    for _ in range(depth):
        data = zipped({"a.zip" if data.startswith(b"PK") else "a.txt": data})
    return data


def _pdf_nested() -> bytes:
    return page_pdf(stream(_SHOWN), o6=b"[" * 100_000 + b"]" * 100_000, o3=_PAGE[:-2] + b"/Annots 6 0 R>>")


def _word(opens: str, closes: str, depth: int = 100_000) -> bytes:
    first, last = (f"<w:p><w:r><w:t>{words}</w:t></w:r></w:p>" for words in ("first", "words"))
    body = f"{first}{opens * depth}{last}{closes * depth}"
    xml = f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>"
    return office("a.docx", {"word/document.xml": xml})


_CODE_SUFFIXES = (
    ".py",
    ".js",
    ".ts",
    ".tsx",
    ".c",
    ".cpp",
    ".java",
    ".go",
    ".rs",
    ".rb",
    ".php",
    ".cs",
    ".kt",
    ".swift",
    ".scala",
    ".lua",
    ".sh",
    ".css",
    ".sql",
    ".vue",
)

NESTED: dict[str, Made] = {
    "tables.html": partial(_nested, "<table><tr><td>", "</td></tr></table>"),
    "divs.html": partial(_nested, "<div>", "</div>"),
    "open.html": partial(_nested, "<b><i><p>", before="<p>first</p>"),
    "lists.html": partial(_nested, "<ul><li>", "</li></ul>"),
    "quotes.html": partial(_nested, "<blockquote>x"),
    "arrays.json": partial(_nested, "[", "]", within='"words"'),
    "objects.json": partial(_nested, '{"a":', "}", within='"words"'),
    "elements.xml": partial(_nested, "<a>", "</a>"),
    "records.jsonl": partial(_nested, '{"_id":"1","text":"words","a":', "}", within="1"),
    "arrays.ipynb": partial(_nested, '{"cells":[', "]}", within=""),
    "groups.rtf": partial(_nested, "{", "}", before=r"{\rtf1 first "),
    "tables.rtf": partial(_nested, r"{\trowd\cellx1\itap9 a\nestcell ", "}", before=r"{\rtf1 first "),
    "quotes.md": partial(_nested, ">"),
    "quotes2.md": partial(_nested, "> "),
    "lists.md": partial(_nested, "- "),
    "links.md": partial(_nested, "[", "](x)"),
    "stars.md": partial(_nested, "*a **a "),
    "deeper.md": lambda: "".join(f"{'  ' * n}- words {n}\n" for n in range(3_000)).encode(),
    "front.md": partial(_nested, "[", "]", before="---\na: "),
    "a.yaml": partial(_nested, "[", "]", before="a: "),
    "a.toml": partial(_nested, "[", "]", before="a = "),
    "stars.org": partial(_nested, "*", before="* first\n", within=" words"),
    "blocks.org": partial(_nested, "#+BEGIN_QUOTE\n", "\n#+END_QUOTE"),
    "blocks.adoc": partial(_nested, "====\n--\n"),
    "lists.adoc": lambda: "\n".join(f"{'*' * n} words" for n in range(1, 3_000)).encode(),
    "a.tex": partial(_nested, "\\begin{a}{", "}\\end{a}"),
    "a.rst": lambda: "".join(f"{' ' * n}* words\n\n" for n in range(3_000)).encode(),
    "a.srt": partial(_nested, "<i>{\\b1}", before="1\n00:00:01,000 --> 00:00:02,000\n"),
    "parts.eml": partial(_multipart, 100_000),
    "letters.eml": partial(_letters, 100_000),
    "a.ics": partial(_nested, "BEGIN:VEVENT\n", "END:VEVENT\n", within="SUMMARY:words\n"),
    "a.vcf": partial(_nested, "BEGIN:VCARD\n", within="FN:words\n"),
    "a.zip": partial(_zips, 300),
    "tables.docx": partial(_word, "<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>"),
    "controls.docx": partial(_word, "<w:sdt><w:sdtContent>", "</w:sdtContent></w:sdt>"),
    "tables80.docx": partial(_word, "<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>", 80),
    "tables.fodt": lambda: flat_document(
        "text",
        _nested("<table:table><table:table-row><table:table-cell>", before="<text:p>first</text:p>").decode(),
    ).encode(),
    "lists.fodt": lambda: flat_document(
        "text",
        _nested(
            "<text:list><text:list-item>",
            "</text:list-item></text:list>",
            100,
            within="<text:p>words</text:p>",
        ).decode(),
    ).encode(),
    "a.epub": lambda: office(
        "a.epub",
        {
            "META-INF/container.xml": _CONTAINER,
            "a.opf": _OPF,
            "a.xhtml": _XHTML.replace("WORDS", _nested("<div>", "</div>").decode()),
        },
    ),
    "arrays.pdf": _pdf_nested,
    "fields.txt": partial(_nested, "\x1b[31m("),
    **{f"calls{suffix}": partial(_nested, "f(", ")") for suffix in _CODE_SUFFIXES},
    **{f"blocks{suffix}": partial(_nested, "{", "}") for suffix in _CODE_SUFFIXES},
    "blocks.py": lambda: (
        "".join(f"{' ' * n}if a:\n" for n in range(3_000)).encode() + b" " * 3_000 + b"words\n"
    ),
    "classes.js": partial(_nested, "class A { f() { ", "}}", 20_000),
}


# -- sizes -------------------------------------------------------------------------------------


def _line(size: int) -> bytes:
    return (b"word " * (size // 5))[:size]


def _sheet_of_one_cell() -> bytes:
    sheet = (
        f'<worksheet xmlns="{_SHEET}"><dimension ref="A1:XFD1048576"/><sheetData><row r="1048576"><c r="XFD1048576" '
        't="inlineStr"><is><t>words</t></is></c></row></sheetData></worksheet>'
    )
    return office("a.xlsx", _WORKBOOK | {"xl/worksheets/sheet1.xml": sheet})


def _word_of(paragraphs: int) -> bytes:
    body = "<w:p/>" * paragraphs + "<w:p><w:r><w:t>words</w:t></w:r></w:p>"
    return office(
        "a.docx", {"word/document.xml": f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>"}
    )


def pages_pdf(pages: int) -> bytes:
    """A PDF of many pages that show the same."""
    kids = b" ".join(b"%d 0 R" % number for number in range(10, 10 + pages))
    tree = {2: b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids)}
    return pdf(
        {1: _CATALOG, **tree, 4: stream(_SHOWN), 5: _FONT, **dict.fromkeys(range(10, 10 + pages), _PAGE)}
    )


def _pdf_deep(depth: int) -> bytes:
    tree = {
        n: b"<</Type/Pages/Count 1/Parent %d 0 R/Kids[%d 0 R]>>" % (n - 1, n + 1)
        for n in range(10, 10 + depth)
    }
    last = 10 + depth
    root = b"<</Type/Pages/Count 1/Kids[10 0 R]>>"
    return pdf({1: _CATALOG, 2: root, 4: stream(_SHOWN), 5: _FONT, **tree, last: _PAGE})


def _pdf_loop_of_references() -> bytes:
    made = page_pdf(stream(_SHOWN))
    start = made.rindex(b"xref\n0")
    return made.replace(b"/Root 1 0 R>>", b"/Root 1 0 R/Prev %d>>" % start)


_FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R>>>>"
LOOPS: dict[str, Made] = {
    "pages.pdf": lambda: page_pdf(stream(_SHOWN), o2=b"<</Type/Pages/Count 9/Kids[3 0 R 2 0 R]>>"),
    "parents.pdf": lambda: page_pdf(
        stream(_SHOWN),
        o2=b"<</Type/Pages/Parent 6 0 R/Count 1/Kids[6 0 R]>>",
        o6=b"<</Type/Pages/Parent 2 0 R/Kids[2 0 R 3 0 R]>>",
    ),
    "references.pdf": _pdf_loop_of_references,
    "object.pdf": lambda: page_pdf(b"4 0 R"),
    "length.pdf": lambda: page_pdf(b"<</Length 4 0 R>>stream\n%s\nendstream" % _SHOWN),
    "form.pdf": lambda: page_pdf(
        stream(_SHOWN + b" /X Do"),
        o3=_PAGE.replace(b"/Font", b"/XObject<</X 6 0 R>>/Font"),
        o6=stream(b"/X Do /X Do", _FORM),
    ),
    "outline.pdf": lambda: page_pdf(
        stream(_SHOWN),
        o1=_CATALOG[:-2] + b"/Outlines 6 0 R>>",
        o6=b"<</First 7 0 R/Last 7 0 R/Count 9>>",
        o7=b"<</Title(x)/Next 7 0 R/First 6 0 R/Parent 6 0 R/Dest[3 0 R/Fit]>>",
    ),
    "labels.pdf": lambda: page_pdf(
        stream(_SHOWN),
        o1=_CATALOG[:-2] + b"/PageLabels 6 0 R/Names<</EmbeddedFiles 6 0 R>>/StructTreeRoot 6 0 R>>",
        o6=b"<</Kids[6 0 R 6 0 R]/K[6 0 R]/S/P>>",
    ),
    "fields.pdf": lambda: page_pdf(
        stream(_SHOWN),
        o1=_CATALOG[:-2] + b"/AcroForm<</Fields[6 0 R]>>>>",
        o6=b"<</T(x)/Kids[6 0 R]/Parent 6 0 R>>",
    ),
    "count.pdf": lambda: page_pdf(stream(_SHOWN), o2=b"<</Type/Pages/Count 2000000000/Kids[3 0 R]>>"),
}

LARGE: dict[str, Made] = {
    "rows.csv": lambda: (
        b"id,name,value\n" + b"".join(b"%d,name %d,%d\n" % (n, n, n * 7) for n in range(1_000_000))
    ),
    "columns.csv": lambda: (
        (",".join(f"c{n}" for n in range(100_000)) + "\n" + ",".join("1" * 100_000) + "\n").encode() * 3
    ),
    "line.txt": partial(_line, 50_000_000),
    "line.md": partial(_line, 50_000_000),
    "line.py": lambda: b"a = '" + _line(50_000_000) + b"'\n",
    "line.html": lambda: b"<p>" + _line(50_000_000),
    "line.json": lambda: b'{"a": "' + _line(50_000_000) + b'"}',
    "numbers.json": lambda: json.dumps(list(range(2_500_000))).encode(),
    "line.csv": partial(_line, 50_000_000),
    "line.xml": lambda: b"<a>" + _line(50_000_000) + b"</a>",
    "line.eml": lambda: b"Subject: x\n\n" + _line(50_000_000),
    "line.rtf": lambda: rb"{\rtf1 " + _line(50_000_000) + b"}",
    "letters.txt": lambda: b"a" * 50_000_000,
    "signs.txt": lambda: "文".encode() * 16_000_000,
    "brackets.md": lambda: b"[" * 5_000_000,
    "ticks.md": lambda: b"".join(b"`" * n + b" " for n in range(1, 3_000)),
    "tags.html": lambda: b"<p>a</p>" * 3_000_000,
    "pages.pdf": partial(pages_pdf, 100_000),
    "deep.pdf": partial(_pdf_deep, 100_000),
    "paragraphs.docx": partial(_word_of, 1_000_000),
    "dimension.xlsx": _sheet_of_one_cell,
}


# -- what points outside -----------------------------------------------------------------------


def outside(url: str) -> dict[str, Made]:
    """Files whose formats have means to take in what lies elsewhere."""
    page = (
        f'<html><head><base href="{url}"><link rel="stylesheet" href="{url}"><style>@import url({url});</style>'
        f'<script src="{url}"></script><meta http-equiv="refresh" content="0; url={url}"></head><body '
        f'background="{url}"><p>words</p><img src="{url}" srcset="{url} 2x"><iframe src="{url}"></iframe>'
        f'<object data="{url}"></object><embed src="{url}"><video src="{url}" poster="{url}"></video>'
        f'<svg><image href="{url}"/><use href="{url}#a"/></svg></body></html>'
    )
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = "".join(
        f'<Relationship Id="r{n}" Type="{kind}/{name}" Target="{url}" TargetMode="External"/>'
        for n, name in enumerate(
            ("attachedTemplate", "image", "frame", "subDocument", "oleObject", "aFChunk")
        )
    )
    body = (
        '<w:p><w:r><w:t>words</w:t></w:r><w:subDoc r:id="r3"/></w:p><w:altChunk r:id="r5"/>'
        f'<w:p><w:r><w:instrText>INCLUDETEXT "{url}"</w:instrText></w:r></w:p>'
    )
    word = {
        "word/document.xml": f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        f'relationships">{relations}</Relationships>',
    }
    rtf = (
        rf'{{\rtf1{{\*\template {url}}}{{\field{{\*\fldinst INCLUDEPICTURE "{url}"}}{{\fldrslt words}}}}'
        rf'{{\field{{\*\fldinst INCLUDETEXT "{url}"}}{{\fldrslt more}}}}}}'
    )
    action = f"/OpenAction<</S/URI/URI({url})>>/AA<</O<</S/Launch/F({url})>>>>".encode()
    annotation = (
        f"/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI({url})>>>>"
        f"<</Type/Annot/Subtype/FileAttachment/Rect[0 0 9 9]/FS<</FS/URL/F({url})>>>>]>>"
    ).encode()
    frame = (
        f"<draw:frame><draw:image xlink:href='{url}'/></draw:frame><draw:frame><draw:object xlink:href='{url}'/>"
        f"</draw:frame><text:section><text:section-source xlink:href='{url}'/></text:section>"
    )
    letter = (
        f'Subject: x\nContent-Type: message/external-body; access-type=URL; URL="{url}"\n\n'
        "Content-Type: text/plain\n\nwords\n"
    )
    mail = f"Subject: x\nContent-Type: text/html\n\n{page}"
    rst = f".. include:: {url}\n.. raw:: html\n   :url: {url}\n.. csv-table::\n   :file: {url}\n\nwords\n"
    return {
        "a.html": page.encode,
        "a.md": f"![words]({url})\n\n{page}".encode,
        "a.rst": rst.encode,
        "a.adoc": f"include::{url}[]\n\nimage::{url}[words]\n".encode,
        "a.org": f'#+INCLUDE: "{url}"\n#+SETUPFILE: {url}\n\nwords\n'.encode,
        "a.tex": f"\\input{{{url}}}\\include{{{url}}}\\immediate\\write18{{cat {url}}} words".encode,
        "a.xml": (
            f'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{url}" parse="text"/><b>words</b></a>'
        ).encode,
        "a.docx": partial(office, "a.docx", word),
        "a.rtf": rtf.encode,
        "a.pdf": lambda: page_pdf(
            stream(_SHOWN), o1=_CATALOG[:-2] + action + b">>", o3=_PAGE[:-2] + annotation
        ),
        "a.fodt": flat_document("text", f"<text:p>words</text:p>{frame}").encode,
        "a.eml": mail.encode,
        "external.eml": letter.encode,
        "a.yaml": f"a: !include {url}\nb: !!python/object/apply:os.system [words]\n".encode,
        "a.mhtml": f"Content-Type: text/html\n\n{page}".encode,
        "a.ipynb": lambda: json.dumps(
            {"cells": [{"cell_type": "markdown", "source": page}], "nbformat": 4}
        ).encode(),
        "a.epub": lambda: office(
            "a.epub",
            {"META-INF/container.xml": _CONTAINER, "a.opf": _OPF, "a.xhtml": page.replace("<base", "<p")},
        ),
    }


ESCAPES = (
    "../../etc/a.txt",
    "/etc/a.txt",
    "C:\\a.txt",
    "..\\..\\a.txt",
    "./../a.txt",
    "a/../../b.txt",
    "~/a.txt",
    "\u202etxt.a.txt",
)


def escaping() -> dict[str, Made]:
    """Files with members whose names lead out of them."""
    files = dict.fromkeys(ESCAPES, b"words")
    return {
        "a.zip": partial(zipped, files),
        "a.tar": partial(_linked_tar, files),
        "a.eml": lambda: b"".join(
            b'--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename="%s"\n\nwords\n'
            % name.replace("\\", "\\\\").encode()
            for name in ESCAPES
        ).join([b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n", b"--b--\n"]),
        "a.epub": lambda: office(
            "a.epub",
            {
                "META-INF/container.xml": _CONTAINER.replace("a.opf", "../a.opf"),
                "a.opf": _OPF,
                "a.xhtml": _XHTML,
            },
        ),
        "a.docx": lambda: office(
            "a.docx",
            {
                "word/document.xml": _DOCX,
                "word/_rels/document.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/'
                f'2006/relationships"><Relationship Id="r1" Type="{_RELATION}/package" Target="../../../etc/passwd"/>'
                f'<Relationship Id="r2" Type="{_RELATION}/package" Target="file:///etc/passwd"/></Relationships>',
                "../../word/embeddings/a.md": "words",
            },
        ),
    }


def _linked_tar(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, target in (("link.txt", "/etc/passwd"), ("up", "../.."), ("loop", "loop")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
        hard = tarfile.TarInfo("hard.txt")
        hard.type, hard.linkname = tarfile.LNKTYPE, "../../etc/passwd"
        archive.addfile(hard)
        for name, data in {**files, "up/b.txt": b"words"}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


# -- what is tried only at length ---------------------------------------------------------------

SLOW = frozenset(
    [
        *(
            "matryoshka.zip",
            "a.eml",
            "many.zip",
            "a.7z",
            "a.txt.xz",
            "a.txt.bz2",
            "deeper.md",
            "parts.eml",
            "a.ics",
        ),
        *(
            name
            for name in NESTED
            if name.startswith(("blocks.", "calls.")) and not name.endswith((".py", ".c"))
        ),
        *(name for name in LARGE if name not in ("columns.csv", "dimension.xlsx", "ticks.md")),
    ]
)
"""Names of files that take seconds."""

FEW = frozenset(
    [
        "records.jsonl",
        "arrays.ipynb",
        "groups.rtf",
        "tables.rtf",
        "a.zip",
        "parts.eml",
        "letters.eml",
        "tables.docx",
        "controls.docx",
        "tables.fodt",
        "stars.md",
        "links.md",
    ]
)
"""Names of files in which the words are too deep to be reached, or that have none."""

TOO_MUCH = frozenset(["pages.pdf", "deep.pdf", "tags.html", "numbers.json", "rows.csv"])
"""Names of files of which a busy machine may give up a part."""
