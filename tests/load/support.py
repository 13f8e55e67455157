"""What every reader's output must keep, whatever was read."""

from __future__ import annotations

from pathlib import Path

from ragcli.load import load_file
from ragcli.types import Document, Failure, PlaceMap

SHARED = Path(__file__).parents[2].parent / "shared"
SHEETS = frozenset(["xlsx", "xls", "ods"])


def load(folder: Path, name: str, content: bytes | str) -> list[Document | Failure]:
    """What ``load_file`` makes of a file with this content."""
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(load_file(file, path=name))


def document(folder: Path, name: str, content: bytes | str) -> Document:
    """The one document in it, which keeps its promises."""
    [item] = load(folder, name, content)
    assert isinstance(item, Document), item
    check(item)
    return item


def failure(folder: Path, name: str, content: bytes | str) -> Failure:
    """The one failure in it."""
    [item] = load(folder, name, content)
    assert isinstance(item, Failure), item
    check_failure(item)
    return item


def texts(item: Document) -> list[tuple[str, str]]:
    """Kind and words of each block."""
    return [(block.kind, item.text[block.start : block.end]) for block in item.blocks]


def check(item: Document) -> None:
    """Blocks in order, apart, over all that is not blank; places ascend; no control characters."""
    at = 0
    for block in item.blocks:
        assert at <= block.start < block.end
        assert not item.text[at : block.start].strip()
        assert (block.level > 0) == (block.kind == "heading")
        assert block.head == 0 or block.start < block.head < block.end
        at = block.end
    assert at <= len(item.text)
    assert not item.text[at:].strip()
    assert item.text.strip()
    assert not [char for char in item.text if ord(char) < 32 and char not in "\n\t"]
    item.text.encode("utf-8")
    item.title.encode("utf-8")
    for places in (item.lines, item.pages):
        if places is not None:
            check_places(places, are_rows=item.pages is not None and places is item.lines)


def check_places(places: PlaceMap, *, are_rows: bool = False) -> None:
    """Both sides ascend, and there is a first place; rows of sheets begin anew on each page."""
    assert len(places.starts) == len(places.places) >= 1
    assert list(places.starts) == sorted(set(places.starts))
    assert are_rows or list(places.places) == sorted(places.places)
    assert min(places.places) >= 1


def check_failure(item: Failure) -> None:
    """One plain line."""
    assert item.error in {
        "unreadable",
        "unsupported",
        "empty",
        "no-text",
        "binary",
        "encrypted",
        "damaged",
        "bad-line",
        "encoding",
        "too-large",
        "too-deep",
        "copy",
    }
    assert item.message
    assert item.message.isprintable()
