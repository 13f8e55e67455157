"""The first dimensions of a model alone, and models that ask for another measure than the cosine."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ..program import Run
from ..tiny import WORDS, save_static

QUESTIONS = ("bees in winter", "green tea for two minutes", "granite far below", "a swift sleeps on the wing")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of static models of 32 dimensions, each called by the measure that it asks for."""
    folder = tmp_path_factory.mktemp("models")
    for seed, measure in enumerate(["cosine", "dot", "euclidean", "manhattan"]):
        save_static(folder / measure, WORDS.split(), seed, measure=measure)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Forty short texts of the words that the models know."""
    words = WORDS.split()
    for number in range(40):
        text = " ".join(words[number * 7 % len(words) :][: 3 + number % 5] + words[: number % 4])
        (tmp_path / f"text{number:02}.txt").write_text(f"{text}\n", "utf-8")
    return tmp_path


def index(run: Run, home: Path, *more: object) -> None:
    run("index", *sorted(str(path) for path in home.glob("*.txt")), *map(str, more), cwd=home)


def hits(run: Run, home: Path, query: str, mode: str) -> list[dict[str, object]]:
    return run("search", query, "--mode", mode, "-k", "10", "--format", "json", cwd=home).json["hits"]  # type: ignore[no-any-return]


def brute_force(model: Path, home: Path, query: str, dims: int | None = None) -> list[tuple[str, float]]:
    """Files by the model's own similarity, without a line of the product but the reading of chunks."""
    from sentence_transformers import SentenceTransformer

    loaded = SentenceTransformer(str(model), truncate_dim=dims)
    unit = loaded.similarity_fn_name == "cosine"
    files = sorted(home.glob("*.txt"))
    # A text file's chunk is embedded as it stands.
    texts = [path.read_text("utf-8").strip() for path in files]
    vectors = loaded.encode(texts, normalize_embeddings=unit)
    scores = loaded.similarity(loaded.encode([query], normalize_embeddings=unit), vectors)[0].tolist()
    order = sorted(zip((path.name for path in files), scores, strict=True), key=lambda pair: -pair[1])
    return [(name, float(score)) for name, score in order]


@pytest.mark.parametrize("measure", ["cosine", "dot", "euclidean"])
def test_searches_are_in_the_order_of_the_models_own_similarity(
    run: Run, home: Path, models: Path, measure: str
) -> None:
    index(run, home, "--model", models / measure)
    assert run("status", "--format", "json", cwd=home).json["model"]["measure"] == measure
    for query in QUESTIONS:
        wanted = dict(brute_force(models / measure, home, query))
        best = sorted(wanted.values(), reverse=True)[:10]
        found = hits(run, home, query, "dense")
        assert [hit["score"] for hit in found] == pytest.approx(best, abs=1e-4)
        for hit in found:
            assert hit["score"] == pytest.approx(wanted[str(hit["path"])], abs=1e-4)
        for hit in hits(run, home, query, "hybrid"):
            if hit["scores"]["dense"]:  # type: ignore[index]
                score = hit["scores"]["dense"]["score"]  # type: ignore[index]
                assert score == pytest.approx(wanted[str(hit["path"])], abs=1e-4)
    examined = run("doctor", "--format", "json", cwd=home).json
    assert "recall@10 1.000" in json.dumps(examined)
    assert ("unit length" in json.dumps(examined)) == (measure == "cosine")


@pytest.mark.parametrize("measure", ["dot", "euclidean"])
def test_another_measure_goes_everywhere_that_vectors_go(
    run: Run, home: Path, models: Path, measure: str
) -> None:
    index(run, home, "--model", models / measure)
    before = [hits(run, home, query, "dense") for query in QUESTIONS]
    run("export", "all.rag", cwd=home)
    run("--index", "other/.rag", "import", "all.rag", cwd=home)
    run("doctor", "--index", "other/.rag", cwd=home)
    run("doctor", "--repair", cwd=home)
    assert [hits(run, home, query, "dense") for query in QUESTIONS] == before
    ran = run("query", "bees in winter", "--format", "json", cwd=home)
    assert ran.json["answered"], "evidence is measured by cosine, whatever the score is"
    vectors = [run("embed", text, "--format", "json", cwd=home).json["vector"] for text in ("bees", "tea")]
    one, other = np.array(vectors)
    alike = float(one @ other) if measure == "dot" else -float(np.linalg.norm(one - other))
    told = run("similarity", "bees", "tea", "--format", "json", cwd=home).json
    assert told["similarity"] == pytest.approx(alike, abs=1e-5)
    assert told["measure"] == measure
    assert abs(np.linalg.norm(one) - 1) > 0.1


def test_a_model_that_asks_for_manhattan_distances_is_refused(run: Run, home: Path, models: Path) -> None:
    message = run.fails(7, "index", "text00.txt", "--model", models / "manhattan", cwd=home)
    assert "manhattan" in message


# -- dimensions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", ["cosine", "dot"])
def test_the_first_dimensions_alone_are_searched_and_remembered(
    run: Run, home: Path, models: Path, measure: str
) -> None:
    index(run, home, "--model", models / measure, "--dims", 8)
    model = run("status", "--format", "json", cwd=home).json["model"]
    assert model["dimensions"] == 8
    assert ":8d:" in model["signature"]
    for query in QUESTIONS:
        wanted = [score for _, score in brute_force(models / measure, home, query, 8)[:10]]
        assert [hit["score"] for hit in hits(run, home, query, "dense")] == pytest.approx(wanted, abs=1e-4)
    (home / "new.txt").write_text("green winter tea\n", "utf-8")
    told = run("index", "new.txt", "--format", "json", cwd=home).json
    assert told["embedded"] == 1
    assert run("index", "--rebuild", "--format", "json", cwd=home).json["embedded"] == 0
    assert run("status", "--format", "json", cwd=home).json["model"]["dimensions"] == 8
    assert len(run("embed", "tea", "--format", "json", cwd=home).json["vector"]) == 8
    run("doctor", cwd=home)


def test_other_dimensions_are_another_model(
    run: Run, home: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(run, home, "--model", models / "cosine")
    before = hits(run, home, QUESTIONS[0], "dense")
    monkeypatch.setenv("RAG_DIMS", "16")
    message = run.fails(4, "index", cwd=home)
    assert "`rag index --dims 16`" in message
    assert "`rag index --dims 32`" in message
    assert run("index", "--dims", "32", "--format", "json", cwd=home).json["embedded"] == 0
    changed = run("index", "--dims", "16", cwd=home)
    assert "(16d) answers now" in changed.out
    run("index", cwd=home)
    monkeypatch.delenv("RAG_DIMS")
    assert len(hits(run, home, QUESTIONS[0], "dense")) == 10
    run("index", "--dims", "32", cwd=home)
    assert hits(run, home, QUESTIONS[0], "dense") == before
    run("index", "--rollback", cwd=home)
    assert run("status", "--format", "json", cwd=home).json["model"]["dimensions"] == 16


def test_the_setting_holds_for_a_new_index(run: Run, home: Path, models: Path) -> None:
    (home / "rag.toml").write_text("dims = 4\n", "utf-8")
    index(run, home, "--model", models / "cosine")
    assert run("status", "--format", "json", cwd=home).json["model"]["dimensions"] == 4


@pytest.mark.parametrize(("dims", "told"), [("33", "32 dimensions"), ("0", "--dims"), ("x", "--dims")])
def test_more_dimensions_than_there_are_and_none(
    run: Run, home: Path, models: Path, dims: str, told: str
) -> None:
    words = ["index", "text00.txt", "--model", models / "cosine", "--dims", dims]
    assert told in run.fails(2, *words, cwd=home)
