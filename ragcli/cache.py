"""What is remembered in the user's cache folder, as JSON objects by file name: it may be lost, and it may lie."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ragcli.disk import read_small, replace_text
from ragcli.jsontext import parse_json
from ragcli.places import cache_folder

_LARGEST = 4_000_000  # bytes


def recall(name: str) -> dict[str, Any]:
    """What is kept under a name; empty where there is nothing that can be read."""
    with suppress(OSError, ValueError):
        found = parse_json(read_small(cache_folder() / name, _LARGEST))
        if isinstance(found, dict):
            return found
    return {}


def keep(name: str, told: Mapping[str, Any]) -> None:
    """Keep it, where that is possible: what was not kept is found out anew."""
    place = cache_folder() / name
    with suppress(OSError, ValueError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_text(place, json.dumps(told), private=True)
