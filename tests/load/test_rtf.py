"""Rich Text Format."""

from __future__ import annotations

from pathlib import Path

import pytest

from .known import SEEDS, Known, Piece, check_known, known
from .support import document, failure, load, texts

_HEAD = (
    r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fcharset128 Mincho;}"
    r"{\f2\fcharset2 Symbol;}{\f3\fcharset204 Cyr;}}"
    r"{\stylesheet{\s0 Normal;}{\s1 heading 1;}{\s2\outlinelevel1 Unter;}{\s3 heading 3;}}"
)


def _rtf(body: str) -> bytes:
    return (_HEAD + body + "}").encode("ascii")


def _escaped(words: str) -> str:
    """Code page bytes where there are some, Unicode with a stand-in where not."""
    out = []
    for char in words:
        if char < "\x80":
            out.append(f"\\{char}" if char in "\\{}" else char)
            continue
        try:
            out.append(f"\\'{char.encode('cp1252').hex()}")
        except UnicodeEncodeError:
            code = ord(char)
            out.append(f"\\u{code - 65536 if code > 32767 else code}?")
    return "".join(out)


def _written(content: Known) -> bytes:
    parts = [r"{\info{\title " + _escaped(content.title) + r"}{\author Ann}}"]
    for number, page in enumerate(content.pages):
        parts += [r"\page " if number else "", *map(_piece, page)]
    return _rtf("\n".join(parts))


def _piece(piece: Piece) -> str:
    if piece.kind == "heading":
        return rf"\pard\plain\s{piece.level}\b {_escaped(piece.text)}\par"
    if piece.kind == "list":
        return "".join(
            rf"{{\listtext\f2\'b7\tab}}\pard\plain\ls1\f0 {_escaped(row[0])}\par " for row in piece.rows
        )
    if piece.kind == "table":
        rows = (r"\pard\intbl " + "".join(rf"{_escaped(cell)}\cell " for cell in row) for row in piece.rows)
        return "".join(rf"\trowd\cellx999\cellx1999 {row}\row " for row in rows)
    return rf"\pard\plain {_escaped(piece.text)}\par"


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
def test_all_comes_back(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = known(seed, pages=2)
        check_known(tmp_path, "a.rtf", _written(content), content, title=True, paged=True)


def test_told_by_its_content(tmp_path: Path) -> None:
    assert document(tmp_path, "a.doc", _rtf("words")).format == "rtf"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (r"\f1\'83\'5c\'83\'8b\f0  and \f3\'c4\'e0", "ソル and Да"),  # code pages of fonts, two bytes each
        (r"\uc2\u24180\'94\'4e{\uc0\u24565}x", "年念x"),
        (r"\u-10179?\u-8690?", "😎"),
        (r"a\~b\_c\-d\emdash e", "a\u00a0b‑cd—e"),
        (r"{\field{\*\fldinst HYPERLINK x}{\fldrslt the link}}", "the link"),
        (r"{\*\unknown hidden}{\deleted gone}{\upr{ansi}{\*\ud{\u945?}}} shown", "α shown"),
        (r"{\pict\bin5 }}}}}ff00}shown", "shown"),
        (r"{\f2 a\'b7} {\f2\u-3999?}", "α• α"),
        (r"\{braces\} \\", "{braces} \\"),
    ],
)  # fmt: skip
def test_characters(tmp_path: Path, body: str, expected: str) -> None:
    assert document(tmp_path, "a.rtf", _rtf(body)).text == expected


def test_notes_comments_and_boxes_stand_after_their_paragraph(tmp_path: Path) -> None:
    body = (
        r"Text{\super\chftn}{\footnote\pard\plain{\super\chftn} The note.} more"
        r"{\*\atnauthor Ann}{\*\annotation Really?}"
        r"{\shp{\*\shpinst{\sp{\sn wzDescription}{\sv A hill}}{\shptxt In the box\par}}{\shprslt In the box}}\par "
        r"Next.\par{\header\pard The company\par}"
    )
    page = document(tmp_path, "a.rtf", _rtf(body))
    assert [words for _, words in texts(page)] == [
        "Text[1] more",
        "A hill",
        "[1]  The note.",
        "Ann: Really?",
        "In the box",
        "Next.",
        "The company",
    ]


def test_sections_that_go_on_turn_no_page(tmp_path: Path) -> None:
    page = document(tmp_path, "a.rtf", _rtf(r"one\par\sect\sbknone two\par\sect\sbkpage three\par"))
    assert page.pages is not None
    assert [page.pages.at(block.start) for block in page.blocks] == [1, 1, 2]


def test_header_rows_and_layout_tables(tmp_path: Path) -> None:
    row = r"\trowd{}\cellx1\cellx2\pard\intbl {}\cell {}\cell\row "
    data = row.format(r"\trhdr", "A", "B") + row.format(r"\trhdr", "C", "D") + row.format("", "e", "f")
    page = document(
        tmp_path, "a.rtf", _rtf(data + r"\pard\par\trowd\cellx1\pard\intbl Framed\par text\cell\row\pard\par")
    )
    assert texts(page) == [("table", "A | B\nC | D\ne | f"), ("paragraph", "Framed"), ("paragraph", "text")]
    assert page.blocks[0].head == len("A | B\nC | D\n")


def test_embedded_file_is_a_member(tmp_path: Path) -> None:
    packed = b"\2\0note.txt\0C:\\note.txt\0\0\0\3\0" + (12).to_bytes(4, "little") + b"C:\\note.txt\0"
    packed += (11).to_bytes(4, "little") + b"hello there"
    ole = b"\1\5\0\0\2\0\0\0\x08\0\0\0Package\0\0\0\0\0\0\0\0\0" + len(packed).to_bytes(4, "little") + packed
    body = r"before {\object\objemb{\*\objclass Package}{\*\objdata " + ole.hex() + r"}{\result icon}} after"
    whole, member = load(tmp_path, "a.rtf", _rtf(body))
    assert whole.text == "before icon after"  # type: ignore[union-attr]
    assert (member.path, member.text) == ("a.rtf/note.txt", "hello there")  # type: ignore[union-attr]


def test_cut_off_gives_what_is_there(tmp_path: Path) -> None:
    assert document(tmp_path, "a.rtf", _rtf(r"{\b one two")[:-1]).text == "one two"


def test_nested_without_end_is_refused(tmp_path: Path) -> None:
    assert failure(tmp_path, "a.rtf", rb"{\rtf1 " + b"{" * 100_000).error == "too-deep"
