"""``rag query``: quoting without an LLM, and an LLM in every mood."""

from __future__ import annotations

import re
import shlex
import socket
import sys
from pathlib import Path

import pytest

from ..answer.server import Refuses, Streams, breaks_off, serving, stalls
from ..program import Run

QUESTION = "How long does the hub keep hourly averages?"
LATER = {"Retry_After": "0.01"}
GOOD = Streams(("Hourly averages are ", "kept for 730 days [1", "]."))


def flat(text: str) -> str:
    return " ".join(text.split())


def test_quotes_can_be_looked_up(run: Run, samples: Path) -> None:
    answer = run("query", QUESTION, "--format", "json", cwd=samples).json
    assert "730" in answer["answer"]
    assert answer["citations"]
    for citation in answer["citations"]:
        assert f"[{citation['n']}]" in answer["answer"]
        assert citation["verified"] is True
        assert flat(citation["quote"]) in flat(answer["answer"])
        first, last = citation["lines"]
        lines = (samples / citation["document"]).read_text("utf-8").splitlines()
        assert flat(citation["quote"]) in flat("\n".join(lines[first - 1 : last]))


def test_printed_places_hold_the_quotes(run: Run, samples: Path) -> None:
    out = run("query", QUESTION, cwd=samples).out
    answer, _, sources = out.partition("\n\n")
    places: dict[str, str] = {}
    for number, where in re.findall(r"^\[(\d+)\] (.+?)(?:  .*)?$", sources, re.MULTILINE):
        for path, first, last in re.findall(r"([^\s,]+):(\d+)(?:-(\d+))?", where):
            lines = (samples / path).read_text("utf-8").splitlines()[int(first) - 1 : int(last or first)]
            places[number] = places.get(number, "") + flat("\n".join(lines)) + "\n"
    quotes = re.findall(r"“(.+?)” \[(\d+)\]", answer)
    assert quotes
    for quote, number in quotes:
        assert quote in places[number]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What does E1316 mean?", "another site"),
        ("打药之后通风规则暂停多久？", "两小时"),
        ("How do I restore a backup?", "restore"),
    ],
)
def test_sample_questions_are_answered(run: Run, samples: Path, question: str, words: str) -> None:
    answer = run("query", question, "--format", "json", cwd=samples).json
    assert words in answer["answer"]


def test_off_topic(run: Run, samples: Path) -> None:
    question = "Who won the football world cup in 1998?"
    ran = run("query", question, cwd=samples, exit=1)
    assert not ran.out
    assert ran.err == "the documents do not answer this; `rag search` shows the nearest passages\n"
    answer = run("query", question, "--format", "json", cwd=samples, exit=1).json
    assert (answer["answered"], answer["answer"], answer["citations"]) == (False, "", [])
    assert run("query", question, "--format", "jsonl", cwd=samples, exit=1).lines[-1]["answered"] is False


def test_question_on_stdin(run: Run, samples: Path) -> None:
    assert "730" in run("query", "-", cwd=samples, stdin=QUESTION + "\n").out


def test_llm_text(run: Run, samples: Path) -> None:
    with serving(GOOD) as server:
        ran = run("query", QUESTION, "--llm", f"{server.url}#m", cwd=samples)
    answer, _, sources = ran.out.partition("\n\n")
    assert answer == "Hourly averages are kept for 730 days [1]."
    assert re.fullmatch(r"\[1\] sample_docs/\S+\.\w+(:\d+(-\d+)?|, page \d+)(  .+)?\n", sources)
    assert ran.err == ""
    [request] = server.requests
    assert request["model"] == "m"
    assert QUESTION in request["messages"][-1]["content"]


def test_llm_json(run: Run, samples: Path) -> None:
    with serving(GOOD) as server:
        spec = f"{server.url}#m"
        answer = run("query", QUESTION, "--format", "json", cwd=samples, env={"RAG_LLM": spec}).json
    assert (answer["answered"], answer["llm"]) == (True, spec)
    assert answer["usage"] == {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    assert [citation["n"] for citation in answer["citations"]] == [1]
    assert answer["citations"][0]["document"] in {hit["document"] for hit in answer["hits"]}


def test_llm_events(run: Run, samples: Path) -> None:
    with serving(GOOD) as server:
        events = run("query", QUESTION, "--llm", f"{server.url}#m", "--format", "jsonl", cwd=samples).lines
    assert [events[0]["event"], events[-1]["event"]] == ["hits", "done"]
    tokens = [event["text"] for event in events if event["event"] == "token"]
    assert len(tokens) > 1
    assert "".join(tokens) == events[-1]["answer"] == "Hourly averages are kept for 730 days [1]."


def test_invented_citations_are_never_printed(run: Run, samples: Path) -> None:
    with serving(Streams(("True [1]. ", "Invented [7", "77], [1, 888].", " 【999】"))) as server:
        for form in ("text", "json", "jsonl"):
            ran = run("query", QUESTION, "--llm", f"{server.url}#m", "--format", form, cwd=samples)
            shown = (
                ran.out
                if form == "text"
                else str([line.get("answer", line.get("text")) for line in ran.lines])
            )
            assert not re.search("777|888|999", shown)
            assert "777" in ran.err


@pytest.mark.parametrize("format_", ["text", "json"])
def test_llm_that_refuses(run: Run, samples: Path, format_: str) -> None:
    with serving(Streams(("The sources do not answer this question.",))) as server:
        ran = run("query", QUESTION, "--llm", f"{server.url}#m", "--format", format_, cwd=samples, exit=1)
    if format_ == "json":
        assert (ran.json["answered"], ran.json["citations"]) == (False, [])
    else:
        assert ran.out.strip() == "The sources do not answer this question."


def test_llm_that_cites_nothing(run: Run, samples: Path) -> None:
    with serving(Streams(("It is 730 days.",))) as server:
        ran = run("query", QUESTION, "--llm", f"{server.url}#m", cwd=samples, exit=1)
    assert "nothing supports it" in ran.err


def test_llm_that_has_too_many_requests_at_first(run: Run, samples: Path) -> None:
    with serving(Refuses(429, "slow down", LATER), GOOD) as server:
        assert "730 days [1]" in run("query", QUESTION, "--llm", f"{server.url}#m", cwd=samples).out
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (Refuses(401, "bad key sk-123456789"), "refused the key; set RAG_LLM_KEY"),
        (Refuses(429, "slow down", LATER), "too many requests: slow down"),
        (Refuses(500, "out of order", LATER), "answered 500: out of order"),
        (Refuses(404, "no such model"), "has no model m"),
    ],
    ids=["401", "429", "500", "404"],
)
def test_llm_that_fails(run: Run, samples: Path, act: Refuses, told: str) -> None:
    with serving(act) as server:
        message = run.fails(7, "query", QUESTION, "--llm", f"{server.url}#m", cwd=samples)
    assert told in message
    assert "sk-123456789" not in message
    assert f"127.0.0.1:{server.server_port}" in message


def test_llm_that_is_not_there(run: Run, samples: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port
        port = taken.getsockname()[1]
        message = run.fails(7, "query", QUESTION, "--llm", f"http://127.0.0.1:{port}/v1#m", cwd=samples)
    assert message == f"cannot reach 127.0.0.1:{port} (is it running?)"


@pytest.mark.parametrize("form", ["text", "json", "jsonl"])
@pytest.mark.parametrize(
    ("act", "told", "begun"),
    [(stalls, "sent nothing for 0.5 s", "Two words"), (breaks_off, "the answer broke off", "Half an")],
    ids=["stalls", "breaks off"],
)
def test_llm_that_stops_in_mid_stream(
    run: Run, samples: Path, act: object, told: str, begun: str, form: str
) -> None:
    with serving(act) as server:  # type: ignore[arg-type]
        ran = run(
            "query", QUESTION, "--llm", f"{server.url}#m", "--format", form,
            cwd=samples, exit=7, env={"RAG_LLM_TIMEOUT": "0.5"},
        )  # fmt: skip
    last = ran.err.splitlines()[-1]
    assert last.startswith("rag: ")
    assert told in last
    assert (begun in ran.out) == (form != "json")  # what was streamed stays; half an object is none
    assert "done" not in ran.out


def command(folder: Path, code: str) -> str:
    script = folder / "llm.py"
    script.write_text(code)
    return f"cmd:{shlex.join([sys.executable, str(script)])}"


def test_command(run: Run, samples: Path, tmp_path: Path) -> None:
    spec = command(
        tmp_path, "import sys\nasked = sys.stdin.read()\nprint('hourly' in asked, 'as it says [1].')\n"
    )
    out = run("query", QUESTION, "--llm", spec, cwd=samples).out
    assert re.match(r"True as it says \[1\]\. \[\?\]\n\n+\[1\] sample_docs/", out)
    # No connection is needed.
    assert run("--offline", "query", QUESTION, "--llm", spec, cwd=samples).out == out


def test_command_that_fails(run: Run, samples: Path, tmp_path: Path) -> None:
    spec = command(tmp_path, "import sys\nsys.stdin.read()\nsys.exit('no more paper')\n")
    message = run.fails(7, "query", QUESTION, "--llm", spec, cwd=samples)
    assert "failed with exit code 1: no more paper" in message


def test_offline_opens_no_connection(run: Run, samples: Path) -> None:
    with serving(GOOD) as server:
        for spec in (f"{server.url}#m", "ollama:m", "openai:m"):
            message = run.fails(2, "query", QUESTION, "--llm", spec, "--offline", cwd=samples)
            assert "--offline opens no connection" in message
        run.fails(2, "query", QUESTION, "--llm", f"{server.url}#m", cwd=samples, env={"RAG_OFFLINE": "1"})
    assert not server.requests


def test_openai_without_a_key(run: Run, samples: Path) -> None:
    assert "OPENAI_API_KEY" in run.fails(7, "query", QUESTION, "--llm", "openai:m", cwd=samples)
