"""The body of an OpenDocument file, written block by block."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ragcli.load.office.odfnames import attribute, odf_name, whole
from ragcli.load.office.sheet import Cells, write_cells
from ragcli.load.parsed import CannotRead
from ragcli.load.source import inline
from ragcli.load.xml import text_within

if TYPE_CHECKING:
    from typing import Protocol

    from lxml import etree

    from ragcli.load.office.odfstyles import Styles
    from ragcli.load.writer import Writer

    class Objects(Protocol):
        """What finds embedded objects."""

        def body(self, href: str) -> etree._Element | None: ...

        def keep_base64(self, text: str) -> None: ...


_SPACE = re.compile(r"[ \t\r\n]+")
_DEAD = """
    text:tracked-changes text:sequence-decls text:variable-decls text:user-field-decls office:scripts
    text:dde-connection-decls text:alphabetical-index-auto-mark-file office:event-listeners
    table:calculation-settings table:content-validations table:named-expressions table:database-ranges
    table:label-ranges table:tracked-changes table:data-pilot-tables table:consolidation
    presentation:settings anim:par anim:seq table:table-column table:table-columns table:scenario
    table:table-header-columns table:table-column-group table:table-source office:dde-source
    presentation:date-time-decl draw:page-thumbnail style:columns office:annotation-end
    text:table-of-content-source text:illustration-index-source text:table-index-source
    text:object-index-source text:user-index-source text:alphabetical-index-source
    text:bibliography-source text:bibliography-configuration text:notes-configuration
    text:linenumbering-configuration draw:glue-point draw:enhanced-geometry draw:image-map
"""
_SKIPPED = frozenset(_DEAD.split())
_NUMBERS = frozenset(["text:page-number", "text:page-count", "text:slide-number"])
_OF_THE_MOMENT = _NUMBERS | {"text:sheet-name", "text:date", "text:time", "text:file-name"}
_FIELD_VALUES = ("form:label", "form:current-value", "form:value", "form:title")
_DEEPEST_OBJECT = 3
_MOST_CELLS = 3_000_000
_MOST_COLUMNS = 16_384
_MOST_COPIES = 100  # of a row or a cell that is said to repeat
_PLAIN_SLIDE = re.compile(r"(?:page|slide|seite|folie|diapo)\s*\d+$", re.IGNORECASE)


class Body:
    """Writes elements in reading order; what hangs on a paragraph or table comes after it."""

    def __init__(self, writer: Writer, styles: Styles, objects: Objects) -> None:
        self._writer = writer
        self._styles = styles
        self._objects = objects
        self._controls: dict[str, etree._Element] = {}
        self._footers: dict[str, str] = {}
        self._said: set[str] = set()  # headers and footers
        self._after: list[etree._Element | str] = []  # shapes, and texts of notes
        self._code: list[str] = []  # lines of a code block, and items of a list, that may go on
        self._list_items: list[tuple[int, str]] = []
        self._list_style = ""
        self._counters: dict[tuple[str, int], int] = {}
        self._page = 0
        self._sheet = ""
        self._depth = 0
        self._cells = 0
        self._in_margin = False
        self._on_slide = False
        self.refused: list[CannotRead] = []

    def write(self, element: etree._Element) -> None:
        """All that stands in an element."""
        if any(True for _ in element.iter("{*}soft-page-break")):
            self._turn_page()
        self._children(element)
        self._ended()

    def write_master(self, master: etree._Element) -> None:
        """Headers, footers and fixed shapes of a page style, those already said left out."""
        self._in_margin = True
        for child in master.iter():
            name = odf_name(child.tag)
            inside = child.getparent() is master
            if inside and name.startswith(("style:header", "style:footer")):
                if attribute(child, "style:display") != "false":
                    self._margin([self._inline(p) for p in child.iter("{*}p", "{*}h") if not _is_folio(p)])
            elif inside and name.startswith("draw:") and not attribute(child, "presentation:class"):
                self._margin([self._inline(p) for p in child.iter("{*}p", "{*}h")])
        self._in_margin = False

    def _margin(self, lines: list[str]) -> None:
        words = "\n".join(line for line in map(inline, lines) if line)
        if words not in self._said and any(char.isalnum() for char in words):
            self._said.add(words)
            self._ended().paragraph(words)
        self._after.clear()

    def _children(self, parent: etree._Element) -> None:
        for child in parent:
            self._element(child)

    def _element(self, element: etree._Element) -> None:
        name = odf_name(element.tag)
        if not name or name in _SKIPPED:
            return
        if name in ("text:p", "text:h"):
            self._paragraph(element, name == "text:h")
            return
        if name == "text:list" or name.endswith("ordered-list"):
            self._list(element)
            return
        self._ended()
        if name == "table:table":
            self._table(element)
        elif name == "text:soft-page-break":
            self._turn_page()
        elif name == "office:annotation":
            self._ended().paragraph(self._annotation(element))
        elif name == "office:forms":
            self._learn_controls(element)
        elif name == "draw:page":
            self._slide(element)
        elif name == "math:math":
            self._ended().paragraph(formula(element))
        elif name in ("presentation:footer-decl", "presentation:header-decl"):
            self._footers[attribute(element, "presentation:name")] = inline(text_within(element))
        elif name.startswith(("draw:", "dr3d:")) or name in ("svg:title", "svg:desc"):
            self._shape(element)
        else:
            self._children(element)

    # Paragraphs

    def _paragraph(self, element: etree._Element, is_heading: bool) -> None:
        style = attribute(element, "text:style-name")
        level = (
            whole(attribute(element, "text:outline-level"), 1) if is_heading else self._styles.level(style)
        )
        words = self._inline(element)
        if not level and self._styles.is_code(style):
            if self._list_items:
                self._ended()
            self._code.append(words)
        elif level or words:
            if level:
                self._ended().heading(words, level)
            elif style.endswith(("Caption", "Figure", "Illustration")) or style in (
                "Table",
                "Text",
                "Drawing",
            ):
                self._ended().caption(words)
            else:
                self._ended().paragraph(words)
        self._write_after()

    def _ended(self) -> Writer:
        """The writer, once the code or list that was going on is written."""
        if self._code:
            self._writer.code("\n".join(self._code))
            self._code = []
        if self._list_items:
            self._writer.items(self._list_items)
            self._list_items = []
        return self._writer

    def _write_after(self) -> None:
        while self._after:
            hanging, self._after = self._after, []
            self._ended()
            for item in hanging:
                if isinstance(item, str):
                    self._ended().paragraph(item)
                else:
                    self._shape(item)

    def _inline(self, element: etree._Element) -> str:
        """The words of a paragraph; what hangs on it is put aside."""
        out: list[str] = []
        self._collect(element, out)
        return "".join(out).strip(" ")

    def _collect(self, element: etree._Element, out: list[str]) -> None:
        _add_text(element.text, out)
        for child in element:
            self._inline_child(child, out)
            _add_text(child.tail, out)

    def _inline_child(self, child: etree._Element, out: list[str]) -> None:
        name = odf_name(child.tag)
        if not name or name in _SKIPPED or (name in _NUMBERS and "<" in text_within(child)):
            return
        if name in ("text:s", "text:tab", "text:tab-stop", "text:line-break"):
            count = min(whole(attribute(child, "text:c"), 1), 200)
            out.append({"text:s": " " * count, "text:line-break": "\n"}.get(name, "\t"))
        elif name in ("text:note", "text:footnote", "text:endnote"):
            self._note(child, out)
        elif name == "office:annotation":
            self._after.append(self._annotation(child))
        elif name == "text:ruby-text":
            words = text_within(child)
            out.append(f"({words})" if words.strip() else "")
        elif name == "text:soft-page-break":
            self._turn_page()
        elif self._in_margin and name in _OF_THE_MOMENT:
            return
        elif name == "math:math":
            out.append(formula(child))
        elif name in ("text:p", "text:h", "text:list"):
            out.append("\n")
            self._collect(child, out)
        elif name == "draw:a":
            self._collect(child, out)
        elif name.startswith(("draw:", "dr3d:")):
            self._after.append(child)
        elif name not in ("svg:title", "svg:desc"):
            self._collect(child, out)

    def _note(self, note: etree._Element, out: list[str]) -> None:
        mark, words = "", []
        for part in note:
            name = odf_name(part.tag)
            if name.endswith("-citation"):
                mark = attribute(part, "text:label") or inline(text_within(part))
            elif name.endswith("-body"):
                words = [self._inline(p) for p in part.iter("{*}p", "{*}h")]
        if any(words):
            out.append(f"[{mark}]" if mark else "")
            self._after.append((f"[{mark}] " if mark else "") + "\n".join(words))

    def _annotation(self, element: etree._Element) -> str:
        author = ""
        words: list[str] = []
        for part in element:
            name = odf_name(part.tag)
            if name == "dc:creator":
                author = inline(part.text or "")
            elif name not in ("dc:date", "meta:date-string", "meta:creator-initials"):
                paragraphs = list(part.iter("{*}p", "{*}h"))
                words += [self._inline(p) for p in paragraphs]
        told = "\n".join(words).strip()
        return f"{author}: {told}" if author and told else told

    def _turn_page(self) -> None:
        self._page += 1
        self._ended().page(self._page)

    # Lists

    def _list(self, element: etree._Element) -> None:
        """A list; one of the same style, or on the same slide, right after another goes on with it."""
        style = attribute(element, "text:style-name")
        if self._code or (style != self._list_style and not self._on_slide):
            self._ended()
        self._list_style = style
        self._items(element, style, 1)
        if self._after:
            self._write_after()

    def _items(self, list_: etree._Element, style: str, level: int) -> None:
        own = attribute(list_, "text:style-name") or style
        first = self._styles.first_number(own, level)
        if odf_name(list_.tag) == "text:ordered-list":
            first = 1
        goes_on = attribute(list_, "text:continue-numbering") == "true" or attribute(
            list_, "text:continue-list"
        )
        number = self._counters.get((own, level), (first or 1) - 1) if goes_on else (first or 1) - 1
        for item in list_:
            name = odf_name(item.tag)
            if name not in ("text:list-item", "text:list-header"):
                continue
            mark = ""
            if name == "text:list-item":
                number = whole(attribute(item, "text:start-value"), number + 1)
                mark = "- " if first is None else f"{number}. "
            self._item(item, mark, own, level)
        self._counters[own, level] = number

    def _item(self, item: etree._Element, mark: str, style: str, level: int) -> None:
        said = False  # what follows the first paragraph goes on below it
        for child in item:
            name = odf_name(child.tag)
            if name == "text:list" or name.endswith("ordered-list"):
                self._items(child, style, level + 1)
            elif name == "text:p":
                words = self._inline(child)
                items = self._list_items
                if said and items and words:
                    items[-1] = (items[-1][0], f"{items[-1][1]}\n{words}")
                elif words:
                    items.append((level - 1, f"{mark}{words}"))
                    said = True
            elif name == "text:soft-page-break":
                self._turn_page()
            elif name:
                self._ended()
                self._element(child)

    # Tables

    def _table(self, table: etree._Element) -> None:
        spreadsheet = any(odf_name(up.tag) == "office:spreadsheet" for up in table.iterancestors())
        if spreadsheet:
            self._sheet_of(table)
            return
        rows = self._rows(table)
        if len(rows) == 1 and len(rows[0][1]) == 1:
            self._after.clear()
            for cell in table.iter("{*}table-cell"):
                self._children(cell)
                break
            self._ended()
            return
        headers = sum(1 for head in table.iter("{*}table-header-rows") for _ in head.iter("{*}table-row"))
        self._ended().table([cells for _, cells in rows], headers or 1)
        self._write_after()

    def _sheet_of(self, table: etree._Element) -> None:
        label = attribute(table, "table:name")
        before = self._page
        if not self._depth:
            self._page = before + 1
            self._ended().page(self._page, label)
        rows = self._rows(table)
        first = rows[0][0] if rows else 1
        if any(any(cells) for _, cells in rows) or self._after:
            self._ended().heading(label, 1, first)
        write_cells(rows, self._ended())
        for child in table:
            if odf_name(child.tag) in ("table:shapes", "office:forms"):
                self._element(child)
        self._write_after()

    def _rows(self, table: etree._Element) -> list[Cells]:
        """The rows that hold something, with their numbers."""
        found: list[Cells] = []
        number = 1
        for row in _own(table, "table:table-row"):
            repeated = whole(attribute(row, "table:number-rows-repeated"), 1)
            cells = self._row(row)
            if cells:
                copies = min(repeated, _MOST_COPIES)
                self._cells += len(cells) * copies
                found += [(number + copy, cells) for copy in range(copies)]
            number += repeated
            if self._cells > _MOST_CELLS:
                told = f"only the first {_MOST_CELLS:,} cells of its tables are read"
                self.refused.append(CannotRead("too-large", told, attribute(table, "table:name") or "table"))
                self._cells = -(10**12)
                break
            if self._cells < 0:
                break
        return found

    def _row(self, row: etree._Element) -> list[str]:
        cells: list[str] = []
        empty = 0
        for cell in row:
            name = odf_name(cell.tag)
            if name not in ("table:table-cell", "table:covered-table-cell"):
                continue
            count = whole(attribute(cell, "table:number-columns-repeated"), 1)
            words = self._cell(cell) if name == "table:table-cell" else ""
            if not words:
                empty += count
                continue
            cells += [""] * max(0, min(empty, _MOST_COLUMNS - len(cells)))
            empty = 0
            cells += [words] * min(count, _MOST_COPIES)
        return cells

    def _cell(self, cell: etree._Element) -> str:
        """The words of a cell on one line, nested tables and lists with them."""
        out: list[str] = []
        for child in cell:
            name = odf_name(child.tag)
            if not name or name in _SKIPPED:
                continue
            if name in ("text:p", "text:h"):
                out.append(self._inline(child))
            elif name == "office:annotation":
                self._after.append(self._annotation(child))
            elif name.startswith(("draw:", "dr3d:")):
                self._after.append(child)
            else:
                out.append(self._cell(child))
        if not out and odf_name(cell.tag) == "table:table-cell":
            out = [
                attribute(cell, f"office:{kind}-value") for kind in ("string", "date", "time", "boolean")
            ] + [attribute(cell, "office:value")]
        return inline(" ".join(out))

    # Slides and shapes

    def _slide(self, slide: etree._Element) -> None:
        name = attribute(slide, "draw:name")
        if not self._depth:
            self._page += 1
            self._ended().page(self._page, "" if _PLAIN_SLIDE.match(name) else name)
        self._on_slide = True
        titles = [child for child in slide if attribute(child, "presentation:class") == "title"]
        rest = [child for child in slide if child not in titles]
        for child in rest:
            if odf_name(child.tag) == "office:forms":
                self._learn_controls(child)
        for child in [*titles, *rest]:
            if odf_name(child.tag) != "presentation:notes":
                self._element(child)
        for child in rest:
            if odf_name(child.tag) == "presentation:notes":
                self._children(child)
        for use in ("presentation:use-header-name", "presentation:use-footer-name"):
            self._margin([self._footers.get(attribute(slide, use), "")])
        self._ended()
        self._on_slide = False

    def _shape(self, element: etree._Element) -> None:
        name = odf_name(element.tag)
        kind = attribute(element, "presentation:class")
        if name in _SKIPPED or attribute(element, "presentation:placeholder") == "true":
            return
        if kind in ("page-number", "date-time", "header", "footer"):
            if kind in ("header", "footer"):
                self._margin([self._inline(p) for p in element.iter("{*}p", "{*}h")])
            return
        if kind == "title":
            self._ended()
            self._ended().heading(" ".join(self._inline(p) for p in element.iter("{*}p", "{*}h")), 1)
            self._write_after()
            return
        if name in ("svg:title", "svg:desc"):
            self._ended().caption(text_within(element))
        elif name in ("draw:object", "draw:object-ole"):
            self._embedded(element)
        elif name == "draw:control":
            self._control(element)
        elif name == "draw:image":
            self._children(element)
        elif name == "draw:frame":
            self._frame(element)
        else:
            self._children(element)

    def _frame(self, frame: etree._Element) -> None:
        """A frame shows the first of its contents that can be shown; the others stand in for it."""
        shown = False
        for child in frame:
            name = odf_name(child.tag)
            if name in ("svg:title", "svg:desc"):
                self._shape(child)
            elif name in ("draw:object", "draw:object-ole", "draw:text-box", "table:table") or (
                name == "draw:image" and not shown
            ):
                self._element(child)
                shown = True

    def _embedded(self, element: etree._Element) -> None:
        for child in element:
            if odf_name(child.tag) == "office:binary-data":
                self._objects.keep_base64(text_within(child))
        found = self._objects.body(attribute(element, "xlink:href"))
        if self._depth >= _DEEPEST_OBJECT:
            self.refused.append(CannotRead("too-deep", "objects within objects lie too deep", "object"))
            return
        self._depth += 1
        if found is not None and odf_name(found.tag) == "math:math":
            self._ended().paragraph(formula(found))
        elif found is not None:
            for body in found.iter("{*}body"):
                self._children(body)
        else:
            self._children(element)
        self._depth -= 1

    def _learn_controls(self, forms: etree._Element) -> None:
        for element in forms.iter():
            for name in ("form:id", "id"):
                self._controls.setdefault(attribute(element, name), element)
            for key, value in element.attrib.items():
                if str(key).endswith("}id"):
                    self._controls.setdefault(str(value), element)

    def _control(self, element: etree._Element) -> None:
        control = self._controls.get(attribute(element, "draw:control"))
        if control is None:
            return
        words = [inline(attribute(control, name)) for name in _FIELD_VALUES]
        options = control.iter("{*}option", "{*}item")
        words += [inline(attribute(option, "form:label")) for option in options]
        words += [inline(text_within(paragraph)) for paragraph in control.iter("{*}p")]
        self._ended().paragraph("\n".join(dict.fromkeys(word for word in words if word)))


def _own(table: etree._Element, wanted: str) -> list[etree._Element]:
    """The rows of a table in order, without those of tables within it."""
    found: list[etree._Element] = []
    for child in table:
        name = odf_name(child.tag)
        if name == wanted:
            found.append(child)
        elif name.startswith("table:table-") and name != "table:table-cell":
            found += _own(child, wanted)
    return found


def _is_folio(paragraph: etree._Element) -> bool:
    """Nothing but a page's number, with a word such as "Page" at most."""
    fields = [element for element in paragraph.iter() if odf_name(element.tag) in _NUMBERS]
    words = text_within(paragraph)
    for field in fields:
        words = words.replace(text_within(field), " ", 1)
    return bool(fields) and len(re.findall(r"\w+", words)) <= 1


def formula(math: etree._Element) -> str:
    """MathML in one line: as its author typed it, where that is kept."""
    for note in math.iter("{*}annotation"):
        return inline(note.text or "")
    return inline(" ".join(str(words) for words in math.itertext()))


def _add_text(text: str | None, out: list[str]) -> None:
    if not text:
        return
    words = _SPACE.sub(" ", text)
    if words.startswith(" ") and out and out[-1].endswith((" ", "\n")):
        words = words[1:]
    out.append(words)
