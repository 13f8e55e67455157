"""What an engine's error means to a user."""

from __future__ import annotations

from ragcli.errors import IndexDamaged, PartlyDone, RagError, UsageError

_NO_ROOM = (
    "disk is full",
    "No space left",
    "StorageFull",
    "quota exceeded",
    "File too large",
    "disk I/O error",
)
_NO_RIGHT = ("readonly", "read-only", "Read-only", "Permission denied", "PermissionDenied")


def trouble(what: str, error: Exception, *, anew: bool = False) -> RagError:
    """The error to raise for one of Chroma's or tantivy's, which are told apart by their words alone.

    ``anew`` says that it came while everything was being made: then it is not damaged.
    """
    if isinstance(error, RagError):
        return error
    words = " ".join(str(error).split())[:300]
    if any(sign in words for sign in _NO_ROOM):
        return PartlyDone(f"no room for {what}; make room and run the same command again")
    if any(sign in words for sign in _NO_RIGHT):
        return UsageError(
            f"{what} must write where it lies to be read; make the index folder writable or copy it"
        )
    if anew:
        # Neither engine always says that the disk is full: the thread that noticed was another one.
        return PartlyDone(f"{what} cannot be written ({words}); make room and run the same command again")
    return IndexDamaged(f"{what} cannot be read ({words}); run `rag index --rebuild`")
