"""Readers as other packages might bring them, some of them bad."""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ragcli.load.parsed import CannotRead, Content, Member, Parsed
from ragcli.load.writer import Writer


def shout(content: Content) -> Parsed:
    """Text in capitals."""
    writer = Writer()
    writer.paragraph(content.data.decode().upper())
    return writer.parsed()


def hang(content: Content) -> Parsed:
    """Never comes back."""
    while True:
        time.sleep(0.1 * len(content.data))


def crash(content: Content) -> Parsed:
    """Reads where it must not."""
    ctypes.string_at(0)
    return shout(content)


def devour(content: Content) -> Parsed:
    """Takes more memory than there is for it."""
    held = [bytearray(100_000_000) for _ in range(100)]
    return shout(Content(content.data + bytes(len(held))))


def burst(content: Content) -> Parsed:
    """Ends as libraries in C do that get no more memory."""
    with mmap.mmap(-1, 1_200_000_000):
        time.sleep(2)
        os.abort()
    return shout(content)


def sign(content: Content) -> Parsed:
    """Says which process it runs in."""
    return shout(Content(b"%d" % os.getpid() + content.data[:0]))


def chatter(content: Content) -> Parsed:
    """Writes to the worker's own output, as C libraries do."""
    os.write(1, b"\0\0\0\4noise")
    sys.stderr.write("noise")
    return shout(content)


def reach_out(content: Content) -> Parsed:
    """Looks for a door that was left open."""
    open_ones = []
    for name, attempt in (
        ("network", lambda: socket.create_connection(("127.0.0.1", 9), 1)),
        ("disk", lambda: Path(content.data.decode()).write_text("x")),
        ("program", lambda: os.system("true")),
    ):
        try:
            attempt()
            open_ones.append(name)
        except PermissionError:
            pass
    writer = Writer()
    writer.paragraph(f"open: {open_ones}")
    return writer.parsed()


def lay_aside(content: Content) -> Parsed:
    """Keeps something in a file without a name for a while, as libraries do."""
    with tempfile.TemporaryFile() as file:
        file.write(content.data)
        file.seek(0)
        return shout(Content(file.read()))


def endless(content: Content) -> Iterator[Member]:
    """A file that holds itself, again and again."""
    number = 0
    while True:
        number += 1
        yield Member(f"{number}.txt", content.data)


def in_part(content: Content) -> Iterator[Parsed | CannotRead]:
    """Of three parts the second is broken."""
    for number, word in enumerate(content.data.decode().split(), 1):
        if word == "broken":
            yield CannotRead("damaged", "this part is broken", name=f"part {number}")
        else:
            writer = Writer()
            writer.paragraph(word)
            yield writer.parsed(name=f"part {number}")
