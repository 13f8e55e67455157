"""What every benchmark leaves behind: a table, and the date and machine that it was measured on."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def write_report(path: Path, command: str, table: str, results: Sequence[Any] = ()) -> dict[str, Any]:
    """Write a measurement as JSON, and return it; ``table`` is Markdown, ``command`` how to measure it again."""
    told = {
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "table": table,
        "results": list(results),
    }
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return told
