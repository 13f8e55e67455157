"""One file to documents: bytes in, ``Document`` or ``Failure`` out, through whatever lies within it."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from ragcli.load.data.jsonl import as_utf8, is_collection, records
from ragcli.load.encoding import looks_binary
from ragcli.load.foreign import read_with
from ragcli.load.formats import CODE, FORMATS, UNSUPPORTED, format_of
from ragcli.load.language import language_of
from ragcli.load.limits import NO_MEMORY
from ragcli.load.parsed import Allowance, CannotRead, Content, Means, Member, Parsed
from ragcli.load.readers import reader_of
from ragcli.load.sniff import sniff
from ragcli.load.source import clean, inline
from ragcli.types import Document, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ragcli.types import Scalar

_DEEPEST = 6  # files within files within files …
_MOST_MEMBERS = 20_000
_MOST_BYTES = 1_000_000_000  # of all that lies within one file, unpacked
_FEW_BYTES = 100_000_000  # may lie in any file
_MOST_FOLD = 300  # of its own size; what people pack shrinks to a tenth or a twentieth
_LONGEST_NAME = 500


def load_file(
    file: Path, *, path: str, text_format: str | None = None, means: Means | None = None
) -> Iterator[Document | Failure]:
    """The documents of one file, stored under the name ``path``.

    One for most files; one a record for a collection; for an archive or a letter, one for each file
    within it that can be read, under ``path/name``. ``text_format`` (a value of FORMATS) reads a file
    as that format whatever its name says. Content
    never makes this raise: what cannot be taken is a Failure whose ``error`` is ``unreadable``,
    ``unsupported``, ``empty``, ``no-text``, ``binary``, ``encrypted``, ``damaged``, ``encoding``,
    ``too-large``, ``too-deep`` or, for a line of a collection, ``bad-line``.
    """
    if text_format is not None and text_format not in {*FORMATS.values(), *CODE}:
        raise ValueError(f"no such format: {text_format}")
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise CannotRead("unreadable", "not a regular file")
        with file.open("rb") as opened:
            modified = os.fstat(opened.fileno()).st_mtime
            if (text_format or format_of(file)) == "jsonl":
                collection = _collection_in(opened)
                if collection is not None:
                    yield from _records(collection, path, modified, path)
                    return
            data = opened.read()
        most = min(_MOST_BYTES, max(_FEW_BYTES, _MOST_FOLD * len(data)))
        loading = _Loading(path, means or Means(), file, Allowance(most))
        yield from loading.file(data, file.name, path, modified, text_format)
    except CannotRead as error:
        yield Failure(path, error.error, error.message)
    except OSError as error:
        yield Failure(path, "unreadable", inline(error.strerror or "cannot be read").lower())


def _collection_in(opened: BinaryIO) -> BinaryIO | None:
    head = opened.read(8192)
    if looks_binary(head, named_as_text=True):
        raise CannotRead("binary", "the content is not text")
    opened.seek(0)
    lines = as_utf8(opened)
    if is_collection(lines):
        return lines
    opened.seek(0)
    return None


def _records(lines: BinaryIO, path: str, modified: float, file: str) -> Iterator[Document | Failure]:
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
            modified=_iso(modified),
            metadata=_cleaned(parsed.metadata),
            file=file,
        )


@dataclass(slots=True)
class _Loading:
    """One file on the disk being read, with all that lies within it; the limits hold for the whole."""

    file_path: str
    means: Means
    on_disk: Path
    allowance: Allowance
    names: dict[str, int] = field(default_factory=dict)  # each name given → how often it was wanted
    digests: dict[bytes, str] = field(default_factory=dict)  # of members → where each was met first
    members: int = 0
    opened: list[bytes] = field(
        default_factory=list
    )  # the content around what is being read, outermost first

    def file(
        self,
        data: bytes,
        name: str,
        path: str,
        modified: float,
        format_: str | None = None,
        depth: int = 0,
    ) -> Iterator[Document | Failure]:
        """The documents of these bytes; what cannot be taken is told, and the rest goes on."""
        try:
            if not data:
                raise CannotRead("empty", "the file is empty")
            if self._loader(name):
                format_ = os.path.splitext(name)[1].lower().lstrip(".")
            format_ = format_ or sniff(data, format_of(PurePosixPath(name))) or "text"
            if format_ == "jsonl" and (lines := _collection_in(io.BytesIO(data))) is not None:
                yield from _records(lines, path, modified, self.file_path)
                return
            if format_ == "unsupported":
                raise CannotRead("unsupported", f"files named *{_suffix(name)} are not read")
            yield from self._items(data, name, path, modified, format_, depth)
        except CannotRead as error:
            yield Failure(path, error.error, error.message)
        except RecursionError:
            yield Failure(path, "too-deep", "it is nested too deep to be read")
        except MemoryError:
            yield Failure(path, "too-large", NO_MEMORY)
        except Exception as error:  # a parser at odds with broken content raises whatever it meets
            told = f"the content cannot be read as {format_} ({type(error).__name__}); it may be damaged"
            yield Failure(path, "damaged", told)

    def _items(
        self, data: bytes, name: str, path: str, modified: float, format_: str, depth: int
    ) -> Iterator[Document | Failure]:
        content = Content(data, name, self.means.passwords, self.means.ocr, self.allowance)
        if loader := self._loader(name):
            read = read_with(loader, content, None if depth else self.on_disk)
        else:
            read = reader_of(format_)(content)
        items = [read] if isinstance(read, Parsed) else read
        some = False
        self.opened[depth:] = [data]
        for item in items:
            if isinstance(item, CannotRead):
                some = True
                where = self._name(path, item.name) if item.name else path
                yield Failure(where, item.error, inline(item.message))
            elif isinstance(item, Member):
                some = True
                yield from self._member(item, path, modified, depth + 1)
            elif item.text.strip():
                some = True
                yield self._document(item, data, name, path, modified, format_)
        if not some:
            raise CannotRead("empty", "no text in it")

    def _loader(self, name: str) -> str | None:
        return self.means.loaders.get(os.path.splitext(name)[1].lower())

    def _member(self, member: Member, path: str, modified: float, depth: int) -> Iterator[Document | Failure]:
        self.members += 1
        if self.members > _MOST_MEMBERS:
            raise CannotRead("too-large", f"more than {_MOST_MEMBERS} files lie within it; so many were read")
        self.allowance.spend(len(member.data))
        inner = self._name(path, member.name)
        digest = hashlib.sha256(member.data).digest()
        if member.data and digest in self.digests:
            yield Failure(inner, "copy", f"the same as {self.digests[digest]}")
            return
        self.digests[digest] = inner
        if any(member.data == around for around in self.opened[:depth]):
            yield Failure(inner, "too-deep", "it contains itself")
            return
        if depth > _DEEPEST:
            yield Failure(inner, "too-deep", f"it lies more than {_DEEPEST} files deep")
            return
        moment = modified if member.modified is None else member.modified
        yield from self.file(member.data, PurePosixPath(inner).name, inner, moment, depth=depth)

    def _name(self, path: str, name: str) -> str:
        """The name of what lies within, which no other has; it cannot lead out of the file."""
        parts = [part for part in inline(name).replace("\\", "/").split("/") if part.strip(". ")]
        wanted = f"{path}/{'/'.join(parts)[-_LONGEST_NAME:] or 'unnamed'}"
        stem, suffix = os.path.splitext(wanted)
        free = wanted
        while free in self.names:
            self.names[wanted] += 1
            free = f"{stem} ({self.names[wanted]}){suffix}"
        self.names[free] = 1
        return free

    def _document(
        self, parsed: Parsed, data: bytes, name: str, path: str, modified: float, format_: str
    ) -> Document:
        inner = self._name(path, parsed.name) if parsed.name else path
        called = parsed.name or (name if format_ in CODE else os.path.splitext(name)[0])
        # Of a part, all that is kept of it: it may move within its file, which nothing else would tell.
        identity = repr((parsed.title, parsed.text, parsed.lines, parsed.pages, dict(parsed.metadata)))
        return Document(
            id=inner,
            path=inner,
            record=None,
            title=parsed.title or inline(called),
            format=format_,
            language=language_of(parsed.text),
            text=parsed.text,
            blocks=parsed.blocks,
            lines=parsed.lines,
            pages=parsed.pages,
            sha256=hashlib.sha256(identity.encode() if parsed.name else data).hexdigest(),
            modified=_iso(modified),
            metadata=_cleaned(parsed.metadata),
            file=self.file_path,
        )


def _cleaned(metadata: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """As the text is: whatever a file says of itself, nothing of it works on the screen."""
    return {
        inline(key): clean(value).text if isinstance(value, str) else value for key, value in metadata.items()
    }


def _suffix(name: str) -> str:
    suffix = os.path.splitext(name)[1].lower()
    return suffix if suffix in UNSUPPORTED else inline(suffix)


def _iso(mtime: float) -> str:
    try:
        moment = datetime.fromtimestamp(mtime, UTC)
    except (ValueError, OverflowError, OSError):  # file systems hold stranger times than calendars
        moment = datetime.fromtimestamp(0, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
