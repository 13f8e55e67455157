"""Word 97 to 2003: files built by hand, of one or more pieces."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from ragcli.load.office.compound import write_compound
from ragcli.load.parsed import Means

from .known import SEEDS, Known, check_known, known
from .support import SHARED, document, failure, load, texts

_IN_TABLE = struct.pack("<HB", 0x2416, 1)
_ROW_END = _IN_TABLE + struct.pack("<HB", 0x2417, 1)
_ITEM = struct.pack("<HH", 0x460B, 1)
_PLAIN, _DELETED = b"", struct.pack("<HB", 0x0800, 1)


@dataclass
class _Doc:
    """Text with properties for each paragraph, and for runs of characters where there are some."""

    paragraphs: list[tuple[str, int, bytes]] = field(default_factory=list)  # with its mark, style, PAPX
    notes: str = ""
    runs: list[tuple[int, bytes]] = field(default_factory=list)  # length, CHPX
    plcs: dict[int, bytes] = field(default_factory=dict)
    pieces: int = 1

    def add(self, words: str, style: int = 0, properties: bytes = b"") -> None:
        self.paragraphs.append((words, style, properties))

    def written(self) -> bytes:
        main = "".join(words for words, _, _ in self.paragraphs)
        text = main + self.notes
        body = bytearray(0x800)
        pieces = self._pieces(text, body)
        place = pieces[0][2] if pieces else 0x800
        at, ends = place, []
        for words, style, properties in self.paragraphs:
            at += len(words.encode("utf-16-le"))
            ends.append((at, struct.pack("<H", style) + properties))
        ends.append((at + 2 * len(self.notes) + 2, b"\0\0"))
        table = bytearray(8)
        pairs = dict.fromkeys(range(93), (0, 0))
        pairs[1] = self._put(table, _style_sheet())
        pairs[13] = self._put(table, _pages(body, place, ends, box=13))
        if self.runs:
            at, spans = place, []
            for length, properties in self.runs:
                at += 2 * length
                spans.append((at, properties))
            pairs[12] = self._put(table, _pages(body, place, spans, box=1))
        positions = [0, *[end for _, end, _ in pieces]]
        entries = b"".join(struct.pack("<HIH", 0, offset, 0) for _, _, offset in pieces)
        plc = struct.pack(f"<{len(positions)}i", *positions) + entries
        pairs[33] = self._put(table, b"\2" + struct.pack("<I", len(plc)) + plc)
        for number, data in self.plcs.items():
            pairs[number] = self._put(table, data)
        struct.pack_into("<HH", body, 0, 0xA5EC, 0x00C1)
        struct.pack_into("<H", body, 0x0A, 0x0200)
        struct.pack_into("<2i", body, 0x4C, len(main.encode("utf-16-le")) // 2, len(self.notes))
        for number, pair in pairs.items():
            struct.pack_into("<II", body, 0x9A + 8 * number, *pair)
        return write_compound({("WordDocument",): bytes(body), ("1Table",): bytes(table)})

    def _pieces(self, text: str, body: bytearray) -> list[tuple[int, int, int]]:
        """The text in UTF-16, in one row, told as some pieces: (first, end, offset)."""
        place = len(body)
        body += text.encode("utf-16-le")
        count = (len(body) - place) // 2
        body += bytes(-len(body) % 512)
        bounds = [*range(0, count, -(-count // self.pieces)), count]
        return [(first, end, place + 2 * first) for first, end in pairwise(bounds)]

    def _put(self, table: bytearray, data: bytes) -> tuple[int, int]:
        at = len(table)
        table += data
        return at, len(data)


def _pages(body: bytearray, start: int, ends: list[tuple[int, bytes]], box: int) -> bytes:
    """Formatted disk pages of a few runs each, and the table that finds them."""
    bounds, numbers = [start], []
    for first in range(0, len(ends), 8):
        group = ends[first : first + 8]
        page = bytearray(512)
        struct.pack_into(f"<{len(group) + 1}I", page, 0, bounds[-1], *[end for end, _ in group])
        at = 510
        for number, (_, properties) in enumerate(group):
            if box == 1:
                data = bytes([len(properties)]) + properties
            else:
                odd = properties if len(properties) % 2 else properties + b"\0"
                data = bytes([(len(odd) + 1) // 2]) + odd
            at = (at - len(data)) // 2 * 2
            page[at : at + len(data)] = data
            page[4 * (len(group) + 1) + box * number] = at // 2
        page[511] = len(group)
        numbers.append(len(body) // 512)
        body += page
        bounds.append(group[-1][0])
    return struct.pack(f"<{len(bounds)}I", *bounds) + struct.pack(f"<{len(numbers)}I", *numbers)


def _style_sheet() -> bytes:
    """Normal and the headings 1 to 3."""
    out = struct.pack("<HHH", 4, 4, 10)
    for sti in range(4):
        entry = struct.pack("<HHHHH", sti, 1 | (0xFFF << 4), 0, 0, 0) + struct.pack("<H", 1) + b"x\0\0\0"
        out += struct.pack("<H", len(entry)) + entry
    return out


def written(content: Known, pieces: int) -> bytes:
    made = _Doc(pieces=pieces)
    for number, page in enumerate(content.pages):
        if number:
            made.add("\x0c")
        for piece in page:
            if piece.kind == "table":
                for row in piece.rows:
                    for cell in row:
                        made.add(f"{cell}\x07", 0, _IN_TABLE)
                    made.add("\x07", 0, _ROW_END)
            elif piece.kind == "list":
                for row in piece.rows:
                    made.add(f"{row[0]}\r", 0, _ITEM)
            else:
                made.add(f"{piece.text}\r", piece.level)
    return made.written()


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
def test_all_comes_back(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = known(seed, pages=2)
        check_known(tmp_path, "a.doc", written(content, 1 + seed % 5), content, paged=True)


def _one(words: str) -> _Doc:
    made = _Doc()
    made.add(words)
    return made


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ('see \x13 HYPERLINK "x" \x14the \x13PAGEREF y\x14page\x15\x15 now\r', "see the page now"),
        ("no end \x13 of a field\x14 here\r", "no end  of a field here"),
        ("a\x1eb\x1fc\x0bd\x01\x08\r", "a‑bc\nd"),
        ("𐌲𐌿 and 文\r", "𐌲𐌿 and 文"),
    ],
)
def test_characters(tmp_path: Path, words: str, expected: str) -> None:
    assert document(tmp_path, "a.doc", _one(words).written()).text == expected


def test_deleted_revisions_are_left_out(tmp_path: Path) -> None:
    made = _one("stays gone new\r")
    made.runs = [(6, _PLAIN), (5, _DELETED), (4, _PLAIN)]
    assert document(tmp_path, "a.doc", made.written()).text == "stays new"


def test_footnotes_stand_after_their_paragraph(tmp_path: Path) -> None:
    made = _one("Here\x02 it is.\r")
    made.add("Next.\r")
    made.notes = "\x02 The note.\r\r"
    made.plcs = {2: struct.pack("<iiH", 4, 14, 1), 3: struct.pack("<iii", 0, 12, 13)}
    page = document(tmp_path, "a.doc", made.written())
    assert [words for _, words in texts(page)] == ["Here[1] it is.", "[1] The note.", "Next."]


def test_embedded_document_is_a_member(tmp_path: Path) -> None:
    import io

    import olefile

    inner, outer = _one("inner words\r").written(), _one("outer words\r").written()
    streams: dict[tuple[str, ...], bytes] = {}
    for data, folder in ((outer, ()), (inner, ("ObjectPool", "_1234"))):
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            for path in ole.listdir():
                streams[(*folder, *path)] = ole.openstream(path).read()
    whole, member = load(tmp_path, "a.doc", write_compound(streams))
    assert whole.text == "outer words"  # type: ignore[union-attr]
    assert (member.path, member.text) == ("a.doc/object 1.doc", "inner words")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"\xffWPC" + bytes(100), "unsupported"),
        (b"\xdb\xa5" + bytes(100), "unsupported"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "damaged"),
    ],
)
def test_what_is_no_word_document(tmp_path: Path, content: bytes, error: str) -> None:
    assert failure(tmp_path, "a.doc", content).error == error


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7])
def test_cut_off_is_damaged_or_rescued(tmp_path: Path, share: float) -> None:
    whole = written(known(1, pages=2), 3)
    for item in load(tmp_path, "a.doc", whole[: int(share * len(whole))]):
        assert getattr(item, "error", "damaged") in ("damaged", "empty")


def test_properties_that_never_end(tmp_path: Path) -> None:
    import io

    import olefile

    words = struct.pack("<II", 30, 9) + b"The title\0"
    section = struct.pack("<IIII", 999, 0xFFFFFFFF, 2, 24) + bytes(8) + words
    summary = bytes(44) + struct.pack("<I", 48) + section
    with olefile.OleFileIO(io.BytesIO(_one("words\r").written())) as ole:
        streams = {tuple(path): ole.openstream(path).read() for path in ole.listdir()}
    page = document(tmp_path, "a.doc", write_compound({**streams, ("\x05SummaryInformation",): summary}))
    assert (page.title, page.text) == ("The title", "words")


def test_lengths_beyond_the_file(tmp_path: Path) -> None:
    whole = _one("words\r").written()
    at = whole.index(struct.pack("<2i", 6, 0), 512 + 0x4C)
    broken = whole[:at] + struct.pack("<2i", 2**31 - 1, 2**31 - 1) + whole[at + 8 :]
    for item in load(tmp_path, "a.doc", broken):
        assert getattr(item, "text", "words").startswith("words")


def test_a_page_saved_under_the_name_of_a_document(tmp_path: Path) -> None:
    assert document(tmp_path, "a.doc", b"<html><body><h1>A</h1><p>b</p></body></html>").text == "A\n\nb"


def test_password() -> None:
    from ragcli.load import load_file

    file = SHARED / "files/nasty-office-old/testWORD_protected_passtika.doc"
    if not file.exists():
        pytest.skip("needs a file that a writer of encrypted documents made")
    [item] = load_file(file, path="a.doc")
    assert item.error == "encrypted"  # type: ignore[union-attr]
    [item] = load_file(file, path="a.doc", means=Means(("wrong", "tika")))
    assert item.text == "This is an encrypted Word 2007 File."  # type: ignore[union-attr]
