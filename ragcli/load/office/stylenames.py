"""What the names of paragraph styles mean, as word processors write them in the languages of their users."""

from __future__ import annotations

import re

_HEADING = re.compile(
    r"(?:heading|[üu]berschrift|titre|titolo|t[íi]tulo|kop|rubrik|overskrift|otsikko|nag[łl][óo]wek|nadpis"
    r"|címsor|başlık|titlu|cabeçalho|заголовок|επικεφαλίδα|標題|标题|見出し|제목)\s*([1-9])(?!\d)",
    re.IGNORECASE,
)
_TITLE = frozenset(["title", "titel", "titre principal", "título", "标题", "標題", "表題", "제목"])
_CAPTION = re.compile(
    r"(?:caption|beschriftung|légende|legende|epígrafe|leyenda|didascalia|bijschrift|bildtext|题注|標號|図表番号"
    r"|캡션|подпись|название объекта)",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?:html preformatted|source ?code|code ?block|code|macro|preformatted text|plaintext)", re.IGNORECASE
)


def heading_level(name: str) -> int:
    """The level of a heading, 1 being the top; 0 for other styles, a title's among them."""
    found = _HEADING.match(name.strip())
    return int(found[1]) if found else 0


def is_title(name: str) -> bool:
    """The title of the whole document."""
    return name.strip().lower() in _TITLE


def style_level(name: str) -> int:
    """The level of a heading, where the title of the document counts as one of the top."""
    return heading_level(name) or int(is_title(name))


def style_kind(name: str) -> str:
    """``caption`` or ``code``; empty for other styles."""
    if _CAPTION.fullmatch(name.strip()):
        return "caption"
    return "code" if _CODE.fullmatch(name.strip()) else ""
