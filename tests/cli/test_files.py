"""Files as they come: those that cannot be read are named, the rest is found by its words."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from ..program import SAMPLES, Ran, Run

CHINESE = "温室里的温度计每天早上都要检查一次，并把读数写进日志。夜间的湿度如果太高，就必须打开天窗通风。"
FRENCH = (
    "# Épreuve\n\nL'élève a reçu une pêche à la crème brûlée, très mûre, près du théâtre où naît la fête.\n"
)
EVIL = (
    "\x1b[31mred\x1b[0m \x1b]0;a title\x07 \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ "
    "\x9b31m \x85 \u202etxt\u2066 \x08\x7f"
)


def locked_pdf() -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(SAMPLES / "hardware" / "perch-field-card.pdf"))
    writer.encrypt("secret", algorithm="RC4-128")
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def messy(folder: Path) -> dict[str, bytes]:
    """Files good and bad; what is in each."""
    pdf = (SAMPLES / "hardware" / "perch-field-card.pdf").read_bytes()
    files = {
        "good.md": b"# Kettles\n\nThe kettle whistles at dawn.\n",
        "wide.txt": "The marmalade is kept in the pantry.\n".encode("utf-16"),
        "gb.txt": CHINESE.encode("gb18030"),
        "latin.md": FRENCH.encode("latin-1"),
        "mixed.jsonl": b'{"_id": "one", "text": "Otters hold hands."}\n{"_id": "two", "text": \n'
        b'{"_id": "three", "text": "Badgers dig setts."}\n',
        "empty.txt": b"",
        "blank.md": b" \n\t\n",
        "noise.txt": bytes(range(32)) * 40,
        "cut.pdf": pdf[:300],
        "locked.pdf": locked_pdf(),
        "blob": b"\x00\x01\x02\x03" * 100,
        "picture.gif": b"GIF89a",
        "huge.txt": b"too much of it\n" * 10_000,
    }
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return files


@pytest.fixture(scope="module")
def mess(run: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    """A folder with an index of the mess, and what ``rag index`` said of it."""
    home = tmp_path_factory.mktemp("mess")
    messy(home / "docs")
    told = run("index", "docs", "--format", "json", cwd=home, exit=6, env={"RAG_MAX_FILE_MB": "0.1"})
    return home, told


def test_what_could_not_be_read_is_reported(mess: tuple[Path, Ran]) -> None:
    report = mess[1].json
    failures = {(item["path"], item["error"]) for item in report["failures"]}
    assert failures == {
        ("docs/noise.txt", "binary"),
        ("docs/cut.pdf", "damaged"),
        ("docs/locked.pdf", "encrypted"),
        ("docs/mixed.jsonl", "bad-line"),
    }
    assert report["documents"] == {"added": 6, "changed": 0, "removed": 0, "unchanged": 0, "failed": 4}
    assert report["skipped"] == {"binary": 1, "empty": 2, "too-large": 1, "unsupported": 1}


def test_each_failure_has_its_line(mess: tuple[Path, Ran]) -> None:
    lines = mess[1].err.splitlines()
    told = [line for line in lines if line.startswith("rag: ")]
    assert told[-1].startswith("rag: 4 of the inputs could not be read; the rest is indexed")
    assert {line.split(": ")[1] for line in told[:-1]} == {
        f"docs/{name}" for name in ("noise.txt", "cut.pdf", "locked.pdf", "mixed.jsonl")
    }
    assert "give it with --password" in next(line for line in told if "locked.pdf" in line)
    assert "line 2" in next(line for line in told if "mixed.jsonl" in line)


@pytest.mark.parametrize(
    ("query", "document", "words"),
    [
        ("kettle whistles", "docs/good.md", "whistles at dawn"),
        ("marmalade pantry", "docs/wide.txt", "kept in the pantry"),
        ("夜间的湿度", "docs/gb.txt", "夜间的湿度如果太高"),
        ("crème brûlée", "docs/latin.md", "crème brûlée, très mûre"),
        ("otters", "docs/mixed.jsonl#one", "Otters hold hands."),
        ("badgers", "docs/mixed.jsonl#three", "Badgers dig setts."),
    ],
)
def test_the_rest_is_found_by_its_words(
    run: Run, mess: tuple[Path, Ran], query: str, document: str, words: str
) -> None:
    ran = run("search", query, "--mode", "lexical", "-k", "1", "--format", "jsonl", cwd=mess[0])
    [hit] = ran.lines
    assert hit["document"] == document
    assert words in hit["text"]


def test_a_second_run_says_the_same_and_embeds_nothing(run: Run, mess: tuple[Path, Ran]) -> None:
    home, first = mess
    again = run("index", "docs", "--format", "json", cwd=home, exit=6, env={"RAG_MAX_FILE_MB": "0.1"}).json
    assert again["failures"] == first.json["failures"]
    assert again["skipped"] == first.json["skipped"]
    assert (again["embedded"], again["documents"]["unchanged"]) == (0, 6)


@pytest.mark.parametrize("name", ["empty.txt", "noise.txt", "cut.pdf", "locked.pdf", "blob", "picture.gif"])
def test_one_bad_file_alone(run: Run, tmp_path: Path, name: str) -> None:
    messy(tmp_path / "docs")
    ran = run("index", f"docs/{name}", exit=2)
    first, last = ran.err.splitlines()
    assert first.startswith(f"rag: docs/{name}: ")
    assert last == "rag: 1 of the inputs could not be read, and nothing else was there to index"
    if name not in ("blob", "picture.gif"):
        ran = run("chunk", f"docs/{name}", exit=2)
        assert f"docs/{name}" in ran.err
        assert not ran.out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(run: Run, fresh: Path) -> None:
    secret = fresh / "docs" / "tea.md"
    secret.write_text("# Tea\n\nNobody may know.\n")
    secret.chmod(0)
    ran = run("index", "docs", cwd=fresh, exit=6)
    assert "docs/tea.md: " in ran.err
    # What was read before is not lost.
    assert "eighty degrees" in run("search", "green tea", "--mode", "lexical", cwd=fresh).out


def test_a_link_to_nowhere(run: Run, fresh: Path) -> None:
    (fresh / "docs" / "gone.md").symlink_to(fresh / "no-such-file.md")
    assert "docs/gone.md: is a link that leads nowhere" in run("index", "docs", cwd=fresh, exit=6).err


@pytest.mark.parametrize("bad", ["not json", "[1, 2]", '{"text": 5}', '{"text": ""}'])
def test_bad_line_is_named_by_its_number(run: Run, tmp_path: Path, bad: str) -> None:
    good = '{{"_id": "{0}", "text": "Record {0} of the collection."}}'
    (tmp_path / "c.jsonl").write_text("\n".join([good.format("a"), good.format("b"), bad, good.format("d")]))
    report = run("index", "c.jsonl", "--format", "json", exit=6).json
    [failure] = report["failures"]
    assert (failure["path"], failure["error"]) == ("c.jsonl", "bad-line")
    assert "line 3" in failure["message"]
    assert report["documents"]["added"] == 3


def every_view(run: Run, home: Path) -> list[str]:
    """What all commands print of an index that is found by 'kettle'."""
    chunk = run("search", "kettle", "--mode", "lexical", "--format", "jsonl", cwd=home).lines[0]["id"]
    views: list[tuple[Any, ...]] = [
        *(("search", "kettle", "--mode", "lexical", "--format", form)
          for form in ("text", "json", "jsonl", "paths", "trec")),
        ("search", "kettle", "--explain", "--mode", "lexical"),
        ("search", "kettle", "--in", *(path for path in sorted(home.glob("docs/*")) if path.stat().st_size)),
        *(("context", "kettle", "--mode", "lexical", "--format", form) for form in ("text", "json", "jsonl")),
        *(("query", "kettle", "--mode", "lexical", "--format", form) for form in ("text", "json", "jsonl")),
        *(("list", "--format", form) for form in ("text", "json", "jsonl")),
        *(("show", chunk, "--format", form) for form in ("text", "json", "jsonl")),
        ("status",),
    ]  # fmt: skip
    # `run` itself refuses control characters on either stream.
    return [run(*words, cwd=home).out for words in views]


def test_control_characters_in_a_document_reach_no_screen(run: Run, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    evil = f"# Kettle {EVIL}\n\nThe kettle {EVIL} whistles.\n"
    (tmp_path / "docs" / "evil.md").write_text(evil, "utf-8")
    (tmp_path / "docs" / "evil.html").write_text(f"<title>{evil}</title><p>kettle {EVIL}</p>", "utf-8")
    (tmp_path / "docs" / "evil.jsonl").write_text(
        '{"_id": "k\\u001b[31m\\u009b", "title": "\\u001b]0;x\\u0007", "text": "kettle \\u001b[2J\\u202e"}\n'
    )
    run("index", "docs")
    every_view(run, tmp_path)
    run("chunk", "docs/evil.md")


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no such names")
def test_control_characters_in_a_name_reach_no_screen(run: Run, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    name = "ket\x1b[31mtle\n\x07\u202e.md"
    (tmp_path / "docs" / name).write_text("# Kettle\n\nThe kettle whistles.\n")
    (tmp_path / "docs" / f"cut{name}.pdf").write_bytes(b"%PDF-1.4 and no more")
    ran = run("index", "docs", exit=6)
    assert len(ran.err.splitlines()) == 2
    (tmp_path / "docs" / f"cut{name}.pdf").unlink()
    every_view(run, tmp_path)
    assert run("search", "kettle", "--mode", "lexical", "--format", "paths").out.count("\n") == 1
    [row] = run("list", "--format", "jsonl").lines
    assert row["path"] == f"docs/{name}"  # escaped, yet exact
    run("chunk", f"docs/{name}")
    run("remove", f"docs/{name}")


@pytest.mark.skipif(os.name == "nt", reason="Windows allows no such names")
def test_a_name_that_is_not_utf8(run: Run, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "good.md").write_text("A good page.\n")
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/docs/bad\xff.md")).write_text("A page.\n")
    except OSError:
        pytest.skip("this file system keeps to UTF-8")
    report = run("index", "docs", "--format", "json", exit=6).json
    assert [(item["path"], item["error"]) for item in report["failures"]] == [
        ("docs/bad\udcff.md", "bad-name")
    ]
    assert report["documents"]["added"] == 1
