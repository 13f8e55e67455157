"""Refusing before anybody answers: too little evidence costs no tokens."""

from __future__ import annotations

from pathlib import Path

from ..answer.server import Streams, serving
from ..program import Run

ON = "How long does the hub keep hourly averages?"
OFF = "Who won the football world cup in 1998?"
GOOD = Streams(("Hourly averages are kept for 730 days [1].",))


def test_no_llm_is_asked_what_the_documents_do_not_say(run: Run, samples: Path) -> None:
    with serving(GOOD) as server:
        words = ("query", OFF, "--llm", f"{server.url}#m")
        answer = run(*words, "--format", "json", cwd=samples, exit=1).json
        told = run(*words, cwd=samples, exit=1)
    assert not server.requests
    assert (answer["answered"], answer["answer"], answer["citations"], answer["usage"]) == (False, "", [], {})
    assert answer["hits"]
    assert told.out == ""
    assert "the documents do not answer this" in told.err


def test_the_least_evidence_can_be_set(run: Run, samples: Path) -> None:
    with serving(GOOD, GOOD) as server:
        words = ("query", OFF, "--llm", f"{server.url}#m")
        run(*words, cwd=samples, env={"RAG_MIN_EVIDENCE": "0"})
        assert len(server.requests) == 1
        run("query", ON, "--llm", f"{server.url}#m", cwd=samples, env={"RAG_MIN_EVIDENCE": "0.6"})
        assert len(server.requests) == 2  # seven tenths are enough for an LLM to be asked
    assert run("query", ON, cwd=samples, exit=1, env={"RAG_MIN_EVIDENCE": "1"}).out == ""
    message = run.fails(2, "query", ON, cwd=samples, env={"RAG_MIN_EVIDENCE": "some"})
    assert "neither a number nor auto" in message


def test_the_index_itself_tells_the_least_evidence(run: Run, samples: Path) -> None:
    auto = {"RAG_MIN_EVIDENCE": "auto"}
    assert "730" in run("query", ON, cwd=samples, env=auto).out
    assert run("query", OFF, cwd=samples, exit=1, env=auto).out == ""
