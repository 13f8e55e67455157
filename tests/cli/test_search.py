"""``rag search`` and ``rag context``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ..program import Run, tree

QUESTION = "sensor offline"


def test_order_and_ranks(run: Run, samples: Path) -> None:
    for mode in ("hybrid", "dense", "lexical"):
        hits = run("search", QUESTION, "--mode", mode, "-k", "50", "--format", "jsonl", cwd=samples).lines
        assert [hit["rank"] for hit in hits] == list(range(1, len(hits) + 1))
        assert [(-hit["score"], hit["id"]) for hit in hits] == sorted(
            (-hit["score"], hit["id"]) for hit in hits
        )
        assert len({hit["id"] for hit in hits}) == len(hits)


def test_ties_are_broken_by_id(run: Run, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("cat", "ant", "bee", "doe"):
        (tmp_path / "docs" / f"{name}.txt").write_text("The same words in every file.\n")
    run("index", "docs")
    for words in (("--mode", "lexical"), ("--in", "docs")):
        hits = run("search", "words", *words, "--format", "jsonl").lines
        assert len(hits) == 4
        assert [hit["id"] for hit in hits] == sorted(hit["id"] for hit in hits)


@pytest.mark.parametrize("k", [1, 3, 17])
def test_k(run: Run, samples: Path, k: int) -> None:
    assert (
        len(run("search", "hub", "--mode", "lexical", "-k", k, "--format", "jsonl", cwd=samples).lines) == k
    )
    assert len(run("search", "hub", "-k", k, "--format", "jsonl", cwd=samples).lines) == k
    by_setting = run(
        "search", "hub", "--mode", "lexical", "--format", "jsonl", cwd=samples, env={"RAG_K": str(k)}
    )
    assert len(by_setting.lines) == k


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("E1420", "sample_docs/api/errors.md"),
        ("E1316", "sample_docs/api/errors.md"),
        ("HTTPRelay", "sample_docs/api/webhooks.md"),
        ("data retention policy", "sample_docs/policies/data-retention.md"),
        ("如何更换电池", "sample_docs/zh/"),
    ],
)
def test_what_a_reader_expects_comes_first(run: Run, samples: Path, query: str, path: str) -> None:
    [hit] = run("search", query, "-k", "1", "--format", "jsonl", cwd=samples).lines
    assert hit["path"].startswith(path)


def test_nothing_found(run: Run, samples: Path) -> None:
    words = ("search", "xyzzyqwv", "--mode", "lexical")
    ran = run(*words, cwd=samples, exit=1)
    assert (ran.out, ran.err) == ("", "nothing found\n")
    assert run(*words, "--format", "json", cwd=samples, exit=1).json["hits"] == []
    assert run(*words, "--format", "jsonl", cwd=samples, exit=1).out == ""
    ran = run("context", *words[1:], cwd=samples, exit=1)
    assert (ran.out, ran.err) == ("", "nothing found\n")


def test_text_names_place_and_words(run: Run, samples: Path) -> None:
    out = run("search", "E1316", "--mode", "lexical", "-k", "1", cwd=samples).out
    found = re.match(r"1  (sample_docs/api/errors\.md):(\d+)-(\d+)  ", out)
    assert found is not None
    lines = (samples / found[1]).read_text("utf-8").splitlines()
    assert "E1316" in "\n".join(lines[int(found[2]) - 1 : int(found[3])])
    assert "E1316" in out.partition("\n")[2]


def test_places_are_told_from_the_current_folder(run: Run, samples: Path) -> None:
    words = ("search", "E1316", "--mode", "lexical", "-k", "1", "--format", "paths")
    assert run(*words, cwd=samples).out == "sample_docs/api/errors.md\n"
    assert run(*words, cwd=samples / "sample_docs").out == "api/errors.md\n"
    assert run(*words, cwd=samples / "sample_docs" / "api").out == "errors.md\n"


def test_explain_shows_what_each_list_said(run: Run, samples: Path) -> None:
    out = run("search", QUESTION, "--explain", "-k", "2", cwd=samples).out
    assert len(re.findall(r"^   lexical .*, dense .*, fused \d", out, re.MULTILINE)) == 2


def test_fusion_and_weight_are_settings(run: Run, samples: Path) -> None:
    hybrid = ("search", QUESTION, "--format", "jsonl")
    rrf = run(*hybrid, "--fusion", "rrf", cwd=samples).lines
    assert rrf[0]["score"] <= 2 / 61
    dense = [hit["id"] for hit in run(*hybrid, "--dense-weight", "1", cwd=samples).lines]
    assert dense == [hit["id"] for hit in run(*hybrid, "--mode", "dense", cwd=samples).lines]
    lexical = [hit["id"] for hit in run(*hybrid, "--dense-weight", "0", cwd=samples).lines]
    assert lexical == [hit["id"] for hit in run(*hybrid, "--mode", "lexical", cwd=samples).lines]


def test_paths_come_once_each(run: Run, samples: Path) -> None:
    paths = run("search", QUESTION, "-k", "30", "--format", "paths", cwd=samples).out.splitlines()
    assert len(set(paths)) == len(paths) > 1
    assert all((samples / path).is_file() for path in paths)


def test_trec(run: Run, samples: Path) -> None:
    rows = [
        line.split()
        for line in run("search", QUESTION, "-k", "30", "--format", "trec", cwd=samples).out.splitlines()
    ]
    assert all(row[:2] == ["1", "Q0"] and row[5:] == ["ragcli"] for row in rows)
    assert [int(row[3]) for row in rows] == list(range(1, len(rows) + 1))
    assert [float(row[4]) for row in rows] == sorted((float(row[4]) for row in rows), reverse=True)
    assert len({row[2] for row in rows}) == len(rows)


def test_query_from_stdin(run: Run, samples: Path) -> None:
    words = ("--mode", "lexical", "--format", "jsonl")
    given = run("search", "电池", *words, cwd=samples).out
    assert run("search", "-", *words, cwd=samples, stdin="电池\n").out == given


def test_batch(run: Run, samples: Path, tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(
        '{"_id": "a b", "text": "E1420"}\n\n{"_id": "two", "text": "xyzzyqwv"}\n{"_id": "3", "text": "hub"}\n'
    )
    words = ("search", "--batch", file, "--mode", "lexical", "-k", "2")
    lines = run(*words, "--format", "jsonl", cwd=samples).lines
    assert [line["query_id"] for line in lines] == ["a b", "a b", "3", "3"]
    single = run("search", "hub", "--mode", "lexical", "-k", "2", "--format", "jsonl", cwd=samples).lines
    assert lines[2:] == [{**hit, "query_id": "3"} for hit in single]
    rows = [line.split() for line in run(*words, "--format", "trec", cwd=samples).out.splitlines()]
    assert {row[0] for row in rows} == {"a_b", "3"}
    through = run(*words[:2], "-", *words[3:], cwd=samples, stdin=file.read_bytes().replace(b"\n", b"\r\n"))
    assert through.lines == lines


def test_a_question_of_a_batch_that_cannot_be_asked_is_named_and_the_rest_answered(
    run: Run, samples: Path, tmp_path: Path
) -> None:
    file = tmp_path / "q.jsonl"
    texts = {"1": "hub", "2": "-hub", "3": "sensor"}
    lines = (json.dumps({"_id": name, "text": text}) + "\n" for name, text in texts.items())
    file.write_text("".join(lines), "utf-8")
    ran = run("search", "--batch", file, "--mode", "lexical", "-k", "1", cwd=samples, exit=6)
    assert [hit["query_id"] for hit in ran.lines] == ["1", "3"]
    assert f"{file}: question 2: " in ran.err


def test_batch_that_finds_nothing(run: Run, samples: Path, tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"_id": "1", "text": "xyzzyqwv"}\n')
    ran = run("search", "--batch", file, "--mode", "lexical", cwd=samples, exit=1)
    assert ran.out == ""


def test_in_files_finds_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.md").write_text("# Kettles\n\nThe kettle whistles at dawn.\n")
    (docs / "b.md").write_text("# Otters\n\nOtters hold hands.\n")
    (docs / "c.jsonl").write_text('{"_id": "r1", "text": "A badger digs."}\n')
    before = tree(tmp_path)
    [hit] = run("search", "kettle", "--in", "docs", "--format", "jsonl").lines
    assert (hit["document"], hit["lines"]) == ("docs/a.md", [1, 3])
    [hit] = run(
        "search", "badger", "--in", "docs/a.md", "docs/b.md", "docs/c.jsonl", "--format", "jsonl"
    ).lines
    assert hit["document"] == "docs/c.jsonl#r1"
    [hit] = run("search", "hands", "--in", "docs/a.md", "--in", "docs/b.md", "--format", "jsonl").lines
    assert hit["path"] == "docs/b.md"
    assert run("search", "zebra", "--in", "docs", exit=1).err == "nothing found\n"
    assert tree(tmp_path) == before


def test_in_files_leaves_an_index_alone(run: Run, fresh: Path) -> None:
    before = tree(fresh)
    run("search", "bees", "--in", "docs", cwd=fresh)
    assert tree(fresh) == before


def test_a_question_without_quotes(run: Run, samples: Path) -> None:
    assert "quotes" in run.fails(2, "search", "sensor", "offline", cwd=samples)


def test_context(run: Run, samples: Path) -> None:
    found = run("context", QUESTION, "--format", "json", cwd=samples).json
    assert found["context"] == run("context", QUESTION, cwd=samples).out.removesuffix("\n")
    assert [source["n"] for source in found["sources"]] == list(range(1, len(found["sources"]) + 1))
    for source in found["sources"]:
        assert f'n="{source["n"]}"' in found["context"]
        assert source["path"] in found["context"]


def test_context_keeps_to_its_budget(run: Run, samples: Path) -> None:
    wide = run("context", QUESTION, "--format", "json", cwd=samples).json
    narrow = run("context", QUESTION, "--budget", "300", "--format", "json", cwd=samples).json
    assert 1 <= len(narrow["sources"]) < len(wide["sources"])
    assert sum(source["tokens"] for source in narrow["sources"]) <= 300


def test_question_that_looks_like_an_option(run: Run, samples: Path) -> None:
    found = run("search", "--mode", "lexical", "--format", "json", "--", "--traceback", cwd=samples, exit=1)
    assert json.loads(found.out)["query"] == "--traceback"


# -- filters -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["lexical", "dense", "hybrid"])
def test_a_filter_leaves_as_many_hits_as_there_are(run: Run, samples: Path, mode: str) -> None:
    words = ("search", "how is a sensor reset", "--mode", mode, "--format", "jsonl", "-k", "5")
    everything = run(*words, "-k", "300", cwd=samples).lines
    chosen = [hit for hit in everything if hit["path"].startswith("sample_docs/hardware/")]
    found = run(*words, "--filter", "path=hardware/**", cwd=samples).lines
    assert len(found) == min(5, len(chosen)) > 0
    assert all(hit["path"].startswith("sample_docs/hardware/") for hit in found)
    if mode != "hybrid":  # the scores of one list do not depend on what else is found
        assert [hit["id"] for hit in found] == [hit["id"] for hit in chosen[:5]]
        assert [hit["score"] for hit in found] == [hit["score"] for hit in chosen[:5]]


def test_filters_are_for_every_question_and_every_command(run: Run, samples: Path) -> None:
    for command in ("search", "context", "query"):
        out = run(
            command, "电池", "--filter", "language=zh", "--filter", "ext=md", "--format", "json", cwd=samples
        ).json
        hits = out["hits"] if "hits" in out else out["sources"]
        assert hits
        assert all("/zh/" in hit["path"] for hit in hits)


def test_a_filter_that_leaves_nothing_finds_nothing(run: Run, samples: Path) -> None:
    for mode in ("lexical", "dense", "hybrid"):
        run("search", "battery", "--mode", mode, "--filter", "path=none/**", cwd=samples, exit=1)
    assert "there are path" in run.fails(2, "search", "battery", "--filter", "colour=red", cwd=samples)
    assert "--in" in run.fails(2, "search", "x", "--filter", "ext=md", "--in", "sample_docs", cwd=samples)


def exact(run: Run, query: str, *words: str, folder: Path) -> list[str]:
    """Texts that a search finds."""
    hits = run("search", query, "-k", "50", *words, "--format", "jsonl", cwd=folder).lines
    return [
        " ".join(f"{' '.join(hit['heading'])} {hit['title']} {hit['text']}".lower().split()) for hit in hits
    ]


@pytest.mark.parametrize("mode", ["lexical", "dense", "hybrid"])
def test_signs_hold_in_every_mode(run: Run, samples: Path, mode: str) -> None:
    words = ("--mode", mode)
    every = exact(run, "sensor", *words, folder=samples)
    assert any("hub" in text for text in every)
    assert not all("hub" in text for text in every)
    required = exact(run, "sensor +hub", *words, folder=samples)
    assert required
    assert all("hub" in text for text in required)
    left_out = exact(run, "sensor -hub", *words, folder=samples)
    assert left_out
    assert not any(re.search(r"\bhubs?\b", text) for text in left_out)
    phrase = exact(run, '"rest position"', *words, folder=samples)
    assert phrase
    assert all("rest position" in text.replace("*", "") for text in phrase)
    assert exact(run, "calibrat*", *words, folder=samples)
    assert exact(run, "configurati*", *words, folder=samples)
    assert not any(re.search(r"\bsen", text) for text in exact(run, "hub -sen*", *words, folder=samples))


def test_a_phrase_is_preferred_and_its_words_still_found(run: Run, samples: Path) -> None:
    found = exact(run, 'where do vents go, "rest position"', "--mode", "lexical", folder=samples)
    assert "rest position" in found[0].replace("*", "")
    assert any("rest position" not in text.replace("*", "") for text in found)


def test_signs_hold_without_an_index(run: Run, samples: Path) -> None:
    found = exact(run, 'sensor +"rest position" -curtain', "--in", "sample_docs", folder=samples)
    assert found
    assert all("rest position" in text.replace("*", "") and "curtain" not in text for text in found)
    assert exact(run, '"to be"', "--in", "sample_docs", folder=samples)  # stop words alone


def test_what_no_passage_has_is_named(run: Run, samples: Path) -> None:
    ran = run("search", 'sensor +"quux baz"', cwd=samples, exit=1)
    assert ran.err == "nothing found: no passage has “quux baz”\n"
    assert run("context", '"quux baz"', cwd=samples, exit=1).err == ran.err
    assert "only says what to leave out" in run.fails(2, "search", "--", "-sensor", cwd=samples)


def test_words_that_are_demanded_and_never_meet_are_named(run: Run, samples: Path) -> None:
    words = ("search", "+curtain +warranty", "--mode", "lexical")
    ran = run(*words, cwd=samples, exit=1)
    assert ran.err == "nothing found: no passage has all of curtain, warranty\n"
    assert run(*words, "--filter", "ext=pdf", cwd=samples, exit=1).err == "nothing found\n"


def test_a_sign_and_a_filter_both_hold(run: Run, samples: Path) -> None:
    hits = run(
        "search",
        "sensor +hub",
        "--filter",
        "path=api/**",
        "--mode",
        "lexical",
        "--format",
        "jsonl",
        cwd=samples,
    ).lines
    assert hits
    assert all("/api/" in hit["path"] and "hub" in f"{hit['heading']} {hit['text']}".lower() for hit in hits)


def test_passages_are_whole_and_name_their_chunks(run: Run, samples: Path) -> None:
    words = ("search", "how do I get a lost sensor back", "--mode", "lexical", "--passages", "-k", "3")
    hits = run(*words, "--format", "jsonl", cwd=samples).lines
    assert len(hits) == 3
    merged = next(hit for hit in hits if len(hit["chunks"]) > 1)
    shown = run("show", merged["chunks"][0], "--format", "json", cwd=samples).json
    assert next(chunk for chunk in shown["chunks"] if chunk["wanted"])["text"] in merged["text"]
    last = " ".join(merged["text"].split())[-60:]
    assert last in " ".join(run(*words, cwd=samples).out.split())  # a reader sees it to its end


def test_a_copy_is_told_once_in_a_context_and_named_in_a_search(run: Run, fresh: Path) -> None:
    text = next((fresh / "docs").glob("*.md")).read_text()
    (fresh / "docs" / "copy.md").write_text(text)
    run("index", "docs", cwd=fresh)
    query = " ".join(text.split()[2:9])
    plain = run("search", query, "--mode", "lexical", "--format", "jsonl", cwd=fresh).lines
    assert "docs/copy.md" in {hit["document"] for hit in plain}
    folded = run("search", query, "--mode", "lexical", "--passages", "--format", "jsonl", cwd=fresh).lines
    pairs = [({hit["document"]}, {copy["document"] for copy in hit.get("duplicates", [])}) for hit in folded]
    assert any("docs/copy.md" in one | copies and copies for one, copies in pairs)
    assert "also docs/" in run("search", query, "--mode", "lexical", "--passages", cwd=fresh).out
    context = run("context", query, "--mode", "lexical", cwd=fresh).out
    assert context.count(" ".join(text.split()[-3:])) == 1


def test_hits_can_be_made_to_differ(run: Run, samples: Path) -> None:
    words = ("search", "sensor", "--mode", "lexical", "-k", "5", "--format", "jsonl")
    plain = run(*words, cwd=samples).lines
    same = run(*words, "--mmr", "1", cwd=samples).lines
    assert [hit["id"] for hit in same] == [hit["id"] for hit in plain]
    other = run(*words, "--mmr", "0.3", cwd=samples).lines
    assert [hit["id"] for hit in other] != [hit["id"] for hit in plain]
    assert [(-hit["score"], hit["id"]) for hit in other] == sorted(
        (-hit["score"], hit["id"]) for hit in other
    )
    run.fails(2, "search", "sensor", "--mmr", "2", cwd=samples)
    run.fails(2, "search", "sensor", "--in", "sample_docs", "--passages", cwd=samples)
