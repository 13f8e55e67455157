"""Presentations in the binary format: PowerPoint 97 to 2003."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from ragcli.load.office.decrypt import decrypted
from ragcli.load.office.ole import open_document, read_stream
from ragcli.load.office.oleobjects import object_file
from ragcli.load.office.pptfile import MASTER, NOTES, NOTES_ATOM, SLIDE, SLIDE_ATOM, Record, SlideFile
from ragcli.load.office.ppttext import TITLES, Text, texts
from ragcli.load.office.summary import summary
from ragcli.load.parsed import CannotRead, Content, Item
from ragcli.load.source import inline
from ragcli.load.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import olefile

_STREAM = "PowerPoint Document"
_LIST, _PERSIST = 0x0FF0, 0x03F3
_DRAWING = 0x040C
_GROUP, _SHAPE, _BOX, _CLIENT, _ANCHOR, _OPTIONS, _MORE_OPTIONS = (
    0xF003,
    0xF004,
    0xF00D,
    0xF011,
    0xF00F,
    0xF00B,
    0xF122,
)
_OUTLINE_REF, _PLACEHOLDER = 0x0F9E, 0x0BC3
_FURNITURE = frozenset([7, 8, 9, 10])  # placeholders: date, slide number, footer, header
_STRING, _COMMENT = 0x0FBA, 0x2EE0
_HEADERS, _HEADERS_ATOM = 0x0FD9, 0x0FDA
_HAS_HEADER, _HAS_FOOTER = 0x10, 0x20
_OBJECTS, _OBJECT, _OBJECT_ATOM, _STORAGE = 0x0409, 0x0FCC, 0x0FC3, 0x1011
_IS_TABLE, _DESCRIPTION = 0x039F, 0x0381
_MOST = 200_000_000
_MOST_SLIDES = 50_000
_DEEPEST = 30


def read_ppt(content: Content) -> Iterator[Item]:
    """Slide by slide: title, text, tables, then comments and speaker notes; pages are slides.

    Headers, footers and fixed text of masters stand once at the end. Embedded files are members.
    Left out are slide numbers, dates, placeholders of masters, and pictures without a description.
    """
    with open_document(content.data) as ole:
        file = _file(ole)
        if not file.is_encrypted:
            yield from _read(ole, file)
            return
    with open_document(decrypted(content)) as ole:
        yield from _read(ole, _file(ole))


def _file(ole: olefile.OleFileIO) -> SlideFile:
    for folder in (["PP97_DUALSTORAGE"], []):
        if ole.exists([*folder, _STREAM]):
            current = [*folder, "Current User"]
            user = read_stream(ole, *current) if ole.exists(current) else b""
            return SlideFile(read_stream(ole, *folder, _STREAM), user)
    raise CannotRead("unsupported", "it is no presentation of PowerPoint 97 to 2003")


def _read(ole: olefile.OleFileIO, file: SlideFile) -> Iterator[Item]:
    document = file.document()
    writer = Writer()
    reading = _Reading(file, document, writer)
    reading.run()
    title, metadata = summary(ole)
    yield writer.parsed("" if title.lower().startswith(("powerpoint", "slide 1")) else title, metadata)
    yield from _objects(file, document)


class _Reading:
    def __init__(self, file: SlideFile, document: Record, writer: Writer) -> None:
        self._file = file
        self._document = document
        self._writer = writer
        self._items: list[tuple[int, str]] = []
        self._said: set[str] = set()
        self._margins: list[str] = []
        self._masters: dict[int, None] = {}
        self._note_of: dict[int, Record] = {}

    def run(self) -> None:
        for number, _ in self._listed(2):
            found = self._file.object(number, NOTES)
            atom = found.child(NOTES_ATOM) if found else None
            if found and atom:
                self._note_of[int.from_bytes(atom.content[:4], "little")] = found
        for page, (number, entry) in enumerate(self._slides(), 1):
            self._writer.page(page)
            identity = int.from_bytes(entry[0].content[12:16], "little")
            self._slide(self._file.object(number, SLIDE), identity, texts(entry[1:]))
        self._footers(self._document)
        for number, entry in self._listed(1):
            if int.from_bytes(entry[0].content[12:16], "little") in self._masters:
                self._master(self._file.object(number, MASTER) or self._file.object(number, SLIDE))
        for words in dict.fromkeys(self._margins):
            if words not in self._said:
                self._writer.paragraph(words)

    def _slides(self) -> list[tuple[int, list[Record]]]:
        return self._listed(0)[:_MOST_SLIDES]

    def _listed(self, instance: int) -> list[tuple[int, list[Record]]]:
        """The numbers of slides (0), masters (1) or notes (2), each with the records it is listed with."""
        found: list[tuple[int, list[Record]]] = []
        seen: set[int] = set()
        for record in self._document.children():
            if record.kind != _LIST or record.instance != instance:
                continue
            for child in record.children():
                number = int.from_bytes(child.content[:4], "little")
                if child.kind == _PERSIST and number in seen:
                    continue  # no slide is shown twice
                if child.kind == _PERSIST:
                    seen.add(number)
                    found.append((number, [child]))
                elif found:
                    found[-1][1].append(child)
        return found

    # Slides

    def _slide(self, slide: Record | None, identity: int, outline: list[Text]) -> None:
        used: set[int] = set()
        shapes: list[_Shape] = []
        if slide is not None:
            shapes = _shapes(slide, outline, used)
            atom = slide.child(SLIDE_ATOM)
            if atom is not None and atom.end - atom.start >= 16:
                self._masters[int.from_bytes(atom.content[12:16], "little")] = None
        rest = [_Shape(text) for number, text in enumerate(outline) if number not in used]
        self._write([*rest, *shapes])
        if slide is not None:
            for comment in slide.descendants(_COMMENT):
                self._comment(comment)
            self._footers(slide)
        notes = self._note_of.get(identity)
        if notes is not None:
            self._write([shape for shape in _shapes(notes, [], set()) if not shape.is_furniture])

    def _write(self, shapes: list[_Shape]) -> None:
        titles = [shape for shape in shapes if shape.text and shape.text.kind in TITLES]
        for shape in titles:
            words = " ".join(inline(words) for _, _, words in _paragraphs(shape))
            self._writer.heading(words, 1)
            self._said.add(words)
        for shape in shapes:
            if shape in titles or shape.is_furniture:
                continue
            if shape.rows:
                self._end_list()
                self._writer.table(shape.rows)
            elif shape.text and shape.text.words.strip():
                self._text(shape.text)
            elif shape.description:
                self._end_list()
                self._writer.caption(shape.description)
        self._end_list()

    def _text(self, text: Text) -> None:
        together: list[str] = []
        for depth, is_item, words in text.paragraphs():
            if is_item:
                self._end_text(together)
                self._items.append((depth, f"- {words}"))
            else:
                self._end_list()
                together.append(words)
        self._end_text(together)
        self._end_list()

    def _end_text(self, together: list[str]) -> None:
        if together:
            self._writer.paragraph("\n".join(together))
            self._said.add("\n".join(together))
            together.clear()

    def _end_list(self) -> None:
        if self._items:
            self._writer.items(self._items)
            self._items = []

    def _comment(self, comment: Record) -> None:
        strings = {
            record.instance: inline(record.content.decode("utf-16-le", "replace"))
            for record in comment.children()
            if record.kind == _STRING
        }
        author, words = strings.get(0, ""), strings.get(1, "")
        self._writer.paragraph(f"{author}: {words}" if author and words else words)

    # What stands on every slide

    def _footers(self, container: Record) -> None:
        for record in container.children():
            atom = record.child(_HEADERS_ATOM) if record.kind == _HEADERS else None
            if atom is None:
                continue
            flags = int.from_bytes(atom.content[2:4], "little")
            for child in record.children():
                shown = {1: flags & _HAS_HEADER, 2: flags & _HAS_FOOTER}.get(child.instance, 0)
                words = inline(child.content.decode("utf-16-le", "replace")) if child.kind == _STRING else ""
                if shown and words:
                    self._margins.append(words)

    def _master(self, master: Record | None) -> None:
        """Text that stands on all slides of a master: shapes that are no placeholders."""
        for shape in _shapes(master, [], set()) if master else []:
            if shape.text and shape.placeholder is None:
                words = "\n".join(words for _, _, words in shape.text.paragraphs())
                if any(char.isalnum() for char in words):
                    self._margins.append(words)


class _Shape:
    """A shape with text, a table, or a picture with a description."""

    def __init__(
        self,
        text: Text | None,
        placeholder: int | None = None,
        description: str = "",
        rows: list[list[str]] | None = None,
    ) -> None:
        self.text = text
        self.placeholder = placeholder
        self.description = description
        self.rows = rows or []

    @property
    def is_furniture(self) -> bool:
        return self.placeholder in _FURNITURE


def _paragraphs(shape: _Shape) -> list[tuple[int, bool, str]]:
    return list(shape.text.paragraphs()) if shape.text else []


def _shapes(slide: Record, outline: list[Text], used: set[int]) -> list[_Shape]:
    """The shapes of a slide in their order; ``used`` learns which texts of the outline they show."""
    found: list[_Shape] = []
    for drawing in slide.children():
        if drawing.kind == _DRAWING:
            for root in drawing.children():
                _collect(root, outline, used, found, 0)
    return found


def _collect(parent: Record, outline: list[Text], used: set[int], found: list[_Shape], depth: int) -> None:
    if depth > _DEEPEST:
        raise CannotRead("too-deep", "its groups of shapes are nested too deep")
    for child in parent.children():
        if child.kind == _SHAPE:
            found.append(_shape(child, outline, used))
        elif child.kind == _GROUP and _is_table(child):
            found.append(_table(child, outline, used))
        elif child.kind == _GROUP:
            _collect(child, outline, used, found, depth + 1)


def _shape(record: Record, outline: list[Text], used: set[int]) -> _Shape:
    text: Text | None = None
    placeholder: int | None = None
    description = ""
    for child in record.children():
        if child.kind == _BOX:
            text = _text_of(child, outline, used)
        elif child.kind == _CLIENT:
            atom = child.child(_PLACEHOLDER)
            if atom is not None and atom.end - atom.start >= 5:
                placeholder = atom.content[4]
        elif child.kind == _OPTIONS:
            description = _described(child)
    return _Shape(text, placeholder, description)


def _text_of(box: Record, outline: list[Text], used: set[int]) -> Text | None:
    records = list(box.children())
    for record in records:
        if record.kind == _OUTLINE_REF:
            number = int.from_bytes(record.content[:4], "little")
            if number < len(outline) and number not in used:
                used.add(number)
                return outline[number]
    return next(iter(texts(records)), None)


def _options(record: Record) -> dict[int, tuple[int, bytes]]:
    """A shape's properties: number → value, and the data of those that have some."""
    data = record.content
    count = min(record.instance, len(data) // 6)
    at = 6 * count
    found: dict[int, tuple[int, bytes]] = {}
    for number in range(count):
        name, value = struct.unpack_from("<HI", data, 6 * number)
        extra = b""
        if name & 0x8000:
            extra, at = data[at : at + value], at + value
        found[name & 0x3FFF] = value, extra
    return found


def _described(options: Record) -> str:
    _, text = _options(options).get(_DESCRIPTION, (0, b""))
    words = inline(text.decode("utf-16-le", "replace").partition("\0")[0])
    # Programs describe a picture by the name of its file.
    return "" if words.lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".bmp", ".wmf", ".emf")) else words


def _is_table(group: Record) -> bool:
    first = group.child(_SHAPE)
    more = first.child(_MORE_OPTIONS) if first else None
    return bool(more and _options(more).get(_IS_TABLE, (0, b""))[0] & 1)


def _table(group: Record, outline: list[Text], used: set[int]) -> _Shape:
    """A table is a group of boxes: those of one height stand in a row."""
    rows: dict[int, list[tuple[int, str]]] = {}
    for record in group.children():
        anchor = record.child(_ANCHOR) if record.kind == _SHAPE else None
        shape = _shape(record, outline, used) if anchor and anchor.end - anchor.start >= 16 else None
        if anchor and shape and shape.text:
            left, top = struct.unpack_from("<ii", anchor.content)
            words = " ".join(words for _, _, words in shape.text.paragraphs())
            rows.setdefault(top, []).append((left, words))
    return _Shape(None, rows=[[words for _, words in sorted(rows[top])] for top in sorted(rows)])


def _objects(file: SlideFile, document: Record) -> Iterator[Item]:
    listed = document.child(_OBJECTS)
    for record in listed.children() if listed else ():
        atom = record.child(_OBJECT_ATOM) if record.kind == _OBJECT else None
        if atom is None or atom.end - atom.start < 20:
            continue
        number, _, place = struct.unpack_from("<III", atom.content, 8)
        storage = file.object(place, _STORAGE)
        if storage is None:
            continue
        try:
            found = object_file(_unpacked(storage), f"object {number}")
        except (CannotRead, zlib.error):
            found = CannotRead("damaged", "an embedded object is damaged", f"object {number}")
        if found is not None:
            yield found


def _unpacked(storage: Record) -> bytes:
    if storage.instance == 0:
        return storage.content
    unpacking = zlib.decompressobj()
    found = unpacking.decompress(storage.content[4:], _MOST)
    if unpacking.unconsumed_tail:
        raise CannotRead("too-large", "an embedded object is too large")
    return found
