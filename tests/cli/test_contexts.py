"""``rag index --context``: what an LLM writes of chunks is paid for once, kept, and found by both sides."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ragcli.catalog import FORMAT, Catalog, schema

from ..answer.server import Handler, Refuses, Server, Streams, serving
from ..embed.server import serving as embedding
from ..guard.test_secrets import SECRETS
from ..program import Rag, Run

ISLES = ("Arran", "Bute", "Coll", "Dana", "Eigg", "Fair", "Gigha", "Hoy")


def guide(isles: tuple[str, ...] = ISLES) -> str:
    """A document of a section, and so a chunk, an isle."""
    prose = "The ferry leaves at {0} and the crossing takes about an hour when the weather allows it. " * 6
    return "# Guide\n\n" + "\n\n".join(
        f"## {isle}\n\n{isle} lies in the sea. {prose.format(n)}" for n, isle in enumerate(isles)
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "guide.md").write_text(guide())
    (folder / "docs" / "soup.md").write_text("# Soup\n\nBoil the leeks.\n")
    return folder


def passage(handler: Handler) -> str:
    return str(handler.body["messages"][1]["content"])


def writes(handler: Handler) -> None:
    """A note with words that no document has."""
    about = "submarine volcanoes" if "leeks" in passage(handler) else "quokkas"
    Streams((f"This belongs to a book on {about}. ", "It says more. " * 60))(handler)


def unless(word: str, act: Callable[[Handler], None]) -> Callable[[Handler], None]:
    """What happens to the passage that holds a word; the others get their notes."""

    def chosen(handler: Handler) -> None:
        (act if word in passage(handler) else writes)(handler)

    return chosen


def index(run: Run, home: Path, server: Server, *words: str, exit: int = 0) -> dict[str, int]:  # noqa: A002
    llm = ("--llm", f"{server.url}#m")
    ran = run("index", "docs", "--context", "llm", *llm, *words, "--format", "json", cwd=home, exit=exit)
    found: dict[str, int] = ran.json["contexts"] if ran.out else {}
    return found


def chunks(run: Run, home: Path, document: str = "docs/guide.md") -> list[dict[str, object]]:
    found: list[dict[str, object]] = run("show", document, "--format", "json", cwd=home).json["chunks"]
    return found


def test_written_contexts_are_found_by_both_sides_and_stay_beside_the_text(run: Run, home: Path) -> None:
    with serving(writes) as server:
        told = index(run, home, server)
    shown = chunks(run, home)
    assert told["written"] == len(server.requests) == len(shown) + 1
    assert told["tokens_in"] == 11 * told["written"]
    for chunk in shown:
        assert str(chunk["written"]).startswith("This belongs to a book on quokkas. It says more.")
        assert str(chunk["written"]).endswith(".")  # cut at a sentence
        assert "quokka" not in str(chunk["text"])
        assert int(str(chunk["tokens"])) <= 254
    for mode in ("lexical", "dense"):
        query = ("search", "submarine volcanoes", "--mode", mode, "-k", "1", "--format", "json")
        (hit,) = run(*query, cwd=home).json["hits"]
        assert hit["path"] == "docs/soup.md"
        assert "volcano" not in hit["text"]
    assert "(This belongs to a book on submarine" in run("show", "docs/soup.md", cwd=home).out
    assert "(This belongs to" in run("chunk", "docs/soup.md", "--context", "llm", cwd=home).out
    assert "written contexts, sound" in run("doctor", cwd=home).out


def test_the_document_comes_first_and_is_the_same_for_all_of_its_chunks(run: Run, home: Path) -> None:
    with serving(writes) as server:
        index(run, home, server)
    systems = [request["messages"][0]["content"] for request in server.requests]
    assert len(set(systems)) == 2
    assert guide().strip() in max(systems, key=len)
    assert all("Boil" in system or "ferry" in system for system in systems)


def test_a_long_document_is_shown_in_windows_and_each_is_opened_by_one_request(run: Run, home: Path) -> None:
    beside: list[int] = []

    def counts(handler: Handler) -> None:
        mine = handler.body["messages"][0]["content"]
        asked = [request["messages"][0]["content"] for request in handler.server.requests]
        if asked.count(mine) == 1:
            time.sleep(0.3)  # were others sent at once, they would be here by then
            asked = [request["messages"][0]["content"] for request in handler.server.requests]
            beside.append(asked.count(mine))
        writes(handler)

    (home / "rag.toml").write_text("context_window = 600\n")
    with serving(counts) as server:
        index(run, home, server)
    systems = {request["messages"][0]["content"] for request in server.requests}
    assert 3 <= len(systems) < len(server.requests)
    assert beside == [1] * len(systems)
    assert not any(guide().strip() in system for system in systems)
    assert all("# Guide" in system for system in systems if "ferry" in system)  # its beginning goes along


def test_what_was_paid_for_is_not_paid_for_again(run: Run, home: Path) -> None:
    with serving(writes) as server:
        index(run, home, server)
        paid = len(server.requests)
        assert index(run, home, server)["known"] == 0  # not even looked at
        assert index(run, home, server, "--rebuild")["known"] == paid
        # Neither another LLM nor none pays or fails.
        run("index", "docs", "--context", "none", cwd=home)
        assert not any("written" in chunk for chunk in chunks(run, home))
        run("index", "docs", "--context", "llm", "--llm", f"{server.url}#other", cwd=home)
        run("index", "docs", "--rebuild", cwd=home)
        (home / "docs" / "guide.md").rename(home / "docs" / "moved.md")
        run("index", "docs", cwd=home)
        assert all("written" in chunk for chunk in chunks(run, home, "docs/moved.md"))
        assert len(server.requests) == paid
        assert index(run, home, server, "--rebuild", "--llm", f"{server.url}#other")["written"] == paid


def test_one_changed_paragraph_pays_for_itself_and_its_neighbours(run: Run, home: Path) -> None:
    with serving(writes) as server:
        index(run, home, server)
        paid = len(server.requests)
        text = guide().replace("Dana lies in the sea", "Dana lies in the lake")
        (home / "docs" / "guide.md").write_text(text)
        assert index(run, home, server)["written"] == len(server.requests) - paid == 3


def test_a_plan_asks_nobody(run: Run, home: Path) -> None:
    with serving(writes) as server:
        told = index(run, home, server, "--plan")
        assert not server.requests
        assert not (home / ".rag").exists()
        index(run, home, server)
    assert told["written"] == len(server.requests)
    assert told["tokens_in"] > 1000
    assert told["tokens_out"] == 100 * told["written"]
    plain = run("index", "--rebuild", "--plan", cwd=home).out
    assert f"contexts to write: 0 ({told['written']} known already)" in plain


@pytest.mark.parametrize(
    "reply", ["", "I'm sorry, but I can't.", "From \x1b[2J the guide.", "word " * 2000], ids=repr
)
def test_what_is_no_note_is_counted_and_its_chunk_found_by_its_headings(
    run: Run, home: Path, reply: str
) -> None:
    with serving(unless("Hoy lies", Streams((reply,) if reply else ()))) as server:
        told = index(run, home, server)
        assert (told["rejected"], told["missing"]) == (1, 0)
        asked = len(server.requests)
        assert told["written"] == asked - 1
        index(run, home, server, "--rebuild")
        assert len(server.requests) == asked
    (hoy,) = [chunk for chunk in chunks(run, home) if "Hoy lies" in str(chunk["text"])]
    assert "written" not in hoy


def test_a_passage_that_is_refused_is_asked_for_again(run: Run, home: Path) -> None:
    with serving(unless("Dana lies", Refuses(403))) as server:
        run("index", "docs", "--context", "llm", "--llm", f"{server.url}#m", cwd=home, exit=6)
        asked = len(server.requests)
        server.acts = (writes,)
        told = index(run, home, server)
        assert (told["written"], len(server.requests)) == (1, asked + 1)
    assert all("written" in chunk for chunk in chunks(run, home))
    assert index(run, home, server)["known"] == 0


def test_a_service_that_fails_keeps_what_was_paid_for(run: Run, home: Path) -> None:
    with serving(*[writes] * 4, Refuses(403)) as server:
        words = ("index", "docs", "--context", "llm", "--llm", f"{server.url}#m")
        ran = run(*words, cwd=home, exit=7)
        assert "4 contexts were written and are kept" in ran.err
        server.acts = (writes,)
        already = len(server.requests)
        told = index(run, home, server)
    assert told["written"] == len(server.requests) - already == len(chunks(run, home)) + 1 - 4


def test_a_service_that_fails_at_once_is_asked_once(run: Run, home: Path) -> None:
    with serving(Refuses(401)) as server:
        words = ("index", "docs", "--context", "llm", "--llm", f"{server.url}#m")
        assert "0 contexts" in run(*words, cwd=home, exit=7).err
        assert len(server.requests) <= 4


def test_a_cap_on_tokens_stops_and_the_same_command_carries_on(run: Run, home: Path) -> None:
    spent = []

    def counts(handler: Handler) -> None:
        """A note, and tokens as a service would count them."""
        sent = sum(len(each["content"]) for each in handler.body["messages"]) // 4
        spent.append(sent + 80)
        Streams(("It says more. " * 20,), {"prompt_tokens": sent, "completion_tokens": 80})(handler)

    with serving(counts) as server:
        words = ("index", "docs", "--context", "llm", "--llm", f"{server.url}#m", "--max-tokens")
        assert "does not suffice for one context" in run(*words, "300", cwd=home, exit=6).err
        assert not server.requests
        ran = run(*words, "6000", cwd=home, exit=6)
        first = len(spent)
        assert f"the budget is spent: {first} contexts were written and are kept" in ran.err
        assert 6000 - 2 * max(spent) < sum(spent) <= 6000
        assert index(run, home, server)["written"] == len(spent) - first
        assert len(spent) == len(chunks(run, home)) + 1


def test_what_is_embedded_and_what_is_written_share_a_budget(run: Run, home: Path) -> None:
    with serving(writes) as server, embedding() as service:
        words = (
            "index",
            "docs",
            "--context",
            "llm",
            "--llm",
            f"{server.url}#m",
            "--model",
            f"{service.url}#m",
        )
        priced = {"RAG_EMBED_PRICE": "1"}
        assert "llm_price" in run.fails(2, *words, "--max-cost", "1", cwd=home, env=priced)
        assert not server.requests
        small = {"RAG_CONTEXT_WINDOW": "300"}
        first = run(*words, "--max-tokens", "1100", cwd=home, exit=6, env=small)
        assert "the budget is spent" in first.err
        assert len(server.requests) == len(ISLES) + 1
        assert 0 < len([text for text in service.paid if "lies in the sea" in text]) < len(ISLES)
        run(*words, cwd=home, env=small)
        paid = [n for text, n in service.paid.items() if "lies in the sea" in text]
        assert paid == [1] * len(chunks(run, home))
        assert len(server.requests) == len(paid) + 1


@pytest.mark.parametrize("how", [(), ("--batch-api",)], ids=repr)
def test_secrets_reach_neither_who_writes_nor_who_embeds(run: Run, home: Path, how: tuple[str, ...]) -> None:
    token = SECRETS["github-token"]
    (home / "docs" / "access.md").write_text(f"# Access\n\nThe token of the hub: {token}\n")
    with serving(writes) as server, embedding() as service:
        index(run, home, server, "--model", f"{service.url}#m", "--mask-secrets", *how)
        for sent in (json.dumps(server.requests), "\n".join(service.paid)):
            assert token not in sent
            assert "[secret:github-token:1]" in sent


def test_a_secret_that_was_written_is_masked_afterwards(run: Run, home: Path) -> None:
    token = SECRETS["github-token"]
    (home / "docs" / "access.md").write_text(f"# Access\n\nThe hub:\n\n{token}\n")
    with (
        serving(unless("The hub", Streams((f"It holds the token {token}.",)))) as server,
        embedding() as service,
    ):
        index(run, home, server, "--model", f"{service.url}#m")
        assert any(f"It holds the token {token}." in text for text in service.paid)
        asked = len(server.requests)
        service.paid.clear()
        assert index(run, home, server, "--mask-secrets")["written"] == 0
        assert len(server.requests) == asked
        assert any("It holds the token [secret:github-token:1]." in text for text in service.paid)
        assert token not in "\n".join(service.paid)
        run("doctor", cwd=home)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are not Windows' way")
def test_a_kill_loses_nothing_that_came(run: Run, rag: Rag, home: Path) -> None:
    def held(handler: Handler) -> None:
        handler.server.over.wait(20)

    with serving(*[writes] * 5, held) as server:
        words = ("index", "docs", "--context", "llm", "--llm", f"{server.url}#m")
        with rag.start(*words, cwd=home) as process:
            while process.poll() is None and written(home) < 5:
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
        server.over.set()
        assert written(home) == 5
        server.acts, asked = (writes,), len(server.requests)
        told = index(run, home, server)
        assert (told["known"], told["written"]) == (5, len(server.requests) - asked)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are not Windows' way")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_what_is_under_way_when_it_is_interrupted_is_waited_for_and_kept(
    run: Run, rag: Rag, home: Path, sign: signal.Signals
) -> None:
    go = threading.Event()

    def slow(handler: Handler) -> None:
        go.wait(60)
        writes(handler)

    with serving(writes, writes, slow) as server:
        words = ("index", "docs", "--context", "llm", "--llm", f"{server.url}#m")
        with rag.start(*words, cwd=home) as process:
            while process.poll() is None and len(server.requests) < 5:
                time.sleep(0.02)
            process.send_signal(sign)
            time.sleep(0.5)
            go.set()
            assert process.wait(120) == 130
        assert written(home) == len(server.requests) < len(ISLES) + 1
        server.acts, asked = (writes,), len(server.requests)
        assert index(run, home, server)["known"] == asked
        assert len(server.requests) == len(ISLES) + 1


def written(home: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{home}/.rag/catalog.sqlite3?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM contexts").fetchone()[0])
    except sqlite3.Error:
        return 0


def test_contexts_are_carried_and_saved(run: Run, home: Path, tmp_path: Path) -> None:
    with serving(writes) as server:
        index(run, home, server)
    paid = len(chunks(run, home)) + 1
    (home / "docs" / "soup.md").unlink()
    run("index", "docs", cwd=home)
    run("export", tmp_path / "all.rag", cwd=home)
    other = tmp_path / "other"
    (other / "docs").mkdir(parents=True)
    (other / "docs" / "guide.md").write_text(guide())
    run("import", tmp_path / "all.rag", cwd=other)
    assert written(home) == paid
    assert written(other) == paid - 1  # what is told of a document that is gone stays here
    run("index", "docs", "--rebuild", cwd=other)
    assert all("written" in chunk for chunk in chunks(run, other))
    # The catalogue is lost but for what can be read of it.
    with closing(sqlite3.connect(other / ".rag" / "catalog.sqlite3")) as db:
        db.execute("UPDATE chunks SET tokens = 'many'")
        db.commit()
    run("doctor", cwd=other, exit=8)
    run("doctor", "--repair", cwd=other)
    run("index", "docs", cwd=other)
    assert all("written" in chunk for chunk in chunks(run, other))


def test_what_is_taken_out_leaves_nothing_that_was_written_of_it(run: Run, home: Path) -> None:
    with serving(writes) as server:
        index(run, home, server)
    before = written(home)
    run("remove", "docs/soup.md", cwd=home)
    assert written(home) == before - 1


def test_an_llm_is_named_before_anything_is_made(run: Run, home: Path) -> None:
    assert "--llm" in run.fails(2, "index", "docs", "--context", "llm", cwd=home)
    assert not (home / ".rag").exists()
    run("index", "docs", cwd=home)
    assert "--context headings" in run("index", "docs", "--context", "llm", cwd=home, exit=2).err


def test_words_for_several_kinds_of_context(run: Run, home: Path) -> None:
    def value(*words: str) -> str:
        run("index", "docs", *words, cwd=home)
        rows = run("config", "--format", "json", cwd=home).json["settings"]
        return str(next(row["value"] for row in rows if row["setting"] == "context"))

    assert value("--context", "title,headings") == "title,headings"
    assert value("--context", "headings") == "title,headings,lead"
    assert value("--context", "none") == "none"


def test_an_index_of_the_second_format_takes_contexts(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite3"
    with closing(sqlite3.connect(path)) as db:
        db.executescript("\n".join(schema._STEPS[:2]))
        db.executemany("INSERT INTO meta VALUES (?, ?)", [("format", "2"), ("uid", "u"), ("generation", "1")])
        db.commit()
    with Catalog.open(path) as catalog:
        assert catalog.get("format") == str(FORMAT)
        catalog.contexts.put("s", "1:m", "note")
        assert catalog.contexts.known(["s", "t"], "1:other", others=True) == {"s": "note"}
        assert catalog.contexts.known(["s"], "1:other", others=False) == {}
        assert catalog.problems() == []
    with closing(sqlite3.connect(path)) as db:
        assert schema.same_schema(db)
        db.execute("UPDATE contexts SET text = x'00'")
        db.commit()
    with Catalog.open(path) as catalog:
        assert re.search("1 rows of contexts", catalog.problems()[0])
