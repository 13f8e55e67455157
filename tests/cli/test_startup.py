"""What a start costs, and the ways to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ..program import Rag, Run

HEAVY = {"torch", "sentence_transformers", "transformers", "chromadb", "openai", "httpx", "tiktoken"} | {
    "anthropic",
    "httpx2",
}
# Runs the program as ``rag`` does and tells on stderr what it imported.
WATCHED = """
import sys
from ragcli.cli import main
try:
    main()
finally:
    sys.stderr.write("imported: " + " ".join(sorted({name.split(".")[0] for name in sys.modules})))
"""
COMMANDS = [
    "index",
    "remove",
    "search",
    "context",
    "query",
    "chat",
    "eval",
    "doctor",
    "export",
    "import",
    "status",
    "list",
    "show",
    "chunk",
    "embed",
    "similarity",
    "models",
    "config",
]


def imported(*words: str, cwd: Path) -> set[str]:
    """Top-level names of the modules that a fresh process holds after a command that goes well."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *words], cwd=cwd, capture_output=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    return set(done.stderr.rpartition("imported: ")[2].split())


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    assert not imported("--help", cwd=tmp_path) & (HEAVY | {"tantivy", "numpy", "rich", "sqlite3"})


def test_lexical_search_imports_no_model(samples: Path) -> None:
    found = imported("search", "sensor", "--mode", "lexical", cwd=samples)
    assert "tantivy" in found
    assert not found & HEAVY


@pytest.mark.parametrize("command", ["search", "query", "context"])
def test_a_question_is_embedded_and_searched_without_torch_and_without_chromas_client(
    samples: Path, command: str
) -> None:
    found = imported(command, "how do I get a lost sensor back?", cwd=samples)
    # Where a process can be forked, another one has opened the collection meanwhile.
    assert ("chromadb_rust_bindings" in found) is (sys.platform != "linux")
    assert not found & (HEAVY | {"openvino"})


def test_what_is_embedded_is_embedded_without_torch(samples: Path) -> None:
    found = imported("embed", "a text", cwd=samples)
    assert "openvino" in found
    assert not found & HEAVY


def test_only_the_command_that_is_named_is_loaded(samples: Path) -> None:
    watched = WATCHED.replace('.split(".")[0]', "")
    done = subprocess.run(
        [sys.executable, "-c", watched, "search", "sensor", "--mode", "lexical"], cwd=samples, capture_output=True,
        encoding="utf-8", timeout=120,
    )  # fmt: skip
    loaded = set(done.stderr.split())
    assert "ragcli.cli.search" in loaded
    assert not loaded & {
        f"ragcli.cli.{name}" for name in ("build", "quality", "keep", "look", "chat", "query")
    }


def test_lexical_search_in_files_imports_no_model(samples: Path) -> None:
    found = imported("search", "sensor", "--in", "sample_docs/faq.md", cwd=samples)
    assert "rank_bm25" in found
    assert not found & HEAVY


def test_status_imports_no_model(samples: Path) -> None:
    assert not imported("status", cwd=samples) & HEAVY


def test_module_and_script_are_the_same_program(rag: Rag, samples: Path) -> None:
    script = Path(sys.executable).with_name("rag")
    if not script.exists():
        pytest.skip("the program is not installed beside this Python")
    words = ["search", "sensor", "--mode", "lexical", "--format", "jsonl"]
    done = subprocess.run(
        [str(script), *words], cwd=samples, capture_output=True, encoding="utf-8", timeout=120
    )
    assert (done.returncode, done.stdout) == (0, rag(*words, cwd=samples).out)


def test_version_is_one_line(run: Run) -> None:
    from importlib.metadata import version

    assert run("--version").out == f"rag {version('ragcli')}\n"


def test_help_goes_to_stdout(run: Run) -> None:
    ran = run("--help")
    assert "rag query" in ran.out
    assert not ran.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(run: Run, command: str) -> None:
    ran = run(command, "--help")
    assert f"Example: rag {command}" in ran.out
    assert not ran.err


def test_the_list_of_commands_is_whole(run: Run) -> None:
    listed = run("--help").out.rpartition("Commands:")[2].partition("Begin with")[0]
    names = {line.split()[0] for line in listed.splitlines() if line[2:3].strip()}
    assert names == set(COMMANDS)
