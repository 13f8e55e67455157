"""Names of OpenDocument: prefixes as the standard writes them, whatever a file's own prefixes are.

OASIS Open Document Format for Office Applications 1.3, and its forerunner, OpenOffice.org XML 1.0.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml import etree

_OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
_OLD = "http://openoffice.org/2000/"
_PREFIXES = {
    "animation": "anim",
    "datastyle": "number",
    "drawing": "draw",
    "xsl-fo-compatible": "fo",
    "svg-compatible": "svg",
}
_OTHERS = {
    "http://www.w3.org/1999/xlink": "xlink",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://www.w3.org/1998/Math/MathML": "math",
    "http://www.w3.org/1999/XSL/Format": "fo",
    "http://www.w3.org/2000/svg": "svg",
}


@lru_cache(maxsize=4096)
def odf_name(name: object) -> str:
    """``{namespace}local`` as ``prefix:local``; other names as they are, and empty for no name."""
    if not isinstance(name, str):
        return ""
    namespace, _, local = name.removeprefix("{").rpartition("}")
    if namespace.startswith(_OASIS):
        word = namespace.removeprefix(_OASIS).partition(":")[0]
        return f"{_PREFIXES.get(word, word)}:{local}"
    if namespace.startswith(_OLD):
        word = namespace.removeprefix(_OLD)
        return f"{_PREFIXES.get(word, word)}:{local}"
    return f"{_OTHERS[namespace]}:{local}" if namespace in _OTHERS else local


def attribute(element: etree._Element, name: str) -> str:
    """The value of the attribute ``prefix:local``; empty where there is none."""
    for key, value in element.attrib.items():
        if odf_name(key) == name:
            return str(value)
    return ""


def whole(text: str, default: int) -> int:
    """A whole number from an attribute, never below 0; the default where it is none."""
    try:
        return max(0, int(text[:12]))
    except ValueError:
        return default
