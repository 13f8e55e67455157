"""``rag query`` and services: whom a project's file may name, what is told of keys and tokens, Ctrl-C."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..answer import server as play
from ..answer.server import Act, Breaks, Refuses, Streams, serving
from ..program import Rag, Run

KEY = "sk-secret-0123456789abcdef"
QUESTION = ("query", "How long does the hub keep hourly averages?", "--mode", "lexical")
GOOD = Streams(("Hourly averages are ", "kept for 730 days [1", "]."), cached=3)


@pytest.fixture
def project(samples: Path, tmp_path: Path) -> Path:
    """A project of one's own."""
    folder = tmp_path / "project"
    shutil.copytree(samples, folder)
    return folder


def test_an_address_that_a_projects_file_names_is_not_asked(run: Run, project: Path, home: Path) -> None:
    with serving(GOOD) as server:
        (project / "rag.toml").write_text(f'llm = "{server.url}#m"\n')
        message = run.fails(2, *QUESTION, cwd=project, env={"RAG_LLM_KEY": KEY, "OPENAI_API_KEY": KEY})
        assert "a project's file names the LLM http://127.0.0.1" in message
        assert "--trust" in message
        assert "/rag.toml" not in run("search", "averages", "--mode", "lexical", cwd=project).err
        assert not server.requests
        assert run(*QUESTION, "--trust", cwd=project).out.startswith("Hourly averages")
        assert run(*QUESTION, cwd=project, env={"RAG_TRUST": "1"}).out.startswith("Hourly averages")
        assert run(*QUESTION, "--llm", f"{server.url}#m", cwd=project).out.startswith("Hourly averages")
        assert len(server.requests) == 3
        own = home / ".config/ragcli/rag.toml"
        own.parent.mkdir(parents=True)
        own.write_text(f'llm = "{server.url}#m"\n')
        (project / "rag.toml").unlink()
        assert run(*QUESTION, cwd=project).out.startswith("Hourly averages")


def test_a_command_that_a_projects_file_names_is_not_run(run: Run, project: Path) -> None:
    (project / "pyproject.toml").write_text(
        '[tool.rag]\nllm = "cmd:touch ran"\nkey-command = "touch {service}"\n'
    )
    assert "the LLM cmd:touch ran, which is not asked" in run.fails(2, *QUESTION, cwd=project)
    run.fails(7, *QUESTION, "--llm", "mistral:m", cwd=project)
    assert not (project / "ran").exists()
    assert not (project / "mistral").exists()
    run(*QUESTION, "--trust", cwd=project, exit=1)
    assert (project / "ran").exists()
    run.fails(7, *QUESTION, "--trust", "--llm", "mistral:m", cwd=project)
    assert (project / "mistral").exists()


def test_a_service_that_a_projects_file_names_sees_its_own_key(run: Run, project: Path) -> None:
    (project / "rag.toml").write_text('llm = "mistral:m"\n')
    with serving(GOOD) as server:
        env = {"RAG_LLM_KEY": KEY, "MISTRAL_API_KEY": "of-mistral-01234", "MISTRAL_BASE_URL": server.url}
        run(*QUESTION, cwd=project, env=env)
        assert server.keys == ["Bearer of-mistral-01234"]


def test_tokens_and_cost_are_told(run: Run, samples: Path) -> None:
    env = {"ANTHROPIC_API_KEY": KEY, "RAG_LLM_PRICE": "2/10", "RAG_LLM": "anthropic:claude"}
    with serving(GOOD) as server:
        env["ANTHROPIC_BASE_URL"] = server.url.removesuffix("/v1")
        assert run(*QUESTION, "-v", cwd=samples, env=env).err.endswith(
            "11 tokens sent (3 of them cached), 7 received, cost 0.000092\n"
        )
        answer = run(*QUESTION, "--format", "json", cwd=samples, env=env).json
        assert answer["usage"] == {**play.USAGE, "cached_tokens": 3, "cost": 0.000092}
    assert "not two prices" in run.fails(2, *QUESTION, cwd=samples, env={**env, "RAG_LLM_PRICE": "cheap"})


FAILURES: dict[str, Act] = {
    "401": Refuses(401, f"Incorrect API key provided: {KEY}", {"X-Key": KEY}),
    "400": Refuses(400, f"you sent {KEY} and {KEY[:16]}"),
    "429": Refuses(429, f"{KEY} is slow", {"Retry_After": "0.01"}),
    "event": Breaks(f"{KEY} failed", ("Half",)),
    "garbage": play.raw(f"data: {{{KEY}\n\n"),
    "page": play.raw(f"<html>{KEY}</html>", f"text/{KEY}"),
    "cut": play.breaks_off,
    "dies": play.hangs_up,
}


@pytest.mark.parametrize("speaks", ["openai", "anthropic"])
@pytest.mark.parametrize("failure", list(FAILURES))
def test_a_key_is_never_told(run: Run, samples: Path, failure: str, speaks: str) -> None:
    with serving(FAILURES[failure]) as server:
        env = {
            "OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY, "OPENAI_BASE_URL": server.url,
            "ANTHROPIC_BASE_URL": server.url.removesuffix("/v1"),
        }  # fmt: skip
        ran = run(*QUESTION, "-v", "--llm", f"{speaks}:m", cwd=samples, exit=7, env=env)
        assert KEY[:16] not in ran.out + ran.err
        assert server.requests


@pytest.mark.parametrize("failure", ["401", "event"])
def test_nor_in_a_traceback_nor_in_the_index(rag: Rag, samples: Path, failure: str) -> None:
    with serving(FAILURES[failure]) as server:
        env = {**os.environ, "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url}
        words = ("--traceback", "-v", *QUESTION, "--llm", "openai:m")
        with rag.start(*words, cwd=samples, env=env) as process:
            out, err = process.communicate(timeout=300)
    assert b"Traceback" in err
    assert b"ModelUnavailable" in err
    assert KEY[:16].encode() not in out + err
    assert b"openai.AuthenticationError" not in err
    for file in (samples / ".rag").rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()


def test_what_is_said_within_a_streamed_answer_begins_a_line(rag: Rag, samples: Path) -> None:
    def ask(stderr: int) -> tuple[str, str]:
        with (
            serving(Breaks("out of order", ("Hourly averages", " are kept"))) as server,
            rag.start(*QUESTION, "--llm", f"{server.url}#m", cwd=samples, stderr=stderr) as process,
        ):
            out, err = process.communicate(timeout=300)
            assert process.returncode == 7
            return out.decode(), (err or b"").decode()

    together, _ = ask(subprocess.STDOUT)
    answer, error = together.rstrip("\n").rsplit("\n", 1)
    assert answer.startswith("Hourly averages are kept")
    assert error.startswith("rag: ")
    assert "out of order" in error
    assert "\n\n" not in together
    # Apart, each is as it would be alone: no empty line among the errors.
    out, err = ask(subprocess.PIPE)
    assert out.rstrip("\n") == answer
    assert err.startswith("rag: ")
    assert err.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals are not Windows' way")
@pytest.mark.parametrize("act", [play.stalls, play.silent], ids=["in the answer", "before it"])
def test_an_interrupt_ends_in_good_order(rag: Rag, samples: Path, act: Act) -> None:
    ours, theirs = pty.openpty()
    with serving(act) as server:
        words = (*QUESTION, "--llm", f"{server.url}#m")
        env = {**os.environ, "TERM": "dumb", "NO_PROXY": "127.0.0.1"}
        process = rag.start(*words, cwd=samples, env=env, stdout=theirs, stderr=theirs)
        os.close(theirs)
        seen = b""
        until = time.monotonic() + 120
        while time.monotonic() < until and not (
            b"Two words" in seen if act is play.stalls else server.requests
        ):
            if select.select([ours], [], [], 0.05)[0]:
                seen += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        assert _end(process, ours, seen).endswith("rag: interrupted")
        assert process.returncode == 130


def _end(process: subprocess.Popen[bytes], terminal: int, seen: bytes) -> str:
    """The screen when the program has gone; its error stands on a line of its own."""
    process.wait(120)
    try:
        while piece := os.read(terminal, 4096):
            seen += piece
    except OSError:  # as Linux tells that the other side is closed
        pass
    os.close(terminal)
    lines = seen.decode().replace("\r", "").rstrip("\n").split("\n")
    assert "Traceback" not in seen.decode()
    assert lines[-1].startswith("rag: "), lines
    return lines[-1]
