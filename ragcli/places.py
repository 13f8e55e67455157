"""Where a user's own things lie that belong to no index: state that is kept, and a cache that may go."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_NAME = "ragcli"


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """What is to last: on Windows beside the cache, elsewhere as the XDG specification has it."""
    return _folder(environment, "XDG_STATE_HOME", ".local/state")


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """What can be made again."""
    mac = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return _folder(environment, "XDG_CACHE_HOME", mac)


def _folder(environment: Mapping[str, str], variable: str, beneath: str) -> Path:
    if told := environment.get(variable):
        return Path(told) / _NAME
    if sys.platform == "win32":
        local = environment.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / _NAME
    return Path(os.path.expanduser("~")) / beneath / _NAME
