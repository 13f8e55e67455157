"""Office files that a password locks ([MS-OFFCRYPTO]), opened with msoffcrypto-tool."""

from __future__ import annotations

import io
from contextlib import suppress

from ragcli.load.parsed import CannotRead, Content

# What Office takes where a file is locked against changes only.
_DEFAULT = "VelvetSweatshop"


class EncryptedError(Exception):
    """What a file holds cannot be understood without a password."""


def decrypted(content: Content) -> bytes:
    """The content without its lock; raises CannotRead: ``encrypted``, ``damaged``."""
    import msoffcrypto

    try:
        msoffcrypto.OfficeFile(io.BytesIO(content.data))
    except Exception as error:
        raise CannotRead("encrypted", "it is encrypted in a way that is not known here") from error
    for password in (*content.passwords, _DEFAULT):
        out = io.BytesIO()
        with suppress(Exception):  # a wrong password shows in many ways
            # After a wrong one the file is not read from its beginning.
            office = msoffcrypto.OfficeFile(io.BytesIO(content.data))
            office.load_key(password=password)
            office.decrypt(out)
            return out.getvalue()
    told = "none of the passwords opens it" if content.passwords else "a password is needed"
    raise CannotRead("encrypted", f"{told}; give it with --password")
