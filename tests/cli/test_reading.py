"""Files of all kinds on the command line: archives as folders, passwords, the commands of others."""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from ..program import Run

ROOT = Path(__file__).parents[2]
CAPITALS = f"{shlex.quote(sys.executable)} -c 'import sys; print(open(sys.argv[1]).read().upper())' {{path}}"


def pack(file: Path, **members: bytes | str) -> Path:
    """A zip archive; in the names ``__`` stands for ``/`` and ``_`` for a dot."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return file


def documents(run: Run, home: Path) -> list[str]:
    return [row["document"] for row in run("list", "--format", "jsonl", cwd=home).lines]


def locked_pdf(folder: Path, words: str, password: str) -> Path:
    from pypdf import PdfReader, PdfWriter
    from reportlab.pdfgen.canvas import Canvas

    plain = io.BytesIO()
    canvas = Canvas(plain)
    canvas.drawString(72, 700, words)
    canvas.save()
    writer = PdfWriter(PdfReader(plain))
    writer.encrypt(password, algorithm="AES-256")
    file = folder / "locked.pdf"
    writer.write(str(file))
    return file


def test_an_archive_is_a_folder(run: Run, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    inner = pack(tmp_path / "inner.zip", deep_md="# Deep\n\nThe kelp forest lies deep.\n").read_bytes()
    pack(docs / "papers.zip", a_md="# Bees\n\nA hive holds bees.\n", more__b_txt="Owls hunt at night.\n",
         more__c_png=b"\x89PNG\r\n", inner_zip=inner)  # fmt: skip
    report = run("index", "docs", "--format", "json", cwd=tmp_path).json
    assert report["documents"] == {"added": 3, "changed": 0, "removed": 0, "unchanged": 0, "failed": 0}
    names = ["docs/papers.zip/a.md", "docs/papers.zip/inner.zip/deep.md", "docs/papers.zip/more/b.txt"]
    assert documents(run, tmp_path) == names
    [hit] = run("search", "owls", "--mode", "lexical", "--format", "json", cwd=tmp_path).json["hits"]
    assert (hit["path"], hit["document"], hit["record"], hit["lines"]) == (names[2], names[2], None, [1, 1])
    found = run(
        "search",
        "lies",
        "--mode",
        "lexical",
        "--filter",
        "path=**/inner.zip/**",
        "--format",
        "paths",
        cwd=tmp_path,
    )
    assert found.out.split() == [names[1]]
    again = run("index", "--format", "json", cwd=tmp_path).json
    assert (again["documents"]["unchanged"], again["embedded"], again["cached"]) == (3, 0, 0)

    pack(docs / "papers.zip", a_md="# Bees\n\nA hive holds bees.\n", more__b_txt="Owls sleep by day.\n")
    changed = run("index", "--format", "json", cwd=tmp_path).json
    assert changed["documents"] == {"added": 0, "changed": 1, "removed": 1, "unchanged": 1, "failed": 0}
    assert documents(run, tmp_path) == [names[0], names[2]]
    assert run("remove", "docs/papers.zip", "--format", "json", cwd=tmp_path).json["removed"] == 2
    run("list", cwd=tmp_path, exit=1)


def test_a_broken_member_costs_itself(run: Run, tmp_path: Path) -> None:
    pack(tmp_path / "a.zip", good_md="# Good\n\nAll is well.\n", bad_pdf=b"%PDF-1.4 nothing more")
    ran = run("index", "a.zip", "--format", "json", cwd=tmp_path, exit=6)
    assert ran.json["documents"]["added"] == 1
    [failure] = ran.json["failures"]
    assert (failure["path"], failure["error"]) == ("a.zip/bad.pdf", "damaged")
    assert "a.zip/bad.pdf: " in ran.err
    again = run("index", "--format", "json", cwd=tmp_path, exit=6)
    assert again.json["failures"] == [failure]


def test_a_password_opens_what_is_locked(run: Run, tmp_path: Path) -> None:
    locked_pdf(tmp_path, "The treasure lies under the oak", "sesame")
    (tmp_path / "a.md").write_text("Nothing to hide.\n")
    shut = run("index", "--format", "json", ".", cwd=tmp_path, exit=6)
    [failure] = shut.json["failures"]
    assert failure["error"] == "encrypted"
    assert "--password" in failure["message"]
    run("index", ".", "--password", "wrong", cwd=tmp_path, exit=6)
    opened = run(
        "index", ".", "--password", "wrong", "--password", "sesame", "--format", "json", cwd=tmp_path
    )
    assert opened.json["documents"]["added"] == 1
    assert "treasure" in run("search", "treasure oak", "--mode", "lexical", cwd=tmp_path).out
    kept = run("index", ".", "--format", "json", cwd=tmp_path).json
    assert kept["documents"]["unchanged"] == 2
    run("chunk", "locked.pdf", cwd=tmp_path, exit=2)
    assert "treasure" in run("chunk", "locked.pdf", cwd=tmp_path, env={"RAG_PASSWORD": "sesame"}).out
    found = run("search", "treasure", "--in", "locked.pdf", "--password", "sesame", cwd=tmp_path)
    assert "oak" in found.out
    assert b"sesame" not in b"".join(
        file.read_bytes() for file in (tmp_path / ".rag").rglob("*") if file.is_file()
    )


def test_a_command_reads_what_is_not_known(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    own = tmp_path / "config" / "ragcli" / "rag.toml"
    own.parent.mkdir(parents=True)
    own.write_text(f"[loaders]\n{json.dumps('.loud')} = {json.dumps(CAPITALS)}\n")
    docs = tmp_path / "it's my; `docs`"
    docs.mkdir()
    (docs / "a $(b).loud").write_text("owls hunt at night")
    run("index", docs, cwd=tmp_path)
    [hit] = run("search", "owls", "--mode", "lexical", "--format", "json", cwd=tmp_path).json["hits"]
    assert hit["text"] == "OWLS HUNT AT NIGHT"
    assert hit["lines"] is None


@pytest.mark.parametrize("file", ["rag.toml", "pyproject.toml"])
def test_a_project_runs_nothing_untrusted(file: str, run: Run, tmp_path: Path) -> None:
    table = "loaders" if file == "rag.toml" else "tool.rag.loaders"
    (tmp_path / file).write_text(f"[{table}]\n{json.dumps('.loud')} = {json.dumps(CAPITALS)}\n")
    (tmp_path / "a.loud").write_text("owls")
    (tmp_path / "b.md").write_text("Bees.\n")
    ran = run("index", ".", "--exclude", "*.toml", "--format", "json", cwd=tmp_path)
    assert "note: the project names a command that reads *.loud; it is not run" in ran.err
    assert run("search", "OWLS", "--mode", "lexical", cwd=tmp_path, exit=0).out.count("OWLS") == 0
    trusted = run(
        "index", ".", "--exclude", "*.toml", "--trust", "--rebuild", "--format", "json", cwd=tmp_path
    )
    assert "note: the project" not in trusted.err
    assert "OWLS" in run("search", "owls", "--mode", "lexical", cwd=tmp_path).out
    (tmp_path / "rag.toml").write_text("trust = true\n")
    assert "take it out of the file" in run.fails(2, "index", ".", cwd=tmp_path)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('".x" = "cat"', "does not say where {path} goes"),
        ('"x" = "cat {path}"', "not a file name's ending"),
        ('".x" = "no-such-program-here {path}"', "is not installed"),
        ('".x" = "cat \'{path}"', "cannot be taken apart"),
    ],
)
def test_a_bad_line_is_told(line: str, told: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "rag.toml").write_text(f"[loaders]\n{line}\n")
    (tmp_path / "a.x").write_text("x")
    assert told in run.fails(2, "index", ".", "--trust", cwd=tmp_path)


def test_a_command_that_fails_is_told(run: Run, tmp_path: Path) -> None:
    code = "import sys; sys.stderr.write(chr(27) + '[31mit broke'); sys.exit(3)"
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)} {{path}}"
    (tmp_path / "rag.toml").write_text(f"[loaders]\n{json.dumps('.x')} = {json.dumps(command)}\n")
    (tmp_path / "a.x").write_text("x")
    (tmp_path / "b.md").write_text("Bees.\n")
    ran = run("index", "a.x", "b.md", "--trust", "--format", "json", cwd=tmp_path, exit=6)
    [failure] = ran.json["failures"]
    assert (failure["error"], failure["message"]) == (
        "loader-failed",
        "its command ended with exit 3: it broke",
    )


def test_an_installed_package_brings_readers(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "louder-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: louder\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[ragcli.loaders]\n.loud = tests.load.loaders:shout\n")
    found = os.pathsep.join([str(tmp_path / "site"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", found)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.loud").write_text("owls")
    run("index", "docs", cwd=tmp_path)
    assert "OWLS" in run("search", "owls", "--mode", "lexical", cwd=tmp_path).out


def test_a_reader_that_dies_costs_its_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "bad-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: bad\nVersion: 1.0\n")
    points = ".crash = tests.load.loaders:crash\n.hang = tests.load.loaders:hang\n"
    (package / "entry_points.txt").write_text(f"[ragcli.loaders]\n{points}")
    found = os.pathsep.join([str(tmp_path / "site"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", found)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("a.md", "b.crash", "c.md", "d.hang", "e.md"):
        (docs / name).write_text(f"words of {name}\n")
    ran = run("index", "docs", "--format", "json", cwd=tmp_path, env={"RAG_FILE_SECONDS": "3"}, exit=6)
    assert ran.json["documents"]["added"] == 3
    assert [(f["path"], f["error"]) for f in ran.json["failures"]] == [
        ("docs/b.crash", "crashed"),
        ("docs/d.hang", "timeout"),
    ]
    assert documents(run, tmp_path) == ["docs/a.md", "docs/c.md", "docs/e.md"]


@pytest.fixture
def picture() -> bytes:
    """The words OWLS HUNT AT NIGHT, as a picture."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (900, 120), "white")
    ImageDraw.Draw(image).text((20, 30), "OWLS HUNT AT NIGHT", "black", ImageFont.load_default(60))
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def test_pictures_are_left_out_until_they_are_asked_for(run: Run, tmp_path: Path, picture: bytes) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "owl.png").write_bytes(picture)
    (docs / "a.md").write_text("Bees.\n")
    pack(docs / "b.zip", b_md="Kelp.\n", c_png=picture)
    ran = run("-v", "index", "docs", "--format", "json", cwd=tmp_path)
    assert (ran.json["documents"]["added"], ran.json["documents"]["failed"]) == (2, 0)
    assert "left out: docs/owl.png: picture" in ran.err
    assert "left out: docs/b.zip/c.png: picture" in ran.err
    named = run("index", "docs/owl.png", "--format", "json", cwd=tmp_path, exit=2)
    assert "--ocr" in named.json["failures"][0]["message"]


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_pictures_are_read_where_that_is_asked_for(run: Run, tmp_path: Path, picture: bytes) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "owl.png").write_bytes(picture)
    (docs / "a.md").write_text("Bees.\n")
    run("index", "docs", cwd=tmp_path)
    assert run("index", "--ocr", "eng", "--format", "json", cwd=tmp_path).json["documents"]["added"] == 1
    [hit] = run("search", "owls hunt", "--mode", "lexical", "--format", "json", cwd=tmp_path).json["hits"]
    assert (hit["path"], hit["page"]) == ("docs/owl.png", 1)
    assert "HUNT" in hit["text"]


def test_copies_in_an_archive_are_read_once(run: Run, tmp_path: Path) -> None:
    pack(
        tmp_path / "a.zip",
        one_md="# Bees\n\nSame words.\n",
        two_md="# Bees\n\nSame words.\n",
        three_md="Others.\n",
    )
    ran = run("-v", "index", "a.zip", "--format", "json", cwd=tmp_path)
    assert ran.json["documents"]["added"] == 2
    assert "left out: a.zip/two.md: copy" in ran.err
    assert documents(run, tmp_path) == ["a.zip/one.md", "a.zip/three.md"]


def test_an_unknown_language_is_told_before_anything_is_read(run: Run, tmp_path: Path) -> None:
    if shutil.which("tesseract") is None:
        pytest.skip("tesseract is not installed")
    (tmp_path / "a.md").write_text("words\n")
    assert "no language 'klingon'; it has " in run.fails(
        2, "index", ".", "--ocr", "eng+klingon", cwd=tmp_path
    )


def test_the_variable_and_the_flag_are_both_tried(run: Run, tmp_path: Path) -> None:
    locked_pdf(tmp_path, "The treasure lies under the oak", "sesame")
    run("index", "locked.pdf", "--password", "wrong", cwd=tmp_path, env={"RAG_PASSWORD": "sesame"})
    assert found(run, tmp_path, "treasure") == ["locked.pdf"]


def found(run: Run, home: Path, word: str) -> list[str]:
    """Documents that hold a word."""
    hits = run("search", f"+{word}", "--mode", "lexical", "--format", "json", cwd=home).json["hits"]
    return [hit["document"] for hit in hits]


def test_what_took_the_place_of_a_folder_leaves_nothing_stale(run: Run, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    for name in ("a.zip", "notes"):
        (docs / name).mkdir(parents=True)
        (docs / name / "old.md").write_text("kelp\n")
    run("index", "docs", cwd=tmp_path)
    for name in ("a.zip", "notes"):
        shutil.rmtree(docs / name)
    pack(docs / "a.zip", new_md="owls\n")
    (docs / "notes").write_text("bees\n")
    assert run("index", "docs", "--format", "json", cwd=tmp_path).json["documents"]["removed"] == 2
    assert documents(run, tmp_path) == ["docs/a.zip/new.md", "docs/notes"]


def test_what_cannot_be_read_again_is_kept_while_it_is_the_same(run: Run, tmp_path: Path) -> None:
    """Another way of cutting reads all files again; one whose password is not at hand stays as it was."""
    docs = tmp_path / "docs"
    docs.mkdir()
    locked_pdf(docs, "The treasure lies under the oak", "sesame")
    (docs / "a.md").write_text("Bees.\n")
    run("index", "docs", "--password", "sesame", cwd=tmp_path)
    for _ in range(2):
        ran = run("index", "docs", "--chunk-size", "100", "--format", "json", cwd=tmp_path, exit=6)
        assert ran.json["documents"]["removed"] == 0
        assert found(run, tmp_path, "treasure") == ["docs/locked.pdf"]
    locked_pdf(docs, "The treasure has gone", "open")
    run("index", "docs", cwd=tmp_path, exit=6)
    assert documents(run, tmp_path) == ["docs/a.md"]


def test_another_loader_reads_anew(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    own = tmp_path / "config" / "ragcli" / "rag.toml"
    own.parent.mkdir(parents=True)
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.loud").write_text("owls")
    for text, wanted in (
        ("", "owls"),
        (f"[loaders]\n{json.dumps('.loud')} = {json.dumps(CAPITALS)}\n", "OWLS"),
        ("", "owls"),
    ):
        own.write_text(text)
        run("index", "docs", cwd=tmp_path)
        [hit] = run("search", "owls", "--mode", "lexical", "--format", "json", cwd=tmp_path).json["hits"]
        assert hit["text"] == wanted


def test_a_collection_in_an_archive_is_one(run: Run, tmp_path: Path) -> None:
    lines = '{"_id": "7", "text": "kelp"}\n{"_id": "8", "text": "owls"}\n'
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("c.jsonl", lines)
    run("index", "a.zip", cwd=tmp_path)
    assert documents(run, tmp_path) == ["a.zip/c.jsonl#7", "a.zip/c.jsonl#8"]
    assert run("remove", "a.zip", "--format", "json", cwd=tmp_path).json["removed"] == 2


def test_passwords_are_told_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    from ragcli.cli.build import _command

    monkeypatch.setattr(sys, "argv", ["rag", "index", "--password", "two words", "--password=one", "docs"])
    assert _command() == "rag index --password … --password=… docs"
