"""Mailboxes: many letters in one file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ragcli.load.mail.letter import letter
from ragcli.load.mail.mime import parse
from ragcli.load.parsed import CannotRead
from ragcli.load.source import inline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragcli.load.parsed import Content, Item

# A line of the text may begin so, too, where the mail program did not quote it: the date tells.
_FROM = re.compile(rb"^From (?=[^\n]*\d\d:\d\d)(?=[^\n]*\b\d{4}\b)[^\n]*(?:\r?\n|\Z)", re.MULTILINE)
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_HEADERS_WITHIN = 65_536
_LONGEST_NAME = 100
_EMLX = re.compile(rb"\s*(\d{1,12})[ \t]*\r?\n")


def read_mbox(content: Content) -> Iterator[Item]:
    """Each letter as a document named by its number and subject, its lines those of the mailbox.

    What is attached to a letter stands under its name.
    """
    data = content.data if b"\n" in content.data else content.data.replace(b"\r", b"\n")
    line, at = 1, 0
    for number, (first, last) in enumerate(_letters(data), 1):
        line += data.count(b"\n", at, first)
        at = first
        raw = _QUOTED.sub(rb"\1", data[first:last])
        subject = inline(parse(raw[:_HEADERS_WITHIN]).value("subject"))
        name = f"{number} {subject[:_LONGEST_NAME]}".replace("/", "-").replace("\\", "-").strip(". ")
        try:
            yield from letter(raw, line, name)
        except Exception as error:  # one letter at odds with itself does not take the others
            told = f"the letter cannot be read ({type(error).__name__}); it may be damaged"
            yield CannotRead("damaged", told, name)


def read_emlx(content: Content) -> Iterator[Item]:
    """A letter as Apple Mail keeps it: after its length, before what the program noted on it."""
    length = _EMLX.match(content.data)
    if length is None:
        yield from letter(content.data)
        return
    first = length.end()
    yield from letter(content.data[first : first + int(length[1])], content.data.count(b"\n", 0, first) + 1)


def _letters(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the letters stand, each without the line that parts it from the one before."""
    first: int | None = None
    for found in _FROM.finditer(data):
        before = data[max(0, found.start() - 4) : found.start()].replace(b"\r", b"")
        if before and not before.endswith(b"\n\n"):
            continue
        if first is not None:
            yield first, found.start()
        first = found.end()
    yield 0 if first is None else first, len(data)
