"""Opening OpenDocument files that a password protects.

OpenDocument 1.2 part 3, 3.4.2 and 4.8: each part is deflated and enciphered on its own, with a key
derived from the password by PBKDF2. What is written here is AES in CBC mode, as all programs write
it since 2012; the "encrypted-package" of LibreOffice 24.8 and Blowfish are told as not read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from typing import TYPE_CHECKING

from ragcli.load.office.odfnames import attribute, odf_name, whole
from ragcli.load.parsed import CannotRead
from ragcli.load.xml import parse_xml

if TYPE_CHECKING:
    from lxml import etree

    from ragcli.load.office.parts import Parts

_MANIFEST = "META-INF/manifest.xml"
_MOST_ROUNDS = 5_000_000
_MOST = 200_000_000


def unlock(parts: Parts, passwords: tuple[str, ...]) -> None:
    """Replace the enciphered parts by what they hold; raises CannotRead("encrypted")."""
    if _MANIFEST not in parts:
        return
    entries: dict[str, etree._Element] = {}
    for found in parse_xml(parts.read(_MANIFEST), _MANIFEST).iter("{*}encryption-data"):
        parent = found.getparent()
        if parent is not None:
            entries[attribute(parent, "manifest:full-path")] = found
    first = "content.xml" if "content.xml" in entries else next(iter(entries), None)
    if first is None:
        return
    if not passwords:
        raise CannotRead("encrypted", "it is protected by a password: give it with --password")
    password = next((word for word in passwords if _opened(parts, first, entries[first], word)), None)
    if password is None:
        raise CannotRead("encrypted", "it is protected by a password: none of the passwords given opens it")
    for name, entry in entries.items():
        data = _opened(parts, name, entry, password)
        if data is not None:
            parts.replace(name, data)


def _opened(parts: Parts, name: str, entry: etree._Element, password: str) -> bytes | None:
    """The part's content; None if the password is a wrong one."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    found = {key: value for child in entry for key, value in _attributes(child).items()}
    if not found.get("algorithm-name", "").endswith("-cbc"):
        raise CannotRead("encrypted", "it is encrypted in a way that is not read; save it without a password")
    rounds = whole(found.get("iteration-count", ""), 1024)
    if not 0 < rounds <= _MOST_ROUNDS:
        raise CannotRead("too-large", "its encryption asks for too much work")
    start = "sha256" if "256" in found.get("start-key-generation-name", "") else "sha1"
    size = whole(found.get("key-size", ""), 16)
    try:
        salt, vector = (base64.b64decode(found[key]) for key in ("salt", "initialisation-vector"))
        key = hashlib.pbkdf2_hmac("sha1", hashlib.new(start, password.encode()).digest(), salt, rounds, size)
        opening = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
        inflating = zlib.decompressobj(-15)
        data = inflating.decompress(opening.update(parts.read(name)) + opening.finalize(), _MOST)
    except (KeyError, binascii.Error, zlib.error):
        return None
    except CannotRead:
        raise
    except ValueError:  # a key or a vector of a length that AES does not know
        return None
    return data if inflating.eof else None


def _attributes(element: etree._Element) -> dict[str, str]:
    return {odf_name(key).partition(":")[2]: str(value) for key, value in element.attrib.items()}
