"""Front matter of a Markdown file: YAML between ``---``, TOML between ``+++``, or a JSON object."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Any

from ragcli.jsontext import parse_json
from ragcli.load.blocks import is_blank
from ragcli.load.source import inline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ragcli.types import Scalar

_LONGEST = 500  # lines; a rule further away than this is no end of a front matter
_CLOSING = {"---": ("---", "..."), "+++": ("+++",), "{": ("}",)}
_INT64 = 2**63


def split_front_matter(lines: Sequence[str]) -> tuple[int, dict[str, Scalar]]:
    """How many leading lines are front matter, and its scalars; (0, {}) where there is none.

    Front matter that is not a mapping, or after which nothing is left, counts as text.
    """
    opening = lines[0].rstrip() if lines else ""
    if opening not in _CLOSING:
        return 0, {}
    ends = (i for i, line in enumerate(lines[1:_LONGEST], 1) if line.rstrip() in _CLOSING[opening])
    end = next(ends, None)
    if end is None or all(is_blank(line) for line in lines[end + 1 :]):
        return 0, {}
    loaded: dict[Any, Any] | None
    if opening == "{":
        loaded = _json("\n".join(lines[: end + 1]))
    else:
        within = "\n".join(lines[1:end])
        loaded = _yaml(within) if opening == "---" else _toml(within)
    if loaded is None:
        return 0, {}
    return end + 1, scalars(loaded)


def scalars(values: Mapping[Any, object]) -> dict[str, Scalar]:
    """Those entries that can be metadata: scalars, and lists of scalars joined with commas.

    Strings are cleaned; dates become ISO 8601; numbers beyond 64 bits or not finite are left out.
    """
    kept = ((inline(str(key)), _scalar(value)) for key, value in values.items() if _scalar(key) is not None)
    return {key: value for key, value in kept if key and value is not None}


def _scalar(value: object) -> Scalar | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_INT64 <= value < _INT64 else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return inline(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        items = [_scalar(item) for item in value if not isinstance(item, list)]
        return ", ".join(str(item) for item in items if item is not None) or None
    return None


def _yaml(text: str) -> dict[object, object] | None:
    if is_blank(text):
        return {}
    import yaml

    try:
        loaded = yaml.safe_load(text)
    except Exception:  # besides YAMLError the constructors raise ValueError, OverflowError, RecursionError …
        return None
    return loaded if isinstance(loaded, dict) else None


def _toml(text: str) -> dict[str, Any] | None:
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _json(text: str) -> dict[object, object] | None:
    try:
        loaded = parse_json(text)
    except ValueError:
        return None
    return loaded if isinstance(loaded, dict) else None
