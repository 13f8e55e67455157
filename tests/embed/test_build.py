"""``rag`` with a service's model: through the whole program, over real sockets."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

import pytest

from ..program import Rag, Run
from .server import fails, good, hangs_up, reads_at_most, sends, serving, slow, vector_of

WORDS = ["amber", "basil", "cedar", "dune", "ember", "fjord", "grove", "heron", "inlet", "juniper", "kelp"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a collection of sixty short texts."""
    lines = [
        {"_id": f"r{n}", "text": f"Record {n} tells of {WORDS[n % 11]} and {WORDS[n % 7]}."}
        for n in range(60)
    ]
    (tmp_path / "texts.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    return tmp_path


def test_a_service_embeds_searches_and_shows(run: Run, home: Path) -> None:
    with serving() as server:
        spec = f"{server.url}#words"
        report = run("index", "texts.jsonl", "--model", spec, "--format", "json", cwd=home).json
        assert report["embedded"] == 60
        assert report["spent"] > 0
        assert report["cost"] is None
        assert [n for text, n in server.paid.items() if text.startswith("Record")] == [1] * 60
        model = run("status", "--format", "json", cwd=home).json["model"]
        assert (model["spec"], model["dimensions"]) == (spec, 32)
        asked = len(server.requests)
        question = "Record 17 tells of grove and dune."
        found = run("search", question, "--mode", "dense", "--format", "json", cwd=home).json
        assert found["hits"][0]["record"] == "r17"
        assert len(server.requests) == asked + 1
        assert run("index", cwd=home).out.startswith("documents: 60 unchanged")
        assert len(run("embed", "a text", "--model", spec, "--format", "json", cwd=home).json["vector"]) == 32
        assert run("similarity", "a text", "a text", "--model", spec, cwd=home).out.strip() == "1.0000"
        assert run("doctor", cwd=home).exit == 0


def test_a_plan_asks_nobody_and_tells_tokens_money_and_minutes(run: Run, home: Path) -> None:
    with serving() as server:
        limits = {"RAG_EMBED_PRICE": "20", "RAG_EMBED_TPM": "1000"}
        plan = run(
            "index",
            "texts.jsonl",
            "--plan",
            "--model",
            f"{server.url}#m",
            "--format",
            "json",
            cwd=home,
            env=limits,
        )
        assert server.requests == []
    assert plan.json["embedded"] == 60
    assert plan.json["cost"] == pytest.approx(plan.json["tokens"] * 20 / 1e6)
    assert plan.json["minutes"] == pytest.approx(plan.json["tokens"] / 1000, abs=0.01)
    assert not (home / ".rag").exists()


@pytest.mark.parametrize("cap", [("--max-tokens", "200"), ("--max-cost", "0.02")])
def test_a_budget_ends_a_run_cleanly_and_the_next_carries_on(
    run: Run, home: Path, cap: tuple[str, str]
) -> None:
    env = {"RAG_EMBED_PRICE": "100"}
    with serving() as server:
        ran = run("index", "texts.jsonl", "--model", f"{server.url}#m", *cap, cwd=home, exit=6, env=env)
        assert "the budget is spent" in ran.err
        assert "the same command carries on" in ran.err
        first = len([text for text in server.paid if text.startswith("Record")])
        assert 0 < first < 60
        assert len(run("list", "--format", "jsonl", cwd=home).lines) == first
        runs = 1
        while len(run("list", "--format", "jsonl", cwd=home).lines) < 60:
            before = server.paid.total()
            left = sum(text.startswith("Record") for text in server.paid) < 60 - first
            run("index", "texts.jsonl", *cap, cwd=home, env=env, exit=6 if left else 0)
            assert server.paid.total() > before
            runs += 1
        assert len(run("list", "--format", "jsonl", cwd=home).lines) == 60
        assert {n for text, n in server.paid.items() if text.startswith("Record")} == {1}
    assert runs > 1


def test_a_cost_of_what_has_no_price_is_refused(run: Run, home: Path) -> None:
    assert "embed_price" in run.fails(2, "index", "texts.jsonl", "--max-cost", "1", cwd=home)


def test_what_was_paid_for_is_kept_when_the_service_fails(run: Run, home: Path) -> None:
    env = {"RAG_EMBED_CONCURRENCY": "1", "RAG_EMBED_BATCH": "10", "RAG_EMBED_PATIENCE": "0"}
    with serving(good, good, good, fails(401)) as server:
        told = run.fails(7, "index", "texts.jsonl", "--model", f"{server.url}#m", cwd=home, env=env)
        assert "refused" in told or "wants a key" in told
        assert 0 < len(run("list", "--format", "jsonl", cwd=home).lines) < 60
        run("index", "texts.jsonl", cwd=home)
        assert {n for text, n in server.paid.items() if text.startswith("Record")} == {1}


def test_a_model_that_changed_behind_its_name_is_noticed(run: Run, home: Path) -> None:
    with serving() as server:
        run("index", "texts.jsonl", "--model", f"{server.url}#m", cwd=home)
        (home / "more.jsonl").write_text('{"_id": "x", "text": "One more."}\n')
        server.otherwise = sends(lambda texts: [vector_of(f"{text} otherwise altogether") for text in texts])
        assert "no longer makes the vectors" in run.fails(4, "index", "more.jsonl", cwd=home)


def test_another_service_is_not_mixed_in(run: Run, home: Path) -> None:
    with serving() as server:
        run("index", "texts.jsonl", "--model", f"{server.url}#m", cwd=home)
        other = {"RAG_MODEL": f"{server.url}#n"}
        assert "the index was made with" in run.fails(4, "index", "texts.jsonl", cwd=home, env=other)


def test_a_query_whose_embedding_fails_is_never_silently_lexical(run: Run, home: Path) -> None:
    env = {"RAG_EMBED_PATIENCE": "0"}
    with serving() as server:
        run("index", "texts.jsonl", "--model", f"{server.url}#m", cwd=home)
        server.otherwise = hangs_up
        assert "--mode lexical" in run.fails(7, "search", "amber", cwd=home, env=env)
    assert "cannot reach" in run.fails(7, "search", "amber", cwd=home, env=env)
    assert "--offline" in run.fails(2, "--offline", "search", "amber", cwd=home)
    assert run("--offline", "search", "amber", "--mode", "lexical", "--format", "json", cwd=home).json["hits"]


def test_a_batch_is_answered_up_to_the_question_whose_embedding_fails(run: Run, home: Path) -> None:
    asked = [json.dumps({"_id": name, "text": text}) for name, text in (("q1", "amber"), ("q2", "basalt"))]
    (home / "questions.jsonl").write_text("\n".join(asked) + "\n")
    acts = iter([good])
    words = ("search", "--batch", "questions.jsonl", "-k", "1")
    with serving() as server:
        run("index", "texts.jsonl", "--model", f"{server.url}#m", cwd=home)
        server.otherwise = lambda *request: next(acts, hangs_up)(*request)
        ran = run(*words, cwd=home, env={"RAG_EMBED_PATIENCE": "0"}, exit=7)
    assert [line["query_id"] for line in ran.lines] == ["q1"]


def test_texts_longer_than_the_model_reads_are_noted_once(run: Run, home: Path) -> None:
    (home / "long.txt").write_text(" ".join(f"word{n}" for n in range(150)) + "\n")
    with serving(otherwise=reads_at_most(40)) as server:
        ran = run("index", "long.txt", "--model", f"{server.url}#m", cwd=home)
    assert ran.err.count("embedded in parts") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are not Windows' way")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_nothing_paid_for_is_lost_when_a_build_is_stopped(rag: Rag, home: Path, how: signal.Signals) -> None:
    (home / "rag.toml").write_text("embed-batch = 10\nembed-concurrency = 3\n")
    with serving(good, good, otherwise=slow(0.5)) as server:
        process = rag.start("index", "texts.jsonl", "--model", f"{server.url}#m", cwd=home)
        while len(server.requests) < 4:
            time.sleep(0.02)
        process.send_signal(how)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130, err
        assert b"the same command carries on" in err
        stopped = dict(server.paid)
        assert len(stopped) < 60
        server.otherwise = good
        rag("index", "texts.jsonl", "--model", f"{server.url}#m", cwd=home)
    assert {n for text, n in server.paid.items() if text.startswith("Record")} == {1}


def test_a_static_model_embeds_without_a_network(run: Run, home: Path) -> None:
    import numpy as np
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {
        word: n for n, word in enumerate(["[PAD]", "[UNK]", "Record", "tells", "of", "and", *WORDS])
    }
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = np.random.default_rng(1).standard_normal((len(vocabulary), 16)).astype(np.float32)
    StaticModel(weights, tokenizer, config={}).save_pretrained(str(home / "model"))
    run("--offline", "index", "texts.jsonl", "--model", f"static:{home / 'model'}", cwd=home)
    status = run("status", "--format", "json", cwd=home).json
    assert status["model"]["signature"].startswith("model2vec:")
    hits = run("--offline", "search", "kelp", "--mode", "dense", "--format", "json", cwd=home).json["hits"]
    assert "kelp" in hits[0]["text"]
