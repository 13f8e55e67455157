"""The commands that look inside."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest

from ..program import Run


def chunk_id(run: Run, home: Path, query: str) -> str:
    hits = run("search", query, "--mode", "lexical", "-k", "1", "--format", "jsonl", cwd=home).lines
    return str(hits[0]["id"])


def test_show_by_prefix(run: Run, samples: Path) -> None:
    name = chunk_id(run, samples, "E1316")
    out = run("show", name, cwd=samples).out
    assert "> sample_docs/api/errors.md:" in out
    assert "E1316" in out
    for length in range(len(name), 3, -1):
        rows = run("show", name[:length], "--format", "jsonl", cwd=samples).lines
        assert [row["id"] for row in rows if row["wanted"]] == [name]
        if length < 10:
            break


def test_show_has_the_neighbours(run: Run, samples: Path) -> None:
    chunks = run("show", "sample_docs/faq.md", "--format", "json", cwd=samples).json["chunks"]
    assert len(chunks) > 3
    near = run("show", chunks[1]["id"], "--format", "json", cwd=samples).json["chunks"]
    assert [row["id"] for row in near] == [row["id"] for row in chunks[:3]]
    assert [row["wanted"] for row in near] == [False, True, False]


def test_show_a_beginning_that_many_share(run: Run, samples: Path) -> None:
    ids = [
        hit["id"]
        for hit in run(
            "search", "hub", "--mode", "lexical", "-k", "60", "--format", "jsonl", cwd=samples
        ).lines
    ]
    first = next(name[0] for name in ids if sum(other[0] == name[0] for other in ids) > 1)
    assert "beginning of several ids" in run.fails(2, "show", first, cwd=samples)


def test_remove_takes_it_out_of_every_list(run: Run, fresh: Path) -> None:
    assert "eighty degrees" in run("search", "green tea", cwd=fresh).out
    report = run("remove", "docs/tea.md", "--format", "json", cwd=fresh).json
    assert report["removed"] == 1
    for mode in ("hybrid", "dense", "lexical"):
        hits = run(
            "search", "green tea", "--mode", mode, "--format", "jsonl", cwd=fresh, exit=int(mode == "lexical")
        )
        assert "docs/tea.md" not in hits.out
    assert "docs/tea.md" not in run("list", "--format", "jsonl", cwd=fresh).out
    assert (fresh / "docs" / "tea.md").exists()
    again = run("index", "docs", "--format", "json", cwd=fresh).json
    assert again["documents"]["added"] == 1


def test_remove_a_record_and_a_folder(run: Run, fresh: Path) -> None:
    run("remove", "docs/birds.jsonl#b1", cwd=fresh)
    documents = {row["document"] for row in run("list", "--format", "jsonl", cwd=fresh).lines}
    assert documents == {"docs/bees.md", "docs/birds.jsonl#b2", "docs/deep/rocks.txt", "docs/tea.md"}
    run("remove", "docs", cwd=fresh)
    ran = run("list", cwd=fresh, exit=1)
    assert "docs/" not in ran.out
    run("search", "bees", cwd=fresh, exit=1)


def test_remove_is_all_or_nothing(run: Run, fresh: Path) -> None:
    run.fails(2, "remove", "docs/tea.md", "docs/none.md", cwd=fresh)
    assert "docs/tea.md" in run("list", cwd=fresh).out


def test_status_counts_what_is_stale(run: Run, fresh: Path) -> None:
    run("index", "docs", cwd=fresh)
    assert run("status", "--format", "json", cwd=fresh).json["stale"] == 0
    (fresh / "docs" / "tea.md").write_text("# Tea\n\nBlack tea likes boiling water.\n")
    (fresh / "docs" / "bees.md").unlink()
    assert run("status", "--format", "json", cwd=fresh).json["stale"] == 2


def test_chunk_size_and_overlap(run: Run, samples: Path) -> None:
    file = samples / "sample_docs" / "faq.md"
    small = run("chunk", file, "--chunk-size", "40", "--format", "jsonl").lines
    whole = run("chunk", file, "--format", "jsonl").lines
    assert len(small) > len(whole)
    assert max(row["tokens"] for row in small) <= 40
    over = run("chunk", file, "--chunk-size", "60", "--overlap", "20", "--format", "jsonl").lines
    assert any(a["span"][1] > b["span"][0] for a, b in pairwise(over))


@pytest.mark.parametrize(
    ("words", "told"),
    [(("--chunk-size", "9999"), "254"), (("--chunk-size", "32", "--overlap", "32"), "overlap of 32")],
)
def test_sizes_that_cannot_be(run: Run, tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    (tmp_path / "a.md").write_text("A page.\n")
    assert told in run.fails(2, "index", "a.md", *words)


def test_embed(run: Run, tmp_path: Path) -> None:
    told = run("embed", "a lost sensor", "--format", "json").json
    vector = told["vector"]
    assert len(vector) == told["dimensions"] == 384
    assert math.isclose(math.hypot(*vector), 1.0, rel_tol=1e-5)
    text = run("embed", "-", stdin="a lost sensor\n").out
    assert [round(float(value), 5) for value in text.split()] == [round(value, 5) for value in vector]
    assert "first 254 tokens" in run("embed", "word " * 400).err
    assert not list(tmp_path.iterdir())


def test_similarity(run: Run) -> None:
    near = run("similarity", "a lost sensor", "the probe went missing", "--format", "json").json["similarity"]
    far = run("similarity", "a lost sensor", "a recipe for plum cake", "--format", "json").json["similarity"]
    assert 1 >= near > far >= -1
    assert run("similarity", "x", "x").out == "1.0000\n"


def test_models(run: Run, samples: Path, tmp_path: Path) -> None:
    [row] = run("models", "--format", "json", cwd=tmp_path).json["models"]
    assert (row["model"], row["in_use"]) == ("all-MiniLM-L6-v2", False)
    [row] = run("models", "--format", "json", cwd=samples).json["models"]
    assert row["in_use"] is True


def test_models_names_services_and_the_variables_of_their_keys(run: Run, tmp_path: Path) -> None:
    key = "sk-secret-0123456789"
    env = {"CO_API_KEY": key}
    ran = run("models", "--format", "json", cwd=tmp_path, env=env)
    services = {row["service"]: row for row in ran.json["services"]}
    assert services["openai"] == {
        "service": "openai", "answers": True, "embeds": True, "local": False, "url": "https://api.openai.com/v1",
        "url_variable": "OPENAI_BASE_URL", "key_variables": ["OPENAI_API_KEY"], "key_set": False,
    }  # fmt: skip
    assert services["cohere"]["key_set"]
    assert (services["azure"]["url"], services["ollama"]["local"]) == (None, True)
    text = run("models", cwd=tmp_path, env=env).out
    told = {line.split("  ")[0]: line.split("  ")[-1].strip() for line in text.splitlines() if line}
    assert told["cohere:MODEL"] == "embeds; key in CO_API_KEY or COHERE_API_KEY, which is set"
    assert told["anthropic:MODEL"] == "answers; key in ANTHROPIC_API_KEY"
    assert (
        told["azure:MODEL"]
        == "answers and embeds; address in AZURE_OPENAI_ENDPOINT; key in AZURE_OPENAI_API_KEY"
    )
    assert told["ollama:MODEL"] == "answers and embeds; here, at http://127.0.0.1:11434/v1 or OLLAMA_HOST"
    assert key not in ran.out + text
    # A line of jsonl is a model, as ever.
    lines = run("models", "--format", "jsonl", cwd=tmp_path).lines
    assert [line["model"] for line in lines] == ["all-MiniLM-L6-v2"]


def origins(run: Run, home: Path, *words: str, **env: str) -> dict[str, tuple[object, str]]:
    told = run(*words, "config", "--format", "json", cwd=home, env=env).json["settings"]
    return {row["setting"]: (row["value"], row["from"]) for row in told}


def test_config_tells_where_each_value_came_from(run: Run, fresh: Path, home: Path) -> None:
    assert origins(run, fresh)["k"] == (10, "default")
    user = home / ".config" / "ragcli" / "rag.toml"
    user.parent.mkdir(parents=True)
    user.write_text("k = 2\nmode = 'dense'\nbudget = 900\n")
    (fresh / "pyproject.toml").write_text("[tool.rag]\nk = 3\n")
    assert origins(run, fresh)["k"] == (3, str(fresh / "pyproject.toml"))
    (fresh / "rag.toml").write_text("k = 4\ndense-weight = 0.25\n")
    found = origins(run, fresh, "--offline", RAG_MODE="lexical")
    assert found["k"] == (4, str(fresh / "rag.toml"))
    assert found["dense_weight"] == (0.25, str(fresh / "rag.toml"))
    assert found["budget"] == (900, str(user))
    assert found["mode"] == ("lexical", "RAG_MODE")
    assert found["offline"] == (True, "flag")
    assert found["min_evidence"][1] == "default"
    assert "budget" in run("config", cwd=fresh).out


def test_config_tells_what_the_index_was_made_with(run: Run, fresh: Path, home: Path) -> None:
    told = {row["setting"]: row for row in run("config", "--format", "json", cwd=fresh).json["settings"]}
    assert (told["model"]["value"], told["model"]["from"]) == ("all-MiniLM-L6-v2", "index")
    assert (told["languages"]["value"], told["languages"]["from"]) == ("en", "index")
    assert told["chunk_size"]["value"] > 0
    assert (told["mmr"]["value"], told["mmr"]["from"]) == (None, "default")
    assert "model" in run("config", cwd=home).out  # without an index


def test_a_flag_wins(run: Run, fresh: Path) -> None:
    (fresh / "rag.toml").write_text("k = 4\n")
    words = ("search", "a", "--mode", "dense", "--format", "jsonl")
    assert len(run(*words, cwd=fresh).lines) == 4
    assert len(run(*words, cwd=fresh, env={"RAG_K": "3"}).lines) == 3
    assert len(run(*words, "-k", "2", cwd=fresh, env={"RAG_K": "3"}).lines) == 2
