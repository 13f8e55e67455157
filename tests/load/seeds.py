"""A small file of each format, for the fuzzer to start from: suffix → what makes its bytes.

A reader of a new format adds a line to ``SEEDS``.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from functools import partial

from .programs import LANGUAGES, PYTHON, program
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


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def _epub() -> bytes:
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Seeds</dc:title></metadata><manifest>'
        '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    container = (
        '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="a.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>One</h1><p>Text.</p></body></html>'
    return _zip(
        {
            "mimetype": b"application/epub+zip",
            "META-INF/container.xml": container.encode(),
            "a.opf": opf.encode(),
            "a.xhtml": page.encode(),
        }
    )


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in (("docs/a.md", _MARKDOWN), ("b.txt", "Text.\n")):
            info = tarfile.TarInfo(name)
            info.size = len(data.encode())
            archive.addfile(info, io.BytesIO(data.encode()))
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


SEEDS: dict[str, Callable[[], bytes]] = {
    ".adoc": _ADOC.encode,
    ".csv": _CSV.encode,
    ".docx": _docx,
    ".eml": _letter,
    ".epub": _epub,
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
    ".tar.gz": _tar,
    ".toml": b'title = "Seeds"\n[a.b]\nc = [1, 2]\nd = 2026-11-21\n'.strip,
    ".tsv": _CSV.replace(",", "\t").encode,
    ".txt": "TERMS OF USE\n\nFirst paragraph.\n\n2.1 Scope\n\nÜber 文字。\n".encode,
    ".txt.gz": lambda: gzip.compress(b"Text of a file.\n" * 9, mtime=0),
    ".vtt": ("WEBVTT\n\n" + _SUBTITLES.replace(",", ".")).encode,
    ".xls": _xls,
    ".xlsx": _xlsx,
    ".xml": _XML.encode,
    ".yaml": b"title: Seeds\nlist: &x\n  - a\n  - {b: c}\nagain: *x\ntext: |\n  many\n  lines\n".strip,
    ".zip": lambda: _zip({"docs/a.md": _MARKDOWN.encode(), "b/c.csv": _CSV.encode(), "d.zip": _epub()}),
    "": b"#!/bin/sh\nf() {\n  echo\n}\n".strip,
    ".vue": _VUE.encode,
    **{suffix: partial(_code, suffix) for suffix in LANGUAGES},
}
