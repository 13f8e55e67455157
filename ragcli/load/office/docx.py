"""Word documents (ECMA-376 part 1, 17): the body in order, with what hangs on its paragraphs.

Kept: paragraphs, headings with their numbers, lists with theirs, tables, text boxes, equations,
fields as they were last shown, content controls, insertions, alt texts, charts, diagrams; foot- and
endnotes and comments after the block that refers to them; headers and footers once, at the end.
Left out: deletions, field codes (but the address of a hyperlink), pictures, building blocks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragcli.load.office.drawing import MC, R, alt_text, chosen, write_graphics
from ragcli.load.office.equation import linear
from ragcli.load.office.numerals import numeral
from ragcli.load.office.properties import properties
from ragcli.load.office.symbols import is_private, symbol
from ragcli.load.office.wordlists import Numbering
from ragcli.load.office.wordstyles import Style, Styles, W, numbering_of, outline_level, value
from ragcli.load.parsed import CannotRead, Content, Parsed
from ragcli.load.source import inline
from ragcli.load.writer import Writer
from ragcli.load.xml import local_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml.etree import _Element as Element

    from ragcli.load.office.package import Package

_V = "{urn:schemas-microsoft-com:vml}"
_LONGEST_HEADING = 400  # characters; longer ones are text that someone styled as a heading
_LONGEST_URL = 500
_LINK = re.compile(r'^\s*HYPERLINK\s+"([^"]+)"', re.IGNORECASE)
_SEQUENCE = re.compile(r"^\s*SEQ\s", re.IGNORECASE)
_ON = frozenset(["", "1", "true", "on"])
_THROUGH = frozenset(
    [
        "sdt",
        "sdtContent",
        "customXml",
        "smartTag",
        "ins",
        "moveTo",
        "body",
        "dir",
        "bdo",
        "Choice",
        "Fallback",
    ]
)
_SKIPPED = frozenset(["del", "moveFrom", "pPr", "rPr", "sdtPr", "sdtEndPr", "delText", "delInstrText"])
_MOST_COLUMNS = 500  # that a merged cell may span


@dataclass(slots=True)
class _Line:
    """A paragraph's words, cut where a page ends for sure; ``after`` are the boxes anchored in it."""

    pieces: list[tuple[int, list[str]]]
    after: list[Element] = field(default_factory=list)
    graphics: list[Element] = field(default_factory=list)
    is_caption: bool = False

    @property
    def text(self) -> str:
        return "\n".join(text for _, text in self.texts())

    def texts(self) -> list[tuple[int, str]]:
        return [(page, "".join(parts)) for page, parts in self.pieces]


def document(package: Package, main: str) -> Parsed:
    """The document whose main part is ``main``; pages where breaks are kept in the file."""
    title, metadata = properties(package)
    walk = _Walk(package, main)
    root = package.xml(main)
    if root is not None:
        walk.story(root)
    return walk.writer.parsed(title or walk.title, metadata)


class _Walk:
    """One pass through the document; state is what Word itself carries from paragraph to paragraph."""

    def __init__(self, package: Package, main: str) -> None:
        self.writer = Writer()
        self.title = ""
        self._package, self._part = package, main
        self._styles = Styles(self._related("styles"))
        self._numbering = Numbering(self._related("numbering"))
        self._notes = {
            kind: _by_id(self._related(f"{kind}s"), kind) for kind in ("footnote", "endnote", "comment")
        }
        self._counts = {"footnote": 0, "endnote": 0}
        self._pending: list[str] = []
        self._ending: list[str] = []
        self._items: list[tuple[int, str]] = []
        self._code: list[str] = []
        self._fields: list[list[str]] = []
        self._page, self._paged, self._fresh = 1, False, True
        self._items_page = 1

    def story(self, root: Element) -> None:
        """The body, then endnotes, then each header and footer that says something new."""
        self._sections = [_starts_page(node) for node in root.iter(f"{W}sectPr") if not _is_old(node)]
        self._paged = _has_pages(root) or any(self._sections[1:])
        self._section = 0
        body = root.find(f"{W}body")
        self._blocks(body if body is not None else root)
        self._finish()
        for note in self._ending:
            self.writer.paragraph(note)
        self._margins()

    def _related(self, kind: str) -> Element | None:
        names = self._package.related(self._part, kind)
        return self._package.xml(names[0]) if names else None

    # Blocks

    def _blocks(self, container: Element) -> None:
        for node in container:
            kind = local_name(node)
            if kind == "p":
                self._paragraph(node)
            elif kind == "tbl":
                self._finish()
                self._table(node)
            elif kind == "altChunk":
                self._finish()
                self._chunk(node)
            elif kind == "AlternateContent":
                choice = chosen(node)
                if choice is not None:
                    self._blocks(choice)
            elif kind in {"oMathPara", "oMath"}:
                self._write("paragraph", self._page, linear(node))
            elif kind in _THROUGH:
                self._blocks(node)

    def _paragraph(self, node: Element) -> None:
        shape = node.find(f"{W}pPr")
        style = self._styles.of(value(shape, "pStyle") or self._styles.default)
        if _is_on(shape, "pageBreakBefore"):
            self._break_page()
        mark, depth = self._mark(shape, style)
        pending, self._pending = self._pending, []
        line = self._line(node)
        # Its own notes follow it; those of the list before it come first.
        notes, self._pending = self._pending, pending
        level = outline_level(shape) or style.level
        for number, (page, text) in enumerate(line.texts()):
            words = f"{mark} {text.strip()}" if mark and text.strip() and number == 0 else text
            if not words.strip():
                continue
            if style.is_title and not self.title:
                self.title = words
            if level and len(words) <= _LONGEST_HEADING:
                self._finish()
                self._at(page)
                self.writer.heading(words, level)
            elif mark and number == 0:
                self._item(depth, words, page)
            else:
                self._write("caption" if line.is_caption else style.kind, page, words)
        self._pending += notes
        if not self._items and not self._code:
            self._tell_notes()
        self._hanging(line)
        if shape is not None and shape.find(f"{W}sectPr") is not None:
            self._section += 1
            if self._section < len(self._sections) and self._sections[self._section]:
                self._break_page()

    def _hanging(self, line: _Line) -> None:
        """Text boxes, inner tables, charts and diagrams of a paragraph."""
        if line.after or line.graphics:
            self._finish()
        for box in line.after:
            if local_name(box) == "tbl":
                self._table(box)
            else:
                self._blocks(box)
                self._finish()
        for drawing in line.graphics:
            self._at(self._page)
            write_graphics(self._package, self._part, drawing, self.writer)

    def _item(self, depth: int, words: str, page: int) -> None:
        if self._code or (self._paged and self._items and self._items_page != page):
            self._finish()
        self._items_page = page
        self._items.append((depth, words))

    def _write(self, kind: str, page: int, words: str) -> None:
        if kind == "code":
            if self._items:
                self._finish()
            self._items_page = page
            self._code.append(words)
            return
        self._finish()
        self._at(page)
        if kind == "caption":
            self.writer.caption(words)
        else:
            self.writer.paragraph(words)

    def _finish(self) -> None:
        """Writes the list or code that was being collected, and the notes that hang on it."""
        if self._items or self._code:
            self._at(self._items_page)
            least = min((depth for depth, _ in self._items), default=0)
            self.writer.items([(depth - least, words) for depth, words in self._items])
            self.writer.code("\n".join(self._code))
            self._items, self._code = [], []
        self._tell_notes()

    def _tell_notes(self) -> None:
        pending, self._pending = self._pending, []
        for note in pending:
            self.writer.paragraph(note)

    def _mark(self, shape: Element | None, style: Style) -> tuple[str, int]:
        number, depth = numbering_of(shape)
        if not number and style.number:
            number, depth = style.number[0], depth if depth is not None else style.number[1]
        if number in {"", "0"}:
            return "", 0
        return self._numbering.mark(number, depth or 0) or "", depth or 0

    # Pages

    def _at(self, page: int) -> None:
        if self._paged:
            self.writer.page(page)

    def _break_page(self) -> None:
        self._page += 1
        self._fresh = True

    # Words

    def _line(self, node: Element) -> _Line:
        line = _Line([(self._page, [])])
        self._runs(node, line)
        return line

    def _runs(self, node: Element, line: _Line) -> None:
        for child in node:
            self._run_part(child, local_name(child), line)

    def _run_part(self, node: Element, kind: str, line: _Line) -> None:
        if kind == "t":
            if node.tag == f"{W}t":
                self._say(line, node.text or "")
        elif kind == "r":
            self._runs(node, line)
        elif kind in _SKIPPED:
            return
        elif kind in {"tab", "ptab"}:
            self._say(line, "\t")
        elif kind in {"br", "cr"}:
            self._line_break(node, line)
        elif kind == "lastRenderedPageBreak":
            self._rendered_break()
        elif kind == "noBreakHyphen":
            self._say(line, "-")
        elif kind == "sym":
            self._say(line, _sign(node.get(f"{W}font", ""), node.get(f"{W}char", "")))
        elif kind in {"footnoteReference", "endnoteReference", "commentReference"}:
            self._note(kind.removesuffix("Reference"), node, line)
        elif kind in {"oMath", "oMathPara"}:
            self._say(line, linear(node))
        elif kind == "hyperlink":
            self._hyperlink(node, line)
        elif kind in {"fldChar", "instrText", "fldSimple"}:
            self._field(node, kind, line)
        elif kind == "ruby":
            self._ruby(node, line)
        elif kind in {"drawing", "pict", "object"}:
            self._drawing(node, line)
        elif kind == "AlternateContent":
            choice = chosen(node)
            if choice is not None:
                self._runs(choice, line)
        elif kind == "tbl":
            line.after.append(node)
        elif kind in _THROUGH or node.tag.startswith((W, MC)):
            self._runs(node, line)

    def _say(self, line: _Line, text: str) -> None:
        parts = line.pieces[-1][1]
        if text.strip():
            if not any(part.strip() for part in parts):
                line.pieces[-1] = (self._page, parts)
            self._fresh = False
        parts.append(text)

    def _line_break(self, node: Element, line: _Line) -> None:
        if node.get(f"{W}type") == "page":
            self._break_page()
            line.pieces.append((self._page, []))
        else:
            self._say(line, "\n")

    def _rendered_break(self) -> None:
        # Word also writes one after each break that stands in the file itself.
        if self._fresh:
            self._fresh = False
        else:
            self._page += 1

    def _note(self, kind: str, reference: Element, line: _Line) -> None:
        note = self._notes[kind].get(reference.get(f"{W}id", ""))
        if note is None:
            return
        words = "\n".join(filter(None, (self._inner(paragraph) for paragraph in note.iter(f"{W}p"))))
        if kind == "comment":
            author = note.get(f"{W}author", "").strip()
            self._pending.append(f"Comment{f' by {author}' if author else ''}: {words}" if words else "")
            return
        self._counts[kind] += 1
        count = self._counts[kind]
        mark = f"[{count if kind == 'footnote' else numeral(count, 'lowerRoman')}]"
        if words:
            self._say(line, mark)
            (self._pending if kind == "footnote" else self._ending).append(f"{mark} {words}")

    def _inner(self, paragraph: Element) -> str:
        """The words of a paragraph that stands within a note; notes hold no notes."""
        page, fresh, notes = self._page, self._fresh, self._notes
        self._notes = {kind: {} for kind in notes}
        line = self._line(paragraph)
        self._page, self._fresh, self._notes = page, fresh, notes
        return line.text.strip()

    def _hyperlink(self, node: Element, line: _Line) -> None:
        before = len(line.pieces[-1][1])
        self._runs(node, line)
        relation = self._package.relations(self._part).get(node.get(f"{R}id", ""))
        if relation and relation.external:
            self._say_url(relation.target, line, "".join(line.pieces[-1][1][before:]))

    def _say_url(self, url: str, line: _Line, shown: str) -> None:
        plain = url.removeprefix("mailto:")
        if plain.startswith("#") or not plain or plain.rstrip("/") in shown or len(plain) > _LONGEST_URL:
            return
        self._say(line, f" ({plain})" if shown.strip() else plain)

    def _field(self, node: Element, kind: str, line: _Line) -> None:
        if kind == "fldSimple":
            line.is_caption = line.is_caption or bool(_SEQUENCE.match(node.get(f"{W}instr", "")))
            self._runs(node, line)
        elif kind == "instrText":
            if self._fields:
                self._fields[-1].append(node.text or "")
        elif node.get(f"{W}fldCharType") == "begin":
            self._fields.append([])
            self._form(node, line)
        elif self._fields and node.get(f"{W}fldCharType") == "end":
            code = "".join(self._fields.pop())
            link = _LINK.match(code)
            if link:
                self._say_url(link[1], line, "".join(line.pieces[-1][1]))
            line.is_caption = line.is_caption or bool(_SEQUENCE.match(code))

    def _form(self, node: Element, line: _Line) -> None:
        """Check boxes and drop-down lists of old forms keep their state apart from the text."""
        box = node.find(f"{W}ffData/{W}checkBox")
        if box is not None:
            name = "checked" if box.find(f"{W}checked") is not None else "default"
            self._say(line, "☒" if _is_on(box, name) else "☐")
        choice = node.find(f"{W}ffData/{W}ddList")
        if choice is not None:
            entries = [entry.get(f"{W}val", "") for entry in choice.findall(f"{W}listEntry")]
            at = value(choice, "result") or value(choice, "default") or "0"
            if at.isdigit() and int(at) < len(entries):
                self._say(line, entries[int(at)])

    def _ruby(self, node: Element, line: _Line) -> None:
        base, above = node.find(f"{W}rubyBase"), node.find(f"{W}rt")
        if base is not None:
            self._runs(base, line)
        reading = "".join(text.text or "" for text in above.iter(f"{W}t")) if above is not None else ""
        if reading:
            self._say(line, f"({reading})")

    def _drawing(self, node: Element, line: _Line) -> None:
        line.graphics.append(node)
        for part in _seen(node):
            kind = local_name(part)
            if kind == "txbxContent":
                line.after.append(part)
            elif kind == "textpath":
                self._say(line, f" {part.get('string', '')} ")
            elif kind in {"docPr", "cNvPr", "shape", "rect", "imagedata"}:
                alt = inline(alt_text(part))
                if alt and alt not in line.text:
                    self._say(line, f" [{alt}] ")
            for name in ("hlinkHover", "hlinkClick"):
                for link in part if kind in {"docPr", "cNvPr"} else ():
                    relation = self._package.relations(self._part).get(link.get(f"{R}id", ""))
                    if local_name(link) == name and relation and relation.external:
                        self._say_url(relation.target, line, line.text)
            if part.tag.startswith(_V) and part.get("href"):
                self._say_url(part.get("href", ""), line, line.text)

    # Tables

    def _table(self, table: Element) -> None:
        rows = list(_rows_of(table))
        if _is_layout(rows):
            for _, cells in rows:
                for cell in cells:
                    self._blocks(cell)
                    self._finish()
            return
        written: list[list[str]] = []
        pages: list[int] = []
        headers = 0
        graphics: list[Element] = []
        for row, cells in rows:
            first = page = self._page
            texts: list[str] = [""] * _count(row.find(f"{W}trPr"), "gridBefore", 0)
            for cell in cells:
                self._page = first
                texts += self._cell(cell, graphics)
                page = max(page, self._page)
            self._page = page
            if headers == len(written) and _is_on(row.find(f"{W}trPr"), "tblHeader"):
                headers += 1
            written.append(texts)
            pages.append(first)
        self._at(pages[0] if pages else self._page)
        self.writer.table(written, headers or 1, pages=pages if self._paged else ())
        self._tell_notes()
        for drawing in graphics:
            write_graphics(self._package, self._part, drawing, self.writer)

    def _cell(self, cell: Element, graphics: list[Element]) -> list[str]:
        """The cell's words, then an empty string for each further column that it spans."""
        shape = cell.find(f"{W}tcPr")
        merged = shape.find(f"{W}vMerge") if shape is not None else None
        text = self._cell_text(cell, graphics)
        if merged is not None and merged.get(f"{W}val", "continue") == "continue" and not text:
            text = ""
        return [text, *[""] * (_count(shape, "gridSpan", 1) - 1)]

    def _cell_text(self, container: Element, graphics: list[Element]) -> str:
        out: list[str] = []
        for node in container:
            kind = local_name(node)
            if kind == "p":
                shape = node.find(f"{W}pPr")
                mark, _ = self._mark(shape, self._styles.of(value(shape, "pStyle") or self._styles.default))
                line = self._line(node)
                text = line.text.strip()
                out.append(f"{mark} {text}" if mark and text else text)
                out += [self._cell_text(box, graphics) for box in line.after if local_name(box) != "tbl"]
                out += [self._inner_table(box, graphics) for box in line.after if local_name(box) == "tbl"]
                graphics += line.graphics
            elif kind == "tbl":
                out.append(self._inner_table(node, graphics))
            elif kind == "AlternateContent":
                choice = chosen(node)
                out.append(self._cell_text(choice, graphics) if choice is not None else "")
            elif kind in _THROUGH:
                out.append(self._cell_text(node, graphics))
        return "\n".join(filter(None, out))

    def _inner_table(self, table: Element, graphics: list[Element]) -> str:
        rows = (
            ", ".join(filter(None, (self._cell_text(cell, graphics) for cell in cells)))
            for _, cells in _rows_of(table)
        )
        return "; ".join(filter(None, rows))

    # Other parts

    def _chunk(self, node: Element) -> None:
        """A file spliced into the text: HTML and plain text here, others are members of their own."""
        relation = self._package.relations(self._part).get(node.get(f"{R}id", ""))
        if relation is None or relation.external:
            return
        name = relation.target.lower()
        if not name.endswith((".html", ".htm", ".xhtml", ".txt")):
            return
        from ragcli.load.readers import reader_of

        data = self._package.read(relation.target)
        try:
            parsed = reader_of("text" if name.endswith(".txt") else "html")(Content(data, name))
        except CannotRead:
            return
        if isinstance(parsed, Parsed):
            self.writer.blocks(parsed)

    def _margins(self) -> None:
        said: set[str] = set()
        main = self._part
        for kind in ("header", "footer"):
            for name in sorted(set(self._package.related(main, kind))):
                root = self._package.xml(name)
                self._part = name
                for node in root if root is not None else ():
                    graphics: list[Element] = []
                    holder = [node] if local_name(node) in {"p", "tbl"} else list(node)
                    text = "\n".join(filter(None, (self._margin(part, graphics) for part in holder)))
                    if any(char.isalpha() for char in text) and text not in said:
                        said.add(text)
                        self.writer.paragraph(text)
        self._part = main
        self._tell_notes()

    def _margin(self, node: Element, graphics: list[Element]) -> str:
        if local_name(node) == "tbl":
            return self._inner_table(node, graphics)
        if local_name(node) != "p":
            return self._cell_text(node, graphics)
        line = self._line(node)
        boxes = (self._cell_text(box, graphics) for box in line.after)
        return "\n".join(filter(None, (line.text.strip(), *boxes)))


def _sign(font: str, code: str) -> str:
    """The character that a font shows at a place (hexadecimal); of signs that are not known, nothing."""
    try:
        place = int(code, 16)
    except ValueError:
        return ""
    if is_private(place):
        # Fonts for text have their own letters there, too.
        plain = "" if font.lower().startswith(("symbol", "wingdings")) else chr(place & 0xFF)
        return symbol(place, font) or (plain if plain.isprintable() else "")
    return chr(place) if 0 < place < 0xD800 or 0xF900 <= place < 0x110000 else ""


def _by_id(root: Element | None, kind: str) -> dict[str, Element]:
    """Notes by their id, without the separators that Word keeps among them."""
    return {
        node.get(f"{W}id", ""): node
        for node in (root.findall(f"{W}{kind}") if root is not None else ())
        if node.get(f"{W}type", "normal") == "normal"
    }


def _rows_of(table: Element) -> Iterator[tuple[Element, list[Element]]]:
    for node in table:
        kind = local_name(node)
        if kind == "tr":
            shape = node.find(f"{W}trPr")
            if shape is None or shape.find(f"{W}del") is None:
                yield node, list(_cells_of(node))
        elif kind in _THROUGH:
            yield from _rows_of(node)


def _cells_of(row: Element) -> Iterator[Element]:
    for node in row:
        if local_name(node) == "tc":
            yield node
        elif local_name(node) in _THROUGH:
            yield from _cells_of(node)


def _is_layout(rows: Sequence[tuple[Element, list[Element]]]) -> bool:
    """A frame around running text rather than a table: one cell, one column of several paragraphs, or
    cells that hold tables with more cells than it has itself."""
    if sum(len(cells) for _, cells in rows) == 1:
        return True
    inner = sum(1 for _, cells in rows for cell in cells for _ in cell.iter(f"{W}tc")) - 2 * sum(
        len(cells) for _, cells in rows
    )
    if inner > 0:
        return True
    return all(len(cells) <= 1 for _, cells in rows) and any(
        len(cell.findall(f"{W}p")) > 1 for _, cells in rows for cell in cells
    )


def _seen(node: Element) -> Iterator[Element]:
    """What lies below, in order: one copy of each alternative, and nothing within a text box."""
    for child in node:
        if local_name(child) == "AlternateContent":
            choice = chosen(child)
            if choice is not None:
                yield from _seen(choice)
        elif isinstance(child.tag, str):
            yield child
            if local_name(child) != "txbxContent":
                yield from _seen(child)


def _count(shape: Element | None, name: str, usual: int) -> int:
    count = value(shape, name)
    return min(int(count), _MOST_COLUMNS) if count.isdigit() and int(count) else usual


def _is_on(shape: Element | None, name: str) -> bool:
    node = shape.find(f"{W}{name}") if shape is not None else None
    return node is not None and node.get(f"{W}val", "").lower() in _ON


def _is_old(section: Element) -> bool:
    parent = section.getparent()
    return parent is not None and local_name(parent) == "sectPrChange"


def _starts_page(section: Element) -> bool:
    return value(section, "type") not in {"continuous", "nextColumn"}


def _has_pages(root: Element) -> bool:
    if next(root.iter(f"{W}lastRenderedPageBreak", f"{W}pageBreakBefore"), None) is not None:
        return True
    return any(node.get(f"{W}type") == "page" for node in root.iter(f"{W}br"))
