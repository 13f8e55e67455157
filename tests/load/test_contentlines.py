"""Calendars and address cards: each event and card a block, its fields unfolded, in their lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from .known import SEEDS, Known, check_known, known
from .support import SHARED, document, texts

_EVENT = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19701025T030000
TZNAME:CET
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
DTSTART;TZID=Europe/Berlin:20240105T093000
SUMMARY:Harbour meeting
DESCRIPTION:first line\\nsecond line\\, with a comma\\; folded wi
 thin a word
ORGANIZER;CN="Anna, of the harbour":mailto:anna@example.org
ATTACH;ENCODING=BASE64;VALUE=BINARY:QUJD
BEGIN:VALARM
TRIGGER:-PT15M
END:VALARM
END:VEVENT
BEGIN:VTODO
DUE;VALUE=DATE:20240107
SUMMARY:Oil the crane
END:VTODO
END:VCALENDAR
"""


def test_an_event_is_a_block_with_its_fields(tmp_path: Path) -> None:
    item = document(tmp_path, "a.ics", _EVENT)
    assert texts(item)[1:] == [
        (
            "paragraph",
            "Event\nStart: 2024-01-05T09:30:00 (Europe/Berlin)\nSummary: Harbour meeting\n"
            "Description: first line\nsecond line, with a comma; folded within a word\n"
            "Organizer: Anna, of the harbour <anna@example.org>\nAlarm\nTrigger: -PT15M",
        ),
        ("paragraph", "Todo\nDue: 2024-01-07\nSummary: Oil the crane"),
    ]
    assert item.lines is not None
    for words, line in (("Summary: Harbour", 12), ("second line", 13), ("Organizer", 15), ("Due", 22)):
        assert item.lines.at(item.text.index(words)) == line


def test_cards_of_all_versions(tmp_path: Path) -> None:
    card = (
        "BEGIN:VCARD\r\nVERSION:2.1\r\nFN:Anna Berg\r\n"
        "N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:J=F6=\r\nrg;Anna;;;\r\n"
        "TEL;WORK;VOICE:+49 30 123\r\nitem1.EMAIL;TYPE=INTERNET:a@example.org\r\n"
        "ADR;TYPE=home:;;Main Street 1\\;b;Berlin;;10115;Germany\r\n"
        "PHOTO;ENCODING=b;TYPE=JPEG:QUJD\r\n QUJD\r\nEND:VCARD\r\n"
    )
    item = document(tmp_path, "a.vcf", card)
    assert item.title == "Anna Berg"
    assert item.text.split("\n")[1:] == [
        "Version: 2.1",
        "Name: Anna Berg",
        "Full name: Jörg, Anna",
        "Telephone (work): +49 30 123",
        "E-mail: a@example.org",
        "Address (home): Main Street 1;b, Berlin, 10115, Germany",
    ]
    assert len(document(tmp_path, "b.vcf", card + card).blocks) == 2


def _written(content: Known) -> bytes:
    lines = ["BEGIN:VCALENDAR"]
    for piece in content.pieces:
        folded = "\r\n ".join(
            piece.text[at : at + 30].replace(",", "\\,") for at in range(0, len(piece.text), 30)
        )
        lines += ["BEGIN:VEVENT", f"DESCRIPTION:{folded}", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


@pytest.mark.parametrize("seeds", [SEEDS[first : first + 50] for first in range(0, len(SEEDS), 50)])
def test_generated_calendars(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        content = known(seed, ("paragraph",))
        check_known(tmp_path, "a.ics", _written(content), content)


@pytest.mark.skipif(not (SHARED / "files").is_dir(), reason="the shared files are not here")
def test_a_real_calendar(tmp_path: Path) -> None:
    file = SHARED / "files" / "text" / "testICalendar.ics"
    item = document(tmp_path, "a.ics", file.read_bytes())
    assert "Location: Banque Nationale Stage" in item.text
    assert item.title.startswith("Susi Hyldgaard")
