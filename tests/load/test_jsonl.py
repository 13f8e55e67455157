from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from ragcli.load import load_file
from ragcli.types import Document, Failure

from .support import check, document, failure, load

if TYPE_CHECKING:
    from pathlib import Path

LINES = [
    '{"_id": 5, "title": "T", "text": "one\\n\\ntwo", "metadata": {"a": 1, "b": null}, "url": "u"}',
    "nope",
    '{"_id": "5", "text": "again"}',
    "",
    '{"text": "no id\\n```\\n# code\\n```"}',
    '{"text": ""}',
    "[1]",
    '{"_id": "t", "title": "Only a title", "text": ""}',
    '{"_id": true, "text": "x"}',
    '{"_id": "n", "text": 7}',
]


def test_collection(tmp_path: Path) -> None:
    items = load(tmp_path, "c.jsonl", "\n".join(LINES))
    good = [item for item in items if isinstance(item, Document)]
    for item in good:
        check(item)
    assert [(d.id, d.record, d.title, d.text) for d in good] == [
        ("c.jsonl#5", "5", "T", "one\n\ntwo"),
        ("c.jsonl#t", "t", "Only a title", "Only a title"),
    ]
    assert [item.message for item in items if isinstance(item, Failure)] == [
        "line 2: not JSON: Expecting value (column 1)",
        "line 3: _id 5 came before",
        "line 5: _id 5 came before",
        "line 6: no text",
        "line 7: not an object",
        'line 9: "_id" is neither an integer nor a string with letters',
        'line 10: "text" is not a string',
    ]
    first = good[0]
    assert first.metadata == {"url": "u", "a": 1}
    assert first.sha256 == hashlib.sha256(LINES[0].encode()).hexdigest()
    assert first.lines is not None
    assert first.lines.over(0, len(first.text)) == (1, 1)
    assert [block.kind for block in first.blocks] == ["paragraph", "paragraph"]


def test_record_without_id_is_named_by_its_line(tmp_path: Path) -> None:
    items = load(tmp_path, "c.ndjson", '{"text": "a"}\r\n\r\n{"text": "b\\n```\\n# c\\n```"}\r\n')
    assert [item.id for item in items if isinstance(item, Document)] == ["c.ndjson#1", "c.ndjson#3"]
    last = items[-1]
    assert isinstance(last, Document)
    assert [block.kind for block in last.blocks] == ["paragraph", "code"]


def test_json_lines_without_any_text_are_one_document(tmp_path: Path) -> None:
    page = document(tmp_path, "log.jsonl", '{"a": 1}\n{"b": 2}\n')
    assert (page.id, page.record, page.text) == ("log.jsonl", None, '{"a": 1}\n{"b": 2}\n')


def test_no_json_at_all(tmp_path: Path) -> None:
    assert failure(tmp_path, "x.jsonl", "one\ntwo\n").error == "damaged"


def test_hostile_lines(tmp_path: Path) -> None:
    lines = [
        b'{"text": "fine"}',
        b"[" * 200_000,
        b'{"_id": ' + b"9" * 5000 + b', "text": "x"}',
        b'{"_id": "s", "title": "\\ud800", "text": "lone \\udfff", "n": 1e999, "big": 99999999999999999999}',
    ]
    items = load(tmp_path, "c.jsonl", b"\n".join(lines))
    assert [type(item) for item in items] == [Document, Failure, Failure, Document]
    last = items[-1]
    assert isinstance(last, Document)
    check(last)
    assert last.metadata == {}


def test_utf16_from_a_windows_shell(tmp_path: Path) -> None:
    [item] = load(tmp_path, "c.jsonl", '{"_id": "é", "text": "x"}\r\n'.encode("utf-16"))
    assert isinstance(item, Document)
    assert item.record == "é"


def test_it_is_read_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "big.jsonl"
    file.write_text("".join(json.dumps({"_id": n, "text": f"t {n}"}) + "\n" for n in range(1000)))
    items = load_file(file, path="big.jsonl")
    first = next(items)
    assert isinstance(first, Document)
    assert first.record == "0"
    assert sum(1 for _ in items) == 999
