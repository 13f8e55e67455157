"""PowerPoint 97 to 2003: files built by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from ragcli.load.office.compound import write_compound
from ragcli.load.parsed import Means

from .known import SEEDS, Known, Piece, check_known, known
from .support import SHARED, failure, load, texts

_TITLE, _BODY, _NOTES, _OTHER = 0, 1, 2, 4


def record(kind: int, data: bytes, instance: int = 0, version: int = 0) -> bytes:
    return struct.pack("<HHI", version | instance << 4, kind, len(data)) + data


def container(kind: int, *parts: bytes, instance: int = 0) -> bytes:
    return record(kind, b"".join(parts), instance, 0xF)


def _text(kind: int, words: str) -> bytes:
    head = record(0x0F9F, struct.pack("<I", kind))
    if words.isascii():
        return head + record(0x0FA8, words.encode())
    return head + record(0x0FA0, words.encode("utf-16-le"))


def text_box(words: str, kind: int = _OTHER, anchor: tuple[int, int] | None = None) -> bytes:
    place = record(0xF00F, struct.pack("<iiii", *anchor, 9, 9)) if anchor else b""
    return container(0xF004, place, container(0xF00D, _text(kind, words)))


def table_shape(rows: tuple[tuple[str, ...], ...]) -> bytes:
    is_table = record(0xF122, struct.pack("<HI", 0x039F, 1), instance=1, version=3)
    cells = [text_box(cell, anchor=(x, y)) for y, row in enumerate(rows) for x, cell in enumerate(row)]
    return container(0xF003, container(0xF004, is_table), *reversed(cells))


def _drawing(*shapes: bytes) -> bytes:
    return container(0x040C, container(0xF002, container(0xF003, *shapes)))


def slide_of(*shapes: bytes, more: bytes = b"") -> bytes:
    atom = record(0x03EF, struct.pack("<i8sIIHH", 0, bytes(8), 0, 0, 0, 0))
    return container(0x03EE, atom, _drawing(*shapes), more)


def presentation(
    slides: list[bytes], outlines: list[list[bytes]], notes: list[bytes] | None = None, more: bytes = b""
) -> bytes:
    """Slides with their texts of the outline; slide ``n`` (from 0) has the identity 256 + n."""
    stream, offsets = bytearray(), []
    for part in [*slides, *(notes or [])]:
        offsets.append(len(stream))
        stream += part
    listed = [
        record(0x03F3, struct.pack("<IIiII", n + 1, 0, 0, 256 + n, 0)) + b"".join(outline)
        for n, outline in enumerate(outlines)
    ]
    other = [
        record(0x03F3, struct.pack("<IIiII", len(slides) + n + 1, 0, 0, 0, 0))
        for n in range(len(notes or []))
    ]
    offsets.append(len(stream))
    lists = container(0x0FF0, *listed), container(0x0FF0, *other, instance=2)
    stream += container(0x03E8, *lists, more)
    directory = len(stream)
    stream += record(0x1772, struct.pack(f"<I{len(offsets)}I", 1 | len(offsets) << 20, *offsets))
    edit = len(stream)
    stream += record(0x0FF5, struct.pack("<IIIIIII", 0, 0, 0, directory, len(offsets), 0, 0))
    user = record(0x0FF6, struct.pack("<III", 20, 0xE391C05F, edit) + bytes(12))
    return write_compound({("PowerPoint Document",): bytes(stream), ("Current User",): user})


def _shape(piece: Piece) -> bytes:
    if piece.kind == "table":
        return table_shape(piece.rows)
    if piece.kind == "list":
        return text_box("\r".join(row[0] for row in piece.rows), _BODY)
    return text_box(piece.text)


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
def test_all_comes_back(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        whole = known(seed, pages=3, levels=1)
        pages = tuple(
            tuple(piece for at, piece in enumerate(page) if at == 0 or piece.kind != "heading")
            for page in whole.pages
        )
        slides = [slide_of(*map(_shape, page[1:])) for page in pages]
        data = presentation(slides, [[_text(_TITLE, page[0].text)] for page in pages])
        check_known(tmp_path, "a.ppt", data, Known("", pages), paged=True)


def test_text_of_the_outline_stands_where_its_shape_does(tmp_path: Path) -> None:
    shown = container(0xF004, container(0xF00D, record(0x0F9E, struct.pack("<I", 1))))
    outline = [_text(_TITLE, "The title"), _text(_BODY, "an item")]
    [page] = load(
        tmp_path, "a.ppt", presentation([slide_of(text_box("first"), shown, text_box("last"))], [outline])
    )
    assert texts(page) == [  # type: ignore[arg-type]
        ("heading", "The title"),
        ("paragraph", "first"),
        ("list", "- an item"),
        ("paragraph", "last"),
    ]


def test_comments_and_notes_stand_on_their_slide(tmp_path: Path) -> None:
    strings = [record(0x0FBA, words.encode("utf-16-le"), n) for n, words in enumerate(["Ann", "Why?"])]
    comment = container(0x1388, container(0x138A, record(0x138B, container(0x2EE0, *strings))))
    notes = container(
        0x03F0, record(0x03F1, struct.pack("<II", 256, 0)), _drawing(text_box("Say it.", _NOTES))
    )
    slides = [slide_of(text_box("one"), more=comment), slide_of(text_box("two"))]
    [page] = load(tmp_path, "a.ppt", presentation(slides, [[], []], [notes]))
    assert page.pages is not None  # type: ignore[union-attr]
    found = [(page.pages.at(b.start), page.text[b.start : b.end]) for b in page.blocks]  # type: ignore[union-attr]
    assert found == [(1, "one"), (1, "Ann: Why?"), (1, "Say it."), (2, "two")]


def test_slide_numbers_are_left_out_and_footers_come_once(tmp_path: Path) -> None:
    number = _text(_OTHER, "Slide *") + record(0x0FD8, struct.pack("<i", 6))
    footers = container(
        0x0FD9,
        record(0x0FDA, struct.pack("<HH", 0, 0x20)),
        record(0x0FBA, "The company".encode("utf-16-le"), 2),
    )
    box = container(0xF004, container(0xF00D, number))
    [page] = load(tmp_path, "a.ppt", presentation([slide_of(box)] * 2, [[], []], more=footers))
    assert [words for _, words in texts(page)] == ["Slide", "Slide", "The company"]  # type: ignore[arg-type]


def test_without_its_directory_it_is_damaged(tmp_path: Path) -> None:
    data = write_compound({("PowerPoint Document",): b"nothing of the kind", ("Current User",): b""})
    assert failure(tmp_path, "a.ppt", data).error == "damaged"


def test_password() -> None:
    from ragcli.load import load_file

    file = SHARED / "files/nasty-office-old/testPPT_protected_passtika.ppt"
    if not file.exists():
        pytest.skip("needs a file that a writer of encrypted presentations made")
    [item] = load_file(file, path="a.ppt")
    assert item.error == "encrypted"  # type: ignore[union-attr]
    item, *_ = load_file(file, path="a.ppt", means=Means(("tika",)))
    assert item.text  # type: ignore[union-attr]
