"""A server that is somebody else's program: ``transformers serve`` with a model made on the spot."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..answer.server import has_loopback
from ..program import Run

TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"


def make_model(folder: Path) -> None:
    """A GPT-2 of two layers with random weights, and a byte-level tokenizer trained on a sentence."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(["the hub keeps hourly averages for 730 days"], 300, special_tokens=["<end>"])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=trained._tokenizer, eos_token="<end>", pad_token="<end>", chat_template=TEMPLATE
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=8192, n_embd=16, n_layer=2, n_head=2,
        bos_token_id=0, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(folder)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The spec of a tiny model behind ``transformers serve``."""
    program = shutil.which("transformers", path=str(Path(sys.executable).parent))
    for package in ("fastapi", "uvicorn", "accelerate"):  # without the last it does not load a model
        pytest.importorskip(package)
    if program is None or not has_loopback():
        pytest.skip("`transformers serve` is not installed, or there is no loopback interface")
    folder = tmp_path_factory.mktemp("model") / "tiny"
    make_model(folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [program, "serve", str(folder), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    log = folder.with_name("log")
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file, env=env) as server:
        try:
            _await(f"http://127.0.0.1:{port}/health", server, log)
            yield f"http://127.0.0.1:{port}/v1#{folder}"
        finally:
            server.kill()


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 300
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start:\n{log.read_text('utf-8', 'replace')[-3000:]}")


def test_an_answer_streams_from_it(run: Run, samples: Path, served: str) -> None:
    words = ("query", "How long does the hub keep hourly averages?", "--mode", "lexical", "-k", "2")
    env = {"RAG_LLM": served, "RAG_LLM_ANSWER": "24", "NO_PROXY": "127.0.0.1"}
    events = run(*words, "--format", "jsonl", cwd=samples, env=env, exit=1).lines
    assert [events[0]["event"], events[-1]["event"]] == ["hits", "done"]
    assert not events[-1]["answered"]  # weights by chance know nothing
    assert events[-1]["usage"]["completion_tokens"] == 24
    assert events[-1]["usage"]["prompt_tokens"] > 100
    assert run.fails(7, *words, "--llm", f"{served}-not", cwd=samples, env={"NO_PROXY": "127.0.0.1"})
