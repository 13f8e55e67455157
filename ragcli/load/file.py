"""One file to documents: bytes in, ``Document`` or ``Failure`` out."""

from __future__ import annotations

import hashlib
import os
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from ragcli.load.encoding import decode, looks_binary
from ragcli.load.formats import CODE, FORMATS, format_of
from ragcli.load.jsonl import as_utf8, is_collection, records
from ragcli.load.language import language_of
from ragcli.load.parsed import CannotRead, Parsed
from ragcli.load.source import Source, clean, inline
from ragcli.types import Document, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PDF = b"%PDF-"


def load_file(file: Path, *, path: str, text_format: str | None = None) -> Iterator[Document | Failure]:
    """The documents of one file, stored under the name ``path``: one, or one a record of a collection.

    ``text_format`` (a value of FORMATS) reads a text file as that format whatever its name says;
    a file that begins like a PDF is read as one. Content never makes this raise: what cannot be
    taken is a Failure whose ``error`` is ``unreadable``, ``unsupported``, ``empty``, ``no-text``,
    ``binary``, ``encrypted``, ``damaged``, ``encoding`` or, for a line of a collection,
    ``bad-line``.
    """
    if text_format is not None and text_format not in {*FORMATS.values(), *CODE}:
        raise ValueError(f"no such format: {text_format}")
    format_ = text_format or format_of(file) or "text"
    try:
        yield from _load(file, path, format_)
    except CannotRead as error:
        yield Failure(path, error.error, error.message)
    except OSError as error:
        yield Failure(path, "unreadable", inline(error.strerror or "cannot be read").lower())


def _load(file: Path, path: str, format_: str) -> Iterator[Document | Failure]:
    if format_ == "unsupported":
        raise CannotRead("unsupported", f"files named *{inline(file.suffix.lower())} are not read")
    if not stat.S_ISREG(file.stat().st_mode):
        raise CannotRead("unreadable", "not a regular file")
    with file.open("rb") as opened:
        modified = _iso(os.fstat(opened.fileno()).st_mtime)
        if format_ == "jsonl":
            head = opened.read(8192)
            _check_text(head)
            opened.seek(0)
            lines = as_utf8(opened)
            if is_collection(lines):
                yield from _collection(lines, path, modified)
                return
            opened.seek(0)
        data = opened.read()
    yield _document(data, file, path, format_, modified)


def _collection(lines: BinaryIO, path: str, modified: str) -> Iterator[Document | Failure]:
    for record in records(lines):
        if isinstance(record, CannotRead):
            yield Failure(path, record.error, record.message)
            continue
        parsed = record.parsed
        yield Document(
            id=f"{path}#{record.id}",
            path=path,
            record=record.id,
            title=parsed.title,
            format="jsonl",
            language=language_of(parsed.text),
            text=parsed.text,
            blocks=parsed.blocks,
            lines=parsed.lines,
            pages=None,
            sha256=record.sha256,
            modified=modified,
            metadata=parsed.metadata,
        )


def _document(data: bytes, file: Path, path: str, format_: str, modified: str) -> Document:
    if data.startswith(_PDF):
        format_ = "pdf"
    parsed = _parse(data, format_)
    if not parsed.text.strip():
        raise CannotRead("empty", "no text in it")
    name = file.name if format_ in CODE else file.stem
    return Document(
        id=path,
        path=path,
        record=None,
        title=parsed.title or inline(name),
        format=format_,
        language=language_of(parsed.text),
        text=parsed.text,
        blocks=parsed.blocks,
        lines=parsed.lines,
        pages=parsed.pages,
        sha256=hashlib.sha256(data).hexdigest(),
        modified=modified,
        metadata=parsed.metadata,
    )


def _parse(data: bytes, format_: str) -> Parsed:
    if not data:
        raise CannotRead("empty", "the file is empty")
    if format_ == "pdf":
        from ragcli.load.pdf import read_pdf

        return read_pdf(data)
    _check_text(data)
    if format_ == "html":
        from ragcli.load.html import read_html

        return read_html(data)
    return _reader_of(format_)(clean(decode(data)[0]))


def _check_text(data: bytes) -> None:
    if looks_binary(data, named_as_text=True):
        raise CannotRead("binary", "the content is not text")


def _reader_of(format_: str) -> Callable[[Source], Parsed]:
    from ragcli.load import markdown, plain, rst, table

    if format_ in CODE:
        return plain.read_code
    readers = {
        "markdown": markdown.read_markdown,
        "rst": rst.read_rst,
        "csv": table.read_table,
        "tsv": table.read_table,
    }
    return readers.get(format_, plain.read_text)


def _iso(mtime: float) -> str:
    try:
        moment = datetime.fromtimestamp(mtime, UTC)
    except (ValueError, OverflowError, OSError):  # file systems hold stranger times than calendars
        moment = datetime.fromtimestamp(0, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
