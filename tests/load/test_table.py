from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

from .known import SEEDS, Known, check_known, known
from .support import document, texts

if TYPE_CHECKING:
    from pathlib import Path


def test_rows_explain_themselves(tmp_path: Path) -> None:
    page = document(tmp_path, "d.csv", 'name,notes,n\nann,"a\nb",1\nbob,,2,extra\n\n"x ""q""",y,3\n')
    assert page.title == "d"
    assert page.lines is not None
    assert [(page.text[b.start : b.end], page.lines.at(b.start)) for b in page.blocks] == [
        ("name; notes; n", 1),
        ("name: ann; notes: a b; n: 1", 2),
        ("name: bob; n: 2; extra", 4),
        ('name: x "q"; notes: y; n: 3', 6),
    ]
    assert {b.kind for b in page.blocks} == {"table"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    rows = [["city", "price"], ["Köln", "1.5"], ["北京", "2"]]
    text = "\n".join(delimiter.join(row) for row in rows)
    assert (
        document(tmp_path, "d.csv", text).text == "city; price\ncity: Köln; price: 1.5\ncity: 北京; price: 2"
    )


def test_decimal_commas_do_not_divide(tmp_path: Path) -> None:
    page = document(tmp_path, "d.csv", "a;b;c\n1,5;2,5;x\n3,5;4,5;y\n")
    assert page.text.split("\n")[1] == "a: 1,5; b: 2,5; c: x"


def test_lines_before_the_header_and_no_header(tmp_path: Path) -> None:
    page = document(tmp_path, "d.csv", "Report of May\n\nname,n\nann,1\nbob,2\n")
    assert page.text.split("\n") == ["Report of May", "name; n", "name: ann; n: 1", "name: bob; n: 2"]
    assert document(tmp_path, "e.csv", "1,2\n3,4\n").text == "1; 2\n3; 4"


def test_a_header_alone_is_kept(tmp_path: Path) -> None:
    assert document(tmp_path, "d.csv", "name,price\n").text == "name; price"


@pytest.mark.parametrize(
    ("head", "last"),
    [
        (["City,2019,2020,2021"], "City: Ulm; 2019: 1; 2020: 2; 2021: 3"),
        (
            ["Table 1: sales", ",Spring,,Autumn", "City,net,gross,net"],
            "City: Ulm; Spring / net: 1; Spring / gross: 2; Autumn / net: 3",
        ),
        (["City,Sales,,", ",net,gross,tax"], "City: Ulm; Sales / net: 1; Sales / gross: 2; Sales / tax: 3"),
        (["City,2019,2019,2020", ",net,gross,net"], "City: Ulm; 2019 / net: 1; 2019 / gross: 2; 2020 / net: 3"),
        (["City,Sales,,Staff", ",net,gross,"], "City: Ulm; Sales / net: 1; Sales / gross: 2; Staff: 3"),
        (["Report,May,,", "City,a,b,c"], "City: Ulm; a: 1; b: 2; c: 3"),
    ],
)  # fmt: skip
def test_header_rows_are_found(tmp_path: Path, head: list[str], last: str) -> None:
    page = document(tmp_path, "d.csv", "\n".join([*head, "Bonn,7,8,9", "Ulm,1,2,3"]))
    assert page.text.split("\n")[-1] == last


def test_rows_of_words_are_no_headers(tmp_path: Path) -> None:
    page = document(tmp_path, "d.csv", "name,town,note\nann,,x\nbob,Ulm,\ncarl,Bonn,y\n")
    assert page.text.split("\n")[1:] == [
        "name: ann; note: x",
        "name: bob; town: Ulm",
        "name: carl; town: Bonn; note: y",
    ]


def test_stray_quote_swallows_nothing(tmp_path: Path) -> None:
    page = document(tmp_path, "d.csv", 'name,size\npipe,2"\n"open,3\nlast,4\n')
    assert page.text.split("\n")[-1] == "name: last; size: 4"


def test_a_stray_quote_costs_its_own_row_only(tmp_path: Path) -> None:
    rows = "".join(f'n{n},"line one\nline two"\n' for n in range(30))
    page = document(tmp_path, "d.csv", f'name,text\n{rows}"open"x,3\n{rows}')
    lines = page.text.split("\n")
    assert len(lines) == 1 + 30 + 1 + 30
    assert lines[31] == 'name: open"x; text: 3'
    assert lines[-1] == "name: n29; text: line one line two"
    assert page.lines is not None
    assert page.lines.places[-1] == 1 + 60 + 1 + 59


def test_long_cells(tmp_path: Path) -> None:
    page = document(tmp_path, "d.csv", 'name,text\nann,"' + "a, b\n" * 50_000 + '"\nbob,x\n')
    assert page.text.split("\n")[-1] == "name: bob; text: x"


def test_prose_in_a_csv_is_plain_text(tmp_path: Path) -> None:
    assert texts(document(tmp_path, "d.csv", "just words\n\nmore words\n")) == [
        ("paragraph", "just words"),
        ("paragraph", "more words"),
    ]


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_known_tables_come_back(suffix: str, seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = known(seed, ("table",))
        written = io.StringIO()
        writer = csv.writer(written, delimiter="," if suffix == "csv" else "\t")
        table = max(content.pieces, key=lambda piece: len(piece.rows))
        writer.writerows(table.rows)
        page = check_known(
            tmp_path, f"a.{suffix}", written.getvalue().encode(), Known("", ((table,),)), once=False
        )
        assert page.lines is not None
        assert page.lines.places == tuple(range(1, len(table.rows) + 1))
