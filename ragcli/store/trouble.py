"""What an engine's error means to a user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ragcli.errors import IndexDamaged, PartlyDone, RagError, UsageError

_FULL = (
    "disk is full", "No space left", "StorageFull", "quota exceeded", "File too large", "disk I/O error",
)  # fmt: skip
_SHUT = ("readonly", "read-only", "Read-only", "Permission denied", "PermissionDenied")


@contextmanager
def engine(what: str, *, making: bool = False) -> Iterator[None]:
    """Raise what Chroma or tantivy raise inside, even a panic of theirs, as an error of ours.

    ``making`` says that everything is being made: what fails then is not damaged.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, RagError):
        raise
    except BaseException as error:  # a panic in Rust is no Exception
        raise _trouble(what, error, making=making) from error


def _trouble(what: str, error: BaseException, *, making: bool) -> RagError:
    """The error to raise for one of an engine's, which are told apart by their words alone."""
    words = " ".join(str(error).split())[:300]
    if any(sign in words for sign in _FULL):
        return PartlyDone(f"no room for {what}; make room and run the same command again")
    if any(sign in words for sign in _SHUT):
        return UsageError(
            f"{what} must write where it lies to be read; make the index folder writable or copy it"
        )
    if making:
        # Neither engine always says that the disk is full: the thread that noticed was another one.
        return PartlyDone(f"{what} cannot be written ({words}); make room and run the same command again")
    return IndexDamaged(f"{what} cannot be read ({words}); run `rag doctor --repair`")
