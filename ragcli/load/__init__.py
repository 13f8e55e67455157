"""Files to documents: which files there are, and what is in each."""

from ragcli.load.encoding import decode
from ragcli.load.file import load_file
from ragcli.load.foreign import COMMAND, installed_loaders
from ragcli.load.formats import FORMATS, format_of
from ragcli.load.language import language_of
from ragcli.load.parsed import CannotRead, Means
from ragcli.load.pool import Job, LoaderPool
from ragcli.load.walk import FoundFile, SkippedFile, walk

# Part of how a file was read: another version of the readers reads it again.
LOADER_VERSION = 2

__all__ = [
    "COMMAND",
    "FORMATS",
    "LOADER_VERSION",
    "CannotRead",
    "FoundFile",
    "Job",
    "LoaderPool",
    "Means",
    "SkippedFile",
    "decode",
    "format_of",
    "installed_loaders",
    "language_of",
    "load_file",
    "walk",
]
