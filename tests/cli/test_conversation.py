"""``rag query --continue`` and ``--decompose``: questions that lean on others, and that consist of several."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from ragcli.pipeline.conversation import conversation_file

from ..answer.server import Refuses, Streams, replying, serving
from ..program import Run, tree

LEXICAL = ("--mode", "lexical", "--format", "json")
BEES = "How many bees does a hive hold?"


def kept(folder: Path) -> Path:
    return conversation_file(folder / ".rag")


def test_a_follow_up_is_asked_with_the_words_before(run: Run, fresh: Path) -> None:
    run("query", BEES, "--mode", "lexical", cwd=fresh)
    ran = run("query", "And in winter?", "--continue", *LEXICAL, cwd=fresh)
    told = ran.json
    assert told["query"] == "And in winter?"
    assert told["standalone"] == "And in winter? bees hive hold"
    assert ran.err == "asked as: And in winter? bees hive hold\n"
    assert told["hits"][0]["document"] == "docs/bees.md"


def test_a_question_that_stands_alone_stays_as_it_is(run: Run, fresh: Path) -> None:
    run("query", BEES, "--mode", "lexical", cwd=fresh)
    ran = run("query", "How long is green tea steeped?", "--continue", *LEXICAL, cwd=fresh)
    assert ran.json["standalone"] == "How long is green tea steeped?"
    assert ran.err == ""


def test_a_plain_question_begins_anew(run: Run, fresh: Path) -> None:
    assert "standalone" not in run("query", BEES, *LEXICAL, cwd=fresh).json
    run("query", "How long is green tea steeped?", "--mode", "lexical", cwd=fresh)
    ran = run("query", "And at how many degrees is it?", "--continue", *LEXICAL, cwd=fresh)
    assert "bees" not in ran.json["standalone"]
    assert "tea" in ran.json["standalone"]


def test_nothing_to_continue(run: Run, fresh: Path) -> None:
    ran = run("query", BEES, "--continue", *LEXICAL, cwd=fresh)
    assert ran.json["standalone"] == BEES
    assert "no conversation with this index to continue" in ran.err


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b"\xff", b'{"kind": "ragcli conversation", "turns": [1]}']
)
def test_a_file_that_is_no_conversation(run: Run, fresh: Path, content: bytes) -> None:
    run("query", BEES, "--mode", "lexical", cwd=fresh)
    kept(fresh).write_bytes(content)
    ran = run("query", "And in winter, the cluster?", "--continue", *LEXICAL, cwd=fresh)
    assert "no conversation with this index to continue" in ran.err
    assert len(json.loads(kept(fresh).read_text())["turns"]) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes and devices among files")
@pytest.mark.parametrize("what", ["pipe", "endless"])
def test_what_is_no_file_is_no_conversation(run: Run, fresh: Path, what: str) -> None:
    kept(fresh).parent.mkdir(parents=True)
    os.mkfifo(kept(fresh)) if what == "pipe" else kept(fresh).symlink_to("/dev/zero")
    ran = run("query", BEES, "--continue", *LEXICAL, cwd=fresh)
    assert ran.json["answered"] is True


def test_the_index_and_what_is_exported_hold_nothing_of_it(run: Run, fresh: Path) -> None:
    run("query", BEES, "--mode", "lexical", cwd=fresh)
    before = tree(fresh)
    run("query", "zebracrossing?", "--mode", "lexical", cwd=fresh, exit=1)
    assert tree(fresh) == before
    run("export", "all.rag", cwd=fresh)
    assert "zebracrossing" in kept(fresh).read_text()
    assert b"zebracrossing" not in (fresh / "all.rag").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="rights come from the folder above")
def test_it_is_the_users_own(run: Run, fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-123")
    run("query", BEES, "--mode", "lexical", cwd=fresh)
    assert stat.S_IMODE(kept(fresh).stat().st_mode) == 0o600
    assert stat.S_IMODE(kept(fresh).parent.stat().st_mode) == 0o700
    assert "sk-secret-123" not in kept(fresh).read_text()


def test_a_conversation_that_cannot_be_kept(run: Run, fresh: Path) -> None:
    place = kept(fresh).parent.parent.parent
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("a file where the folder should be")
    ran = run("-v", "query", BEES, "--mode", "lexical", cwd=fresh)
    assert "the conversation cannot be kept" in ran.err
    assert run("query", BEES, "--mode", "lexical", cwd=fresh).err == ""


def test_nothing_is_kept_where_that_is_not_wanted(run: Run, fresh: Path) -> None:
    run("query", BEES, "--mode", "lexical", cwd=fresh, env={"RAG_HISTORY": "no"})
    assert not kept(fresh).exists()


def test_a_llm_words_the_follow_up(run: Run, fresh: Path) -> None:
    whole = "How do bees behave in winter?"
    acts = [
        Streams(("Forty thousand bees [1].",)),
        Streams((f"Question: {whole}",)),
        Streams(("The cluster shivers [1].",)),
    ]
    with serving(*acts) as server:
        spec = ("--llm", f"{server.url}#m")
        run("query", BEES, *spec, "--mode", "lexical", cwd=fresh)
        ran = run("-v", "query", "and in winter?", "--continue", *spec, *LEXICAL, cwd=fresh)
    assert ran.json["standalone"] == whole
    assert f"asked as: {whole}" in ran.err
    assert "the LLM worded the follow-up, prompt_tokens 11" in ran.err
    asked = server.requests[1]["messages"][-1]["content"]
    assert "Forty thousand bees" in asked
    assert "and in winter?" in asked
    assert whole in server.requests[2]["messages"][-1]["content"]


def test_a_wording_that_cannot_be_used(run: Run, fresh: Path) -> None:
    acts = [
        Streams(("Forty thousand bees [1].",)),
        Streams(("Sure!\nHere is a poem.",)),
        Streams(("The cluster shivers [1].",)),
    ]
    with serving(*acts) as server:
        spec = ("--llm", f"{server.url}#m")
        run("query", BEES, *spec, "--mode", "lexical", cwd=fresh)
        ran = run("-v", "query", "And in winter?", "--continue", *spec, *LEXICAL, cwd=fresh)
    assert ran.json["standalone"] == "And in winter? bees hive hold"
    assert "wording of the follow-up cannot be used" in ran.err


def test_a_service_that_fails_at_the_follow_up(run: Run, fresh: Path) -> None:
    with serving(Streams(("Forty thousand [1].",)), Refuses(401)) as server:
        spec = ("--llm", f"{server.url}#m")
        run("query", BEES, *spec, "--mode", "lexical", cwd=fresh)
        assert "refused the key" in run.fails(7, "query", "and then?", "--continue", *spec, cwd=fresh)


# -- several parts -------------------------------------------------------------------------------------------

BOTH = "How long is green tea steeped, and how does granite cool?"


def both(system: str, _: str) -> str:
    if system.startswith("You split"):
        return "How long is green tea steeped?\nHow does granite cool?"
    return "Green tea is steeped for two minutes [1]. Granite cools slowly [2]."


def test_each_part_is_searched_and_one_answer_given(run: Run, fresh: Path) -> None:
    with serving(replying(both)) as server:
        ran = run("-v", "query", BOTH, "--decompose", "--llm", f"{server.url}#m", *LEXICAL, cwd=fresh)
    told = ran.json
    assert [part["query"] for part in told["parts"]] == [
        "How long is green tea steeped?",
        "How does granite cool?",
    ]
    assert len(server.requests) == 2
    assert {citation["document"] for citation in told["citations"]} == {"docs/tea.md", "docs/deep/rocks.txt"}
    ids = [hit["id"] for hit in told["hits"]]
    assert len(set(ids)) == len(ids)
    assert {name for part in told["parts"] for name in part["hits"]} == set(ids)
    assert told["hits"] == sorted(told["hits"], key=lambda hit: (-hit["score"], hit["id"]))
    prompt = server.requests[1]["messages"][-1]["content"]
    assert BOTH in prompt
    assert prompt.count("Granite cools slowly") == 1
    assert "part 2: How does granite cool? (1 passages, the best docs/deep/rocks.txt:1)" in ran.err


def test_a_question_of_one_part(run: Run, fresh: Path) -> None:
    with serving(Streams(("How many bees?",)), Streams(("Forty thousand bees [1].",))) as server:
        ran = run("query", BEES, "--decompose", "--llm", f"{server.url}#m", *LEXICAL, cwd=fresh)
    assert ran.json["parts"] == []
    assert ran.json["answered"] is True


def test_parts_need_an_llm(run: Run, fresh: Path) -> None:
    assert "--llm SPEC" in run.fails(2, "query", BOTH, "--decompose", cwd=fresh)


def test_events_end_with_the_parts(run: Run, fresh: Path) -> None:
    with serving(replying(both)) as server:
        events = run(
            "query", BOTH, "--decompose", "--llm", f"{server.url}#m", "--mode", "lexical", "--format", "jsonl",
            cwd=fresh,
        ).lines  # fmt: skip
    assert len(events[-1]["parts"]) == 2
    assert events[0]["query"] == BOTH


def test_no_home(run: Run, fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", os.devnull)
    assert run("query", BEES, "--mode", "lexical", cwd=fresh).err == ""
