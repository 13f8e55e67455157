"""Documents and failures as bytes: what a worker process sends to the one that asked.

A frame is its length (four bytes, big-endian) and a JSON object. JSON rather than pickle: what a
worker was made to say by a document cannot run anything here.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any, BinaryIO

from ragcli.types import Block, Document, Failure, PlaceMap

if TYPE_CHECKING:
    from collections.abc import Mapping

_LENGTH = struct.Struct(">I")
LARGEST = 1_000_000_000
"""Bytes of a frame; a longer one is not believed."""


def write_frame(stream: BinaryIO, message: Mapping[str, Any]) -> None:
    """Send one message and flush it."""
    data = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next message as it was sent, None at the end of the stream; ``EOFError`` in the midst of one."""
    head = stream.read(_LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise EOFError
    length: int = _LENGTH.unpack(head)[0]
    if length > LARGEST:
        raise EOFError
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data


def pack(item: Document | Failure) -> dict[str, Any]:
    """A message that carries the item."""
    if isinstance(item, Failure):
        return {"failure": [item.path, item.error, item.message]}
    return {
        "document": [item.id, item.path, item.record, item.title, item.format, item.language, item.text],
        "blocks": [[b.kind, b.start, b.end, b.level, b.label, b.head] for b in item.blocks],
        "lines": _pack_places(item.lines),
        "pages": _pack_places(item.pages),
        "rest": [item.sha256, item.modified, dict(item.metadata), item.file],
    }


def unpack(message: Mapping[str, Any]) -> Document | Failure:
    """The item that a message carries."""
    if "failure" in message:
        return Failure(*message["failure"])
    identity, path, record, title, format_, language, text = message["document"]
    sha256, modified, metadata, file = message["rest"]
    return Document(
        id=identity,
        path=path,
        record=record,
        title=title,
        format=format_,
        language=language,
        text=text,
        blocks=tuple(Block(*fields) for fields in message["blocks"]),
        lines=_unpack_places(message["lines"]),
        pages=_unpack_places(message["pages"]),
        sha256=sha256,
        modified=modified,
        metadata=metadata,
        file=file,
    )


def _pack_places(places: PlaceMap | None) -> list[Any] | None:
    return None if places is None else [places.starts, places.places, places.labels]


def _unpack_places(fields: list[Any] | None) -> PlaceMap | None:
    return None if fields is None else PlaceMap(*map(tuple, fields))
