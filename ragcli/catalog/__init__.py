"""The one truth of an index: a SQLite file with everything that cost work."""

from ragcli.catalog.catalog import Catalog, FileState, StoredChunk, content_hash
from ragcli.catalog.copy import check_copy, copy_catalog, salvage
from ragcli.catalog.database import drop_log
from ragcli.catalog.schema import FORMAT

__all__ = [
    "FORMAT",
    "Catalog",
    "FileState",
    "StoredChunk",
    "check_copy",
    "content_hash",
    "copy_catalog",
    "drop_log",
    "salvage",
]
