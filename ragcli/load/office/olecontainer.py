"""Opening the compound files of Office 97 to 2003: their passwords, their properties, and impostors."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING

from ragcli.load.office import codepages
from ragcli.load.office.ole import MAGIC
from ragcli.load.parsed import CannotRead, Content
from ragcli.load.source import inline

if TYPE_CHECKING:
    from collections.abc import Iterator

    import olefile

    from ragcli.types import Scalar

_TEXTS = {"author": "author", "subject": "subject", "keywords": "keywords", "comments": "description"}
_TIMES = {"create_time": "created", "last_saved_time": "modified"}
_OLDER = (b"\xdb\xa5", b"\x31\xbe\x00\x00", b"\xfe7\x00#", b"\x9b\xa5")
_UNSUPPORTED = "of {}, which is not read; save it as .docx or .odt"


def refuse_other(data: bytes) -> None:
    """Raises CannotRead where the content is of another program, whatever its name says."""
    if data.startswith(MAGIC):
        return
    if data.startswith(b"\xffWPC"):
        raise CannotRead("unsupported", f"it is {_UNSUPPORTED.format('WordPerfect')}")
    if data.startswith(_OLDER):
        raise CannotRead("unsupported", f"it is {_UNSUPPORTED.format('Word 2 or older')}")
    raise CannotRead("unsupported", "it is no file of Office 97 to 2003, though its name says so")


@contextmanager
def opened(content: Content) -> Iterator[olefile.OleFileIO]:
    """The compound file; raises CannotRead("damaged") where it is none."""
    import olefile

    try:
        ole = olefile.OleFileIO(BytesIO(content.data))
    except (OSError, ValueError, IndexError, TypeError) as error:
        raise CannotRead("damaged", "its container (OLE) is damaged or cut off") from error
    with ole:
        if ole.exists("\x09DRMContent") or ole.exists("\x06DataSpaces"):
            raise CannotRead("encrypted", "it is protected by rights management, which no password opens")
        yield ole


def decrypted(content: Content) -> Content:
    """The content without its encryption, by the first password that opens it; raises CannotRead."""
    import msoffcrypto

    for password in content.passwords:
        out = BytesIO()
        try:
            file = msoffcrypto.OfficeFile(BytesIO(content.data))
            file.load_key(password=password)
            file.decrypt(out)
        except Exception:  # noqa: S112  (whatever it raises, the next password may be the one)
            continue
        return Content(out.getvalue(), content.name)
    told = "none of the passwords given opens it" if content.passwords else "give it with --password"
    raise CannotRead("encrypted", f"it is protected by a password: {told}")


def properties_of(ole: olefile.OleFileIO) -> tuple[str, dict[str, Scalar]]:
    """The title and the other properties of the document; broken ones are left out."""
    found: dict[str, Scalar] = {}
    try:
        meta = ole.get_metadata()
    except (OSError, ValueError, IndexError, TypeError, OverflowError):
        return "", found
    page = meta.codepage if isinstance(meta.codepage, int) else 1252
    codec = codepages.of_number(page & 0xFFFF)
    for name, key in _TEXTS.items():
        words = _words(getattr(meta, name), codec)
        if words:
            found[key] = words
    for name, key in _TIMES.items():
        moment = getattr(meta, name)
        if isinstance(moment, datetime) and moment.year > 1980:
            found[key] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return _words(meta.title, codec), found


def _words(value: object, codec: str) -> str:
    if isinstance(value, bytes):
        return inline(value.rstrip(b"\0").decode(codec, "replace"))
    return inline(value.rstrip("\0")) if isinstance(value, str) else ""
