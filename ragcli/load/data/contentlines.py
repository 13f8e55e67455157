"""Calendars and address cards: objects written in content lines (RFC 5545, RFC 6350, vCard 2.1)."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragcli.load.blocks import paragraph, scan, to_blocks
from ragcli.load.mail.charset import text_in
from ragcli.load.markup.plain import read_text
from ragcli.load.parsed import Parsed
from ragcli.load.source import Source, clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LINE = re.compile(r"(?:[\w-]+\.)?([A-Za-z0-9-]+)((?:;(?:[^\":;]|\"[^\"]*\")*)*):(.*)", re.DOTALL)
_PARAMETER = re.compile(r";([A-Za-z0-9-]+)(?:=((?:[^\";]|\"[^\"]*\")*))?")
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_STRUCTURED = frozenset(["ADR", "N", "ORG", "GENDER"])
_BINARY = frozenset(["PHOTO", "LOGO", "SOUND", "KEY"])
_UNSEEN = frozenset(["VTIMEZONE", "STANDARD", "DAYLIGHT"])
_LABELS = {
    "DTSTART": "Start",
    "DTEND": "End",
    "DTSTAMP": "Stamp",
    "RRULE": "Repeats",
    "FN": "Name",
    "N": "Full name",
    "ORG": "Organization",
    "TEL": "Telephone",
    "EMAIL": "E-mail",
    "ADR": "Address",
    "BDAY": "Birthday",
    "URL": "Web page",
    "X-WR-CALNAME": "Calendar name",
    "X-WR-CALDESC": "Calendar description",
}
_TYPES_OF_NO_NOTE = frozenset(["internet", "pref", "voice", "text", "uri", "x400"])


@dataclass(frozen=True, slots=True)
class _Property:
    """A content line, unfolded: upper-case name and parameters, value as it stands, its first line's index."""

    name: str
    parameters: dict[str, str]
    value: str
    line: int


@dataclass(slots=True)
class _Writer:
    lines: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def add(self, text: str, number: int) -> None:
        for line in text.split("\n"):
            if line.strip():
                self.lines.append(line.rstrip())
                self.numbers.append(number)

    def part(self, number: int) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")
            self.numbers.append(number)


def read_calendar(source: Source) -> Parsed:
    """A block for the calendar and one for each event, task and journal entry, with all their fields.

    Alarms stand with what they belong to; the rules of time zones and attached bytes are left out.
    """
    return _read(source, "X-WR-CALNAME", "SUMMARY")


def read_cards(source: Source) -> Parsed:
    """A block a card; pictures, sounds and keys are left out."""
    return _read(source, "FN", "FN")


def _read(source: Source, *titles: str) -> Parsed:
    """``titles`` are the names that may title the file, the first one found, if what it names is alone."""
    out = _Writer()
    stack: list[str] = []
    hidden = alarms = 0  # how many of those are open
    found: dict[str, list[str]] = {name: [] for name in titles}
    for line in _properties(source.text.split("\n")):
        number = source.numbers[line.line]
        if line.name == "BEGIN":
            stack.append(line.value.strip().upper())
            hidden += stack[-1] in _UNSEEN
            alarms += stack[-1] == "VALARM"
            if not hidden:
                if stack[-1] != "VALARM":
                    out.part(number)
                out.add(stack[-1].removeprefix("V").capitalize(), number)
        elif line.name == "END":
            if stack:
                ended = stack.pop()
                hidden -= ended in _UNSEEN
                alarms -= ended == "VALARM"
            if not stack or stack[-1] == "VCALENDAR":
                out.part(number)
        elif not hidden:
            value = _value(line)
            if value:
                out.add(f"{_label(line)}: {value}", number)
                if line.name in found and not alarms:
                    found[line.name].append(value)
    if not out.lines:
        return read_text(source)
    while out.lines and not out.lines[-1]:
        out.lines.pop()
        out.numbers.pop()
    written = Source("\n".join(out.lines), out.numbers)
    title = next((values[0] for values in found.values() if len(values) == 1), "")
    blocks = to_blocks(out.lines, scan(out.lines, (paragraph,)))
    return Parsed(" ".join(title.split()), written.text, blocks, written.places())


def _properties(lines: Sequence[str]) -> Iterator[_Property]:
    """The content lines, unfolded; a line that is none belongs to nothing and is a note."""
    at = 0
    while at < len(lines):
        first, parts = at, [lines[at]]
        # vCard 2.1 breaks quoted-printable values as mail does.
        quoted = "QUOTED-PRINTABLE" in lines[at].partition(":")[0].upper()
        at += 1
        while at < len(lines):
            if quoted and parts[-1].endswith("="):
                parts[-1] = parts[-1][:-1]
                parts.append(lines[at])
            elif lines[at][:1] in (" ", "\t"):
                parts.append(lines[at][1:])
            else:
                break
            at += 1
        made = _property("".join(parts), first)
        if made is not None:
            yield made


def _property(text: str, line: int) -> _Property | None:
    made = _LINE.match(text)
    if made is None:
        return _Property("NOTE", {}, text, line) if text.strip() else None
    parameters: dict[str, str] = {}
    for found in _PARAMETER.finditer(made[2]):
        # vCard 2.1 writes types without their name.
        name, value = (found[1].upper(), found[2]) if found[2] is not None else ("TYPE", found[1])
        value = value.replace('"', "")
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return _Property(made[1].upper(), parameters, made[3], line)


def _label(line: _Property) -> str:
    label = _LABELS.get(line.name) or line.name.removeprefix("X-").capitalize()
    types = [kind for kind in line.parameters.get("TYPE", "").lower().split(",") if kind]
    told = ", ".join(kind for kind in types if kind not in _TYPES_OF_NO_NOTE)
    return f"{label} ({told})" if told else label


def _value(line: _Property) -> str:
    encoding = line.parameters.get("ENCODING", "").upper()
    if encoding in ("B", "BASE64") or line.name in _BINARY or line.value.startswith("data:"):
        return ""
    value = line.value
    if "QUOTED-PRINTABLE" in (encoding, line.parameters.get("TYPE", "").upper()):
        decoded = binascii.a2b_qp(value.encode("utf-8", "replace"))
        value = clean(text_in(decoded, line.parameters.get("CHARSET"))).text
    if line.name in _STRUCTURED:
        # Fields within are parted by semicolons, those that are escaped apart.
        fields = [_unescaped(part).strip() for part in re.split(r"(?<!\\);", value)]
        return ", ".join(part for part in fields if part)
    value = _unescaped(value).strip()
    name = line.parameters.get("CN", "")
    address = value[7:] if value.lower().startswith("mailto:") else value
    if name:
        return f"{name} <{address}>" if address and address != name else name
    moment = _MOMENT.fullmatch(value)
    return _moment(moment, line.parameters.get("TZID", "")) if moment else address


def _unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def _moment(found: re.Match[str], zone: str) -> str:
    year, month, day, hour, minute, second, utc = found.groups()
    date = f"{year}-{month}-{day}"
    time = f"T{hour}:{minute}:{second}{utc}" if hour else ""
    return f"{date}{time} ({zone})" if zone else f"{date}{time}"
