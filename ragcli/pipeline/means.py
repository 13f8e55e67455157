"""What files are read with, as the settings and the command line say."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence

from ragcli.errors import UsageError
from ragcli.load import COMMAND, Means, installed_loaders
from ragcli.settings import Settings


def means_of(settings: Settings, passwords: Sequence[str] = ()) -> Means:
    """The readers of installed packages, the user's commands, passwords and languages to recognise.

    ``RAG_PASSWORD`` is tried after the ``passwords`` given. Raises ``UsageError`` where a program that
    is asked for is not there.
    """
    if settings.ocr:
        _check_languages(settings.ocr)
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
    words = [*passwords, os.environ.get("RAG_PASSWORD", "")]
    return Means(tuple(dict.fromkeys(filter(None, words))), settings.ocr or "", loaders)


def _check_languages(ocr: str) -> None:
    program = shutil.which("tesseract")
    if program is None:
        raise UsageError(
            "the program tesseract, which reads pictures of text, is not installed; leave out --ocr"
        )
    told = subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=False)  # noqa: S603
    there = [line.strip() for line in (told.stdout or told.stderr).splitlines()[1:] if line.strip()]
    for language in ocr.split("+"):
        if there and language not in there:
            raise UsageError(f"--ocr: tesseract has no language {language!r}; it has {', '.join(there)}")
