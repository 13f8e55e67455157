"""Outlook's own files: letters, appointments, contacts, tasks and notes (MS-OXMSG, MS-OXPROPS)."""

from __future__ import annotations

import codecs
from dataclasses import replace
from typing import TYPE_CHECKING

from ragcli.load.mail.charset import text_in
from ragcli.load.mail.letter import few_addresses, iso_date, join
from ragcli.load.mail.mapi import Storage, codec_of, opened
from ragcli.load.mail.mime import parse
from ragcli.load.mail.richtext import decompressed, html_in
from ragcli.load.markup.plain import read_text
from ragcli.load.office.ole import MAGIC, open_ole
from ragcli.load.office.rtf import read_rtf
from ragcli.load.parsed import CannotRead, Content, Member, Parsed
from ragcli.load.source import clean, inline
from ragcli.load.web.html import read_html
from ragcli.types import Block

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ragcli.load.mail.mapi import Key
    from ragcli.load.parsed import Item
    from ragcli.types import Scalar

_DEEPEST = 20
_CLEARLY_LESS = 0.6
_NO_YEAR = 4500  # how Outlook writes that there is no date
_APPOINTMENT, _TASK, _ADDRESS, _LOG = "00062002", "00062003", "00062004", "0006200a"
_CLASS, _SUBJECT, _HEADERS, _BODY, _HTML, _RTF = 0x001A, 0x0037, 0x007D, 0x1000, 0x1013, 0x1009
_SUBMITTED, _DELIVERED, _CREATED, _BODY_CODEPAGE = 0x0039, 0x0E06, 0x3007, 0x3FDE
_NAME, _SMTP, _EMAIL, _RECIPIENT_KIND = 0x3001, 0x39FE, 0x3003, 0x0C15
_DATA, _LONG_NAME, _SHORT_NAME, _CONTENT_ID, _HIDDEN = 0x3701, 0x3707, 0x3704, 0x3712, 0x7FFE
_MIME, _FLAGS, _SHOWN_BY_HTML = 0x370E, 0x3714, 4
_LOCKED = "IPM.Note.SMIME"
_IN_A_STORAGE = "__substg1.0_3701000D"
_FROM = ((0x0042, 0x5D02, 0x0065), (0x0C1A, 0x5D01, 0x0C1F))  # name, SMTP address, address of any kind
_SHOWN_TO = ((1, "To", 0x0E04), (2, "Cc", 0x0E03), (3, "Bcc", 0x0E02))
_STATUS = ("not started", "in progress", "complete", "waiting on someone else", "deferred")
_FIELDS: dict[str, list[tuple[str, Key]]] = {
    "IPM.Appointment": [
        ("Location", (_APPOINTMENT, 0x8208)),
        ("Start", (_APPOINTMENT, 0x820D)),
        ("End", (_APPOINTMENT, 0x820E)),
        ("Recurrence", (_APPOINTMENT, 0x8232)),
        ("Time zone", (_APPOINTMENT, 0x8234)),
    ],
    "IPM.Task": [
        ("Owner", (_TASK, 0x811F)),
        ("Start", (_TASK, 0x8104)),
        ("Due", (_TASK, 0x8105)),
        ("Completed", (_TASK, 0x810F)),
        ("Status", (_TASK, 0x8101)),
        ("Share done", (_TASK, 0x8102)),
    ],
    "IPM.Activity": [("Type", (_LOG, 0x8700)), ("Start", (_LOG, 0x8706)), ("End", (_LOG, 0x8708))],
    "IPM.Contact": [
        ("Name", _NAME),
        ("Nickname", 0x3A4F),
        ("Company", 0x3A16),
        ("Job title", 0x3A17),
        ("Department", 0x3A18),
        ("Office", 0x3A19),
        ("Profession", 0x3A46),
        ("Manager", 0x3A4E),
        ("Assistant", 0x3A30),
        ("E-mail", (_ADDRESS, 0x8083)),
        ("E-mail 2", (_ADDRESS, 0x8093)),
        ("E-mail 3", (_ADDRESS, 0x80A3)),
        ("Messenger", (_ADDRESS, 0x8062)),
        ("Web page", (_ADDRESS, 0x802B)),
        ("Business web page", 0x3A51),
        ("Personal web page", 0x3A50),
        ("Business telephone", 0x3A08),
        ("Business telephone 2", 0x3A1B),
        ("Home telephone", 0x3A09),
        ("Home telephone 2", 0x3A2F),
        ("Mobile telephone", 0x3A1C),
        ("Other telephone", 0x3A1F),
        ("Main telephone", 0x3A57),
        ("Pager", 0x3A21),
        ("Business fax", 0x3A24),
        ("Home fax", 0x3A25),
        ("Business address", (_ADDRESS, 0x801B)),
        ("Home address", (_ADDRESS, 0x801A)),
        ("Other address", (_ADDRESS, 0x801C)),
        ("Address", 0x3A15),
        ("Birthday", 0x3A42),
        ("Anniversary", 0x3A41),
        ("Spouse", 0x3A48),
    ],
}


def read_msg(content: Content) -> Iterator[Item]:
    """The item with the fields that Outlook shows of its kind; messages attached to it, each as a document.

    Other attachments are members. Images that its HTML shows are left out.
    """
    if not content.data.startswith(MAGIC):
        raise CannotRead("damaged", "it is no Outlook file, or damaged")
    with open_ole(content.data) as ole:
        yield from _message(opened(ole), "", 0)


def _message(storage: Storage, name: str, depth: int) -> Iterator[Item]:
    kind = storage.text(_CLASS)
    subject = storage.text(_SUBJECT)
    shown = _letter_fields(storage) if _is_letter(kind) else []
    shown += [("Subject", subject), *_own_fields(storage, kind)]
    problems: list[CannotRead] = []
    text, blocks, _ = join([*_block(shown), *_body(storage, subject, problems)])
    yield Parsed(inline(subject), text, blocks, None, metadata=_metadata(storage, shown), name=name)
    yield from problems
    if kind.startswith(_LOCKED) and "MultipartSigned" not in kind:
        told = "its words are encrypted with S/MIME; decrypt it in the mail program first"
        yield CannotRead("encrypted", told, name)
    for number, attached in enumerate(storage.within("__attach"), 1):
        yield from _attachment(attached, number, f"{name}/" if name else "", depth)


def _is_letter(kind: str) -> bool:
    return not kind.startswith(("IPM.Contact", "IPM.StickyNote", "IPM.Task", "IPM.Activity"))


def _letter_fields(storage: Storage) -> list[tuple[str, str]]:
    headers = parse(storage.text(_HEADERS).encode("utf-8", "replace"))
    fields = [("From", _sender(storage) or headers.value("from"))]
    people: dict[int, list[str]] = {}
    for person in storage.within("__recip"):
        role = person.number(_RECIPIENT_KIND) or 1
        people.setdefault(int(role) & 3, []).append(_person(person.text(_NAME), _address(person)))
    for role, label, display in _SHOWN_TO:
        fields.append((label, ", ".join(people.get(role, ())) or storage.text(display)))
    moment = storage.time(_SUBMITTED) or storage.time(_DELIVERED)
    date = headers.value("date") or (_iso(moment) if moment else "")
    return [*fields, ("Date", date)]


def _sender(storage: Storage) -> str:
    """Who it is from, and who sent it where that was somebody else."""
    (represented, address), (sender, sent_from) = (
        (storage.text(name), storage.text(smtp) or storage.text(any_)) for name, smtp, any_ in _FROM
    )
    first, second = _person(represented, address), _person(sender, sent_from)
    told = "@" in sent_from and "@" in address and sent_from.lower() != address.lower()
    return f"{second} on behalf of {first}" if told else first or second


def _address(person: Storage) -> str:
    return person.text(_SMTP) or person.text(_EMAIL)


def _person(name: str, address: str) -> str:
    """Name and address; an address within Exchange is none that a person writes."""
    address = address if "@" in address else ""
    if name.strip("'\"").lower() == address.lower():
        name = ""
    return f"{name} <{address}>" if name and address and address not in name else name or address


def _own_fields(storage: Storage, kind: str) -> list[tuple[str, str]]:
    named = next((fields for start, fields in _FIELDS.items() if kind.startswith(start)), None)
    if named is None and kind.startswith("IPM.Schedule"):
        named = _FIELDS["IPM.Appointment"]
    return [(label, _shown(storage, label, key)) for label, key in named or ()]


def _shown(storage: Storage, label: str, key: Key) -> str:
    moment = storage.time(key)
    if moment is not None:
        return _iso(moment) if moment.year < _NO_YEAR else ""
    number = storage.number(key)
    if number is None:
        return storage.text(key)
    if label == "Status":
        return _STATUS[int(number)] if 0 <= number < len(_STATUS) else ""
    return f"{number:.0%}" if label == "Share done" else f"{number:g}"


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _block(fields: list[tuple[str, str]]) -> list[Parsed]:
    seen: set[tuple[str, str]] = set()
    lines: list[str] = []
    for label, value in fields:
        words = inline(value)
        if words and (label, words) not in seen:
            seen.add((label, words))
            lines.append(f"{label}: {words}")
    text = "\n".join(lines)
    return [Parsed("", text, (Block("paragraph", 0, len(text)),), None)] if text else []


def _body(storage: Storage, subject: str, problems: list[CannotRead]) -> list[Parsed]:
    """Its words, at most one; a note has none but those of its subject."""
    plain = storage.text(_BODY)
    html = _html(storage)
    rtf = b"" if plain or html else decompressed(storage.bytes(_RTF))
    if rtf:
        inner = html_in(rtf)
        if not inner:
            return _rich(rtf, subject, problems)
        html = codecs.BOM_UTF8 + inner.encode("utf-8", "replace")
    page = replace(read_html(Content(html)), lines=None) if html.strip() else None
    if page is not None and _letters(plain) < _CLEARLY_LESS * _letters(page.text):
        return [page]
    text = clean(plain.strip())
    if not text.text or text.text == subject:
        return []
    return [replace(read_text(text), lines=None)]


def _rich(rtf: bytes, subject: str, problems: list[CannotRead]) -> list[Parsed]:
    # What it embeds is attached to the letter, too.
    try:
        parsed = next((item for item in read_rtf(Content(rtf)) if isinstance(item, Parsed)), None)
    except CannotRead as error:
        problems.append(error)
        return []
    is_said = parsed is None or not parsed.text or parsed.text == subject
    return [] if is_said or parsed is None else [replace(parsed, lines=None, pages=None)]


def _html(storage: Storage) -> bytes:
    raw = storage.bytes(_HTML)
    page = storage.number(_BODY_CODEPAGE)
    if raw and page:
        return codecs.BOM_UTF8 + text_in(raw, codec_of(page)).encode("utf-8", "replace")
    text = storage.text(_HTML)
    return codecs.BOM_UTF8 + text.encode("utf-8", "replace") if text and not raw else raw


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _metadata(storage: Storage, shown: list[tuple[str, str]]) -> dict[str, Scalar]:
    told = {label.lower(): inline(value) for label, value in shown}
    found: dict[str, Scalar] = {
        name: few_addresses(told[name]) for name in ("from", "to", "cc") if told.get(name)
    }
    moment = storage.time(_SUBMITTED) or storage.time(_DELIVERED) or storage.time(_CREATED)
    date = iso_date(told.get("date", "")) or (_iso(moment) if moment else "")
    return {**found, "date": date} if date else found


def _attachment(attached: Storage, number: int, before: str, depth: int) -> Iterator[Item]:
    name = attached.text(_LONG_NAME) or attached.text(_SHORT_NAME) or attached.text(_NAME)
    name = name.replace("\\", "/").rsplit("/", 1)[-1] or f"attachment {number}"
    inner = (*attached.path, _IN_A_STORAGE)
    if attached.ole.exists("/".join(inner)):
        message = opened(attached.ole, inner, attached.names, attached.codepage)
        if not message.text(_CLASS):
            yield CannotRead("unsupported", "an object of another program, which is not read", before + name)
        elif depth >= _DEEPEST:
            yield CannotRead("too-deep", f"it lies more than {_DEEPEST} letters deep", before + name)
        else:
            subject = message.text(_SUBJECT).replace("/", "-") or name
            yield from _message(message, f"{before}{subject.removesuffix('.msg')}.msg", depth + 1)
        return
    in_the_body = attached.values.get(_HIDDEN) is True or int(attached.number(_FLAGS) or 0) & _SHOWN_BY_HTML
    if attached.text(_MIME).startswith("image/") and (in_the_body or attached.text(_CONTENT_ID)):
        return
    yield Member(before + name, attached.bytes(_DATA))
