"""What an engine's error means to a user."""

from __future__ import annotations

from ragcli.errors import IndexDamaged, PartlyDone, RagError, UsageError


def trouble(what: str, error: Exception) -> RagError:
    """The error to raise for one of Chroma's or tantivy's, which are told apart by their words alone."""
    if isinstance(error, RagError):
        return error
    words = " ".join(str(error).split())[:300]
    if any(sign in words for sign in ("disk is full", "No space left", "StorageFull", "quota exceeded")):
        return PartlyDone(f"no room for {what}; make room and run the same command again")
    if any(sign in words for sign in ("readonly", "read-only", "Permission denied", "PermissionDenied")):
        return UsageError(
            f"{what} must write where it lies to be read; make the index folder writable or copy it"
        )
    return IndexDamaged(f"{what} cannot be read ({words}); run `rag index --rebuild`")
