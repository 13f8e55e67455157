"""What files are read with, as the settings and the command line say."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence

from ragcli.errors import UsageError
from ragcli.load import COMMAND, Means, installed_loaders
from ragcli.settings import Settings


def means_of(settings: Settings, passwords: Sequence[str] = ()) -> Means:
    """The readers of installed packages, the user's commands, passwords and languages to recognise.

    Raises ``UsageError`` where a program that is asked for is not there.
    """
    if settings.ocr and shutil.which("tesseract") is None:
        raise UsageError(
            "the program tesseract, which reads pictures of text, is not installed; leave out --ocr"
        )
    loaders = installed_loaders()
    for suffix, command in settings.loaders:
        try:
            first = shlex.split(command)[0]
        except (ValueError, IndexError):
            raise UsageError(f"loaders: the command for {suffix} cannot be taken apart: {command}") from None
        if shutil.which(first) is None:
            raise UsageError(
                f"loaders: {first}, the command for {suffix}, is not installed; take it out of the table"
            )
        loaders[suffix] = COMMAND + command
    return Means(tuple(passwords), settings.ocr or "", loaders)
