"""Reranking through the program, with a cross-encoder made on the spot."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from ..program import Run
from ..tiny import WORDS, save_cross_encoder
from .test_startup import HEAVY, imported

QUESTION = "bees in winter"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rerankers") / "tiny"
    save_cross_encoder(folder, WORDS.split(), seed=3)
    return folder


def hits(run: Run, *words: str | Path, **options: Any) -> list[dict[str, Any]]:
    return run("search", QUESTION, *words, "--format", "jsonl", **options).lines


def test_modes_that_need_a_reranker_say_so_before_anything_is_asked(run: Run, samples: Path) -> None:
    files = ("--queries", "sample_docs/eval/queries.jsonl", "--qrels", "sample_docs/eval/qrels.tsv")
    told = run.fails(2, "eval", *files, "--modes", "lexical,lexical+rerank", cwd=samples)
    assert "no reranker is set" in told


def test_the_reranker_alone_decides_at_weight_1(run: Run, fresh: Path, model: Path) -> None:
    plain = hits(run, cwd=fresh)
    found = hits(run, "--reranker", model, "--rerank-weight", "1", cwd=fresh)
    said = [hit["scores"]["rerank"] for hit in found]
    assert said == sorted(said, reverse=True)
    assert len(set(said)) == len(plain) > 3
    assert [hit["id"] for hit in found] != [hit["id"] for hit in plain]
    assert {hit["id"]: hit["score"] for hit in plain} == {hit["id"]: hit["scores"]["fused"] for hit in found}
    assert found == hits(run, "--reranker", model, "--rerank-weight", "1", cwd=fresh)


def test_the_first_stage_alone_decides_at_weight_0(run: Run, fresh: Path, model: Path) -> None:
    assert hits(run, "--reranker", model, "--rerank-weight", "0", cwd=fresh) == hits(run, cwd=fresh)


def test_only_the_candidates_change_places(run: Run, fresh: Path, model: Path) -> None:
    plain = hits(run, cwd=fresh)
    words = ("--reranker", model, "--rerank-weight", "1", "--rerank-candidates", "2")
    found = hits(run, *words, cwd=fresh)
    assert [hit["id"] for hit in found[2:]] == [hit["id"] for hit in plain[2:]]
    assert [hit["scores"]["rerank"] is None for hit in found] == [False, False, *[True] * (len(plain) - 2)]
    # What is shown is taken from the candidates after they were ordered.
    assert hits(run, *words, "-k", "1", cwd=fresh) == found[:1]


def test_settings_and_flags(run: Run, fresh: Path, model: Path) -> None:
    def reranked(*words: str, **env: str) -> bool:
        return hits(run, *words, cwd=fresh, env=env)[0]["scores"]["rerank"] is not None

    assert not reranked(RAG_RERANKER=str(model))
    assert reranked("--rerank", RAG_RERANKER=str(model))
    assert reranked(RAG_RERANKER=str(model), RAG_RERANK="1")
    (fresh / "rag.toml").write_text(f"rerank = true\nreranker = '{model}'\n", "utf-8")
    assert reranked()
    assert not reranked("--no-rerank")


@pytest.mark.parametrize(
    "words",
    [("search",), ("context",), ("query",), ("search", "--in", "docs"), ("search", "--mode", "lexical")],
)
def test_without_a_reranker_it_says_how_to_set_one(run: Run, fresh: Path, words: tuple[str, ...]) -> None:
    message = run.fails(2, words[0], QUESTION, *words[1:], "--rerank", cwd=fresh)
    assert message.startswith("no reranker is set; name a cross-encoder")
    assert "--reranker" in message


def test_json_and_text_tell_of_it(run: Run, fresh: Path, model: Path) -> None:
    words = ("search", QUESTION, "--reranker", model)
    assert run(*words, "--format", "json", cwd=fresh).json["took_ms"]["rerank"] > 0.0
    assert run("search", QUESTION, "--format", "json", cwd=fresh).json["took_ms"]["rerank"] == 0.0
    assert ", rerank " in run(*words, "--explain", cwd=fresh).out


def test_files_without_an_index(run: Run, fresh: Path, model: Path) -> None:
    words = (
        "search",
        QUESTION,
        "--reranker",
        model,
        "--rerank-weight",
        "1",
        "--format",
        "jsonl",
        "--in",
        "docs",
    )
    said = [hit["scores"]["rerank"] for hit in run(*words, cwd=fresh).lines]
    assert None not in said
    assert said == sorted(said, reverse=True)


def test_contexts_and_answers_are_made_of_the_new_order(run: Run, fresh: Path, model: Path) -> None:
    words = ("--reranker", model, "--rerank-weight", "1")
    ids = [hit["id"] for hit in hits(run, *words, cwd=fresh)]
    context = run("context", QUESTION, *words, "--format", "json", cwd=fresh).json
    assert context["sources"][0]["id"] == ids[0]
    answer = run(
        "query", "a hive holds forty thousand bees in june", *words, "--format", "json", cwd=fresh
    ).json
    said = [hit["scores"]["rerank"] for hit in answer["hits"]]
    assert said == sorted(said, reverse=True)


def test_a_question_in_words_it_does_not_know_is_left_to_the_first_stage(
    run: Run, fresh: Path, model: Path, tmp_path: Path
) -> None:
    shutil.copytree(model, tmp_path / "unread")
    (tmp_path / "unread" / "model.safetensors").unlink()  # not even loaded
    (fresh / "docs" / "zh.md").write_text("冬天蜂群聚在一起取暖。\n", "utf-8")
    run("index", "docs", cwd=fresh)
    words = ("search", "冬天蜂群如何取暖", "--format", "jsonl")
    ran = run("-v", *words, "--reranker", tmp_path / "unread", cwd=fresh)
    assert ran.lines == run(*words, cwd=fresh).lines
    assert "mostly does not know these words; nothing was reranked" in ran.err
    assert run(*words, "--reranker", tmp_path / "unread", cwd=fresh).err == ""
    run.fails(7, "search", QUESTION, "--reranker", tmp_path / "unread", cwd=fresh)
    # An English question reads no Chinese passage either.
    words = ("search", "bees in winter 取暖", "--reranker", model, "--mode", "lexical", "--format", "jsonl")
    said = {hit["path"]: hit["scores"]["rerank"] for hit in run(*words, cwd=fresh).lines}
    assert said["docs/zh.md"] is None
    assert said["docs/bees.md"] is not None


def test_modes_of_an_evaluation(run: Run, fresh: Path, model: Path) -> None:
    (fresh / "q.jsonl").write_text('{"_id": "1", "text": "bees in winter"}\n', "utf-8")
    (fresh / "q.tsv").write_text("query-id\tcorpus-id\tscore\n1\tbees\t1\n", "utf-8")
    words = ("eval", "--queries", "q.jsonl", "--qrels", "q.tsv", "--format", "json", "--modes")
    modes = "hybrid,hybrid+rerank,lexical+rerank,dense+rerank"
    found = run(*words, modes, "--reranker", model, cwd=fresh).json["modes"]
    assert list(found) == modes.split(",")
    same = run(*words, modes, "--reranker", model, "--rerank-weight", "0", cwd=fresh).json["modes"]
    assert same["hybrid"]["ndcg@10"] == same["hybrid+rerank"]["ndcg@10"]
    assert "no reranker is set" in run.fails(2, *words, "hybrid+rerank", cwd=fresh)


def test_a_budget_that_runs_out_is_told(run: Run, tmp_path: Path, model: Path) -> None:
    (tmp_path / "docs").mkdir()
    for number in range(40):
        (tmp_path / "docs" / f"{number}.txt").write_text(f"bees {number} " + "in winter " * 100, "utf-8")
    words = ("--reranker", model, "--in", "docs", "-k", "50", "--rerank-candidates", "40")
    ran = run("search", QUESTION, *words, "--rerank-budget-ms", "1", "--format", "jsonl", cwd=tmp_path)
    said = [hit["scores"]["rerank"] for hit in ran.lines]
    read = sum(score is not None for score in said)
    assert 0 < read < len(said) == 40
    assert ran.err.startswith(f"note: after 1 ms reranking stopped at {read} of 40 passages;")


def test_no_model_library_is_imported_for_words_it_does_not_know(samples: Path, model: Path) -> None:
    found = imported("search", "传感器", "--mode", "lexical", "--reranker", str(model), cwd=samples)
    assert not found & HEAVY
