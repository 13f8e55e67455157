"""Office mathematics (ECMA-376 part 1, 22.1) in one line, as it is typed: ``(a+b)/2``, ``x^2``, ``√(x)``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragcli.load.xml import local_name

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"


def linear(node: Element) -> str:
    """The equation below ``node`` in one line."""
    return "".join(_written(child) for child in node)


def _written(node: Element) -> str:
    name = local_name(node)
    if name == "t":
        return node.text or ""
    if name.endswith("Pr"):
        return ""
    if name == "f":
        return f"{_grouped(_part(node, 'num'))}/{_grouped(_part(node, 'den'))}"
    if name in {"sSup", "sSub", "sSubSup", "sPre"}:
        return _scripts(node)
    if name == "rad":
        degree = _part(node, "deg")
        return f"{f'{degree}' if degree else ''}√({_part(node, 'e')})"
    if name == "nary":
        return _sum(node)
    if name == "d":
        return _delimited(node)
    if name == "m":
        rows = (", ".join(linear(cell) for cell in row.findall(f"{M}e")) for row in node.findall(f"{M}mr"))
        return f"[{'; '.join(rows)}]"
    if name == "eqArr":
        return "; ".join(linear(line) for line in node.findall(f"{M}e"))
    return linear(node)


def _part(node: Element, name: str) -> str:
    part = node.find(f"{M}{name}")
    return linear(part) if part is not None else ""


def _grouped(text: str) -> str:
    return text if len(text) <= 1 or text.isalnum() else f"({text})"


def _scripts(node: Element) -> str:
    below, above = _part(node, "sub"), _part(node, "sup")
    return (
        _part(node, "e") + (f"_{_grouped(below)}" if below else "") + (f"^{_grouped(above)}" if above else "")
    )


def _sum(node: Element) -> str:
    sign = _value(node, "naryPr", "chr", "∫")
    below, above = _part(node, "sub"), _part(node, "sup")
    limits = (f"_{_grouped(below)}" if below else "") + (f"^{_grouped(above)}" if above else "")
    return f"{sign}{limits} {_part(node, 'e')}"


def _delimited(node: Element) -> str:
    inner = _value(node, "dPr", "sepChr", "|").join(linear(part) for part in node.findall(f"{M}e"))
    return f"{_value(node, 'dPr', 'begChr', '(')}{inner}{_value(node, 'dPr', 'endChr', ')')}"


def _value(node: Element, properties: str, name: str, usual: str) -> str:
    found = node.find(f"{M}{properties}/{M}{name}")
    return usual if found is None else found.get(f"{M}val", usual)
