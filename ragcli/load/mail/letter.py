"""A letter as a person reads it: who wrote to whom, when and what about, then its words.

Of the fields those that mail programs show are kept, of a body in several versions one, and of
what lies in it what is no more than an ornament of its HTML (its images) is left out.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from mimetypes import MimeTypes
from typing import TYPE_CHECKING

from ragcli.load.blocks import moved
from ragcli.load.mail.charset import text_in, words
from ragcli.load.mail.mime import Part, from_uuencode, parse
from ragcli.load.mail.signed import content_of
from ragcli.load.markup.plain import read_text
from ragcli.load.parsed import CannotRead, Content, Member, Parsed
from ragcli.load.source import Source, clean, inline
from ragcli.load.web.html import read_html
from ragcli.types import Block, PlaceMap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ragcli.load.parsed import Item
    from ragcli.types import Scalar

_SHOWN = {
    "from": "From",
    "to": "To",
    "cc": "Cc",
    "bcc": "Bcc",
    "newsgroups": "Newsgroups",
    "date": "Date",
    "sent": "Sent",
    "subject": "Subject",
}
_CLEARLY_LESS = 0.6  # share of the HTML's letters that the plain version must have
_MOST_ADDRESSES = 500  # characters of them in the metadata
_BEGIN = re.compile(r"begin [0-7]{3,4} (\S.*)")
_PGP = re.compile(r"^-----BEGIN PGP MESSAGE-----\r?$.*?(?:^-----END PGP MESSAGE-----\r?$|\Z)", re.M | re.S)
_HALF_OF_DAY = re.compile(r"(?<=\d )[aApP](?=[mM]\b)")
_NOON = 12
_TAGS = re.compile(r"</?[A-Za-z-]{1,60}>")
_SUFFIXES = {
    "text/calendar": ".ics",
    "text/markdown": ".md",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "application/rtf": ".rtf",
    "text/rtf": ".rtf",
    "application/octet-stream": "",
}
_MORE_SUFFIXES = MimeTypes()
_ORNAMENTS = ("image/", "font/", "text/css", "text/javascript", "application/javascript", "application/x-js")
_PLAIN_TYPES = frozenset(["text/plain", "text/enriched", "text/richtext", "text/rfc822-headers"])
_SIGNATURES = frozenset(
    ["application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"]
)
_SMIME = frozenset(["application/pkcs7-mime", "application/x-pkcs7-mime"])


@dataclass(frozen=True, slots=True)
class _Body:
    """Words of the letter; ``letters`` of them, from HTML or not."""

    parsed: Parsed
    letters: int
    is_html: bool


def read_letter(content: Content) -> Iterator[Item]:
    """The letter, and what is attached to it as members."""
    data = content.data if b"\n" in content.data else content.data.replace(b"\r", b"\n")
    yield from letter(data)


def letter(data: bytes, first_line: int = 1, name: str = "") -> Iterator[Item]:
    """The letter in ``data``, whose first line is that of its file, under a name of its own if it has one.

    What is attached stands under that name. Lines are those of the file where all bodies stand in
    it as they are read.
    """
    message = parse(data)
    reading = _Reading(data, first_line)
    shown = reading.fields(message)
    items = reading.items(message)
    bodies = [item.parsed for item in items if isinstance(item, _Body)]
    text, blocks, lines = join([*shown, *bodies])
    subject = message.value("subject")
    title = subject or next((body.title for body in bodies if body.title), "")
    yield Parsed(inline(title), text, blocks, lines, metadata=metadata_of(message), name=name)
    for item in items:
        if isinstance(item, Member):
            yield replace(item, name=f"{name}/{item.name}" if name else item.name)
        elif isinstance(item, CannotRead):
            yield CannotRead(item.error, item.message, name)


def metadata_of(message: Part) -> dict[str, Scalar]:
    """``from``, ``to``, ``cc`` and ``date`` (ISO 8601, in UTC), where they are there."""
    found: dict[str, Scalar] = {}
    for name in ("from", "to", "cc"):
        value = inline(", ".join(message.values(name)))
        if value:
            found[name] = few_addresses(value)
    date = iso_date(message.value("date") or message.value("sent"))
    if date:
        found["date"] = date
    return found


def few_addresses(value: str) -> str:
    """Whole addresses, as many as are worth keeping beside every passage."""
    return value if len(value) <= _MOST_ADDRESSES else value[:_MOST_ADDRESSES].rpartition(",")[0]


def iso_date(value: str) -> str:
    """A date of a letter in ISO 8601 and UTC; empty where it is none. Without a zone it is in UTC."""
    try:
        moment = parsedate_to_datetime(value)
        half = _HALF_OF_DAY.search(value)
        if half and moment.hour <= _NOON:
            moment = moment.replace(hour=moment.hour % _NOON + (_NOON if half[0] in "pP" else 0))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def join(parts: Sequence[Parsed]) -> tuple[str, tuple[Block, ...], PlaceMap | None]:
    """Texts one after another, with a blank line between; lines only where each has them."""
    texts: list[str] = []
    blocks: list[Block] = []
    starts: list[int] = []
    lines: list[int] = []
    at = 0
    kept = [part for part in parts if part.text.strip()]
    for part in kept:
        at += 2 if texts else 0
        texts.append(part.text)
        blocks += [moved(block, at) for block in part.blocks]
        if part.lines is not None:
            starts += [start + at for start in part.lines.starts]
            lines += part.lines.places
        at += len(part.text)
    known = kept and all(part.lines is not None for part in kept)
    return "\n\n".join(texts), tuple(blocks), PlaceMap(tuple(starts), tuple(lines)) if known else None


class _Reading:
    """One letter being read; offsets of its data become lines in order, each counted once."""

    def __init__(self, data: bytes, first_line: int) -> None:
        self._data = data
        self._first_line = first_line
        self._at, self._line = 0, first_line
        self._seen = False  # words of the letter itself
        self._attached = 0

    def fields(self, message: Part) -> list[Parsed]:
        """The fields that a person sees, in their order."""
        shown = [(name, value, at) for name, value, at in message.fields if name in _SHOWN]
        texts: list[str] = []
        numbers: list[int] = []
        for name, value, at in shown:
            told = inline(words(value))
            if told:
                texts.append(f"{_SHOWN[name]}: {told}")
                numbers.append(self._line_at(at))
        if not texts:
            return []
        text = "\n".join(texts)
        return [Parsed("", text, (Block("paragraph", 0, len(text)),), Source(text, numbers).places())]

    def items(self, part: Part, within: str = "") -> list[_Body | Member | CannotRead]:
        """What lies in a part of something ``within`` that type: words, members, and what is locked."""
        kind = part.type
        if kind == "multipart/encrypted":
            return [_encrypted("PGP" if "pgp" in part.parameter("protocol").lower() else "a key")]
        if kind in _SMIME:
            return self._smime(part)
        if kind == "multipart/alternative" and part.parts:
            return _best([self.items(child, kind) for child in part.parts])
        if part.parts:
            items = [item for child in part.parts for item in self.items(child, kind)]
            told = f"it has more than {len(part.parts)} parts; so many were read"
            return [*items, CannotRead("too-large", told)] if part.is_cut else items
        if kind in _SIGNATURES or _is_ornament(part, within):
            return []
        if self._is_body(part, within):
            self._seen = True
            return self._html(part) if kind == "text/html" else self._plain(part)
        return [Member(self._name(part), part.body())]

    def _is_body(self, part: Part, within: str) -> bool:
        kind = part.type
        if part.disposition == "attachment" or part.is_message:
            return False
        if part.filename and self._seen and within != "multipart/alternative":
            return False
        if kind in _PLAIN_TYPES or kind == "text/html" or kind.startswith(("message/", "multipart/")):
            return True
        return kind.startswith("text/") and not part.filename and not _suffix(kind)

    def _smime(self, part: Part) -> list[_Body | Member | CannotRead]:
        inner = content_of(part.body())
        if inner is None:
            return [_encrypted("S/MIME")]
        signed = parse(inner.replace(b"\r\n", b"\n"))
        return [_without_lines(item) for item in _Reading(signed.data, 1).items(signed)]

    def _html(self, part: Part) -> list[_Body | Member | CannotRead]:
        data = part.body()
        if part.charset:
            data = codecs.BOM_UTF8 + text_in(data, part.charset).encode("utf-8", "replace")
        if not data.strip():
            return []
        parsed = read_html(Content(data))
        lines = None
        if not part.coding and parsed.lines is not None:
            before = self._line_at(part.start) - 1
            lines = PlaceMap(parsed.lines.starts, tuple(line + before for line in parsed.lines.places))
        return [_Body(replace(parsed, lines=lines), _letters(parsed.text), is_html=True)]

    def _plain(self, part: Part) -> list[_Body | Member | CannotRead]:
        data = part.body()
        text = text_in(data, part.charset)
        items: list[_Body | Member | CannotRead] = []
        if _PGP.search(text):
            items.append(_encrypted("PGP"))
            text = _PGP.sub(lambda found: "\n" * found[0].count("\n"), text)
        if part.type in ("text/enriched", "text/richtext"):
            text = _TAGS.sub("", text).replace("<<", "<")
        if part.parameter("format").lower() == "flowed":
            text = _unflowed(text, join=part.parameter("delsp").lower() == "yes")
        verbatim = not part.coding and text.count("\n") == data.count(b"\n")
        source = clean(text)
        before = self._line_at(part.start) - 1 if verbatim else 0
        source, members = _without_files(_trimmed(source, before))
        if source.text:
            parsed = read_text(source)
            parsed = parsed if verbatim else replace(parsed, lines=None)
            items.insert(0, _Body(parsed, _letters(parsed.text), is_html=False))
        return items + members

    def _name(self, part: Part) -> str:
        self._attached += 1
        name = part.filename
        if part.is_message:
            within = parse(part.body()[:65536]).value("subject").replace("/", "-")
            return f"{name.removesuffix('.eml') or within or f'message {self._attached}'}.eml"
        if re.search(r"\.\w{1,8}$", name):
            return name
        return f"{name or f'attachment {self._attached}'}{_suffix(part.type)}"

    def _line_at(self, offset: int) -> int:
        if offset < self._at:
            self._at, self._line = 0, self._first_line
        self._line += self._data.count(b"\n", self._at, offset)
        self._at = offset
        return self._line


def _best(versions: list[list[_Body | Member | CannotRead]]) -> list[_Body | Member | CannotRead]:
    """Of the versions of a body the plain one, unless another clearly says more; what else lies in any."""

    def said(version: list[_Body | Member | CannotRead], *, html: bool) -> int:
        return sum(item.letters for item in version if isinstance(item, _Body) and item.is_html == html)

    plain = max(versions, key=lambda version: said(version, html=False), default=[])
    rich = max(versions, key=lambda version: said(version, html=True), default=[])
    chosen = plain if said(plain, html=False) >= _CLEARLY_LESS * said(rich, html=True) else rich
    return [
        item for version in versions for item in version if version is chosen or not isinstance(item, _Body)
    ]


def _suffix(kind: str) -> str:
    """What files of a type are named; empty where that is not known."""
    found = _SUFFIXES.get(kind)
    return (_MORE_SUFFIXES.guess_extension(kind) or "") if found is None else found


def _encrypted(how: str) -> CannotRead:
    return CannotRead(
        "encrypted", f"its words are encrypted with {how}; decrypt it in the mail program first"
    )


def _without_lines(item: _Body | Member | CannotRead) -> _Body | Member | CannotRead:
    return replace(item, parsed=replace(item.parsed, lines=None)) if isinstance(item, _Body) else item


def _is_ornament(part: Part, within: str) -> bool:
    """An image that the HTML shows, or a style sheet, script or font that it is shown with."""
    if part.disposition == "attachment":
        return False
    if within == "multipart/related" and part.type == "application/octet-stream":
        return part.raw("content-location") is not None
    return part.type.startswith(_ORNAMENTS) and (
        within == "multipart/related" or part.raw("content-id") is not None
    )


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _unflowed(text: str, *, join: bool) -> str:
    """Format=flowed (RFC 3676) without its stuffing; ``join`` where a line's last space is none."""
    lines = [line[1:] if line.startswith(" ") else line for line in text.split("\n")]
    if not join:
        return "\n".join(lines)
    out: list[str] = []
    for line in lines:
        bare = line.rstrip("\r")
        flows = bare.endswith(" ") and bare != "-- "
        out.append(bare[:-1] if flows else f"{bare}\n")
    return "".join(out)


def _trimmed(source: Source, before: int) -> Source:
    """Without blank lines at its ends, and with ``before`` lines more before it."""
    kept = source.text.rstrip()
    first = len(kept) - len(kept.lstrip())
    first = kept.rfind("\n", 0, first) + 1
    lines = source.numbers[kept.count("\n", 0, first) : kept.count("\n") + 1]
    shifted = (
        range(lines[0] + before, lines[-1] + before + 1)
        if isinstance(lines, range)
        else [n + before for n in lines]
    )
    return Source(kept[first:], shifted)


def _without_files(source: Source) -> tuple[Source, list[Member]]:
    """The text without the uuencoded files that stand in it; and those."""
    if "\nend" not in source.text or "begin " not in source.text:
        return source, []
    lines = source.text.split("\n")
    ends = [number for number, line in enumerate(lines) if line.strip() == "end"]
    kept: list[int] = []
    members: list[Member] = []
    at = 0
    while at < len(lines):
        found = _BEGIN.fullmatch(lines[at].rstrip()) if ends else None
        place = bisect_right(ends, at)
        end = ends[place] if place < len(ends) else None
        if found is None or end is None:
            kept.append(at)
            at += 1
            continue
        data = b"".join(from_uuencode([line.encode("ascii", "replace") for line in lines[at + 1 : end]]))
        members.append(Member(found[1].replace("\\", "/").rsplit("/", 1)[-1], data))
        at = end + 1
    if not members:
        return source, []
    rest = Source("\n".join(lines[n] for n in kept), [source.numbers[n] for n in kept])
    return _trimmed(rest, 0), members
