from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .support import document, texts

if TYPE_CHECKING:
    from pathlib import Path


def test_rows_explain_themselves(tmp_path: Path) -> None:
    page = document(tmp_path, "d.csv", 'name,notes,n\nann,"a\nb",1\nbob,,2,extra\n\n"x ""q""",y,3\n')
    assert page.title == "d"
    assert page.lines is not None
    assert [(page.text[b.start : b.end], page.lines.at(b.start)) for b in page.blocks] == [
        ("name: ann; notes: a b; n: 1", 2),
        ("name: bob; n: 2; extra", 4),
        ('name: x "q"; notes: y; n: 3', 6),
    ]
    assert {b.kind for b in page.blocks} == {"table"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    rows = [["city", "price"], ["Köln", "1.5"], ["北京", "2"]]
    text = "\n".join(delimiter.join(row) for row in rows)
    assert document(tmp_path, "d.csv", text).text == "city: Köln; price: 1.5\ncity: 北京; price: 2"


def test_decimal_commas_do_not_divide(tmp_path: Path) -> None:
    page = document(tmp_path, "d.csv", "a;b;c\n1,5;2,5;x\n3,5;4,5;y\n")
    assert page.text.split("\n")[0] == "a: 1,5; b: 2,5; c: x"


def test_lines_before_the_header_and_no_header(tmp_path: Path) -> None:
    page = document(tmp_path, "d.csv", "Report of May\n\nname,n\nann,1\nbob,2\n")
    assert page.text.split("\n") == ["Report of May", "name: ann; n: 1", "name: bob; n: 2"]
    assert document(tmp_path, "e.csv", "1,2\n3,4\n").text == "1; 2\n3; 4"


def test_a_header_alone_is_kept(tmp_path: Path) -> None:
    assert document(tmp_path, "d.csv", "name,price\n").text == "name; price"


def test_stray_quote_swallows_nothing(tmp_path: Path) -> None:
    page = document(tmp_path, "d.csv", 'name,size\npipe,2"\n"open,3\nlast,4\n')
    assert page.text.split("\n")[-1] == "name: last; size: 4"


def test_prose_in_a_csv_is_plain_text(tmp_path: Path) -> None:
    assert texts(document(tmp_path, "d.csv", "just words\n\nmore words\n")) == [
        ("paragraph", "just words"),
        ("paragraph", "more words"),
    ]
