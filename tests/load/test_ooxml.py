"""Packages and containers of office files: what they are, what lies in them, and what is wrong with them."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragcli.load import load_file
from ragcli.load.office.compound import write_compound
from ragcli.load.office.ole import open_ole
from ragcli.load.office.oleobjects import native_file, object_file, storage_files
from ragcli.load.parsed import Means
from ragcli.load.sniff import sniff
from ragcli.types import Document, Failure

from .support import SHARED, check, check_failure, document, failure, load
from .test_docx import NAMESPACES, saved, with_parts
from .test_xlsx import _saved, _sheet


def _word(text: str = "some words") -> bytes:
    word = docx.Document()
    word.add_paragraph(text)
    return saved(word)


def _native(name: str, data: bytes) -> bytes:
    encoded = name.encode()
    path = b"C:\\" + encoded + b"\0"
    inner = b"\2\0" + encoded + b"\0" + path + b"\0\0\3\0" + struct.pack("<I", len(path)) + path
    inner += struct.pack("<I", len(data)) + data
    return struct.pack("<I", len(inner)) + inner


@pytest.mark.parametrize("name", ["a.docx", "a.docm", "a.dotx", "a.pdf", "a.txt", "a"])
def test_word_documents_are_known_by_their_content(name: str, tmp_path: Path) -> None:
    item = document(tmp_path, name, _word())
    assert (item.format, item.text) == ("docx", "some words")


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        ("WordDocument", "doc"),
        ("Workbook", "xls"),
        ("Book", "xls"),
        ("PowerPoint Document", "ppt"),
        ("__substg1.0_0037001F", "msg"),
    ],
)
def test_compound_files_are_told_apart_by_their_streams(stream: str, kind: str) -> None:
    data = write_compound({(stream,): b"x" * 5000, ("Inner", "WordDocument"): b"y"})
    assert sniff(data, None) == kind


def test_other_zips_are_told_by_their_mimetype() -> None:
    for mimetype, kind in [
        ("application/epub+zip", "epub"),
        ("application/vnd.oasis.opendocument.text", "odt"),
    ]:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as made:
            made.writestr("mimetype", mimetype)
        assert sniff(out.getvalue(), None) == kind
        assert sniff(out.getvalue()[:-30], None) == kind
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("word/readme.txt", "no office file")
    assert sniff(out.getvalue(), None) == "zip"
    assert sniff(out.getvalue(), "unsupported") == "unsupported"


def test_compound_files_come_back_stream_by_stream() -> None:
    streams = {
        ("Small",): b"abc",
        ("Large",): bytes(range(256)) * 100,
        ("Folder", "Deep", "Edge"): b"z" * 4096,
        ("Folder", "Empty"): b"",
        ("Huge",): b"q" * 9_000_000,
    }
    with open_ole(write_compound(streams)) as ole:
        assert {tuple(path): ole.openstream(path).read() for path in ole.listdir()} == streams


def test_embedded_files_are_unwrapped(tmp_path: Path) -> None:
    member = native_file(_native("notes.txt", b"embedded words"))
    assert member is not None
    assert (member.name, member.data) == ("notes.txt", b"embedded words")
    wrapped = write_compound({("\x01Ole10Native",): _native("plan.md", b"# Plan"), ("\x01CompObj",): b"x"})
    inner = object_file(wrapped, "oleObject1")
    assert inner is not None
    assert inner.name == "plan.md"
    data = with_parts(_word(), {"word/embeddings/oleObject1.bin": ""})
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, wrapped if name.endswith(".bin") else old.read(name))
        new.writestr("word/embeddings/table.xlsx", _saved(_sheet([["a", "b"], [1, 2]])))
    found = load(tmp_path, "a.docx", out.getvalue())
    assert [item.path for item in found] == ["a.docx", "a.docx/plan.md", "a.docx/table.xlsx"]


def test_storages_become_files_of_their_own() -> None:
    data = write_compound(
        {
            ("Workbook",): b"outer",
            ("MBD01", "WordDocument"): b"inner" * 1000,
            ("MBD01", "ObjectPool", "_1", "Workbook"): b"innermost",
            ("MBD02", "CONTENTS"): b"%PDF-1.4 ...",
            ("MBD03", "Equation Native"): b"x = y",
        }
    )
    with open_ole(data) as ole:
        found = list(storage_files(ole))
    assert [getattr(item, "name", "") for item in found] == ["MBD01.doc", "MBD02.pdf"]


def test_a_file_cut_short_gives_what_it_has(tmp_path: Path) -> None:
    word = docx.Document()
    for number in range(300):
        word.add_paragraph(f"Paragraph {number} of many.")
    data = saved(word)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        begin = opened.getinfo("word/document.xml").header_offset
        size = opened.getinfo("word/document.xml").compress_size
    found = load(tmp_path, "a.docx", data[: begin + size // 2])
    [item] = [item for item in found if isinstance(item, Document)]
    assert item.text.startswith("Paragraph 0 of many.")
    assert [item.error for item in found if isinstance(item, Failure)] == ["damaged"]


def test_empty_and_foreign_files_are_refused(tmp_path: Path) -> None:
    assert failure(tmp_path, "a.docx", saved(docx.Document())).error == "empty"
    assert failure(tmp_path, "a.docx", b"no zip at all").error == "damaged"
    assert failure(tmp_path, "a.docx", b"PK\x03\x04").error == "damaged"


def test_external_entities_and_entity_bombs_do_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("do not read me")
    bomb = "".join(f'<!ENTITY b{n} "{f"&b{n - 1};" * 10}">' for n in range(1, 12))
    doctype = f'<!DOCTYPE w [<!ENTITY x SYSTEM "{secret.as_uri()}"><!ENTITY b0 "boom">{bomb}]>'
    body = "<w:p><w:r><w:t>words &x; &b11;</w:t></w:r></w:p>"
    main = f"{doctype}<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>"
    found = load(tmp_path, "a.docx", with_parts(_word(), {"word/document.xml": main}))
    text = "".join(item.text for item in found if isinstance(item, Document))
    assert "do not read me" not in text
    assert "boom" not in text
    assert "words" in text or any(isinstance(item, Failure) for item in found)


def test_a_part_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", "<Types/>")
        with made.open("word/document.xml", "w") as part:
            for _ in range(210):
                part.write(b" " * 1_000_000)
    assert failure_of(tmp_path, out.getvalue()).error == "too-large"


def failure_of(folder: Path, data: bytes) -> Failure:
    """The one failure in it, whatever its word."""
    [item] = load(folder, "a.docx", data)
    assert isinstance(item, Failure)
    return item


def test_relationships_in_circles_end(tmp_path: Path) -> None:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="a" Type="{kind}/header" Target="document.xml"/>'
        f'<Relationship Id="b" Type="{kind}/aFChunk" Target="document.xml"/>'
        f'<Relationship Id="c" Type="{kind}/package" Target="../../../../etc/passwd"/></Relationships>'
    )
    found = load(tmp_path, "a.docx", with_parts(_word(), {"word/_rels/document.xml.rels": relations}))
    assert any(isinstance(item, Document) for item in found)


_SAMPLES = {"docx": _word(), "xlsx": _saved(_sheet([["a", "b"], [1, 2], ["x", 3.5]]))}


@pytest.mark.parametrize("suffix", sorted(_SAMPLES))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_makes_it_raise(suffix: str, data: st.DataObject, tmp_path: Path) -> None:
    raw = bytearray(_SAMPLES[suffix])
    for _ in range(data.draw(st.integers(1, 20))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    for item in load(tmp_path, f"a.{suffix}", bytes(raw[:cut] if cut % 2 else raw)):
        if isinstance(item, Document):
            check(item)
        elif item.error != "too-large":
            check_failure(item)


@pytest.mark.skipif(not (SHARED / "files").is_dir(), reason="the shared files are not here")
def test_locked_files_open_with_their_password() -> None:
    folder = SHARED / "files"
    for name in (
        "nasty-office/testEXCEL_protected_passtika.xlsx",
        "nasty-office-old/testEXCEL_protected_passtika.xls",
    ):
        [locked] = load_file(folder / name, path="a")
        assert isinstance(locked, Failure)
        assert locked.error == "encrypted"
        assert "--password" in locked.message
        [item] = load_file(folder / name, path="a", means=Means(("wrong", "tika")))
        assert isinstance(item, Document)
        assert "Encrypted Excel spreadsheet" in item.text
