"""What drawings say in words: alt texts, the data of charts, the nodes of diagrams (ECMA-376 part 1, 20-21)."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING

from ragcli.load.office.equation import M, linear
from ragcli.load.xml import local_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element as Element

    from ragcli.load.office.package import Package
    from ragcli.load.writer import Writer

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
# Programs put the name of the picture's file where an alt text should be.
_FILE_NAME = re.compile(
    r"\S*\.(?:png|jpe?g|gif|bmp|emf|wmf|tiff?|svg|webp)|(?:picture|image|grafik|bild) ?\d*", re.I
)
_MOST_POINTS = 20_000  # of one chart
_DEEPEST = 12
_SLOT = 1000  # columns of a chart's table


def chosen(node: Element) -> Element | None:
    """Of an mc:AlternateContent the one copy to be read: the first choice, else the fallback."""
    choice = node.find(f"{MC}Choice")
    return choice if choice is not None else node.find(f"{MC}Fallback")


def alt_text(node: Element) -> str:
    """What docPr, cNvPr or a VML shape says for those who do not see the picture."""
    text = node.get("descr") or node.get("alt") or ""
    if not text and local_name(node) in {"docPr", "cNvPr"}:
        text = node.get("title", "")
    return "" if _FILE_NAME.fullmatch(text.strip()) else text.strip()


def paragraph_text(node: Element) -> str:
    """The words of an a:p, line breaks kept."""
    out: list[str] = []
    for child in node:
        kind = local_name(child)
        if kind in {"r", "fld"}:
            out += [text.text or "" for text in child.findall(f"{A}t")]
        elif kind == "br":
            out.append("\n")
        elif kind == "AlternateContent":
            choice = chosen(child)
            out.append(paragraph_text(choice) if choice is not None else "")
        elif kind == "m":
            out.append("".join(linear(part) for part in child.iter(f"{M}oMath")))
    # PowerPoint keeps a line break within a title as a vertical tab.
    return "".join(out).replace("\v", "\n").replace("_x000D_", "\n")


def write_chart(package: Package, name: str, writer: Writer) -> None:
    """Title and axes as a caption, then the cached data as a table: categories down, series across."""
    root = package.xml(name)
    if root is None:
        return
    titles = [_title_text(node) for node in root.iter() if local_name(node) == "title"]
    writer.caption("; ".join(title for title in titles if title))
    columns: list[list[str]] = []
    for series in root.iter(f"{C}ser"):
        for kind in ("cat", "xVal"):
            found = _points(series.find(f"{C}{kind}"))
            if found and ["", *found] not in columns:
                columns.append(["", *found])
        named = _points(series.find(f"{C}tx"))
        values = _points(series.find(f"{C}val")) or _points(series.find(f"{C}yVal"))
        if values or named:
            columns.append([" ".join(named), *values])
    rows = list(zip_longest(*columns[:_SLOT], fillvalue=""))
    writer.table(rows, 1 if rows and any(rows[0]) else 0)
    for text in root.iter(f"{A}p"):
        if not any(local_name(above) == "title" for above in text.iterancestors()):
            writer.paragraph(paragraph_text(text))


def write_diagram(package: Package, name: str, writer: Writer) -> None:
    """The nodes of a SmartArt diagram as a list, those below a node indented under it."""
    root = package.xml(name)
    if root is None:
        return
    texts = {
        node.get("modelId", ""): "\n".join(paragraph_text(line) for line in node.iter(f"{A}p")).strip()
        for node in root.iter(f"{_DGM}pt")
    }
    below: dict[str, list[tuple[int, str]]] = {}
    children: set[str] = set()
    for link in root.iter(f"{_DGM}cxn"):
        if link.get("type", "parOf") == "parOf":
            order = link.get("srcOrd", "")
            target = link.get("destId", "")
            below.setdefault(link.get("srcId", ""), []).append((int(order) if order.isdigit() else 0, target))
            children.add(target)
    items: list[tuple[int, str]] = []
    seen: set[str] = set()

    def add(id_: str, depth: int) -> None:
        if id_ in seen:
            return
        seen.add(id_)
        text = texts.get(id_, "")
        if text:
            items.append((min(depth, _DEEPEST), f"- {text}"))
        for _, child in sorted(below.get(id_, []), key=lambda pair: pair[0]):
            if depth < 10 * _DEEPEST:
                add(child, depth + bool(text))

    for id_ in sorted(texts, key=lambda id_: id_ in children):
        add(id_, 0)
    writer.items(items)


def write_graphics(package: Package, source: str, node: Element, writer: Writer) -> None:
    """The charts and diagrams to which what lies below ``node`` (of the part ``source``) refers."""
    for kind, target in _graphics(package, source, node):
        if kind == "chart":
            write_chart(package, target, writer)
        else:
            write_diagram(package, target, writer)


def _graphics(package: Package, source: str, node: Element) -> Iterator[tuple[str, str]]:
    for child in node.iter():
        kind = local_name(child)
        id_ = child.get(f"{R}id") if kind == "chart" else child.get(f"{R}dm") if kind == "relIds" else None
        relation = package.relations(source).get(id_) if id_ else None
        if relation and not relation.external:
            yield ("chart" if kind == "chart" else "diagram"), relation.target


def _title_text(node: Element) -> str:
    lines = [paragraph_text(line) for line in node.iter(f"{A}p")]
    if not any(lines):
        lines = [value.text or "" for value in node.iter() if local_name(value) == "v"]
    return " ".join(line.strip() for line in lines if line.strip())


def _shown(value: str) -> str:
    """A cached number as people write it: 4.4 may be kept as 4.4000000000000004."""
    try:
        return f"{float(value):.15g}"
    except ValueError:
        return value


def _points(node: Element | None) -> list[str]:
    """The cached values below a chart's reference, each at its index; gaps are empty."""
    found: dict[int, list[str]] = {}
    for point in node.iter(f"{C}pt") if node is not None else ():
        index = point.get("idx", "")
        if index.isdigit() and int(index) < _MOST_POINTS:
            text = point.findtext(f"{C}v", "")
            above = point.getparent()
            is_number = above is not None and local_name(above) == "numCache"
            found.setdefault(int(index), []).append(_shown(text) if is_number else text)
    if not found and node is not None:
        return [value.text or "" for value in node.findall(f"{C}v")]
    return [" ".join(dict.fromkeys(found.get(at, [""]))) for at in range(max(found, default=-1) + 1)]
