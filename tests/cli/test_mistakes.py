"""What can be done wrong: each with its exit code and one line that says what and what next."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ragcli.catalog.schema import FORMAT
from ragcli.locks import changing, writing

from ..program import Rag, Run, tree

EVAL = ("eval", "--queries", "q.jsonl", "--qrels", "q.tsv")


@pytest.mark.parametrize(
    "words",
    [
        ("search", "x"),
        ("search", "x", "--mode", "lexical"),
        ("query", "x"),
        ("context", "x"),
        ("status",),
        ("list",),
        ("show", "abc"),
        ("remove", "docs"),
        EVAL,
    ],
    ids=" ".join,
)
def test_no_index(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "q.jsonl").write_text('{"_id": "1", "text": "x"}\n')
    (tmp_path / "q.tsv").write_text("1\td\t1\n")
    before = tree(tmp_path)
    message = run.fails(3, *words, cwd=tmp_path)
    assert message == f"no index at {tmp_path}/.rag; make one with `rag index PATH`"
    assert tree(tmp_path) == before


def test_no_index_where_the_flag_points(run: Run, tmp_path: Path) -> None:
    assert str(tmp_path / "other") in run.fails(3, "--index", tmp_path / "other", "status")
    assert str(tmp_path / "more") in run.fails(3, "status", env={"RAG_INDEX": str(tmp_path / "more")})


@pytest.mark.parametrize("command", ["search", "query", "context"])
@pytest.mark.parametrize("query", ["", " \t\n", "-"], ids=["empty", "white space", "empty stdin"])
def test_empty_query(run: Run, samples: Path, command: str, query: str) -> None:
    message = run.fails(2, command, query, cwd=samples, stdin=" \n" if query == "-" else None)
    assert message.startswith("the query is empty; write ")


@pytest.mark.parametrize("query", ["", "  "])
def test_empty_query_without_an_index(run: Run, samples: Path, query: str) -> None:
    message = run.fails(2, "search", query, "--in", samples / "sample_docs/faq.md")
    assert message.startswith("the query is empty")


def test_query_on_stdin_that_is_no_text(run: Run, samples: Path) -> None:
    assert "not UTF-8" in run.fails(2, "search", "-", cwd=samples, stdin=b"\xff\xfe\xfd")


@pytest.mark.parametrize(
    "words",
    [("search", "disk\udcff"), ("query", "disk\udcff"), ("search", "disk\udcff", "--in", "sample_docs")],
)
def test_query_that_is_no_text(run: Run, samples: Path, words: tuple[str, ...]) -> None:
    assert "not valid UTF-8" in run.fails(2, *words, cwd=samples)


@pytest.mark.parametrize(
    "words",
    [
        ("index", "nowhere"),
        ("index", "nowhere", "--plan"),
        ("chunk", "nowhere"),
        ("search", "x", "--in", "nowhere"),
        ("search", "--batch", "nowhere"),
        ("eval", "--queries", "nowhere", "--qrels", "nowhere"),
    ],
    ids=" ".join,
)
def test_missing_path(run: Run, fresh: Path, words: tuple[str, ...]) -> None:
    before = tree(fresh)
    message = run.fails(2, *words, cwd=fresh)
    assert "nowhere" in message
    assert "no such file" in message.lower()
    assert tree(fresh) == before


def test_missing_path_makes_no_index(run: Run, tmp_path: Path) -> None:
    run.fails(2, "index", "nowhere")
    assert not list(tmp_path.iterdir())


def test_nothing_to_index(run: Run, tmp_path: Path) -> None:
    assert run.fails(2, "index").endswith("rag index PATH")
    (tmp_path / "hollow").mkdir()
    run("index", "hollow")


def test_a_folder_cannot_be_cut(run: Run, samples: Path) -> None:
    assert run.fails(2, "chunk", samples) == f"{samples} is a folder; name a file"


@pytest.mark.parametrize(
    "words",
    [
        ("index", "docs", "--model", "no-such/model-anywhere"),
        ("index", "docs", "--model", "./no-such-folder"),
        ("index", "docs", "--model", "docs"),
        ("embed", "x", "--model", "no-such/model-anywhere"),
        ("similarity", "x", "y", "--model", "/no/such/folder"),
        ("chunk", "docs/a.md", "--model", "/no/such/folder"),
    ],
    ids=" ".join,
)
def test_unknown_model(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("A page.\n")
    message = run.fails(7, *words)
    assert words[-1] in message


@pytest.mark.parametrize("spec", ["foo:bar", "opnai:text-embedding-3-small", "cmd:embed", "static:foo:bar"])
@pytest.mark.parametrize(
    "words", [("index", "docs"), ("embed", "x"), ("chunk", "docs/a.md")], ids=lambda words: words[0]
)
def test_a_model_of_no_known_kind(run: Run, tmp_path: Path, words: tuple[str, ...], spec: str) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("A page.\n")
    message = run.fails(2, *words, "--model", spec)
    assert message.startswith(
        f"no such model: {spec.removeprefix('static:')}; name a model of the hub, a folder"
    )
    listed = message.split("(")[1].split(") as NAME:MODEL")[0].split(", ")
    assert {"openai", "ollama", "lmstudio"} <= set(listed)  # to the last one
    assert "anthropic" not in listed  # has none
    assert message.endswith("`rag models` lists the models at hand")


@pytest.mark.parametrize(
    "words",
    [
        ("search", "x", "--no-such-flag"),
        ("search", "x", "--mode", "psychic"),
        ("search", "x", "-k", "0"),
        ("search", "x", "-k", "many"),
        ("search", "x", "--dense-weight", "2"),
        ("search", "x", "--format", "xml"),
        ("query", "x", "--budget", "1"),
        ("query",),
        ("no-such-command",),
        ("--no-such-flag", "status"),
        ("index", "docs", "--overlap", "-1"),
        ("list", "--format", "trec"),
    ],
    ids=" ".join,
)
def test_unknown_flag_or_value(run: Run, samples: Path, words: tuple[str, ...]) -> None:
    assert "--help" in run.fails(2, *words, cwd=samples)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("query", "hub", "--llm", "gpt"), "no such LLM: gpt"),
        (("query", "hub", "--llm", "cmd:"), "names no command"),
        (("query", "hub", "--llm", "cmd:no-such-program-here"), "command not found"),
        (("--offline", "query", "hub", "--llm", "http://127.0.0.1:9/v1#m"), "--offline opens no connection"),
        (("search", "x", "--in", "sample_docs", "--mode", "dense"), "--mode lexical"),
        (("search", "-power of the hub"), "behind --: rag search -- '-power of the hub'"),
        (("search", "-40"), "behind --: rag search -- -40"),
        (("search", "--", "-power hub", "-k", "2"), "options go before --"),
        (("search", "x", "--filter", "date>=soon"), "no date"),
        (("search", "x", "--filter", "date<=2026-13"), "no date"),
        (("search", "x", "--filter", "modified>2026-02-30"), "no date"),
        (("search", "x", "--filter", "date>2026-02-03T99:99"), "no date"),
        (("search", "x", "--filter", "date>2026-02-03T"), "no date"),
        (("similarity", "a", " "), "the text is empty"),
        (("embed", ""), "the text is empty"),
        (("search", "x", "--batch", "sample_docs/eval/queries.jsonl"), "leave out QUERY"),
        (("search", "--batch", "sample_docs/eval/queries.jsonl", "--format", "json"), "jsonl or trec"),
        (("search", "--batch", "sample_docs/faq.md"), "sample_docs/faq.md:1: not an object"),
        (("show", "zzz"), "no chunk or document 'zzz'"),
        (("show", ""), "no chunk or document ''"),
        (("remove", "sample_docs/none.md"), "not in the index: sample_docs/none.md"),
        ((*EVAL[:1], "--queries", "sample_docs/faq.md", "--qrels", "sample_docs/eval/qrels.tsv"), "faq.md:1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_meant(run: Run, samples: Path, words: tuple[str, ...], told: str) -> None:
    assert told in run.fails(2, *words, cwd=samples)


def test_unknown_evaluation_mode(run: Run, samples: Path) -> None:
    files = ("--queries", "sample_docs/eval/queries.jsonl", "--qrels", "sample_docs/eval/qrels.tsv")
    message = run.fails(2, "eval", *files, "--modes", "hybrid,psychic", cwd=samples)
    assert message == "--modes hybrid,psychic: use hybrid, dense, lexical, or one with +rerank"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RAG_K", "many"),
        ("RAG_K", "0"),
        ("RAG_MODE", "psychic"),
        ("RAG_OFFLINE", "perhaps"),
        ("RAG_WAIT", "-1"),
        ("RAG_MIN_SCORE", "nan"),
    ],
)
def test_bad_value_in_the_environment(run: Run, samples: Path, name: str, value: str) -> None:
    message = run.fails(2, "status", cwd=samples, env={name: value})
    assert name in message
    assert value in message


@pytest.mark.parametrize(
    ("text", "told"),
    [("kay = 3\n", "unknown setting 'kay'"), ("modes = 'dense'\n", "did you mean mode?"),
     ("k = 'x'\n", "k: 'x' is not a whole number"), ("k = \n", "not a readable TOML file")],
)  # fmt: skip
def test_bad_settings_file(run: Run, fresh: Path, text: str, told: str) -> None:
    (fresh / "rag.toml").write_text(text)
    message = run.fails(2, "status", cwd=fresh)
    assert told in message
    assert "rag.toml" in message


def test_another_model_than_the_indexs(run: Run, fresh: Path) -> None:
    before = run("search", "bees", "--format", "jsonl", cwd=fresh).out
    message = run.fails(4, "index", "docs", cwd=fresh, env={"RAG_MODEL": "some/other-model"})
    assert "all-MiniLM-L6-v2" in message
    assert "some/other-model" in message
    assert "`rag index --model some/other-model`" in message
    assert "some/other-model" in run.fails(7, "index", "docs", "--model", "some/other-model", cwd=fresh)
    assert run("search", "bees", "--format", "jsonl", cwd=fresh).out == before


@contextmanager
def catalogue(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / ".rag" / "catalog.sqlite3")) as connection, connection:
        yield connection


def test_the_model_of_the_index_is_another_by_now(run: Run, fresh: Path) -> None:
    with catalogue(fresh) as db:
        db.execute("UPDATE meta SET value = 'of old' WHERE key = 'signature'")
    message = run.fails(4, "search", "bees", cwd=fresh)
    assert "of old" in message
    assert "`rag index --model all-MiniLM-L6-v2`" in message
    run("index", "--model", "all-MiniLM-L6-v2", cwd=fresh)
    run("search", "bees", cwd=fresh)


@pytest.mark.parametrize("words", [("search", "x"), ("status",), ("index", "docs"), ("remove", "docs")])
def test_index_of_a_newer_format(run: Run, fresh: Path, words: tuple[str, ...]) -> None:
    with catalogue(fresh) as db:
        db.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    message = run.fails(4, *words, cwd=fresh)
    assert "format 99" in message
    assert f"format {FORMAT}" in message
    assert "`rag " in message


def overwrite(file: Path, start: int, data: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(start)
        opened.write(data)


@pytest.mark.parametrize("words", [("search", "x"), ("status",), ("list",), ("index", "docs")], ids=" ".join)
@pytest.mark.parametrize("harm", ["garbage", "truncated", "most", "more"])
def test_damaged_catalogue(run: Run, fresh: Path, words: tuple[str, ...], harm: str) -> None:
    file = fresh / ".rag" / "catalog.sqlite3"
    if harm == "garbage":
        file.write_bytes(b"this is no database at all, whatever its name says\n" * 100)
    elif harm == "truncated":
        file.write_bytes(file.read_bytes()[:5000])
    else:
        size = file.stat().st_size
        start = 4096 if harm == "most" else size // 12288 * 4096
        overwrite(file, start, b"\xa5" * (size - start))
    message = run.fails(8, *words, cwd=fresh)
    assert "catalog" in message
    assert "`rag " in message


@pytest.mark.parametrize("part", ["chroma/chroma.sqlite3", "lexical/meta.json"])
def test_a_projection_whose_heart_is_damaged_is_made_anew(run: Run, fresh: Path, part: str) -> None:
    before = run("search", "bees", "--format", "jsonl", cwd=fresh).out
    (fresh / ".rag" / part).write_bytes(b"harm" * 500)
    assert run("search", "bees", "--format", "jsonl", cwd=fresh).out == before


def test_damage_that_no_quick_look_shows_is_told_and_mended(run: Run, fresh: Path) -> None:
    before = run("search", "bees", "--format", "jsonl", cwd=fresh).out
    [vectors] = (fresh / ".rag" / "chroma").glob("*/data_level0.bin")
    then = vectors.stat()
    overwrite(vectors, 100, b"harm" * 5000)
    os.utime(vectors, ns=(then.st_atime_ns, then.st_mtime_ns))
    ran = run("search", "bees", "--format", "jsonl", cwd=fresh)
    assert ran.out == before
    assert "made anew from the catalogue" in ran.err
    assert not run("search", "bees", "--format", "jsonl", cwd=fresh).err


def test_a_search_needs_nothing_of_chromas_database_and_a_change_makes_it_anew(run: Run, fresh: Path) -> None:
    before = run("search", "bees", "--format", "jsonl", cwd=fresh)
    overwrite(fresh / ".rag" / "chroma" / "chroma.sqlite3", 100, b"harm" * 5000)
    ran = run("search", "bees", "--format", "jsonl", cwd=fresh)
    assert (ran.out, ran.err) == (before.out, before.err)
    run("doctor", cwd=fresh, exit=8)
    (fresh / "docs" / "bees.md").write_text("# Bees\n\nWasps are no bees.\n", "utf-8")
    run("index", "docs", cwd=fresh)
    assert "Wasps" in run("search", "bees", cwd=fresh).out
    run("doctor", cwd=fresh)


@pytest.mark.parametrize("part", ["chroma", "lexical"])
def test_a_projection_that_is_gone_comes_back(run: Run, fresh: Path, part: str) -> None:
    import shutil

    before = run("search", "bees", "--format", "jsonl", cwd=fresh).out
    shutil.rmtree(fresh / ".rag" / part)
    assert run("search", "bees", "--format", "jsonl", cwd=fresh).out == before


HOLDER = """
import sys
from pathlib import Path
from ragcli.locks import changing, writing
with writing(Path(sys.argv[1]), "rag index the/lot", 5.0), changing(Path(sys.argv[1]), 5.0):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def busy(folder: Path) -> Iterator[int]:
    """Another process writes; its id."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        yield other.pid
        other.communicate()


def test_busy(run: Run, fresh: Path) -> None:
    commands: list[tuple[str, ...]] = [
        ("index", "docs"),
        ("remove", "docs/tea.md"),
        ("search", "bees"),
        ("context", "bees"),
        ("query", "bees"),
    ]
    before = run("search", "bees", "--format", "jsonl", cwd=fresh).out
    with busy(fresh / ".rag") as pid:
        for words in commands:
            message = run.fails(5, *words, "--wait", "0.2", cwd=fresh)
            assert f"process {pid} " in message
            assert "`rag index the/lot`" in message
            assert "--wait" in message
        assert run.fails(5, "index", "docs", cwd=fresh, env={"RAG_WAIT": "0.1"})
        run("status", cwd=fresh)
        run("list", cwd=fresh)
    assert run("search", "bees", "--format", "jsonl", cwd=fresh).out == before


def test_a_pointer_that_is_nested_without_end_is_damage(run: Run, fresh: Path) -> None:
    (fresh / ".rag" / "editions.json").write_text("[" * 100_000, "utf-8")
    assert "rag doctor --repair" in run.fails(8, "search", "bees", "--mode", "lexical", cwd=fresh)
    run("doctor", "--repair", cwd=fresh)
    run("search", "bees", "--mode", "lexical", cwd=fresh)


def test_a_dead_writer_holds_nothing(run: Run, fresh: Path) -> None:
    with (
        pytest.raises(RuntimeError),
        writing(fresh / ".rag", "rag index", 1.0),
        changing(fresh / ".rag", 1.0),
    ):
        raise RuntimeError
    (fresh / ".rag" / "writer.json").write_text('{"pid": 1')
    run("index", "docs", "--wait", "0", cwd=fresh)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("A page.\n")
    tmp_path.chmod(0o500)
    try:
        assert "cannot make an index" in run.fails(2, "index", "a.md")
    finally:
        tmp_path.chmod(0o700)


def test_an_index_that_is_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("A page.\n")
    assert "cannot make an index" in run.fails(2, "--index", tmp_path / "a.md", "index", "a.md")


def test_nothing_is_made_where_nothing_is_said(run: Run, tmp_path: Path) -> None:
    assert "nothing to index" in run.fails(2, "index", cwd=tmp_path)
    assert not list(tmp_path.iterdir())


def test_commands_that_help_name_the_index_that_was_named(run: Run, fresh: Path, tmp_path: Path) -> None:
    home = tmp_path / "my index"
    (fresh / ".rag").rename(home)
    assert f"`rag --index '{home}' index PATH`" in run.fails(3, "--index", f"{home}x", "status").replace(
        f"{home}x", f"{home}"
    )
    shutil.rmtree(home / "chroma")
    ran = run("--index", home, "doctor", "--format", "json", exit=8)
    mends = [check["mend"] for check in ran.json["checks"] if not check["ok"]]
    assert mends == [f"rag --index '{home}' doctor --repair"]
    assert mends[0] in ran.err
    run(*shlex.split(mends[0])[1:])


def test_traceback_on_demand(run: Run, tmp_path: Path) -> None:
    with pytest.raises(
        AssertionError, match=r"exit code 3\n(.|\n)*Traceback(.|\n)*IndexMissing: no index at"
    ):
        run("status", "--traceback", cwd=tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="how many files Python itself opens was counted on Linux")
def test_too_few_files_may_be_open(rag: Rag, fresh: Path) -> None:
    """Whatever runs short first, one line tells it, and nothing that was there is lost."""
    before = tree(fresh / ".rag")
    told = set()
    for limit in range(6, 14):
        words = f"ulimit -n {limit} && exec {shlex.join(rag.command('export', f'{limit}.ragx'))}"
        ran = subprocess.run(["sh", "-c", words], cwd=fresh, capture_output=True, text=True, timeout=60)
        assert ran.returncode in (0, 6), ran.stderr
        if ran.returncode:
            assert len(ran.stderr.splitlines()) == 1
            told.add(ran.stderr)
    assert told == {
        "rag: no file can be opened (Too many open files); allow more with `ulimit -n` and run the command again\n"
    }
    assert tree(fresh / ".rag") == before


def test_no_memory_is_told(run: Run, fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("ragcli.pipeline.inspect.status", lacking)
    message = run.fails(6, "status", cwd=fresh)
    assert message == "no memory left; end other programs and run the command again"
