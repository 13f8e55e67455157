"""The rows of a run in a file, a line a question, to look through and to compare a later run with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ragcli.disk import replace_text
from ragcli.errors import UsageError
from ragcli.evaluate.references import Span
from ragcli.evaluate.run import ModeReport, Row
from ragcli.jsontext import parse_json

# Documents and passages of a row that are written.
_SHOWN = 10

# Metrics by mode and id of the question.
Baseline = Mapping[str, Mapping[str, Mapping[str, float]]]


def write_rows(path: Path, reports: Mapping[str, ModeReport]) -> None:
    """Write every row of every mode as JSON Lines. Raises ``UsageError`` where that cannot be."""
    lines = (
        json.dumps(row_record(mode, row), ensure_ascii=False)
        for mode, report in reports.items()
        for row in report.rows
    )
    try:
        replace_text(path, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def row_record(mode: str, row: Row) -> dict[str, Any]:
    """One question in one mode, as a mapping for JSON."""
    record: dict[str, Any] = {
        "mode": mode,
        "query_id": row.query.id,
        "query": row.query.text,
        "metrics": dict(row.metrics),
        "found": list(row.found[:_SHOWN]),
        "judged": dict(row.grades),
        "ms": round(row.milliseconds, 3),
    }
    if row.answer is not None:
        record["answer"] = row.answer
        record["answers"] = list(row.gold)
    if row.references:
        record["passages"] = [_span_record(span) for span in row.passages[:_SHOWN]]
        record["references"] = [_span_record(span) for span in row.references]
    return record


def _span_record(span: Span) -> dict[str, Any]:
    return {"document": span.document, "span": [span.start, span.end]}


def read_rows(path: Path) -> Baseline:
    """Read what :func:`write_rows` wrote. Raises ``UsageError`` with the line that is none."""
    modes: dict[str, dict[str, dict[str, float]]] = {}
    for number, line in _lines(path):
        try:
            entry = parse_json(line)
            metrics = {str(name): float(value) for name, value in entry["metrics"].items()}
            modes.setdefault(str(entry["mode"]), {})[str(entry["query_id"])] = metrics
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            raise UsageError(f"{path}:{number}: no row of `rag eval --rows FILE`") from None
    if not modes:
        raise UsageError(f"{path}: no rows in it; write some with `rag eval --rows FILE`")
    return modes


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8") from None
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())
