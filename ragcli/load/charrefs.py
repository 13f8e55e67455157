"""Character references of XML that stand for no character."""

from __future__ import annotations

import re

# U+D800 to U+DFFF, hexadecimal or decimal.
_SURROGATE = re.compile(
    rb"&#(?:[xX]0*[dD][89a-fA-F][0-9a-fA-F]{2}"
    rb"|0*(?:5529[6-9]|55[3-9]\d\d|56\d{3}|57[0-2]\d\d|573[0-3]\d|5734[0-3]));"
)


def without_surrogates(data: bytes) -> bytes:
    """XML whose references to lone surrogates are U+FFFD.

    libxml2, where it recovers, copies them into its tree, and lxml then fails to decode what is around.
    """
    return _SURROGATE.sub(b"&#xFFFD;", data) if b"&#" in data else data
