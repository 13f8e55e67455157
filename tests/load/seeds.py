"""A small file of each format, for the fuzzer to start from: suffix → what makes its bytes.

A reader of a new format adds a line to ``SEEDS``; what matters in a name is how it ends.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from email.message import EmailMessage
from functools import partial

from .officeseeds import OFFICE_SEEDS
from .programs import LANGUAGES, PYTHON, program
from .test_archive import packed, seven_zipped, tarred, zipped
from .test_image import picture
from .test_markup import LATEX
from .test_prose import RST

_MARKDOWN = """---
title: Seeds
tags: [a, b]
---
# Heading {#one}

Text with `code` and a [link](http://example.org).

- one
  - two

| a | b |
|---|---|
| 1 | 2 |

```python
def f():
    pass
```

## 第二节

文字。
"""
_HTML = """<!DOCTYPE html><html><head><title>Seeds</title></head><body><nav><a href="/">Home</a></nav>
<main><h1>Heading</h1><p>Text &amp; <b>more</b> text.</p><ul><li>one<ul><li>two</li></ul></li></ul>
<table><caption>Named</caption><tr><th>a</th><th>b</th></tr><tr><td colspan="2">1</td></tr></table>
<pre>code</pre><img alt="a picture" src="x.png"></main></body></html>"""
_CSV = 'name,value,remark\nalpha,1,"quoted, ""twice"""\nbeta,2,文字\ngamma,3,\n'
_MORE_CODE = {
    ".lua": "M.f = function(a)\n  return [[x]] .. a\nend\n",
    ".py": PYTHON,
    ".rb": "def f(a)\n  <<~TEXT\n    x\n  TEXT\nend\n",
    ".sh": 'f() {\n  cat <<EOF\nx\nEOF\n}\nfor i in "$@"; do f "$i"; done\n',
}
_BRACES = """#if X
/* About Foo */
@Note
public class Foo : Bar {
  int get(int a, char *b) {
    return a + 1;
  }
};
function f(x) { return `t${x}`; }
#endif
"""
_VUE = """<template>
  <p>{{ a }}</p>
</template>
<script setup lang="ts">
function f(a: X) {
  b()
}
</script>
"""
_SUBTITLES = (
    "1\n00:00:01,000 --> 00:00:02,500\nHello <i>there</i>\n\n2\n00:00:03,000 --> 00:00:04,000\nAgain\n"
)
_NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ["# Title\n", "Text"]},
            {
                "cell_type": "code",
                "execution_count": 1,
                "metadata": {},
                "source": "print(1)",
                "outputs": [{"output_type": "stream", "name": "stdout", "text": ["1\n"]}],
            },
        ],
        "metadata": {"kernelspec": {"language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    },
    indent=1,
)
_XML = """<?xml version="1.0"?>
<!DOCTYPE a [<!ENTITY e "x">]>
<a b="c"><d>text &e;</d><!-- n --><e><![CDATA[<x>]]></e></a>
"""
_RTF = (
    r"{\rtf1\ansi\deff0{\fonttbl{\f0 Times;}}{\info{\title Seeds}}\pard Text \b bold\b0  \'e9 \u8364?\par"
    r"\trowd\cellx100 a\cell b\cell\row}"
)
_RICH_HTML = """<html lang="de"><head><meta charset="iso-8859-1"><base href="//x"><style>p{}</style></head><body>
<header><form><input value="v"><select><option>o</select></form></header><article><h2 id="a">One<a href="#a">#</a></h2>
<p>A<br>b<sup>2</sup> <code>c</code> <q>d</q><ruby>字<rt>zi</rt></ruby></p><dl><dt>term<dd>meaning</dl>
<blockquote><p>quoted</p></blockquote><details><summary>More</summary>hidden</details>
<table><thead><tr><th rowspan=2>a<th>b<tr><th>c</thead><tbody><tr><td><table><tr><td>inner</table><td><ul><li>x</ul>
</table><figure><img src=x alt="A hill"><figcaption>Hill</figcaption></figure><svg><title>t</title><text>s</text></svg>
<math><mi>x</mi></math><pre class="language-py"><code>def f():\n  pass</code></pre><script>no()</script>
<ol start=3><li value=7>seven<p>and<ol type=a><li>deep</ol></ol><textarea>area</textarea><iframe src=x></iframe>
</article><footer>foot</footer></body></html>"""
_RICH_NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "raw", "metadata": {}, "source": "raw text"},
            {
                "cell_type": "markdown",
                "attachments": {"a.png": {"image/png": "eA=="}},
                "source": "| a |\n|---|\n| 1 |",
            },
            {
                "cell_type": "code",
                "source": ["def f():\n", "    pass"],
                "outputs": [
                    {"output_type": "execute_result", "data": {"text/html": "<b>x</b>", "text/plain": ["x"]}},
                    {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[31mE\x1b[0m"]},
                    {"output_type": "display_data", "data": {"text/markdown": "*m*", "image/png": "eA=="}},
                ],
            },
        ],
        "worksheets": [{"cells": [{"cell_type": "heading", "level": 2, "source": "Old"}]}],
        "metadata": {"title": "Seeds", "authors": [{"name": "Ann"}]},
        "nbformat": 4,
    },
    indent=1,
)
_SUBSTATION = """[Script Info]
Title: Seeds

[V4+ Styles]
Format: Name, Fontname
Style: Default,Arial

[Events]
Format: Layer, Start, End, Style, Name, Text
Dialogue: 0,0:00:01.00,0:00:02.50,Default,Ann,{\\i1}Hello{\\i0}\\Nthere, you
Comment: 0,0:00:03.00,0:00:04.00,Default,,remark
"""
_FEED = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Log</title><entry><title>One</title>
<updated>2030-01-01</updated><link href="http://n.example/2"/><author><name>Ann</name></author>
<summary>Short</summary><content type="html"><![CDATA[<p>Short and <b>long</b></p>]]></content></entry></feed>"""
_DOCBOOK = """<!DOCTYPE book [<!ENTITY product "Ledger 2">]>
<book xmlns="http://docbook.org/ns/docbook"><title>&product; guide</title><info><author>Ann</author></info>
<chapter><title>Install</title><para>Run <command>make</command>&nbsp;on it.</para>
<itemizedlist><listitem><para>one</para></listitem></itemizedlist><programlisting>a = 1</programlisting>
<table><title>Sizes</title><tgroup><thead><row><entry>k</entry></row></thead><tbody><row><entry>x</entry></row></tbody>
</tgroup></table></chapter></book>"""
_CALENDAR = """BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART;TZID=Europe/Berlin:20240105T093000
SUMMARY:Harbour meeting
DESCRIPTION;ENCODING=QUOTED-PRINTABLE:first=0Aline\\, folded wi
 thin a word
ATTACH;ENCODING=BASE64;VALUE=BINARY:QUJD
BEGIN:VALARM
TRIGGER:-PT15M
END:VALARM
END:VEVENT
END:VCALENDAR
"""
_CARD = """BEGIN:VCARD
VERSION:2.1
N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;Ann;;;
item1.TEL;type=HOME:+49 1
ADR:;;Street 1;Bonn;;;
END:VCARD
BEGIN:VCARD
FN:Bob
END:VCARD
"""
_WEB_ARCHIVE = """From: <Saved by a browser>
Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=
Snapshot-Content-Location: https://example.org/p
Content-Type: multipart/related; boundary=b

--b
Content-Type: text/html; charset=gb2312
Content-Transfer-Encoding: quoted-printable

<title>=D6=D0</title><h1>Harbour</h1><iframe src=3D"cid:f"></iframe>
--b
Content-Type: text/html
Content-ID: <f>

<p>framed</p>
--b--
"""
_ORG = "#+TITLE: Seeds\n* Heading\nText\n- one\n| a | b |\n|---+---|\n| 1 | 2 |\n#+BEGIN_SRC python\nx\n#+END_SRC\n"
_ADOC = "= Seeds\n\n== Heading\n\nText\n\n* one\n** two\n\n|===\n|a |b\n\n|1 |2\n|===\n\n----\ncode\n----\n"


def _pdf() -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    canvas = Canvas(out, pageCompression=0)
    canvas.setTitle("Seeds")
    for page in range(3):
        canvas.bookmarkPage(f"p{page}")
        canvas.addOutlineEntry(f"Chapter {page}", f"p{page}")
        for line in range(12):
            canvas.drawString(72, 750 - 20 * line, f"Page {page}, line {line} of some text.")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _docx() -> bytes:
    import docx

    made = docx.Document()
    made.add_heading("Heading", 1)
    made.add_paragraph("Text of a paragraph.")
    made.add_paragraph("one", style="List Bullet")
    table = made.add_table(rows=2, cols=2)
    table.cell(0, 0).text = "a"
    table.cell(1, 1).text = "2"
    made.sections[0].footer.paragraphs[0].text = "Foot"
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _pptx() -> bytes:
    import pptx

    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[1])
    slide.shapes[0].text_frame.text = "Title"
    slide.shapes[1].text_frame.text = "Text"
    slide.notes_slide.notes_text_frame.text = "Notes"
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _xlsx() -> bytes:
    import openpyxl

    made = openpyxl.Workbook()
    sheet = made.worksheets[0]
    for row in (["name", "value"], ["alpha", 1], ["beta", 2.5]):
        sheet.append(row)
    sheet.merge_cells("A4:B5")
    made.create_sheet("Second")["C3"] = "lone"
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _xls() -> bytes:
    import xlwt

    made = xlwt.Workbook()
    sheet = made.add_sheet("First")
    for row in range(4):
        sheet.write(row, 0, f"name {row}")
        sheet.write(row, 1, row * 1.5)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _opendocument(kind: str) -> bytes:
    import odfdo

    made = odfdo.Document(kind)
    made.body.clear()
    if kind == "spreadsheet":
        table = odfdo.Table("First", width=2, height=2)
        table.set_value("A1", "name")
        table.set_value("B2", 2)
        made.body.append(table)
    elif kind == "presentation":
        page = odfdo.DrawPage("page1", name="One")
        page.append(odfdo.Frame.text_frame("Text", size=("7cm", "5cm"), position=("1cm", "1cm")))
        made.body.append(page)
    else:
        made.body.append(odfdo.Header(1, "Heading"))
        made.body.append(odfdo.Paragraph("Text of a paragraph."))
        made.body.append(odfdo.List(["one", "two"]))
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _letter() -> bytes:
    letter = EmailMessage()
    letter["From"], letter["To"] = "A <a@example.org>", "b@example.org"
    letter["Subject"] = "Grüße"
    letter["Date"] = "Sat, 21 Nov 2026 17:00:00 +0000"
    letter.set_content("Text of the letter.\n")
    letter.add_alternative("<p>Text of the letter.</p>", subtype="html")
    letter.add_attachment(_CSV.encode(), maintype="text", subtype="csv", filename="a.csv")
    return letter.as_bytes()


def _code(suffix: str) -> bytes:
    return (program(suffix, 1)[0] + _MORE_CODE.get(suffix, _BRACES)).encode()


def _nested_letter() -> bytes:
    outer = EmailMessage()
    outer["From"], outer["Subject"] = "c@example.org", "=?gb2312?B?1tDOxA==?="
    outer.set_content(
        "<p>See <img src='cid:x'> below.</p>", subtype="html", charset="iso-8859-1", cte="base64"
    )
    outer.add_related(b"image", "image", "png", cid="<x>")
    inner = EmailMessage()
    inner["Subject"] = "Inner"
    inner.set_content("begin 644 a.txt\n#86)C\n`\nend\n")
    outer.add_attachment(inner)
    return outer.as_bytes()


def _picture(kind: str) -> bytes:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    if kind == "PNG":
        chunks = PngInfo()
        chunks.add_text("Title", "Harbour")
        chunks.add_itxt("Description", "Boats at Łeba", zip=True)
        return picture(kind, pnginfo=chunks)
    exif = Image.Exif()
    exif[0x010E], exif[0x013B] = "A quiet street", "Ann"
    return picture(kind, exif=exif)


_FILES = {"docs/a.md": _MARKDOWN.encode(), "b/c.csv": _CSV.encode(), "d.html": _HTML.encode()}
_MORE_SEEDS: dict[str, Callable[[], bytes]] = {
    " feed.atom": _FEED.encode,
    " nested.eml": _nested_letter,
    " rich.html": _RICH_HTML.encode,
    " rich.ipynb": _RICH_NOTEBOOK.encode,
    ".7z": lambda: seven_zipped(_FILES),
    ".ass": _SUBSTATION.encode,
    ".bib": b'@book{a, title={Of {B}oats}, year=1999}\n@article{b, title="x" # y}\n'.strip,
    ".docbook": _DOCBOOK.encode,
    ".emlx": lambda: b"%d\n%s<?xml version='1.0'?><plist/>\n" % (len(_letter()), _letter()),
    ".ics": _CALENDAR.encode,
    ".ini": b"[a]\nb = 1\n; c\n[d.e]\nf: g\n h\n".strip,
    ".jpg": lambda: _picture("JPEG"),
    ".mhtml": _WEB_ARCHIVE.encode,
    ".patch": b"--- a\n+++ b\n@@ -1,2 +1 @@\n-a\n-b\n+c\n".strip,
    ".png": lambda: _picture("PNG"),
    ".properties": b"# c\na.b = \\u00e9 \\\n  on\nd : e\n".strip,
    ".svelte": _VUE.replace("template", "div").encode,
    ".tar": lambda: tarred(_FILES, "w:"),
    ".tar.bz2": lambda: tarred(_FILES, "w:bz2"),
    ".tex": LATEX.encode,
    ".tif": lambda: _picture("TIFF"),
    ".txt.xz": lambda: packed("xz", b"Text of a file.\n" * 9),
    ".txt.bz2": lambda: packed("bz2", b"Text of a file.\n" * 9),
    ".txt.zst": lambda: packed("zst", b"Text of a file.\n" * 9),
    ".vcf": _CARD.encode,
    **OFFICE_SEEDS,
}

SEEDS: dict[str, Callable[[], bytes]] = {
    ".adoc": _ADOC.encode,
    ".csv": _CSV.encode,
    ".docx": _docx,
    ".eml": _letter,
    ".html": _HTML.encode,
    ".ipynb": _NOTEBOOK.encode,
    ".json": lambda: json.dumps({"a": [1, {"b": "c"}, None], "文": "字" * 9}, indent=1).encode(),
    ".jsonl": lambda: b"".join(
        b'{"id": "%d", "title": "T", "text": "Text %d", "n": 1.5}\n' % (n, n) for n in range(9)
    ),
    ".mbox": lambda: b"From a@example.org Sat Nov 21 17:00:00 2026\n" + _letter() + b"\n",
    ".md": _MARKDOWN.encode,
    ".odp": lambda: _opendocument("presentation"),
    ".ods": lambda: _opendocument("spreadsheet"),
    ".odt": lambda: _opendocument("text"),
    ".org": _ORG.encode,
    ".pdf": _pdf,
    ".pptx": _pptx,
    ".rst": RST.encode,
    ".rtf": _RTF.encode,
    ".srt": _SUBTITLES.encode,
    ".tar.gz": lambda: tarred(_FILES),
    ".toml": b'title = "Seeds"\n[a.b]\nc = [1, 2]\nd = 2026-11-21\n'.strip,
    ".tsv": _CSV.replace(",", "\t").encode,
    ".txt": "TERMS OF USE\n\nFirst paragraph.\n\n2.1 Scope\n\nÜber 文字。\n".encode,
    ".txt.gz": lambda: packed("gz", b"Text of a file.\n" * 9),
    ".vtt": ("WEBVTT\n\n" + _SUBTITLES.replace(",", ".")).encode,
    ".xls": _xls,
    ".xlsx": _xlsx,
    ".xml": _XML.encode,
    ".yaml": b"title: Seeds\nlist: &x\n  - a\n  - {b: c}\nagain: *x\ntext: |\n  many\n  lines\n".strip,
    ".zip": lambda: zipped({**_FILES, "e.zip": zipped({"deep.md": b"# Deep\n\nKelp.\n"}), "f.docx": _docx()}),
    "": b"#!/bin/sh\nf() {\n  echo\n}\n".strip,
    ".vue": _VUE.encode,
    **{suffix: partial(_code, suffix) for suffix in LANGUAGES},
    **_MORE_SEEDS,
}
