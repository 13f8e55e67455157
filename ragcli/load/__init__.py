"""Files to documents: which files there are, and what is in each."""

from ragcli.load.encoding import decode
from ragcli.load.file import load_file
from ragcli.load.formats import FORMATS
from ragcli.load.language import language_of
from ragcli.load.parsed import CannotRead
from ragcli.load.walk import FoundFile, SkippedFile, walk

# Part of how a file was read: another version of the readers reads it again.
LOADER_VERSION = 1

__all__ = [
    "FORMATS",
    "LOADER_VERSION",
    "CannotRead",
    "FoundFile",
    "SkippedFile",
    "decode",
    "language_of",
    "load_file",
    "walk",
]
