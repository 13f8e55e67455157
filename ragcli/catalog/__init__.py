"""The one truth of an index: a SQLite file with everything that cost work."""

from ragcli.catalog.catalog import Catalog, FileState, StoredChunk, content_hash

__all__ = ["Catalog", "FileState", "StoredChunk", "content_hash"]
