"""What an engine's error means to a user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ragcli.errors import IndexDamaged, PartlyDone, RagError, UsageError

# The last is all that tantivy says when the disk filled while another thread wrote.
_FULL = (
    "disk is full", "No space left", "StorageFull", "quota exceeded", "File too large", "disk I/O error",
    "io::Error most likely",
)  # fmt: skip
_SHUT = ("readonly", "read-only", "Permission denied", "PermissionDenied")


@contextmanager
def engine(what: str) -> Iterator[None]:
    """Raise what Chroma or tantivy raise inside, even a panic of theirs, as an error of ours."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, RagError):
        raise
    except BaseException as error:  # a panic in Rust is no Exception
        raise trouble(what, error) from error


def trouble(what: str, error: BaseException) -> RagError:
    """The error to raise for one of an engine's, which are told apart by their words alone."""
    words = " ".join(str(error).split())[:300]
    if any(sign in words for sign in _FULL):
        return PartlyDone(f"no room for {what}; make room and run the same command again")
    if any(sign in words for sign in _SHUT):
        return UsageError(
            f"{what} must write where it lies to be read; make the index folder writable or copy it"
        )
    return IndexDamaged(f"{what} cannot be read ({words}); run `rag doctor --repair`")
