"""``rag eval`` on the questions that come with the samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..program import Ran, Run
from .shapes import MODE, misfit

FILES = ("--queries", "sample_docs/eval/queries.jsonl", "--qrels", "sample_docs/eval/qrels.tsv")


@pytest.fixture(scope="module")
def evaluated(run: Run, samples: Path) -> Ran:
    """The index lies in the parent of sample_docs; the judged ids are relative to sample_docs."""
    return run("eval", *FILES, "--modes", "lexical,hybrid", "--format", "json", cwd=samples)


def test_every_judged_document_is_found(evaluated: Ran) -> None:
    assert "not in the index" not in evaluated.err


def test_hybrid_is_good_enough(evaluated: Ran) -> None:
    modes = evaluated.json["modes"]
    assert modes["hybrid"]["ndcg@10"] > 0.70
    assert modes["hybrid"]["ndcg@10"] >= modes["lexical"]["ndcg@10"]


def test_fields(evaluated: Ran) -> None:
    told = evaluated.json
    assert told["queries"] == 50  # ten of the sixty have no answer
    assert told["failed"] == []
    assert list(told["modes"]) == ["lexical", "hybrid"]
    assert not [said for mode in told["modes"].values() if (said := misfit(mode, MODE))]
    for mode in told["modes"].values():
        assert all(0 <= mode[metric] <= 1 for metric in ("ndcg@10", "recall@10", "recall@100", "mrr@10"))
        assert mode["recall@10"] <= mode["recall@100"]


def test_table(run: Run, samples: Path) -> None:
    ran = run("eval", *FILES, "--modes", "lexical", cwd=samples)
    assert ran.out.split()[:5] == ["mode", "ndcg@10", "recall@10", "recall@100", "mrr@10"]
    assert "50 judged questions" in ran.err


def test_judged_documents_that_are_not_there(run: Run, fresh: Path) -> None:
    (fresh / "q.jsonl").write_text('{"_id": "1", "text": "bees in winter"}\n{"_id": "2", "text": "swift"}\n')
    (fresh / "q.tsv").write_text("query-id\tcorpus-id\tscore\n1\tbees\t1\n1\tnowhere.md\t1\n2\tb1\t1\n")
    ran = run(
        "eval",
        "--queries",
        "q.jsonl",
        "--qrels",
        "q.tsv",
        "--modes",
        "lexical",
        "--format",
        "json",
        cwd=fresh,
    )
    assert "1 judged documents are not in the index (nowhere.md" in ran.err
    assert ran.json["modes"]["lexical"]["recall@10"] == 0.75
    assert ran.json["modes"]["lexical"]["mrr@10"] == 1.0


def test_questions_and_judgements_of_different_sets(run: Run, fresh: Path) -> None:
    (fresh / "q.jsonl").write_text('{"_id": "1", "text": "bees"}\n')
    (fresh / "q.tsv").write_text("other\tbees\t1\n")
    message = run.fails(
        2, "eval", "--queries", "q.jsonl", "--qrels", "q.tsv", "--modes", "lexical", cwd=fresh
    )
    assert "none of the questions has a judgement" in message
