"""Quality on judged questions, in the field's words.

Judgements are of documents: several chunks of one count once, at the best rank among them.
Questions without a judgement above zero are left out of every mean. Every metric is a pure
function of a ranking and of the grades of the judged documents.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ragcli.errors import RagError, UsageError

Grades = Mapping[str, int]
Qrels = Mapping[str, Grades]
# A question to the names of the documents found, best first, repeats allowed.
SearchDocuments = Callable[[str], Sequence[str]]

_HIGHEST_GRADE = 1_000_000
METRICS = ("ndcg@10", "recall@10", "recall@100", "mrr@10")


@dataclass(frozen=True, slots=True)
class Query:
    """A question with its id."""

    id: str
    text: str


@dataclass(slots=True)
class ModeReport:
    """Means of one mode over all judged questions; latency in milliseconds."""

    metrics: dict[str, float]
    p50: float
    p95: float
    failed: list[str] = field(default_factory=list)


def ndcg(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """Normalised discounted cumulative gain with linear gain (Järvelin and Kekäläinen 2002; trec_eval)."""
    gains = [grades.get(name, 0) / math.log2(rank + 1) for rank, name in enumerate(ranking[:k], 1)]
    ideal = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k]
    best = sum(grade / math.log2(rank + 1) for rank, grade in enumerate(ideal, 1))
    return sum(gains) / best if best else 0.0


def recall(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """Share of the relevant documents among the first ``k``."""
    relevant = {name for name, grade in grades.items() if grade > 0}
    return len(relevant & set(ranking[:k])) / len(relevant) if relevant else 0.0


def mrr(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """Reciprocal rank of the first relevant document, 0 beyond ``k``."""
    for rank, name in enumerate(ranking[:k], 1):
        if grades.get(name, 0) > 0:
            return 1.0 / rank
    return 0.0


_FUNCTIONS: Mapping[str, Callable[[Sequence[str], Grades, int], float]] = {
    "ndcg": ndcg,
    "recall": recall,
    "mrr": mrr,
}


def measure(metric: str, ranking: Sequence[str], grades: Grades) -> float:
    """A metric by its name, such as ``ndcg@10``."""
    name, _, depth = metric.partition("@")
    return _FUNCTIONS[name](ranking, grades, int(depth))


def read_queries(path: Path) -> list[Query]:
    """Read ``queries.jsonl``: objects with ``_id`` and ``text``. Raises ``UsageError`` with the line."""
    queries: list[Query] = []
    seen: set[str] = set()
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            name, text = entry["_id"], entry["text"]
        except (ValueError, KeyError, TypeError, RecursionError):
            name = text = None
        if not isinstance(name, str | int) or not isinstance(text, str) or not text.strip():
            raise UsageError(f"{path}:{number}: not an object with _id and text")
        if str(name) in seen:
            raise UsageError(f"{path}:{number}: a second question with the _id {name}")
        seen.add(str(name))
        queries.append(Query(str(name), text))
    if not queries:
        raise UsageError(f"{path}: no questions in it")
    return queries


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Read ``qrels.tsv`` (query-id, corpus-id, score, with or without a header) or TREC's four columns."""
    qrels: dict[str, dict[str, int]] = {}
    for number, line in enumerate(_lines(path), 1):
        row = line.rstrip("\r").split("\t")
        cells = row if len(row) > 1 else line.split()
        if not cells or (number == 1 and not cells[-1].strip()[-1:].isdigit()):
            continue
        if len(cells) == 4:
            cells = [cells[0], cells[2], cells[3]]
        try:
            query, document, grade = cells
            value = float(grade)
            if value != int(value) or abs(value) > _HIGHEST_GRADE:
                raise ValueError(grade)
            qrels.setdefault(query, {})[document] = int(value)
        except (ValueError, OverflowError):
            raise UsageError(f"{path}:{number}: not query-id, corpus-id, score") from None
    if not qrels:
        raise UsageError(f"{path}: no judgements in it")
    return qrels


def _lines(path: Path) -> list[str]:
    try:
        # Not splitlines: a record may hold U+2028 and its kin.
        return path.read_text("utf-8-sig").split("\n")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8") from None


def judged_names(judged: Iterable[str], documents: Iterable[tuple[str, str, str | None]]) -> dict[str, str]:
    """Map documents, given as (id, path, record), to the judged id that means each.

    A judged id means the records that have it as ``_id``; else the file of that path, or the only
    one whose path ends in it; else the only file of that name without its ending.
    """
    wanted = set(judged)
    by_record: dict[str, list[str]] = {}
    by_path: dict[str, list[str]] = {}
    by_tail: dict[str, list[str]] = {}
    by_stem: dict[str, list[str]] = {}
    for document, path, record in documents:
        if record is not None:
            by_record.setdefault(record, []).append(document)
            continue
        by_path[path] = [document]
        parts = path.split("/")
        for start in range(1, len(parts)):
            by_tail.setdefault("/".join(parts[start:]), []).append(document)
        by_stem.setdefault(Path(path).stem, []).append(document)
    names: dict[str, str] = {}
    for name in sorted(wanted):
        found = by_record.get(name)
        if not found:
            found = next(
                (hits for known in (by_path, by_tail, by_stem) if len(hits := known.get(name, [])) == 1), []
            )
        for document in found:
            names[document] = name
    return names


def evaluate(search: SearchDocuments, queries: Sequence[Query], qrels: Qrels) -> ModeReport:
    """Mean of every metric over the judged questions. A question that fails counts as zero and is listed."""
    judged = [query for query in queries if any(grade > 0 for grade in qrels.get(query.id, {}).values())]
    if not judged:
        raise UsageError("none of the questions has a judgement; do queries and qrels belong together?")
    sums = dict.fromkeys(METRICS, 0.0)
    times: list[float] = []
    failed: list[str] = []
    for query in judged:
        start = time.perf_counter()
        try:
            ranking = list(dict.fromkeys(search(query.text)))
        except RagError as error:
            failed.append(f"{query.id}: {error}")
            continue
        times.append((time.perf_counter() - start) * 1000)
        for metric in METRICS:
            sums[metric] += measure(metric, ranking, qrels[query.id])
    times.sort()
    return ModeReport(
        {metric: round(total / len(judged), 6) for metric, total in sums.items()},
        p50=_percentile(times, 0.50),
        p95=_percentile(times, 0.95),
        failed=failed,
    )


def _percentile(ordered: Sequence[float], share: float) -> float:
    """Nearest-rank percentile of ascending values; 0 where there are none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
