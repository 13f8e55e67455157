"""What scripts rely on: the fields of CONTRACT.md, on every command that prints results."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ..program import Run
from .shapes import CHUNK, HIT, INDEX, LISTED, QUERY, SEARCH, STATUS, misfit

QUESTION = "How long does the hub keep hourly averages?"


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_search(run: Run, samples: Path, mode: str) -> None:
    found = run("search", QUESTION, "--mode", mode, "--format", "json", cwd=samples).json
    assert not misfit(found, SEARCH)
    assert (found["query"], found["mode"]) == (QUESTION, mode)
    assert len(found["hits"]) == 10
    for hit in found["hits"]:
        assert (hit["scores"]["lexical"] is None) <= (mode != "lexical")
        assert (hit["scores"]["dense"] is None) <= (mode != "dense")
        assert hit["scores"]["fused"] == hit["score"]


def test_search_lines_are_the_hits(run: Run, samples: Path) -> None:
    words = ("search", QUESTION, "--mode", "lexical")
    lines = run(*words, "--format", "jsonl", cwd=samples).lines
    hits = run(*words, "--format", "json", cwd=samples).json["hits"]
    assert [{"schema": 1, **hit} for hit in hits] == lines
    assert not [said for line in lines if (said := misfit(line, HIT))]


def test_a_hit_is_a_slice_of_its_file(run: Run, samples: Path) -> None:
    checked = 0
    for hit in run("search", QUESTION, "-k", "40", "--format", "jsonl", cwd=samples).lines:
        first, last = hit["span"]
        assert last - first == len(hit["text"])
        assert hit["document"] == (hit["path"] if hit["record"] is None else f"{hit['path']}#{hit['record']}")
        assert (hit["page"] is not None) == hit["path"].endswith(".pdf")
        if hit["path"].endswith((".md", ".txt", ".py")) and hit["lines"]:
            lines = (samples / hit["path"]).read_text("utf-8").splitlines()
            a, b = hit["lines"]
            assert "\n".join(lines[a - 1 : b]).strip() == hit["text"].strip()
            checked += 1
    assert checked > 5


def test_query(run: Run, samples: Path) -> None:
    answer = run("query", QUESTION, "--format", "json", cwd=samples).json
    assert not misfit(answer, QUERY)
    assert answer["answered"] is True
    assert answer["llm"] == "none"


def test_query_lines_are_events(run: Run, samples: Path) -> None:
    events = run("query", QUESTION, "--format", "jsonl", cwd=samples).lines
    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[-1]) == ("hits", "done")
    assert set(kinds[1:-1]) == {"token"}
    assert not misfit(events[-1], QUERY)
    assert "".join(event["text"] for event in events[1:-1]).strip() == events[-1]["answer"]
    assert events[0]["hits"] == events[-1]["hits"]


def test_index(run: Run, fresh: Path) -> None:
    (fresh / "docs" / "new.md").write_text("# New\n\nA page that was not there before.\n")
    report = run("index", "docs", "--format", "json", cwd=fresh).json
    assert not misfit(report, INDEX)
    assert report["documents"] == {"added": 1, "changed": 0, "removed": 0, "unchanged": 5, "failed": 0}
    assert report["model"] == "all-MiniLM-L6-v2"


def test_list(run: Run, samples: Path) -> None:
    rows = run("list", "--format", "jsonl", cwd=samples).lines
    assert not [said for row in rows if (said := misfit(row, LISTED))]
    assert [row["document"] for row in rows] == sorted(row["document"] for row in rows)
    assert all(datetime.fromisoformat(row[name]).tzinfo for row in rows for name in ("modified", "indexed"))
    assert {row["format"] for row in rows} >= {"markdown", "pdf", "html", "rst", "csv", "jsonl", "python"}
    assert {row["language"] for row in rows} >= {"en", "zh"}
    whole = run("list", "--format", "json", cwd=samples).json
    assert [{"schema": 1, **row} for row in whole["documents"]] == rows


def test_chunk(run: Run, samples: Path) -> None:
    file = samples / "sample_docs" / "faq.md"
    rows = run("chunk", file, "--format", "jsonl").lines
    assert not [said for row in rows if (said := misfit(row, CHUNK))]
    text = file.read_text("utf-8")
    assert all(text[row["span"][0] : row["span"][1]] == row["text"] for row in rows)
    assert all(row["tokens"] <= 254 for row in rows)


def test_status(run: Run, samples: Path) -> None:
    status = run("status", "--format", "json", cwd=samples).json
    assert not misfit(status, STATUS)
    assert status["index"] == str(samples / ".rag")
    assert status["model"]["spec"] == "all-MiniLM-L6-v2"
    assert status["model"]["dimensions"] == 384
    assert status["documents"] == len(run("list", "--format", "jsonl", cwd=samples).lines)
    assert status["stale"] == 0


def commands(folder: Path) -> list[tuple[Any, ...]]:
    return [
        ("search", "hub", "--mode", "lexical"),
        ("context", "hub", "--mode", "lexical"),
        ("query", "hub", "--mode", "lexical"),
        ("index", "sample_docs", "--plan"),
        ("status",),
        ("list",),
        ("show", "sample_docs/faq.md"),
        ("chunk", "sample_docs/faq.md"),
        ("embed", "hub"),
        ("similarity", "hub", "core"),
        ("models",),
        ("config",),
        ("search", "sensors", "--in", folder / "sample_docs" / "faq.md"),
    ]


@pytest.mark.parametrize("number", range(13))
def test_schema_is_everywhere(run: Run, samples: Path, number: int) -> None:
    words = commands(samples)[number]
    # `json` and `lines` themselves look for "schema": 1.
    assert run(*words, "--format", "json", cwd=samples).json
    assert run(*words, "--format", "jsonl", cwd=samples).lines
    assert run(*words, cwd=samples).out


def test_characters_of_every_script_are_as_they_are(run: Run, samples: Path) -> None:
    out = run("search", "传感器", "--mode", "lexical", "-k", "1", "--format", "json", cwd=samples).out
    assert "传感器" in out
    assert json.loads(out)["hits"]
