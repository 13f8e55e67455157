"""Files to documents: which files there are, and what is in each."""

from ragcli.load.encoding import decode
from ragcli.load.file import load_file
from ragcli.load.foreign import COMMAND, installed_loaders
from ragcli.load.formats import FORMATS, format_of
from ragcli.load.language import language_of
from ragcli.load.parsed import CannotRead, Content, Means, Member, Parsed
from ragcli.load.pool import Job, LoaderPool
from ragcli.load.walk import FoundFile, SkippedFile, walk
from ragcli.load.writer import Writer

# Part of how a file was read: another version of the readers reads it again.
LOADER_VERSION = 2

__all__ = [
    "COMMAND",
    "FORMATS",
    "LOADER_VERSION",
    "CannotRead",
    "Content",
    "FoundFile",
    "Job",
    "LoaderPool",
    "Means",
    "Member",
    "Parsed",
    "SkippedFile",
    "Writer",
    "decode",
    "format_of",
    "installed_loaders",
    "language_of",
    "load_file",
    "walk",
]
